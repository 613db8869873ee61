"""Which kind of answer is compared: as the caller says, else as the question asks and the panel as a whole answers.

No single reply decides: a kind is taken only where most replies can be read as it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ditto.domain.merging import amounts, booleans, dates, lists, mathematics, numbers, options, reading
from ditto.domain.merging.cues import Cue
from ditto.domain.merging.labels import Option
from ditto.domain.merging.reading import Expected, Sheet
from ditto.domain.spec import JSON, AnswerKind

_CODE = Cue(
    r"what (?:does|will|would|is)\b.{0,80}\b(?:return|print|output|evaluate)",
    r"output of (?:the|this)\b.{0,40}(?:code|program|function|expression|snippet)",
    signs=(r"==\s*\?\?", r"\[python\]"),
    flags=re.DOTALL,
)
_PROGRAM = Cue(
    "(?:write|implement|create|complete|give me|schreibe?|écris|écrivez|escribe|scrivi"
    r"|напиши\w*)\b[^.?!\n]{0,60}?\b(?:function|funktion|fonction|función|funzione|program|programm|script"
    r"|query|regex|class|method|code|one-liner|функци\w*)\b",
)
_COUNT = Cue(
    r"how (?:many|much|old|long|far|tall|fast|big|high|heavy|deep|wide|large)\b",
    r"what (?:is|was|are|were|will be|would be) the (?:\w+ )?(?:total|number|sum|average|mean|median"
    r"|probability|percent\w*|price|cost|value|area|volume|product|difference|ratio|population|speed"
    r"|distance|weight|length|height|age|amount|remainder|perimeter|temperature|mass|radius|diameter)\b",
    r"calculate\b",
    r"compute\b",
    "what percent",
    r"wie ?viele?\b",
    r"wie (?:alt|lang|hoch|groß|weit|schwer|schnell|teuer)\b",
    r"berechne\w*\b",
    r"combien\b",
    "quel(?:le)? est (?:le|la) (?:nombre|total|somme|prix|coût|population|distance|longueur|hauteur"
    r"|superficie)\b",
    r"calcule[rz]?\b",
    r"cuánt[oa]s?\b",
    r"quant[oaie]\b",
    r"quant[oa]s\b",
    r"hoeveel\b",
    r"ile\b",
    r"сколько\b",
    r"вычисли\w*\b",
    signs=(r"^\s*what is [-\d(][^a-z]*\??\s*$", "多少", "几个", "幾つ", "いくつ", "いくら", "何人", "何個", "몇"),
)
_WHEN = Cue(
    r"कब\b",
    r"(?:what|which) (?:year|date|day|time)\b[^.?!]*\?",
    r"(?:date|datum|fecha|data)\s+(?:of|von|der|de|di|do)\b[^.?!]*\?\s*$",
    signs=(
        r"(?:^|[.!?:\n,]\s*)(?:when|(?:in|on) (?:what|which) (?:day|date|year|month)|(?:what|which) (?:day"
        "|date|year)|what is the date|what time|wann|in welchem jahr|an welchem tag|um wie viel uhr|quand"
        "|en quelle année|quel jour|à quelle (?:date|heure)|¿?(?:cuándo|en qué año|qué día|a qué hora)"
        "|quando|in che anno|in quale anno|em que ano|a che ora|wanneer|in welk jaar|kiedy|w którym roku"
        r"|когда|в каком году|во сколько|متى|في أي (?:عام|سنة)|किस (?:वर्ष|साल)|कब)\b",
        "(?:什么时候|哪一年|何年|いつ|几点|何時|언제|몇 년)",
    ),
)
_PROSE = Cue(
    "(?:write|explain|describe|compose|draft|summari[sz]e|essay|story|poem|discuss|compare|outline"
    r"|brainstorm|suggest|recommend|advise|rewrite|translate|elaborate|in your own words|pros and cons)\b",
    r"how (?:do|can|should|to|does|would|could|might)\b",
    r"why\b",
    r"tell me about\b",
    r"give me (?:some|a list|ideas|tips)\b",
    r"what (?:should|are (?:some|the (?:best|main)))\b",
    r"(?:schreibe?|erkläre?|beschreibe?|fasse|warum|wieso|übersetze?|vergleiche?|empfiehl)\b",
    r"(?:écri[st]|écrivez|explique[rz]?|décri[st]|résume[rz]?|pourquoi|tradui[st]\w*)\b",
    r"(?:escribe|explica|describe|resume|por qué|traduce)\b",
    r"(?:scrivi|spiega|descrivi|riassumi|perché|traduci)\b",
    r"(?:escreva|explique|descreva|por que|traduza)\b",
    r"(?:schrijf|leg uit|beschrijf|waarom|vertaal)\b",
    r"(?:напиши\w*|объясни\w*|опиши\w*|почему|переведи\w*)\b",
    signs=("为什么", "写一", "解释", "翻译", "なぜ", "説明", "書いて"),
)
_MATHS = Cue(
    "(?:simplify|factor(?:ize|ise)?|solve|evaluate|expand|differentiate|integrate|derivative|integral"
    "|equation|polynomial|interval|matrix|vector|inequality|express (?:your )?(?:the )?answer|in terms of"
    r"|domain of|range of|find (?:all|the)|coordinates|closed form)\b",
    signs=(r"\$[^$]+\$", r"\\(?:frac|sqrt|\(|\[|boxed)"),
)
_ADVICE = Cue(
    r"(?:best|good|better|easiest|right|proper|safest|fastest) (?:ways?|methods?|approach|strategy|plan)\b",
    r"what (?:can|could|should) (?:i|we)\b",
    r"(?:where|how) (?:can|could|should) (?:i|we)\b",
    r"beste[rn]? weg\b",
    r"meilleure (?:façon|manière)\b",
    r"mejor (?:manera|forma)\b",
    r"modo migliore\b",
    r"melhor (?:maneira|forma)\b",
)
_FACT = re.compile(
    r"\W*(?:who|whom|whose|where|when|which|what(?:'s| is| was) the (?:name|capital|title|date|year|place)"
    r"|wer|wem|wen|wo|wann|welche[rsn]?|qui|où|quand|quel(?:le)?s?|quién|dónde|cuándo|cuál|chi|dove|quando|quale"
    r"|quem|onde|qual|wie is|waar|wanneer|welke?|kto|gdzie|kiedy|który|кто|где|когда|какой|какая|какое)\b"
    r"|.{0,40}(?:谁|哪里|哪个|什么时候|誰|どこ|いつ|どの|누가|누구|어디|언제)",
    re.IGNORECASE,
)
"""Asks for one fact: what answers it is short, however much is said around it."""

_RATIO = Cue(
    r"(?:ratio|proportion|verhältnis|rapport|razón|rapporto|razão|verhouding|stosunek|соотношени\w*)\b",
    signs=("比",),
)
_JSON = Cue(r"json\b")
_PHRASE_WORDS = 12
_SHORT_WORDS = 70
_FACT_WORDS = 120
_DENSE_CHARS_PER_WORD = 2.5
_SHARED = 0.5


def of(question: str, answer: AnswerKind | tuple[str, ...] | None, sheets: Sequence[Sheet]) -> Expected:
    """Returns what is compared.

    Args:
        question: The last user message.
        answer: The kind or the allowed answers that the caller names, None where the caller names none.
        sheets: The replies that may vote: complete, neither refusing nor asking back.
    """
    match answer:
        case None:
            return _inferred(question, sheets)
        case tuple():
            allowed = tuple(Option(label="", text=text) for text in answer)
            return Expected(kind=AnswerKind.CHOICE, options=allowed, several=options.several(question))
        case AnswerKind.CHOICE:
            offered = options.offered(question)
            kind = AnswerKind.CHOICE if offered else AnswerKind.TEXT
            return Expected(kind=kind, options=offered, several=bool(offered) and options.several(question))
        case _:
            return Expected(kind=answer)


def _inferred(question: str, sheets: Sequence[Sheet]) -> Expected:
    offered = options.offered(question)
    if offered and (chosen := _chosen(offered, question, sheets)) is not None:
        return chosen
    for kind, asks, reads in _closed(question):
        if asks and _most(sheets, reads):
            formulas = kind is AnswerKind.NUMBER and _are_formulas(question, sheets)
            return Expected(kind=AnswerKind.MATH if formulas else kind)
    if _most(sheets, lambda each: booleans.opens_plainly(each.text)) and not _requests(question):
        return Expected(kind=AnswerKind.BOOLEAN)
    if _most(sheets, lambda each: not each.finals and numbers.entire(each.text) is not None):
        return Expected(kind=AnswerKind.NUMBER)
    if _most(sheets, lambda each: bool(each.finals)):
        return Expected(kind=_marked_kind(question, sheets))
    if _JSON.is_in(question) and _most(sheets, lambda each: reading.structure(each) is not None):
        return Expected(kind=AnswerKind.JSON)
    if _PROGRAM.is_in(question) and _most(sheets, lambda each: "```" in each.text):
        return Expected(kind=None)
    if lists.asked(question) and _is_list(sheets):
        return Expected(kind=AnswerKind.LIST)
    if not offered and (worked_out := _worked_out(question, sheets)) is not None:
        return Expected(kind=worked_out)
    longest = _longest(question)
    if _most(sheets, lambda each: 0 < _words(each.text) <= longest):
        return Expected(kind=AnswerKind.TEXT, loose=True)
    return Expected(kind=None)


def _chosen(offered: tuple[Option, ...], question: str, sheets: Sequence[Sheet]) -> Expected | None:
    """Returns a choice among the offered answers, where the panel answers so; listed words need most of it."""
    several = options.several(question)
    if lists.ordered(question) and _most(sheets, lambda each: len(reading.choices(each, offered)) == len(offered)):
        return None
    enough = _most if not offered[0].label else _some if _PROSE.is_in(question) else _few
    if several and _most(sheets, lambda each: bool(reading.choices(each, offered))):
        return Expected(kind=AnswerKind.CHOICE, options=offered, several=True)
    if enough(sheets, lambda each: reading.choice(each, offered, question) is not None):
        return Expected(kind=AnswerKind.CHOICE, options=offered)
    return None


def _closed(question: str) -> Iterator[tuple[AnswerKind, bool, Callable[[Sheet], bool]]]:
    """Yields the kinds that a question may fix, whether it asks for each, and what tells that a reply gives one."""
    yield AnswerKind.CODE, _CODE.is_in(question), lambda each: reading.code(each, question) is not None
    yield AnswerKind.BOOLEAN, booleans.asked(question), lambda each: reading.boolean(each, question) is not None
    yield AnswerKind.DATE, _WHEN.is_in(question), lambda each: reading.date(each, question) is not None
    yield AnswerKind.NUMBER, _COUNT.is_in(question), lambda each: reading.quantity(each, question) is not None


def _marked_kind(question: str, sheets: Sequence[Sheet]) -> AnswerKind:
    first = [each.finals[0] for each in sheets if each.finals]
    if 2 * sum(_is_number(final) for final in first) > len(first):
        return AnswerKind.NUMBER
    if 2 * sum(isinstance(final, bool) or booleans.opened(str(final)) is not None for final in first) > len(first):
        return AnswerKind.BOOLEAN
    if lists.asked(question) and _is_list(sheets):
        return AnswerKind.LIST
    if 2 * sum(isinstance(final, list | dict) for final in first) > len(first):
        return AnswerKind.JSON
    if 2 * sum(isinstance(final, str) and dates.is_date(final) for final in first) > len(first):
        return AnswerKind.DATE
    if _is_mathematical(question, sheets, first):
        return AnswerKind.MATH
    return AnswerKind.TEXT


def _is_mathematical(question: str, sheets: Sequence[Sheet], first: Sequence[JSON]) -> bool:
    marked = [each for each in sheets if each.finals]
    read = [
        isinstance(final, int | float) or bool(reading.senses(each, str(final).strip()))
        for each, final in zip(marked, first, strict=True)
    ]
    if 2 * sum(read) <= len(read):
        return False
    return _MATHS.is_in(question) or 2 * sum(mathematics.is_notation(str(each)) for each in first) > len(first)


def _worked_out(question: str, sheets: Sequence[Sheet]) -> AnswerKind | None:
    """Returns the kind of what most replies come to, where that is a number or mathematics, marked or not."""
    given = [
        text for each in sheets if (text := reading.mathematical(each)) is not None and mathematics.is_answer(text)
    ]
    if 2 * len(given) <= len(sheets) or 2 * sum(dates.is_date(text) for text in given) > len(given):
        return None
    numeric = [text for text in given if amounts.value_of(text) is not None]
    plain = [text for text in numeric if numbers.entire(text) is not None]
    if 2 * len(numeric) > len(sheets) and 2 * len(plain) >= len(numeric):
        return AnswerKind.NUMBER
    return AnswerKind.MATH if _MATHS.is_in(question) or len(plain) < len(given) else None


def _are_formulas(question: str, sheets: Sequence[Sheet]) -> bool:
    """Tells whether most replies give their number as a formula: it is shown as they write it."""
    if _RATIO.is_in(question) and _most(sheets, lambda each: ":" in (reading.mathematical(each) or "")):
        return True
    first = [each.finals[0] for each in sheets if each.finals]
    written = sum(isinstance(each, str) and mathematics.is_notation(each) and not _is_number(each) for each in first)
    return 2 * written > len(sheets) and _is_mathematical(question, sheets, first)


def _requests(question: str) -> bool:
    """Tells whether something is asked for that yes or no is no answer to."""
    return booleans.requests(question) or booleans.offers(question) or _PROSE.is_in(question)


def _is_list(sheets: Sequence[Sheet]) -> bool:
    """Tells whether most replies list things, and by and large the same ones: a free choice has no vote."""
    read = [reading.listed(each) for each in sheets]
    return 2 * sum(items is not None for items in read) > len(read) and (
        len(read) < 2 or lists.overlap(read) >= _SHARED
    )


def _is_number(final: object) -> bool:
    if isinstance(final, bool):
        return False
    return isinstance(final, int | float) or (isinstance(final, str) and numbers.entire(final) is not None)


def _longest(question: str) -> int:
    """Returns how many words short answers to this question have at most."""
    if _ADVICE.is_in(question):
        return _PHRASE_WORDS
    if _FACT.match(question):
        return _FACT_WORDS
    return _PHRASE_WORDS if _PROSE.is_in(question) else _SHORT_WORDS


def _words(text: str) -> float:
    """Returns how many words a text has; signs of scripts that part no words count as a part of one."""
    dense = 0 if text.isascii() else sum(letter >= "\u2e80" for letter in text)
    return len(text.split()) + dense / _DENSE_CHARS_PER_WORD


def _few(sheets: Sequence[Sheet], reads: Callable[[Sheet], bool]) -> bool:
    """A fifth: enough where the question offers labelled options and asks for nothing else."""
    return 5 * sum(reads(each) for each in sheets) >= len(sheets) > 0


def _some(sheets: Sequence[Sheet], reads: Callable[[Sheet], bool]) -> bool:
    """More than a quarter: enough where the question itself shows the kind."""
    return 4 * sum(reads(each) for each in sheets) > len(sheets)


def _most(sheets: Sequence[Sheet], reads: Callable[[Sheet], bool]) -> bool:
    return bool(sheets) and 2 * sum(reads(each) for each in sheets) > len(sheets)
