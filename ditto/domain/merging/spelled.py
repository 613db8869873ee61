"""Numbers in words: English in full, what is common in other European languages, and Chinese and Japanese signs."""

from __future__ import annotations

import re
from fractions import Fraction

_SMALL = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte",
    "it": "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove venti",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete "
    "dezoito dezenove vinte",
    "nl": "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien "
    "vijftien zestien zeventien "
    "achttien negentien twintig",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście trzynaście "
    "czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście dwadzieścia",
    "ru": "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать "
    "тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать",
}
_TENS = {
    "en": "thirty forty fifty sixty seventy eighty ninety",
    "de": "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "trente quarante cinquante soixante - quatre-vingt -",
    "es": "treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "it": "trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "pt": "trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "nl": "dertig veertig vijftig zestig zeventig tachtig negentig",
    "pl": "trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt",
    "ru": "тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
}
_AMBIGUOUS = frozenset("un um een uno due sei once seize dix six zero sept nove tien elf null acht do".split())  # noqa: SIM905
"""Words that mean something else in another language, or are articles."""

_IRREGULAR = {
    "quatre-vingts": 80, "soixante et onze": 71, "veintiuno": 21, "veintiún": 21, "veintidós": 22, "veintitrés": 23,
    "veinticuatro": 24, "veinticinco": 25, "veintiséis": 26, "veintisiete": 27, "veintiocho": 28, "veintinueve": 29,
}  # fmt: skip


def _units() -> dict[str, int]:
    """Returns the words below a hundred."""
    words: dict[str, int] = dict(_IRREGULAR)
    for language, small in _SMALL.items():
        for value, word in enumerate(small.split()):
            if language == "en" or word not in _AMBIGUOUS:
                words.setdefault(word, value)
    for tens in _TENS.values():
        words |= {word: 10 * value for value, word in enumerate(tens.split(), start=3) if word != "-"}
    ones = "ein zwei drei vier fünf sechs sieben acht neun".split()  # noqa: SIM905
    for value, tens in enumerate(("zwanzig " + _TENS["de"]).split(), start=2):
        words |= {f"{one}und{tens}": 10 * value + at for at, one in enumerate(ones, start=1)}
    french = _SMALL["fr"].split()
    for value, tens, count in ((20, "vingt", 10), (30, "trente", 10), (40, "quarante", 10), (50, "cinquante", 10),
                               (60, "soixante", 20), (80, "quatre-vingt", 20)):  # fmt: skip
        words |= {f"{tens}-{french[at]}": value + at for at in range(1, count)}
    return words


_UNITS = _units()

_SCALES: dict[str, int] = {
    "hundred": 100, "dozen": 12, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "lakh": 10**5, "crore": 10**7, "score": 20,
    "hundert": 100, "tausend": 10**3, "dutzend": 12, "millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9,
    "billionen": 10**12, "cent": 100, "cents": 100, "mille": 10**3, "millions": 10**6, "milliard": 10**9,
    "milliards": 10**9, "douzaine": 12, "cien": 100, "ciento": 100, "mil": 10**3, "millón": 10**6, "millones": 10**6,
    "docena": 12, "cento": 100, "mila": 10**3, "milione": 10**6, "milioni": 10**6, "miliardo": 10**9, "miliardi": 10**9,
    "cem": 100, "milhão": 10**6, "milhões": 10**6, "bilhão": 10**9, "bilhões": 10**9, "honderd": 100, "duizend": 10**3,
    "miljoen": 10**6, "miljard": 10**9, "тысяча": 10**3, "тысячи": 10**3, "тысяч": 10**3, "миллион": 10**6,
    "миллиона": 10**6, "миллионов": 10**6, "миллиард": 10**9, "миллиарда": 10**9, "миллиардов": 10**9, "сто": 100,
    "tysiąc": 10**3, "tysiące": 10**3, "tysięcy": 10**3, "sto": 100,
}  # fmt: skip
SCALES = {word: Fraction(value) for word, value in _SCALES.items() if word not in ("cent", "cents", "score", "sto")}
"""What may follow a number in digits: 3 million."""

SIGN_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "千": 10**3, "百": 100, "만": 10**4, "억": 10**8}

_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_GERMAN = re.compile(r"(hundert|tausend)(?:und)?")
_GAP = re.compile(r"[\s-]+\Z")
_AND = frozenset("and et y e und en и".split())  # noqa: SIM905
_BEFORE = frozenset("minus negative moins menos meno half".split())  # noqa: SIM905
_HALF = re.compile(r"\bhalf\s+an?\s+$", re.IGNORECASE)
_NO_COUNT = re.compile(r"\s+(?:of|another|by|day|or)\b|['’]s\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:no|this|that|any|every|which|some|each|the|the\s+first|the\s+last)\s+$", re.IGNORECASE)
_BEFORE_CHARS = 12
_FRACTION = re.compile(
    r"\s*[\s-](?P<below>half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?"
    r"|hundredths?)\b|\s+and\s+(?:a\s+|one[\s-])(?P<more>half|third|quarter)\b",
    re.IGNORECASE,
)
_BELOW = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
          "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100}  # fmt: skip
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_CHINESE = re.compile(
    r"(?<![第唯万同])(?!一[共起些样樣直定般切旦下方部致])[零〇一二三四五六七八九十百千两兩][零〇一二三四五六七八九十百千万萬亿億两兩]{0,30}"
)


def found(text: str) -> list[tuple[int, int, Fraction]]:
    """Returns every number in words with its start and end, in order."""
    spelled: list[tuple[int, int, Fraction]] = []
    run: list[tuple[int, int, str]] = []
    for token in _TOKEN.finditer(text):
        word = token[0].lower()
        if run and not (_GAP.match(text[run[-1][1] : token.start()]) and (word in _AND or is_number(word))):
            _close(text, run, spelled)
        if is_number(word) or (run and word in _AND):
            run.append((token.start(), token.end(), word))
    _close(text, run, spelled)
    if spelled or text.isascii() or not _CHINESE.search(text):
        return spelled
    return [(match.start(), match.end(), Fraction(_chinese(match[0]))) for match in _CHINESE.finditer(text)]


def may_begin(text: str) -> bool:
    """Tells by the first word of a text in ASCII whether it may be a number in words, with or without a sign."""
    first = _TOKEN.match(text)
    return first is not None and ((word := first[0].lower()) in _BEFORE or is_number(word))


def of_word(word: str) -> int | None:
    """Returns the number that one word in small letters says, None where it says none."""
    value = _UNITS.get(word)
    return value if value is not None else _SCALES.get(word)


def is_number(word: str) -> bool:
    """Tells whether a word in small letters is a number, or put together of numbers."""
    if word in _UNITS or word in _SCALES:
        return True
    parts = _parts(word)
    return parts != [word] and all(part in _UNITS or part in _SCALES for part in parts)


def _parts(word: str) -> list[str]:
    """Returns a word, or the numbers that it is put together of: thirty-two, zweihundertzehn."""
    if word in _UNITS or word in _SCALES:
        return [word]
    if "-" in word:
        return word.split("-")
    return [part for part in _GERMAN.split(word) if part] if "hundert" in word or "tausend" in word else [word]


def _close(text: str, run: list[tuple[int, int, str]], spelled: list[tuple[int, int, Fraction]]) -> None:
    """Adds the number that a run of words says, and empties the run."""
    while run and run[-1][2] in _AND:
        run.pop()
    if run:
        start, end = run[0][0], run[-1][1]
        words = [word for _, _, word in run]
        if words != ["one"] or not _is_pronoun(text, start, end):
            value = _value(words)
            if words[0] in _SCALES and (before := _HALF.search(text[max(0, start - _BEFORE_CHARS) : start])):
                start, value = start - len(before[0]), value / 2
            end, value = _with_fraction(text, end, value)
            spelled.append((start, end, value))
    run.clear()


def _is_pronoun(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _BEFORE_CHARS) : start]
    return _NO_COUNT.match(text, end) is not None or _PRONOUN.search(before) is not None


def _with_fraction(text: str, end: int, value: Fraction) -> tuple[int, Fraction]:
    match = _FRACTION.match(text, end)
    if match is None:
        return end, value
    if match["below"]:
        return match.end(), value / _BELOW[match["below"].lower().rstrip("s")]
    return match.end(), value + Fraction(1, _BELOW[match["more"].lower()])


def _value(words: list[str]) -> Fraction:
    total = current = Fraction(0)
    for word in [part for each in words for part in _parts(each)]:
        if word in _UNITS:
            current += _UNITS[word]
        elif word not in _SCALES:
            continue
        elif _SCALES[word] < 1000:
            current = (current or 1) * Fraction(_SCALES[word]) if current < _SCALES[word] else current + _SCALES[word]
        else:
            total, current = total + (current or 1) * _SCALES[word], Fraction(0)
    return total + current


def _chinese(signs: str) -> int:
    total = section = digit = 0
    for sign in signs:
        if sign in _DIGITS:
            digit = _DIGITS[sign] if section or not digit else 10 * digit + _DIGITS[sign]
        elif sign in SIGN_SCALES and SIGN_SCALES[sign] >= 10**4:
            total, section, digit = (total + section + digit) * SIGN_SCALES[sign], 0, 0
        else:
            section, digit = section + (digit or 1) * {"十": 10, "百": 100, "千": 1000}[sign], 0
    return total + section + digit
