"""Yes or no, said by saying again what was asked: "Is Pluto a planet?" is denied by "Pluto is not a planet."

A sentence that holds every content word of the question and denies nothing affirms it. One that holds most of them and
denies something denies it. A sentence that leaves it open ("whether", "it depends") judges nothing, nor is a question
judged that holds a denial itself. "It is not." judges by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ditto.domain.merging import sentences, wording

_JUDGING_SENTENCES = 2
_MOST_WORDS = 40
_ENOUGH_TO_DENY = 0.6
_DENIES = re.compile(
    r"\b(?:not|cannot|never|neither|nor|no|none|nobody|nothing|without|hardly|lacks?|myth|misconception|untrue|false"
    r"|incorrect|wrong|contrary|unable|nicht|kein\w*|nie|niemals|falsch|irrtum|mythos|ne|pas|jamais|aucune?|faux"
    r"|nunca|jamás|ningun[oa]?|ningún|falso|mito|non|mai|nessun[oa]?|não|jamais|nenhum[a]?|niet|geen|nooit|onjuist"
    r"|nigdy|żaden|не|нет|никогда|нельзя|değil|yok|inte|ikke|ingen)\b|n['’]t\b|\bn['’](?=\w)"
    r"|不是|不能|不会|不可|没有|並不|并不|不|ありません|ではない|じゃない|ません|ない|않|아니|없|못|ليس|ليست|لا|لم|لن|غير|नहीं"
    r"|न ",
    re.IGNORECASE,
)
_LEAVES_OPEN = re.compile(
    r"\b(?:whether|depends?|depending|if|unless|maybe|perhaps|might|unclear|some (?:people|say|argue|experts)"
    r"|many people"
    r"|debat\w+|not (?:only|just|necessarily|always|sure)|ob|kommt darauf an|vielleicht|hängt|dépend|peut-être|depende"
    r"|quizás|talvez|dipende|forse|hangt af|misschien|zależy|może|зависит|возможно)\b|取决于|也许|場合による|かもしれ"
    r"|경우",
    re.IGNORECASE,
)
_BUT = re.compile(
    r"\b(?:but|however|although|though|while|aber|mais|pero|sino|sondern|ma|mas|maar|ale|но|а)\b", re.IGNORECASE
)
_ELLIPTIC = re.compile(
    r"\W*(?:it|he|she|they|this|that|you|we|there|I)\s+(?:really |actually |indeed |certainly |definitely )?"
    r"(?:is|are|was|were|does|do|did|can|could|will|would|has|have|had|should|may|must)"
    r"(?P<not>n['’]t|\s?not)?\s*(?:[.;,!]|\Z)",
    re.IGNORECASE,
)
_ASKING = re.compile(r"[^.!?\n:]*[?？]")


def said(reply: Sequence[str], question: str) -> bool | None:
    """Returns how a reply, given as its sentences, judges what was asked, None where it does not say it again."""
    asked = _asked(question)
    if not asked:
        return None
    for sentence in reply[:_JUDGING_SENTENCES]:
        elliptic = _ELLIPTIC.match(sentence)
        if elliptic is not None:
            return elliptic["not"] is None
        judged = _judged(sentence, asked)
        if judged is not None:
            return judged
    return None


@lru_cache(maxsize=4)
def _asked(question: str) -> frozenset[str]:
    """Returns the content words of what is asked, kept for the panel's next reply; none where it is a denial."""
    asking = _ASKING.findall(question)
    last = (asking[-1] if asking else (sentences.of(question) or [""])[-1]).strip()
    if _DENIES.search(last):
        return frozenset()
    return frozenset(word.plain for word in wording.words(last)[:_MOST_WORDS] if not word.empty)


def _judged(sentence: str, asked: frozenset[str]) -> bool | None:
    if _LEAVES_OPEN.search(sentence):
        return None
    said_words = [word.plain for word in wording.words(sentence)[:_MOST_WORDS]]
    held = len(asked & frozenset(said_words)) / len(asked)
    if _DENIES.search(sentence):
        return False if held >= _ENOUGH_TO_DENY else None
    clause = _BUT.split(sentence, maxsplit=1)[0]
    own = frozenset(word.plain for word in wording.words(clause)[:_MOST_WORDS])
    return True if asked <= own else None
