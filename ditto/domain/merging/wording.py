"""The words of a text in a form that can be compared: no case, no accents, no plural, one spelling for each thing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ditto.domain.merging import spelled

_STOP_WORDS = """
a an the of in on at to for from by with as and or but is are was were be been being it its this that these those
he she they him her them his their there who whom which what when where how do does did has have had not no so
also known called named name first about into than then i you we my your our s t song movie film series show book
answer question
der die das den dem des ein eine einen einem einer und oder ist sind war waren von zu im in am auf für mit es sie er
le la les l un une des du de d et ou est sont était en dans par pour avec il elle ce cette qui que
el los las una unos y o es son fue era del al en por para con se su lo
il gli i e è sono era di da nel nella con per che si
o os as um uma é são foi do da dos das no na em por com
het een en is zijn van in op te voor met er
jest są w na z do i to nie się
и в на с по из для это был была было не что к о от
"""
_STOP = frozenset(_STOP_WORDS.split())
_TITLES = frozenset(
    "mr mrs ms miss dr prof sir dame lord lady rev hon jr sr herr frau monsieur madame señor señora sr sra".split()  # noqa: SIM905
)
_SAME = (
    (re.compile(r"\bU\.? ?S\.? ?A\b\.?|\bU\. ?S\.(?! ?\w\.)|\bUS\b|\bUnited States of America\b"), "United States"),
    (re.compile(r"\bU\. ?K\.|\bUK\b|\bGreat Britain\b"), "United Kingdom"),
    (re.compile(r"\bU\. ?A\. ?E\.|\bUAE\b"), "United Arab Emirates"),
    (re.compile(r"\bU\. ?N\.|\bUN\b"), "United Nations"),
    (re.compile(r"\bE\. ?U\.|\bEU\b"), "European Union"),
    (re.compile(r"\bNYC\b|\bN\.Y\.C\."), "New York City"),
    (re.compile(r"\bD\. ?C\.(?!\w)|\bDC\b"), "DC"),
    (re.compile(r"\bSt\.? (?=[A-Z])|\bSte\.? (?=[A-Z])"), "Saint "),
    (re.compile(r"\bMt\.? (?=[A-Z])"), "Mount "),
    (re.compile(r"\bWWI\b|\bWorld War (?:I|One)\b|\bFirst World War\b"), "World War 1"),
    (re.compile(r"\bWWII\b|\bWW2\b|\bWorld War (?:II|Two)\b|\bSecond World War\b"), "World War 2"),
)
_ABBREVIATES = re.compile(r"[A-Z]\.? ?[A-Z]|St|Mt|World")
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_ELISION = re.compile(r"(?<!\w)(?:[ldjnsc]|qu|dell|all|nell|sull|dall|un)['’](?=\w)", re.IGNORECASE)
_HAN_BREAKS = re.compile(
    r"[的是在了和与于为有这那及或之]|(?<=[\u4e00-\u9fff])(?=[\u3040-\u30ff])|(?<=[\u30a0-\u30ff])(?=[\u4e00-\u9fff])"
)
_HIRAGANA = re.compile(r"[\u3040-\u309f]+")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_PARTICLE = re.compile(r"(?:입니다|이다|에서|으로|은|는|이|가|을|를|의|에|로|와|과|도)$")
_ROMAN = {
    "II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12, "XIII": 13, "XIV": 14,
    "XV": 15, "XVI": 16, "XVII": 17, "XVIII": 18, "XIX": 19, "XX": 20,
}  # fmt: skip
_ORDINALS = {
    word: number
    for number, word in enumerate("third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), 3)  # noqa: SIM905
}
_NUMBERED = re.compile(r"(\d+)(?:st|nd|rd|th)")
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Attributes:
        plain: Its form to compare.
        capital: It is written with a capital.
        empty: It says nothing by itself: an article, a title, an initial.
    """

    plain: str
    capital: bool
    empty: bool


def words(text: str) -> list[Word]:
    """Returns the words of a text in order; of scripts that part none, the pieces between particles."""
    text = unabbreviated(text)
    if "'" in text or "’" in text:
        text = _ELISION.sub("", text)
    found: list[Word] = []
    for match in _WORD.finditer(text):
        written = match[0]
        if not written.isascii() and _DENSE.search(written):
            found.extend(Word(piece, capital=False, empty=False) for piece in _pieces(written))
        else:
            found.append(_word(written))
    return found


def unabbreviated(text: str) -> str:
    """Returns a text with the few abbreviations spelled out that mean one thing only."""
    if _ABBREVIATES.search(text):
        for pattern, replacement in _SAME:
            text = pattern.sub(replacement, text)
    return text


@lru_cache(maxsize=16_384)
def _word(written: str) -> Word:
    plain = written if written.isascii() else unicodedata.normalize("NFKD", written)
    if not plain.isascii():
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
        if _HANGUL.search(unicodedata.normalize("NFC", plain)):
            plain = _PARTICLE.sub("", unicodedata.normalize("NFC", plain)) or plain
    if written in _ROMAN:
        return Word(str(_ROMAN[written]), capital=False, empty=False)
    bare = _POSSESSIVE.sub("", plain.casefold()).replace(".", "") or plain.casefold()
    numbered = _NUMBERED.fullmatch(bare)
    value = int(numbered[1]) if numbered and len(bare) < 20 else _ORDINALS.get(bare, spelled.of_word(bare))
    if value is not None:
        return Word(str(value), capital=False, empty=False)
    initial = len(bare) == 1 and bare.isascii() and bare.isalpha()
    stem = _singular(bare)
    empty = initial or bare in _STOP or written.casefold() in _STOP or bare in _TITLES
    return Word(stem, capital=written[:1].isupper(), empty=empty)


def _singular(word: str) -> str:
    """Returns an English word without the ending of its plural; of others the same for the same word."""
    if len(word) <= 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies") and len(word) > 5:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("oes", "ches", "shes", "xes", "sses", "zzes")) else word[:-1]


def _pieces(run: str) -> list[str]:
    plain = _HIRAGANA.sub(" ", _HAN_BREAKS.sub(" ", run))
    return plain.split() or [run]
