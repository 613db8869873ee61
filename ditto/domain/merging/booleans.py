"""Yes or no, true or false, in several languages: how a question asks for it, and which of the two a reply says."""

from __future__ import annotations

import re

from ditto.domain.merging import languages, restated, sentences
from ditto.domain.merging.cues import Cue

_YES = (
    "yes|yep|yeah|yup|true|correct|affirmative|right|certainly|absolutely|indeed|definitely|of course"
    "|ja|jawohl|wahr|richtig|korrekt|stimmt|oui|vrai|exact|sí|si|verdadero|cierto|correcto|sì|vero|corretto|esatto"
    "|sim|verdadeiro|correto|waar|juist|tak|prawda|да|правда|верно|истина|evet|doğru|ano|igen|kyllä|ναι|так|نعم|أجل"
    "|صحيح|כן|जी हाँ|जी हां|हाँ|हां|सही|ya|có|vâng"
)
_NO = (
    "no|nope|nah|false|incorrect|negative|wrong|untrue|nein|falsch|unwahr|non|faux|falso|incorrecto|não|nao|incorreto"
    "|nee|onwaar|onjuist|nie|fałsz|нет|ложь|неверно|неправда|hayır|yanlış|nej|nem|όχι|ні|لا|كلا|خطأ|לא|जी नहीं|नहीं|गलत"
    "|tidak|không"
)
_YES_SIGNS = (
    "はい|真|正しい|そうです|是的|是|对的|对(?!于)|對(?!於)|正确|正確|맞습니다"
    r"|예(?=$|\W)|네(?=$|\W)|참(?=$|\W)"
)
_NO_SIGNS = (
    "いいえ|偽|正しくない|正しくありません|違います|不是|不对|不對|不正确|不正確|否(?!则|則)|错误|错|没有"
    "|아니요|아니오|거짓|아닙니다"
)
_GOES_ON = (
    r"it|he|she|they|this|that|there|you|I|we|the|because|but|not|der|die|das|es|le|la|les|il|elle|c'est|el|los|las"
    r"|ella|en|o|a|os|as|это|он|она|они|to|het|de|since|as|although|though|at|in|for|denn|weil|aber|car|mais|porque"
    r"|pero|ma|mas|want|maar|bo|потому"
)
_OPENS = re.compile(
    rf"^[^\w]*(?:(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?=$|[^\w\s]|\s*$|\s+(?:{_GOES_ON})\b)"
    rf"|(?P<not>{_NO_SIGNS})|(?P<so>{_YES_SIGNS}))",
    re.IGNORECASE,
)
_OPENS_DENYING = re.compile(
    r"^\W*(?:(?:absolutely|definitely|certainly|of course|probably|surely|generally|usually|actually"
    r"|it is) not\b(?=\W|$)(?! only)"
    r"|not at all\b|never\b\W|(?:auf keinen fall|keineswegs|natürlich nicht|sicher nicht|nicht wirklich)\b"
    r"|(?:absolument pas|certainement pas|pas du tout|bien sûr que non)\b|(?:por supuesto que no|claro que no)\b"
    r"|(?:assolutamente no|certo che no|certamente no)\b|(?:claro que não|de modo algum)\b|(?:absoluut|zeker) niet\b"
    r"|(?:absolutnie|zdecydowanie) nie\b|(?:конечно|определённо|определенно|совсем) не\w*\b)",
    re.IGNORECASE,
)
_PLAIN_WORDS = (
    "yes|yep|no|nope|ja|nein|oui|non|sí|sì|sim|não|nee|tak|nie|да|нет|نعم|لا"
    "|हाँ|हां|जी हाँ|नहीं|जी नहीं|evet|hayır|nej|ναι|όχι|так|ні"
)
_PLAINLY = re.compile(
    rf"^\W*(?:(?:{_PLAIN_WORDS})(?=$|[^\w\s]|\s*$)|はい|いいえ|是的|不是|네(?=$|\W)|예(?=$|\W)|아니요|아니오)", re.I
)
_AT_END = re.compile(
    rf"(?:^|[,;:–—-]\s*|\b(?:so|also|daher|donc|ainsi|así que|quindi|então|dus|więc|поэтому)\s+)"
    rf"(?:so|thus|then|the answer is|also|daher|donc|quindi|dus)?\s*(?:(?P<yes>{_YES})|(?P<no>{_NO}))\s*[.!]*\s*\Z",
    re.IGNORECASE,
)
_SAYS = re.compile(
    rf"(?P<negated>\b(?:not|nicht|pas|no es|non è|não é|niet|nie|не)\s+)?\b(?:(?P<yes>{_YES})|(?P<no>{_NO}))\b"
    rf"|(?P<not>{_NO_SIGNS})|(?P<so>{_YES_SIGNS})",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:statement|claim|sentence|proposition|assertion|it|that|this|das|ce|cela|esto|eso|questo|isso|dat|to"
    r"|это|aussage|behauptung|affirmation|énoncé|afirmación"
    r"|affermazione|afirmação|stelling|утверждение)\b[^.?!]{0,40}?\s(?:is|are|ist|est|es|è|é|-|—)?\s?"
    r"(?P<not>not |nicht |pas |no es |non è |não é |niet |не )?(?:therefore |thus |actually |indeed )?"
    r"(?P<word>true|false|correct|incorrect|supported|unsupported|entailed|implied|valid|invalid|contradicted"
    r"|refuted|wahr|falsch|richtig|vraie?|fausse|faux|verdader[oa]|fals[oa]|ver[oa]|waar"
    r"|onwaar|верно|неверно|ложно|истинно)\b",
    re.IGNORECASE,
)
_TRUE_WORDS = re.compile(
    r"^(?:true|correct|supported|entailed|implied|valid|wahr|richtig|vraie?|verdader[oa]|ver[oa]|waar|верно|истинно)$",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    rf"\b(?:therefore|thus|hence|so|in conclusion|overall|in short|daher|also|somit|donc|ainsi|por lo tanto|quindi"
    rf"|portanto|поэтому|следовательно)\b[,:]?\s+(?:the answer is\s+)?(?:(?P<yes>{_YES})|(?P<no>{_NO}))\b",
    re.IGNORECASE,
)
_AUXILIARY = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|might|must|has|have|had"
    r"|isn't|aren't|doesn't|don't|didn't|can't|won't|wasn't)"
)
_ASKS = re.compile(
    rf"(?:^|[.!?:\n]\s*)(?:(?:so|and|but|then|also|please)[, ]+)?{_AUXILIARY}\s[^.?!\n]*\?\s*$", re.IGNORECASE
)
_OPENS_ASKING = re.compile(rf"\s*{_AUXILIARY}\s[^.?!\n]*\?", re.IGNORECASE)
_ASKS_ELSEWHERE = re.compile(
    r"(?:^|[.!?:\n]\s*)(?:ist|sind|war|waren|hat|haben|kann|können|darf|muss|wird|gibt es|stimmt"
    r"|est-ce que?|est-il|est-elle|sont-ils|peut-on|y a-t-il|a-t-il|a-t-elle|¿(?:es|son|está|están|fue|fueron|hay"
    r"|puede|tiene"
    r"|existe|se puede)|è vero|è|sono|il est vrai|é verdade|é|são|existe|klopt|is het|zijn|czy|правда ли"
    r"|является ли|верно ли|можно ли|есть ли)\b[^.?!\n]*\?\s*$"
    r"|(?:吗|嗎|ですか|ますか|でしょうか|是否|是不是|입니까|습니까)[^。\n]{0,40}[?？。]?\s*$",
    re.IGNORECASE,
)
_NAMED = Cue(
    "(?:yes or no|yes/no|true or false|true/false|ja oder nein|wahr oder falsch|oui ou non|vrai ou faux"
    "|sí o no|verdadero o falso|sì o no|vero o falso|sim ou não|verdadeiro ou falso|ja of nee"
    r"|waar of onwaar|tak czy nie|prawda czy fałsz|да или нет|правда или ложь)\b",
    signs=("是还是不是", "对还是错", "はい(?:か|または)いいえ"),
)
_TRUTH = Cue(r"true\b.{0,8}\bfalse\b")
_ALTERNATIVE = re.compile(r"\b(?:or|oder|или)\b|还是|または", re.IGNORECASE)
_ALTERNATIVES = {
    language: re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    for language, word in {"fr": "ou", "es": "o|u", "it": "o|oppure", "pt": "ou", "nl": "of", "pl": "czy|lub"}.items()
}
_REQUEST = re.compile(
    r"\W*(?:can|could|would|will) you\b|\W*(?:kannst|können|könnten) (?:du|sie)\b|\W*(?:peux|pouvez)-"
    r"|\W*¿?(?:puedes|podrías)\b",
    re.IGNORECASE,
)
_SHORT_CHARS = 120
_LOOKED_AT_CHARS = 5_000


def asked(question: str) -> bool:
    """Tells whether a question asks for yes or no: at its end, or before the document that it is about."""
    if _NAMED.is_in(question):
        return True
    plain = question.strip()[-_LOOKED_AT_CHARS:]
    asking = _ASKS.search(plain) or _OPENS_ASKING.match(question[:_LOOKED_AT_CHARS]) or _ASKS_ELSEWHERE.search(plain)
    return asking is not None and not offers(asking[0]) and not requests(asking[0])


def offers(asking: str) -> bool:
    """Tells whether a question offers alternatives in its sentence: then yes is no answer to it."""
    named = _ALTERNATIVES.get(languages.of(asking) or "")
    return _ALTERNATIVE.search(asking) is not None or (named is not None and named.search(asking[3:]) is not None)


def requests(question: str) -> bool:
    """Tells whether what looks like a question asks for something to be done."""
    return _REQUEST.match(question) is not None


def shown(*, value: bool, question: str) -> str:
    """Returns the answer in the words of the question."""
    if _TRUTH.is_in(question):
        return "true" if value else "false"
    return "yes" if value else "no"


def said(text: str) -> bool | None:
    """Returns what a short marked answer says, None where it says neither or both."""
    opening = opened(text)
    if opening is not None:
        return opening
    if len(text) >= _SHORT_CHARS:
        return None
    seen = {_meaning(match) for match in _SAYS.finditer(text)}
    return seen.pop() if len(seen) == 1 else None


def opened(text: str) -> bool | None:
    """Returns what a reply opens with, None where it opens otherwise."""
    if _OPENS_DENYING.match(text[:_SHORT_CHARS]):
        return False
    match = _OPENS.match(text[:_LOOKED_AT_CHARS])
    return (match["yes"] or match["so"]) is not None if match else None


def opens_plainly(text: str) -> bool:
    """Tells whether a reply opens with yes or no itself, rather than with a word that may also begin something else."""
    return _PLAINLY.match(text[:_SHORT_CHARS]) is not None or _OPENS_DENYING.match(text[:_SHORT_CHARS]) is not None


def judged(text: str, question: str) -> bool | None:
    """Returns how the prose of a reply judges.

    By its last conclusion, else by a first or last sentence that ends in yes or no, else by its first sentences as far
    as they say again what was asked (`restated`), else by its last judgement of a statement.
    """
    head = text[-_LOOKED_AT_CHARS:]
    concluded = list(_CONCLUDES.finditer(head))
    if concluded:
        return concluded[-1]["yes"] is not None
    said_first = sentences.of(text[:_LOOKED_AT_CHARS])
    for sentence in (*said_first[:1], *said_first[-1:]):
        if (ending := _AT_END.search(sentence)) is not None:
            return ending["yes"] is not None
    if not _TRUTH.is_in(question) and (restated_as := restated.said(said_first, question)) is not None:
        return restated_as
    verdicts = list(_VERDICT.finditer(head))
    if not verdicts:
        return None
    last = verdicts[-1]
    return (_TRUE_WORDS.match(last["word"]) is not None) != (last["not"] is not None)


def _meaning(match: re.Match[str]) -> bool:
    positive = (match["yes"] or match["so"]) is not None
    return positive != (match["negated"] is not None)
