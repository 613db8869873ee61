"""Yes or no: how a question asks for it, and which of the two a reply says."""

from __future__ import annotations

import re

_YES = r"yes|yep|yeah|true|correct|affirmative|right|certainly|absolutely|indeed|sí|oui|ja|sim|да|是的?|はい|对|예|네"
_NO = r"no|nope|false|incorrect|negative|wrong|nein|non|não|нет|否|不是?|いいえ|아니요?"
_OPENS = re.compile(
    rf"^\W*(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?=$|[^\w\s]|\s*$|\s+(?:it|he|she|they|this|that|there|you|I|we|the|because|but|not)\b)",
    re.IGNORECASE,
)
_SAYS = re.compile(rf"\b(?:(?P<yes>{_YES})|(?P<no>{_NO}))\b", re.IGNORECASE)
_VERDICT = re.compile(
    r"\b(?:statement|claim|sentence|proposition|assertion|it)\b[^.?!]{0,40}? (?:is"
    r"|are) (?P<not>not )?(?:therefore |thus |actually )?(?P<word>true|false|correct|incorrect)\b",
    re.IGNORECASE,
)
_AUXILIARY = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|might|must|has|have|had"
    r"|isn't|aren't|doesn't|don't|didn't)"
)
_ASKS = re.compile(
    rf"(?:^|[.!?:\n]\s*)(?:(?:so|and|but|then|also|please)[, ]+)?{_AUXILIARY}\s[^.?!\n]*\?\s*$", re.IGNORECASE
)
_OPENS_ASKING = re.compile(rf"\s*{_AUXILIARY}\s[^.?!\n]*\?", re.IGNORECASE)
_NAMED = re.compile(r"\b(?:yes or no|yes/no|true or false|true/false)\b", re.IGNORECASE)
_TRUTH = re.compile(r"\btrue\b.{0,8}\bfalse\b", re.IGNORECASE)


def asked(question: str) -> bool:
    """Tells whether a question asks for yes or no: at its end, or before the document that it is about."""
    if _NAMED.search(question):
        return True
    asking = _ASKS.search(question.strip()) or _OPENS_ASKING.match(question)
    return (
        asking is not None
        and not re.search(r"\bor\b", asking[0])
        and not re.match(r"\W*(?:can|could|would|will) you\b", asking[0], re.IGNORECASE)
    )


def shown(*, value: bool, question: str) -> str:
    """Returns the answer in the words of the question."""
    if _TRUTH.search(question):
        return "true" if value else "false"
    return "yes" if value else "no"


def said(text: str) -> bool | None:
    """Returns what a short marked answer says, None where it says neither or both."""
    opening = opened(text)
    if opening is not None:
        return opening
    seen = {match["yes"] is not None for match in _SAYS.finditer(text)} if len(text) < 120 else set()
    return seen.pop() if len(seen) == 1 else None


def opened(text: str) -> bool | None:
    """Returns what a reply opens with, None where it opens otherwise."""
    match = _OPENS.match(text)
    return match["yes"] is not None if match else None


def judged(text: str) -> bool | None:
    """Returns how the prose of a reply judges a statement, by its last judgement."""
    verdicts = list(_VERDICT.finditer(text))
    if not verdicts:
        return None
    last = verdicts[-1]
    return (last["word"].lower() in ("true", "correct")) != (last["not"] is not None)
