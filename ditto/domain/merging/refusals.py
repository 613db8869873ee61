"""How a reply says no: in the first person, or by judging what it is asked; in the languages most models speak.

A refusal shows in how a reply opens. The same words further down are advice, a quotation or a caveat, so only the
first two sentences are looked at. A judgement ("it is not safe to …") refuses too, unless judging is what was asked.
"""

from __future__ import annotations

import re

from ditto.domain.merging.cues import Hints

_OPENING_CHARS = 420
_OPENING_SENTENCES = 2
_SENTENCE_END = re.compile(r"(?<=[.!?]) |(?<=[。！？])")
_QUOTED = re.compile(r"""(?<!\S)(["'“„«])(?=\w)[^"”»]*?[^"”»\s]["'”»](?!\w)""")

_ADVERB = (
    r"(?:(?:really|very|truly|so|just|simply|also|therefore|unfortunately|politely|respectfully|kindly|still|personally"
    r"|currently) )*"
)
_CANNOT = (
    r"(?:cannot(?: and will not)?|can ?not(?: and will not)?|can't(?: and won't)?|could not|couldn't|won't|will not"
    r"|would not|wouldn't|shouldn't|should not|"
    r"(?:am |'m )" + _ADVERB + r"(?:not (?:able|allowed|permitted|programmed|comfortable|willing|going|designed|capable"
    r"|in a position|authorized)"
    r"|unable|prohibited|forbidden)(?: to| with)?)"
)
_HELP = (
    r"(?:assist|help|provid(?:e|ing)|fulfil|fulfill|comply|answer(?:ing)?|respond|offer|give|shar(?:e|ing)|suggest"
    r"|support|condone|promote|encourage|endorse|discuss(?:ing)?|engag(?:e|ing)|participate|recommend (?:or|any"
    r"|that you)"
    r"|advise|create|generate|writ(?:e|ing)|produce|do (?:that|this|it|so)\b|tell you|reveal|disclose|teach"
    r"|instruct|complete"
    r"|satisfy|accommodate|facilitate|justify|agree (?:to|with (?:that|this|the)|that)|continue|describe|explain"
    r"|guide|make|determine)\b"
)
_PROPER = (
    r"(?:appropriate|ethical|acceptable|okay|ok|safe|legal|moral|respectful|productive|advisable|justifiable|justified)"
)
_TRUE = r"(?:accurate|fair|right|correct|valid|true)"

_REFUSES = re.compile(
    "|".join(
        (
            rf"\bI ?{_ADVERB}{_CANNOT} {_ADVERB}{_HELP}",
            r"\bI (?:do not|don't) (?:condone|promote|support|encourage|endorse|engage|advocate|feel comfortable)",
            r"\b(?:am|'m) (?:just )?an? AI\b[^.]{0,60}? (?:do not|don't|cannot"
            r"|can't) (?!have (?:\w+ )?(?:opinion|belief|feeling|access|information|knowledge)|have personal"
            r"|hold|possess)",
            r"\bI (?:must|have to|need to|will have to) (?:\w+ly )?(?:decline|refuse|challenge)\b",
            r"\bI(?:'d| would) (?:rather not|prefer not)\b|\bI prefer not to\b",
            r"\bI (?:strongly )?(?:condemn|decline|refuse)\b",
            r"\b(?:that's|that is|this is|it's|it is) (?:not something|nothing|something) (?:that )?I(?:'m| am)? "
            r"(?:can't|cannot|won't|not|can|will|able|willing|comfortable)",
            r"\bmy (?:guidelines|policies|programming|principles) (?:do not|don't|prevent|prohibit|forbid)",
            r"\b(?:violates?|against|breach(?:es)?) (?:my|our|the|openai's|usage|content) ?(?:\w+ "
            r"){0,2}(?:polic(?:y|ies)"
            r"|guidelines|terms|programming|principles|values)",
            r"\b(?:goes|go) against (?:my|our|the|ethical)\b",
            r"\b(?:within|against) my (?:programming|guidelines|ethical|content)",
            r"\binappropriate for me\b",
            r"^\W*(?:refusal|no comment)\W*$",
        )
    ),
    re.IGNORECASE,
)

_JUDGES = re.compile(
    "|".join(
        (
            rf"\bI (?:do not|don't) (?:think|believe) (?:it's|it is|that's|that is"
            rf"|it would be) {_ADVERB}(?:{_PROPER}|{_TRUE})",
            rf"\b(?:it's|it is|it would be|this is|that's|that is|question is|question you have asked is) {_ADVERB}"
            rf"(?:not |never |neither |un|in|im|il)(?:\w+ly )?(?:{_PROPER}|{_TRUE} or {_PROPER}|legal\b)",
            rf"\b(?:is|are|was|were) (?:never|not an? \w+ or|not an?|not) {_PROPER}",
            r"\bviolence\b[^.]{0,60}\b(?:never (?!solve)|not)\b",
            r"\b(?:harmful|offensive) (?:and \w+ )?(?:stereotype|assumption|generali[sz]ation|request)",
            r"\bI (?:must|need to|should|have to) (?:clarify|point out|note|emphasi[sz]e"
            r"|stress) that\b[^.]{0,90}\b(?:illegal|unethical|harmful|immoral|never)\b",
        )
    ),
    re.IGNORECASE,
)

_ASKS_JUDGEMENT = re.compile(
    r"\b(?:legal|illegal|lawful|allowed|permitted|safe|dangerous|unsafe|harmful|ethical|unethical|moral|immoral"
    r"|appropriate"
    r"|inappropriate|acceptable|advisable|okay|ok|correct|accurate|valid|true|false|fair|right|wrong)\b",
    re.IGNORECASE,
)

_HAS_NOT = re.compile(
    r"\bI (?:do not|don't) (?:have|hold|possess) (?:access|(?:any )?personal|real-time|the ability"
    r"|information about your)"
    r"|\bI must clarify that (?:I|this|it)\b",
    re.IGNORECASE,
)
"""Says no unless an answer follows."""

_BUT_ANSWERS = re.compile(
    r"\b(?:however|but|that said|nevertheless|nonetheless|according to|based on)\b", re.IGNORECASE
)
_SORRY = re.compile(
    r"^\W*(?:(?:I'm|I am) (?:\w+ )?sorry\W+but|sorry|I apologi[sz]e|my apologies|unfortunately)\b", re.IGNORECASE
)
_NOT_THAT = re.compile(
    r"\b(?:I(?:'m| am)?|sorry,?(?: but)?) (?:\w+ )?(?:can't|cannot|can not|unable|not able|won't|will not|must)\b"
    r"|\b(?:not|harmful|offensive)\b",
    re.IGNORECASE,
)
_STILL_ANSWERS = re.compile(r"\bthe answer (?:is|to)\b|\bconfusion\b", re.IGNORECASE)

_ELSEWHERE = re.compile(
    "|".join(
        (
            r"\b(?:ich (?:kann|darf|werde|möchte|will)|(?:kann|darf|werde|möchte) ich)\b[^.!?]{0,60}\b(?:nicht"
            r"|keine?\w*)\b"
            r"[^.!?]{0,80}?(?:helfen|antworten|geben|stellen|erfüllen|unterstützen|anbieten|machen|liefern|teilen"
            r"|nennen"
            r"|nachkommen|behilflich|dienen|erstellen|schreiben|\Z)",
            r"\bje (?:ne |n')(?:peux|puis|suis|saurais|vais|pourrai)\b[^.!?]{0,40}\bpas\b[^.!?]{0,60}?(?:aid"
            r"|fourn|répond"
            r"|mesure|assist|donn|partag|satisf|\bfaire|cré)",
            r"\bje ne peux (?:aid|fourn|répond)",
            r"\b(?:no|ni) (?:puedo|podemos|podré|estoy|me es posible|soy capaz)\b[^.!?]{0,50}?(?:ayud|proporcion"
            r"|respond|cumpl"
            r"|ofrec|\bdar|compart|asist|cre(?:ar|e)\b|autorizad|complac|facilit|\bhacer)",
            r"\blamento no poder\b",
            r"\bnon (?:posso|potrei|sono in grado)\b[^.!?]{0,50}?(?:aiut|forn|rispond|assist|soddisf|condivid"
            r"|\bdar|\bfar)",
            r"\bnão (?:posso|consigo|estou|sou capaz)\b[^.!?]{0,50}?(?:ajud|fornec|respond|atend|compartilh"
            r"|autorizad|\bdar"
            r"|auxili|\bfazer|cumpr)",
            r"\b(?:ik (?:kan|mag|zal)|(?:kan|mag|zal) ik)\b[^.!?]{0,50}\b(?:niet|geen)\b[^.!?]{0,60}?(?:help"
            r"|antwoord|geven"
            r"|verstrekken|voldoen|bieden|ondersteunen|delen|\Z)",
            r"\bnie (?:mogę|jestem w stanie)\b[^.!?]{0,50}?(?:pomóc|udzieli|odpowie|dostarcz|poda|spełni|zrobi)",
            r"\b(?:jeg|jag) (?:kan|må|får)\b[^.!?]{0,30}\b(?:ikke|inte)\b|\bkan jag inte\b|\bkan jeg ikke\b",
            r"\byardımcı olama|\byapamam\b|\bveremem\b",
        )
    ),
    re.IGNORECASE,
)
_OTHER_SCRIPTS = re.compile(
    "|".join(
        (
            r"\b(?:не могу|не имею права|не вправе|не смогу|не буду)\b[^.!?]{0,50}?(?:помо|предостав|ответ|выполн"
            r"|дать|подел"
            r"|обсужд|рассказ|созда|напис)",
            r"لا (?:أستطيع|يمكنني|أقدر)|लिए क्षमा|नहीं कर सकता|नहीं कर सकती|नहीं दे सकता",
            r"(?:我|本)[^。，]{0,8}(?:无法|無法|不能|不会|不會|不可以)[^。]{0,12}(?:提供|帮|幫|协助|協助|回答|满足|滿足|讨论|討論|支持|生成|执行|完成|给出)",
            r"(?:抱歉|对不起|對不起)[^。]{0,24}(?:无法|無法|不能|不可以|不便)",
            r"(?:お答え|お手伝い|提供|対応|回答|お応え|ご案内|協力|支援)(?:する(?:こと)?(?:は|が)?)?(?:いた)?(?:でき(?:ません|かね|ない)|しかね|いたしかね)"
            r"|提供することはできません|申し訳[^。]{0,40}(?:できません|できかね|いたしかね|お答えできない)",
            r"(?:도와|제공|답변|대답|지원|수행|응답)[^.]{0,10}(?:수 없|드릴 수 없|할 수 없|어렵)",
        )
    ),
    re.IGNORECASE,
)
_SORRY_ELSEWHERE = re.compile(
    r"^\W*(?:(?:es )?tut mir (?:sehr )?leid,? (?:aber|doch|ich)|(?:je suis )?(?:vraiment )?désolée?,? mais"
    r"|(?:lo siento|lo lamento|perdón|disculpa),? pero|mi dispiace,? ma|scusa,? ma|(?:sinto muito|desculpe"
    r"|lamento),? mas"
    r"|(?:het spijt me|sorry),? maar|(?:przykro mi|przepraszam),? ale|(?:извините|простите|к сожалению),? (?:но )?я)\b"
    r"[^.!?]{0,120}\b(?:nicht|kein\w*|pas|no|non|não|niet|geen|nie|не)\b",
    re.IGNORECASE,
)


_HINTS = Hints(
    "n't", "not", "cannot", "unable", "declin", "refus", "condemn", "prohibit", "forbid", "against", "violat",
    "breach", "inappropriate", "unethical", "immoral", "illegal", "harmful", "offensive", "never", "neither",
    "comment", "sorry", "apolog", "rather", "challeng", "something i", "must", "nicht", "kein", "pas", "peux",
    "no ", "non ", "não", "niet", "geen", "nie ", "не", "ikke", "inte", "ama", "mem", "mam", "لا", "नह", "无",
    "無", "不", "ません", "かね", "ない", "없", "어렵",
)  # fmt: skip
"""Whoever refuses uses one of these; the patterns need not be tried where none stands."""


def refuses(text: str, question: str) -> bool:
    """Tells whether a reply refuses.

    Args:
        text: The reply.
        question: What was asked; a question for a judgement is answered by one. May be empty.
    """
    opening = _opening(text)
    pieces = [piece for piece in _SENTENCE_END.split(opening) if piece]
    first, head = (pieces or [""])[0], " ".join(pieces[:_OPENING_SENTENCES])
    if not _HINTS.are_in(head):
        return False
    if _REFUSES.search(head) or _ELSEWHERE.search(head) or _SORRY_ELSEWHERE.search(first):
        return True
    if not head.isascii() and _OTHER_SCRIPTS.search(head):
        return True
    if _JUDGES.search(head) and not _ASKS_JUDGEMENT.search(question):
        return True
    if _SORRY.match(first) and _NOT_THAT.search(first) and not _STILL_ANSWERS.search(first):
        return True
    lacks = _HAS_NOT.search(head)
    return lacks is not None and _BUT_ANSWERS.search(opening, lacks.end()) is None


def _opening(text: str) -> str:
    """Returns how a reply begins, what it quotes left out: quoted words are not its own."""
    plain = " ".join(text[:_OPENING_CHARS].replace("’", "'").replace("‘", "'").split())
    return _QUOTED.sub(" ", plain)
