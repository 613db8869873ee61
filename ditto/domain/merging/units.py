"""Units of measure: which dimension each measures, and how many of the dimension's first unit it is.

Exact by definition (an inch is 2.54 cm), so that 1.5 km and 1500 m are the same number of metres. Temperatures also
have a zero of their own. Nothing converts one currency into another. A word that is no unit (apples, people) says what
is counted, and is not compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TABLE: dict[str, dict[str, str]] = {
    "time": {
        "1/1000000000": "ns nanosecond",
        "1/1000000": "µs μs microsecond",
        "1/1000": "ms millisecond millisekunden",
        "1": "s sec second sekunde sekunden seconde segundo secondo secondi секунд секунды 秒 秒钟 초",
        "60": "min minute minuten minuto minuti minuut минут минуты 分钟 分 분",
        "3600": "h hr hour std stunde stunden heure hora ora ore uur uren час часа часов 小时 時間 시간",
        "86400": "d day tag tage tagen jour día dia giorno giorni dag dagen день дня дней 天 日 일",
        "604800": "wk week woche wochen semaine semana settimana settimane weken неделя недели недель 周 週間",
    },
    "months": {
        "1": "month monat monate monaten mois mes meses mese mesi maand maanden месяц месяца месяцев 个月 ヶ月 か月",
        "12": "yr year jahr jahre jahren ans année año ano anno anni jaar год года лет 年",
        "120": "decade jahrzehnt jahrzehnte",
        "1200": "century centuries jahrhundert jahrhunderte",
    },
    "length": {
        "1/1000000000": "nm nanometer nanometre",
        "1/1000000": "µm μm micrometer micrometre micron",
        "1/1000": "mm millimeter millimetre",
        "1/100": "cm centimeter centimetre zentimeter centimètre centímetro 厘米",
        "1/10": "dm decimeter decimetre",
        "1": "m meter metre mètre metro metros metri метр метра метров 米 メートル",
        "1000": "km kilometer kilometre kilomètre kilómetro chilometro chilometri quilômetro километр километра "
        "километров 公里 千米 キロメートル キロ",
        "0.0254": "in inch inches zoll",
        "0.3048": "ft foot feet",
        "0.9144": "yd yard",
        "1609.344": "mi mile meile meilen milla 英里",
        "1852": "nmi",
    },
    "length^2": {"10000": "ha hectare hektar", "4046.8564224": "acre", "1": "sqm qm 平方米", "1000000": "平方公里"},
    "length^3": {
        "1/1000000": "ml milliliter millilitre cc 毫升",
        "1/100000": "cl centiliter",
        "1/10000": "dl deciliter",
        "1/1000": "l liter litre litro литр литра литров 升 リットル",
        "0.003785411784": "gal gallon",
        "0.000946352946": "qt quart",
        "0.000473176473": "pt pint",
        "0.0002365882365": "cup",
    },
    "mass": {
        "1/1000000000": "µg μg microgram",
        "1/1000000": "mg milligram milligramm",
        "1/1000": "g gram gramme gramm gramo grammo grammi грамм грамма 克 グラム",
        "1": "kg kilogram kilogramme kilogramm kilo kilogramo chilo килограмм килограмма 公斤 千克 キログラム",
        "1000": "t ton tonne tonelada tonnellata тонн тонны 吨",
        "0.45359237": "lb lbs pound",
        "0.028349523125": "oz ounce",
    },
    "length/time": {"5/18": "kph kmh", "0.44704": "mph", "463/900": "knot kn"},
    "energy": {
        "1": "J joule",
        "1000": "kJ kilojoule",
        "3600": "Wh",
        "3600000": "kWh",
        "4.184": "cal calorie",
        "4184": "kcal kilocalorie",
    },
    "power": {"1": "W watt", "1000": "kW kilowatt", "1000000": "MW megawatt"},
    "force": {"1": "N newton", "1000": "kN kilonewton"},
    "pressure": {"1": "Pa pascal", "1000": "kPa kilopascal", "100000": "bar", "101325": "atm"},
    "voltage": {"1": "V volt", "1/1000": "mV millivolt", "1000": "kV kilovolt"},
    "current": {"1": "A amp ampere", "1/1000": "mA milliampere"},
    "frequency": {"1": "Hz hertz", "1000": "kHz kilohertz", "1000000": "MHz megahertz", "1000000000": "GHz gigahertz"},
    "data": {
        "1": "byte",
        "1000": "KB kB kilobyte",
        "1000000": "MB megabyte",
        "1000000000": "GB gigabyte",
        "1000000000000": "TB terabyte",
        "1024": "KiB kibibyte",
        "1048576": "MiB mebibyte",
        "1073741824": "GiB gibibyte",
        "1/8": "bit",
    },
    "amount": {"1": "mol mole", "1/1000": "mmol millimole"},
    "dollar": {"1": "$ dollar usd доллар доллара долларов 美元 ドル", "1/100": "cent ¢"},
    "euro": {"1": "€ euro eur евро 欧元 ユーロ"},
    "pound": {"1": "£ gbp"},
    "yen": {"1": "¥ yen jpy 円 日元"},
    "yuan": {"1": "yuan cny rmb 元 人民币"},
    "rupee": {"1": "₹ rupee inr"},
    "franc": {"1": "chf franken"},
    "rouble": {"1": "₽ rub рубль рубля рублей"},
    "temperature": {"1": "kelvin"},
}
_ZEROS = {"°c": (Fraction(1), Fraction("273.15")), "°f": (Fraction(5, 9), Fraction("459.67"))}
_TEMPERATURES = {"celsius": "°c", "fahrenheit": "°f", "c": "°c", "f": "°f"}
_RISKY_NAMES = "in a d t s h m g l j n w v an pa mi kn ha ans ore ora cal cup bar std sec pt pint 日 分 元 年"
_RISKY = frozenset(_RISKY_NAMES.split())
"""Units that are also words: they count where nothing goes on after them, or no space comes before them."""

_POWERS = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3, "cu.": 3}
_NAME = re.compile(
    r"\s?-?(?:\\?text\{\s*)?(?:US\s)?(?P<name>[^\W\d_]+|°\s?[CF]\b"
    r"|[$€£¥₹₽¢])(?P<power>(?:\s?\^\s?\{?)?[23²³]\}?(?!\d))?"
)
_PER = re.compile(r"\s?(?:/|per\b|pro\b|par\b)\s?")
_DEGREES = re.compile(
    r"\s?(?:°|º|(?:\^\{?\\circ\}?)|degrees?|grad)\s?(?:\\text\{)?\s*(celsius|fahrenheit|C|F)\b", re.IGNORECASE
)
_GOES_ON = re.compile(r"\s*\w")


@dataclass(frozen=True, slots=True)
class Unit:
    """A quantity of this unit is `(value + zero) * factor` of its dimension's first unit."""

    dimension: str
    factor: Fraction
    zero: Fraction = Fraction(0)


_NAMES = {
    name: Unit(dimension, Fraction(factor))
    for dimension, scales in _TABLE.items()
    for factor, names in scales.items()
    for name in names.split()
}


def after(text: str, position: int) -> tuple[Unit | None, int]:
    """Returns the unit that stands in a text at a position, and where it ends; None where there is none."""
    degrees = _DEGREES.match(text, position)
    if degrees:
        factor, zero = _ZEROS[_TEMPERATURES.get(degrees[1].lower(), degrees[1].lower())]
        return Unit("temperature", factor, zero), degrees.end()
    unit, end = _simple(text, position)
    if unit is None:
        return None, position
    per = _PER.match(text, end)
    if per:
        below, below_end = _simple(text, per.end())
        if below is not None:
            return Unit(f"{unit.dimension}/{below.dimension}", unit.factor / below.factor), below_end
    return unit, end


def named(text: str) -> Unit | None:
    """Returns the unit that a word names."""
    for name in (text, text.lower(), text.removesuffix("s"), text.lower().removesuffix("s")):
        if name in _NAMES:
            return _NAMES[name]
    return None


def _simple(text: str, position: int) -> tuple[Unit | None, int]:
    match = _NAME.match(text, position)
    if match is None:
        return None, position
    power = 1
    if match["name"].lower() in _POWERS:
        power = _POWERS[match["name"].lower()]
        match = _NAME.match(text, match.end() + (text[match.end() : match.end() + 1] == "."))
        if match is None:
            return None, position
    elif match["power"]:
        power = 2 if match["power"].strip(" ^{}") in ("2", "²") else 3
    name = match["name"]
    unit, length = _prefix(name)
    if unit is None or (
        name.lower() in _RISKY and text[position : position + 1] == " " and _GOES_ON.match(text, match.end())
    ):
        return None, position
    end = match.start("name") + length if length < len(name) else match.end()
    if power > 1 and unit.dimension == "length":
        unit = Unit(f"length^{power}", unit.factor**power)
    return unit, end


def _prefix(name: str) -> tuple[Unit | None, int]:
    """Returns the unit that a word is, or, where words are not parted, the longest one that it begins with."""
    unit = named(name)
    if unit is not None or name.isascii():
        return unit, len(name)
    for length in range(min(len(name) - 1, 6), 0, -1):
        if name[0] >= "\u2e80" and name[:length] in _NAMES:
            return _NAMES[name[:length]], length
    return None, len(name)
