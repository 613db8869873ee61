"""Values that stand in a text: dates, amounts, labelled values, line items, addresses. All are the text's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = re.compile(
    r"\b(?P<iso>\d{4}-\d{1,2}-\d{1,2})\b"
    rf"|\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<month>{_MONTH})\.?,? (?P<year>\d{{4}})"
    rf"|\b(?P<month2>{_MONTH})\.? (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year2>\d{{4}})"
    r"|\b(?P<day3>\d{1,2})[./](?P<month3>\d{1,2})[./](?P<year3>\d{4})\b",
    re.I,
)
NUMBER = r"[-+]?(?:\d{1,3}(?:[,' ]\d{3})+|\d+)(?:[.,]\d+)?"
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "CHF": "CHF", "Fr.": "CHF"}
_CODES = "USD|EUR|GBP|JPY|CHF|INR|CAD|AUD|SEK|NOK|DKK|PLN|CNY"
_MONEY = r"(?:[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD)\b)?\s*"
_ITEM = re.compile(
    rf"(?<![\w.,#-])(?P<quantity>\d+(?:\.\d+)?)\s*(?:x|×|\*|pcs\.?(?: of)?|pieces? of|units? of)?\s+"
    rf"(?P<name>[^\W\d_][^\n,;:@€$£.\d]*?)\s*,?\s*(?:at|@|for|à|each at)\s*{_MONEY}(?P<price>{NUMBER})(?!\d)",
    re.I,
)
_PLAIN_ITEM = re.compile(
    r"(?:\b(?:send|order(?:ed)?|need|want|buy|deliver)(?: us| me)?|^\s*[-*•]?|[,;:(]|\band)\s*"
    r"(?P<quantity>\d+)\s*(?:x|×)?\s+(?P<name>[^\W\d_][\w' -]*?)(?=\s*(?:[,;.)\n]|\b(?:and|to|by|for)\b|$))",
    re.I | re.M,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of an order or invoice.

    Attributes:
        price: Of one, as far as the text says; None where it does not.
    """

    quantity: Decimal
    name: str
    price: Decimal | None


def dates(text: str) -> list[tuple[int, str]]:
    """Returns the dates of a text with the place where each begins, in ISO form; day before month in 3.5.2024."""
    found: list[tuple[int, str]] = []
    for match in _DATE.finditer(text):
        iso = _iso(match)
        if iso is not None:
            found.append((match.start(), iso))
    return found


def date_near(text: str, labels: Iterable[str]) -> str | None:
    """Returns the first date after the first of these labels that has one, else None."""
    found = dates(text)
    for label in labels:
        for place in re.finditer(rf"\b{re.escape(label)}", text, re.I):
            after = [iso for start, iso in found if place.end() <= start <= place.end() + 40]
            if after:
                return after[0]
    return None


def decimal(text: str) -> Decimal:
    """Returns a number as people write it: 1,200.50 and 1 200 and 3,5."""
    cleaned = re.sub(r"[' ]", "", text)
    if "," in cleaned and "." not in cleaned and not re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+", cleaned):
        cleaned = cleaned.replace(",", ".")
    return Decimal(cleaned.replace(",", ""))


def number_near(text: str, labels: Iterable[str]) -> Decimal | None:
    """Returns the number that follows the first of these labels that has one, or stands right before it."""
    for label in labels:
        if not label:
            continue
        word = rf"(?<![\w-]){re.escape(label)}s?(?![\w-])"
        after = re.search(rf"{word}[^\d\n.;,-]{{0,25}}?{_MONEY}(?P<number>{NUMBER})(?![\d-])(?!\s*%)", text, re.I)
        if after is not None:
            return decimal(after["number"])
    for label in labels:
        before = re.search(rf"(?P<number>{NUMBER})[- ]{re.escape(label)}s?(?!\w)", text, re.I) if label else None
        if before is not None:
            return decimal(before["number"])
    return None


def numbers(text: str) -> list[Decimal]:
    """Returns the numbers of a text without those of its dates."""
    return [decimal(item) for item in re.findall(rf"(?<![\w.-]){NUMBER}(?![\w-])", _DATE.sub(" ", text))]


def labelled(text: str, labels: Iterable[str]) -> str | None:
    """Returns what stands behind "Label:" up to the end of its line or sentence, else None."""
    for label in labels:
        if not label:
            continue
        word = rf"(?<![\w-]){re.escape(label)}(?![\w-])"
        found = re.search(
            rf"{word}\s*(?:[:=#]|\bis\b|\bno\.?:?|\bnumber:?)\s*#?\s*(?P<value>[^\n;,]+?)(?=[.](?:\s|$)|[\n;,]|$)",
            text,
            re.I,
        )
        if found is not None and found["value"].strip():
            return found["value"].strip().strip("\"'“”")
    return None


def labelled_list(text: str, labels: Iterable[str]) -> list[str]:
    """Returns the list behind "Labels: a, b and c", empty where there is none."""
    for label in labels:
        found = re.search(rf"(?<![\w-]){re.escape(label)}\s*:\s*([^\n.]+)", text, re.I) if label else None
        if found is not None:
            return [part.strip() for part in re.split(r",\s*(?:and )?|;\s*|\s+and\s+", found[1]) if part.strip()]
    return []


def items(text: str) -> list[Item]:
    """Returns the line items of a text such as "2 x Blue pens at 3.50"."""
    text = _DATE.sub(lambda match: "#" * len(match.group()), text)
    priced = [
        Item(quantity=Decimal(match["quantity"]), name=match["name"].strip(), price=decimal(match["price"]))
        for match in _ITEM.finditer(text)
    ]
    if priced:
        return priced
    return [
        Item(quantity=Decimal(match["quantity"]), name=match["name"].strip(), price=None)
        for match in _PLAIN_ITEM.finditer(text)
    ]


def currency(text: str) -> str | None:
    """Returns the code of the first currency in a text."""
    code = re.search(rf"\b({_CODES})\b", text)
    if code is not None:
        return code[1]
    places = [(text.find(symbol), name) for symbol, name in _SYMBOLS.items() if symbol in text]
    if places:
        return min(places)[1]
    word = re.search(r"\b(euros?|dollars?|pounds?|francs?|yen)\b", text, re.I)
    return {"eur": "EUR", "dol": "USD", "pou": "GBP", "fra": "CHF", "yen": "JPY"}[word[1][:3].lower()] if word else None


def address(text: str, kind: str) -> str | None:
    """Returns the first e-mail address (`email`), URL (`uri`) or telephone number (`phone`) of a text."""
    pattern = {
        "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        "uri": r"https?://[^\s<>\"')]+",
        "phone": r"\+?\d[\d ()/-]{6,}\d",
    }[kind]
    found = re.search(pattern, text)
    return found.group().rstrip(".") if found else None


def _iso(match: re.Match[str]) -> str | None:
    try:
        if match["iso"]:
            year, month, day = (int(part) for part in match["iso"].split("-"))
        elif match["month"]:
            year, month, day = int(match["year"]), _month(match["month"]), int(match["day"])
        elif match["month2"]:
            year, month, day = int(match["year2"]), _month(match["month2"]), int(match["day2"])
        else:
            year, month, day = int(match["year3"]), int(match["month3"]), int(match["day3"])
            if month > 12:
                month, day = day, month
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _month(name: str) -> int:
    return MONTHS.index(name[:3].lower()) + 1
