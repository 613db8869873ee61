"""Filling a JSON Schema from a text: each property by its name, its description, its type and what the text says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import re2

from ditto.sim import quoting
from ditto.sim.asked import Body
from ditto.sim.choosing import best_of
from ditto.sim.extracting import in_order
from ditto.sim.finding import Finding, Kind
from ditto.sim.judging import topic_holds
from ditto.sim.reading import statements, words

_ANSWERS = frozenset(("answer", "result", "value", "response", "output", "reply", "solution", "final_answer"))
_REASONS = frozenset(
    ("reasoning", "reason", "explanation", "rationale", "why", "justification", "analysis", "thoughts")
)
_SUMMARIES = frozenset(("summary", "description", "abstract", "gist", "tldr", "text", "content", "message"))
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "quantity": ("quantity", "qty", "count", "amount of", "units", "pieces"),
    "price": ("price", "unit price", "cost", "each", "rate"),
    "total": ("grand total", "total amount", "amount due", "total due", "total", "sum", "altogether"),
    "customer": ("customer", "client", "bill to", "billed to", "buyer", "sold to", "ordered by", "ship to"),
    "vendor": ("vendor", "supplier", "seller", "issued by", "from"),
    "due": (
        "due date",
        "due by",
        "due on",
        "due",
        "payable by",
        "pay by",
        "deadline",
        "deliver by",
        "delivery by",
        "by",
    ),
    "date": ("invoice date", "order date", "date", "dated", "issued on", "issued", "ordered on", "on"),
    "delivery": ("delivery date", "deliver by", "delivery", "deliver on", "delivered by", "ship by", "arrives"),
    "tax": ("tax", "vat", "sales tax", "gst"),
    "name": ("full name", "name", "contact"),
    "id": ("id", "number", "no.", "no", "reference", "ref"),
}
_ITEM_ROLES: dict[str, str] = {
    "quantity qty count number units": "quantity",
    "name description item product title article": "name",
    "unit_price price cost each rate": "price",
    "total amount line_total subtotal sum": "total",
}
_DEPTH = 12
_PATTERN_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Attributes:
    text: Where the values are taken from.
    finding: What a skill has found for the prompt, for properties such as `answer`.
    """

    text: str
    finding: Finding
    root: Body

    def value(self, schema: Any, path: tuple[str, ...] = (), item: quoting.Item | None = None) -> Any:
        """Returns a value for a schema; the last of `path` is the property's name."""
        if not isinstance(schema, dict) or len(path) > _DEPTH:
            return self._text(path, {})
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._enum(schema["enum"], schema, path)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(branches, list) and branches:
            return self._branch(branches, schema, path, item)
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._branch([schema | {"type": each} for each in kind], {}, path, item)
        filled: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, path, item),
            "array": lambda: self._array(schema, path),
            "integer": lambda: self._bounded(int(self._number(path, schema, item) or 0), schema),
            "number": lambda: self._bounded(_plain(self._number(path, schema, item) or Decimal(0)), schema),
            "boolean": lambda: self._boolean(path, schema),
            "null": lambda: None,
        }
        guessed = kind or ("object" if "properties" in schema else "array" if "items" in schema else "string")
        return filled.get(str(guessed), lambda: self._string(path, schema, item))()

    def _resolved(self, schema: Body) -> Body:
        return resolved(schema, self.root)

    def _branch(self, branches: list[Any], schema: Body, path: tuple[str, ...], item: quoting.Item | None) -> Any:
        resolved = [self._resolved(each) for each in branches if isinstance(each, dict)]
        rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
        nullable = any(each.get("type") == "null" for each in resolved)
        for each in resolved:
            if each.get("type") == "null":
                continue
            if nullable and not self._is_there(rest | each, path, item):
                return None
            return self.value(rest | each, path, item)
        return None

    def _is_there(self, schema: Body, path: tuple[str, ...], item: quoting.Item | None) -> bool:
        """Whether the text says something for a property that may be null."""
        match schema.get("type"):
            case "integer" | "number":
                return self._number(path, schema, item) is not None
            case "string" if "enum" not in schema:
                return self._text(path, schema) is not None
            case _:
                return True

    def _object(self, schema: Body, path: tuple[str, ...], item: quoting.Item | None) -> Body:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        return {name: self.value(part, (*path, str(name)), item) for name, part in properties.items()}

    def _array(self, schema: Body, path: tuple[str, ...]) -> list[Any]:
        inner = self._resolved(schema["items"]) if isinstance(schema.get("items"), dict) else {"type": "string"}
        least, most = int(schema.get("minItems") or 0), int(schema.get("maxItems") or 50)
        values: list[Any]
        match inner.get("type"):
            case "object":
                values = [self._object(inner, path, each) for each in quoting.items(self.text)]
            case "integer":
                values = [int(number) for number in quoting.numbers(self.text)]
            case "number":
                values = [_plain(number) for number in quoting.numbers(self.text)]
            case _ if isinstance(inner.get("enum"), list):
                lower = self.text.lower()
                values = [option for option in inner["enum"] if str(option).lower() in lower]
            case _:
                values = self._strings(path)
        while len(values) < least:
            values.append(self.value(inner, path))
        return values[:most]

    def _strings(self, path: tuple[str, ...]) -> list[Any]:
        name = path[-1] if path else ""
        listed = quoting.labelled_list(self.text, _labels(name))
        if listed:
            return listed
        if re.search(r"item|product|article", name):
            found = [each.name for each in quoting.items(self.text)]
            if found:
                return found
        return in_order(self.finding, 3) or statements(self.text)[:3]

    def _enum(self, options: list[Any], schema: Body, path: tuple[str, ...]) -> Any:
        name = path[-1] if path else ""
        if name == "currency" or "currency" in name:
            code = quoting.currency(self.text)
            if code in options:
                return code
        if self.finding.kind in (Kind.VALUE, Kind.YES_NO) and (name in _ANSWERS or len(path) < 2):
            for option in options:
                if str(option).lower() == self.finding.answer.lower():
                    return option
        if re.search(r"urgen|priorit|sever|importan", name):
            ranked = _by_urgency(options, topic_holds("urgent", self.text))
            if ranked is not None:
                return ranked
        stated = quoting.labelled(self.text, _labels(name)) or ""
        for option in options:
            if re.search(rf"(?<!\w){re.escape(str(option))}(?!\w)", stated.replace("_", " "), re.I):
                return option
        return options[best_of([str(option).replace("_", " ") for option in options], self.text, self.text)]

    def _boolean(self, path: tuple[str, ...], schema: Body) -> bool:
        name = path[-1] if path else ""
        about = f"{name.replace('_', ' ')} {schema.get('description', '')}"
        judged = topic_holds(about, self.text)
        if judged is not None:
            return judged[0]
        if self.finding.kind is Kind.YES_NO:
            return self.finding.answer == "yes"
        wanted = [word for word in words(name.replace("_", " ")) if word not in {"is", "has", "was", "are", "needs"}]
        negated = any(re.search(rf"\b(?:not|no|un|without)[ -]?{re.escape(word)}", self.text, re.I) for word in wanted)
        there = words(self.text)
        return bool(wanted) and all(word in there for word in wanted) and not negated

    def _number(self, path: tuple[str, ...], schema: Body, item: quoting.Item | None) -> Decimal | None:
        name = path[-1] if path else ""
        if item is not None:
            return _of_item(name, item)
        if self.finding.kind is Kind.VALUE and (name in _ANSWERS or len(path) < 2):
            found = re.fullmatch(quoting.NUMBER, self.finding.answer)
            if found is not None:
                return quoting.decimal(self.finding.answer)
        near = quoting.number_near(self.text, _labels(name))
        if near is not None:
            return near
        lines = quoting.items(self.text)
        if re.search(r"total|amount|sum", name) and lines and all(each.price is not None for each in lines):
            return sum((each.quantity * (each.price or 0) for each in lines), Decimal(0))
        if re.search(r"quantity|count|number_of|num_|items", name) and lines:
            return sum((each.quantity for each in lines), Decimal(0))
        found_numbers = quoting.numbers(self.text)
        return found_numbers[0] if len(found_numbers) == 1 else None

    def _string(self, path: tuple[str, ...], schema: Body, item: quoting.Item | None) -> str:
        text = _of_item_text(path[-1] if path else "", item) if item is not None else None
        text = text or self._text(path, schema) or ("unknown" if schema.get("format") != "date" else "1970-01-01")
        least, most = int(schema.get("minLength") or 0), schema.get("maxLength")
        if len(text) < least:
            text = text.ljust(least, ".")
        return text[: int(most)] if isinstance(most, int) else text

    def _text(self, path: tuple[str, ...], schema: Body) -> str | None:
        name = path[-1].lower() if path else ""
        labels = _labels(name)
        if schema.get("format") in ("date", "date-time") or re.search(
            r"(?:^|_)(?:date|due|deadline|day)(?:$|_)", _snake(name)
        ):
            found = quoting.date_near(self.text, labels) or next((iso for _, iso in quoting.dates(self.text)), None)
            return f"{found}T00:00:00Z" if found and schema.get("format") == "date-time" else found
        for word, kind in (("mail", "email"), ("url", "uri"), ("website", "uri"), ("link", "uri"), ("phone", "phone")):
            if word in name or schema.get("format") == kind:
                return quoting.address(self.text, kind)
        if "currency" in name:
            return quoting.currency(self.text)
        return self._named(name, path, schema) or quoting.labelled(self.text, labels) or self._by_preposition(name)

    def _named(self, name: str, path: tuple[str, ...], schema: Body) -> str | None:
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            found = _searched(pattern, self.text)
            if found is not None:
                return found
        if name in _REASONS:
            return self.finding.ground or self.finding.answer
        if name in _SUMMARIES:
            return self.finding.passages[0] if self.finding.passages else next(iter(statements(self.text)), None)
        if name in _ANSWERS or not path:
            return self.finding.answer
        if re.search(r"(?:^|_)(?:id|number|no|ref|reference)$", _snake(name)):
            number = re.search(
                r"(?<![\w])(?:#\s*)?([A-Z]{1,6}[-/]?\d[\w/-]*|#\d[\w-]*|(?<=number )\d[\w-]*|(?<=no )\d+)", self.text
            )
            return number[1].lstrip("#") if number else None
        return None

    def _by_preposition(self, name: str) -> str | None:
        """A proper name after "for", "from", "to": the customer, the vendor, a person."""
        proper = r"((?:[A-ZÀ-ÞĀ-Ž][\w&.'’-]*)(?:\s+(?:[A-ZÀ-ÞĀ-Ž][\w&.'’-]*|&|and|of|de|van|von))*)"
        if re.search(r"customer|client|buyer|recipient|person|name|company|to$", name):
            found = re.search(rf"\b(?:[Ff]or|[Cc]ustomer|[Cc]lient|Dear|Ms\.?|Mr\.?)\s+{proper}", self.text)
            found = found or re.search(rf"\b[Ff]rom\s+{proper}", self.text)
        elif re.search(r"vendor|supplier|seller|sender|author|from|issuer", name):
            found = re.search(rf"\b(?:[Ff]rom|[Bb]y)\s+{proper}", self.text)
        else:
            return None
        return re.sub(r"\s+(?:and|of|de)$", "", found[1]).rstrip(".") if found else None

    def _bounded(self, number: int | float, schema: Body) -> int | float:
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int | float) and number < low:
            return low
        return high if isinstance(high, int | float) and number > high else number


def filled(schema: Body, text: str, finding: Finding) -> Any:
    """Returns a value that follows the schema, as far as this text has one."""
    return Filler(text=text, finding=finding, root=schema).value(schema)


def completed(value: Any, earlier: Sequence[str]) -> Any:
    """Returns the object with what it lacks taken from the latest earlier answer that is an object."""
    if not isinstance(value, dict):
        return value
    for answer in reversed(earlier):
        opening, closing = answer.find("{"), answer.rfind("}")
        try:
            known = json.loads(answer[opening : closing + 1]) if 0 <= opening < closing else None
        except ValueError:
            continue
        if isinstance(known, dict):
            lacking = [name for name, part in value.items() if _lacks(part) and not _lacks(known.get(name))]
            return value | {name: known[name] for name in lacking}
    return value


def _lacks(value: Any) -> bool:
    return value is not False and (not value or value == "unknown")


def resolved(schema: Body, root: Body) -> Body:
    """Returns a schema with its `$ref` into `root` followed and its `allOf` merged."""
    for _ in range(_DEPTH):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            break
        target: Any = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                name = part.replace("~1", "/").replace("~0", "~")
                target = target.get(name, {}) if isinstance(target, dict) else {}
        schema = (target if isinstance(target, dict) else {}) | {k: v for k, v in schema.items() if k != "$ref"}
    for part in schema.get("allOf") or ():
        if isinstance(part, dict) and part is not root:
            schema = resolved(part, root) | {k: v for k, v in schema.items() if k != "allOf"}
    return schema


def _by_urgency(options: list[Any], judged: tuple[bool, str] | None) -> Any:
    urgent = judged is not None and judged[0]
    against = judged is not None and not judged[0] and bool(judged[1])
    wanted = (
        ("urgent", "critical", "high", "p1")
        if urgent
        else ("low", "minor", "p3")
        if against
        else ("normal", "medium", "p2", "low")
    )
    for word in wanted:
        for option in options:
            if word in str(option).lower():
                return option
    return None


def _labels(name: str) -> list[str]:
    """The words that may stand before a property's value, the most telling first."""
    spoken = _snake(name).replace("_", " ").strip()
    found = [spoken]
    for word, synonyms in _SYNONYMS.items():
        if word in spoken.split() or spoken in synonyms:
            found.extend(synonyms)
    if " " in spoken:
        found.extend((spoken.split()[0], spoken.split()[-1]))
    return list(dict.fromkeys(label for label in found if label))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _role(name: str) -> str:
    spoken = _snake(name)
    for names, role in _ITEM_ROLES.items():
        if spoken in names.split():
            return role
    return next(
        (role for names, role in _ITEM_ROLES.items() if any(part in names.split() for part in spoken.split("_"))), ""
    )


def _of_item(name: str, item: quoting.Item) -> Decimal | None:
    match _role(name):
        case "quantity":
            return item.quantity
        case "price":
            return item.price
        case "total":
            return item.quantity * item.price if item.price is not None else None
        case _:
            return None


def _of_item_text(name: str, item: quoting.Item) -> str | None:
    return item.name if _role(name) in ("name", "") else None


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _searched(pattern: str, text: str) -> str | None:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_BYTES
    try:
        found = re2.search(pattern.removeprefix("^").removesuffix("$"), text[:2000], options)
    except re2.error:
        return None
    return str(found.group()) if found and found.group() else None
