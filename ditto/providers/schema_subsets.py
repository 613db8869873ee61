"""Fits a caller's JSON Schema into the subset that a provider can hold a model to.

What is sent may be wider or narrower than the caller's schema, but never asks for a value that the caller's refuses
on account of its shape: a field that may be missing is not made one that must be there, unless null will do for it.
Limits that a provider does not know (`maxLength`) are dropped; the reply is validated against the caller's schema
anyway. Where the shape itself cannot be said in the subset, there is no fit, and the caller's schema goes out as it
is or not at all. Every local reference, wherever it points, becomes one to the root's `$defs`.

Sources: platform.openai.com/docs/guides/structured-outputs, and
platform.claude.com/docs/en/build-with-claude/structured-outputs (JSON Schema limitations).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ditto.domain.spec import JSON

Schema = dict[str, Any]

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_DROPPED = _NUMBERS | {
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "minLength",
    "maxLength",
    "pattern",
    "uniqueItems",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "format",
    "contentEncoding",
    "contentMediaType",
    "discriminator",
}
_SHAPES = frozenset({"type", "enum", "const", "description", "properties", "required", "additionalProperties", "items"})
_TYPE_OF = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"), (type(None), "null"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """What a provider's structured output takes.

    Attributes:
        optional_fields: Objects may have fields that need not be there.
        recursion: A definition may refer to itself.
        limits: The keywords with numbers or patterns in them that are understood (`minItems` of 0 or 1 always is).
    """

    optional_fields: bool
    recursion: bool
    limits: frozenset[str]
    formats: frozenset[str] = _FORMATS


OPENAI_STRICT = Subset(optional_fields=False, recursion=True, limits=_NUMBERS | {"pattern", "minItems", "maxItems"})
ANTHROPIC = Subset(optional_fields=True, recursion=False, limits=frozenset(), formats=_FORMATS | {"uri"})


def fitted(schema: Schema, subset: Subset) -> Schema | None:
    """Returns the schema in the subset, or None where it does not fit. Its root is an object's schema."""
    fitting = _Fitting(schema, subset)
    try:
        root = fitting.node(schema)
    except (_Unfit, RecursionError):
        return None
    if root.get("type") != "object":
        return None
    return {**root, "$defs": fitting.definitions} if fitting.definitions else root


class _Unfit(Exception):
    """The subset has no words for this."""


@dataclass(slots=True)
class _Fitting:
    """One schema on its way into a subset; `definitions` fills up as references are met."""

    document: Schema
    subset: Subset
    definitions: dict[str, Schema] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def node(self, node: JSON) -> Schema:
        """Returns one schema, with all below it, in the subset."""
        if not isinstance(node, dict):
            raise _Unfit
        for keyword, fit in self._rules().items():
            if keyword in node:
                rest = {name for name in node if name != keyword and name not in _DROPPED}
                if rest - {"description"}:
                    raise _Unfit
                return _described(fit(node[keyword]), node)
        if set(node) - _SHAPES - _DROPPED - {name for name in node if name.startswith("x-")}:
            raise _Unfit
        return _described(self._plain(node), node)

    def _rules(self) -> dict[str, Callable[[JSON], Schema]]:
        return {"$ref": self._reference, "allOf": self._only, "anyOf": self._choice, "oneOf": self._choice}

    def _reference(self, ref: JSON) -> Schema:
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise _Unfit
        if ref in self.open and not self.subset.recursion:
            raise _Unfit
        if ref == "#":
            if not self.subset.recursion:
                raise _Unfit
            return {"$ref": "#"}
        if ref not in self.names:
            self.names[ref] = self._name(ref)
            self.open.add(ref)
            self.definitions[self.names[ref]] = self.node(_pointed_at(self.document, ref))
            self.open.discard(ref)
        return {"$ref": f"#/$defs/{self.names[ref]}"}

    def _name(self, ref: str) -> str:
        name = ref.rsplit("/", 1)[-1]
        plain = name.isascii() and name.replace("_", "").isalnum() and name not in self.names.values()
        return name if plain else f"definition_{len(self.names)}"

    def _only(self, schemas: JSON) -> Schema:
        if not isinstance(schemas, list) or len(schemas) != 1:
            raise _Unfit
        return self.node(schemas[0])

    def _choice(self, schemas: JSON) -> Schema:
        if not isinstance(schemas, list) or not schemas:
            raise _Unfit
        return {"anyOf": [self.node(schema) for schema in schemas]}

    def _plain(self, node: Schema) -> Schema:
        if "const" in node:
            node = {**node, "enum": [node["const"]]}
        types = _types(node)
        fit: Schema = {"type": types[0] if len(types) == 1 else types}
        if "enum" in node:
            fit["enum"] = node["enum"]
        if "object" in types:
            fit |= self._fields(node)
        if "array" in types:
            fit["items"] = self.node(node.get("items"))
        return fit | self._limits(node)

    def _fields(self, node: Schema) -> Schema:
        fields, required = node.get("properties", {}), list(node.get("required", ()))
        closed = node.get("additionalProperties", not fields)
        if closed is not False or not set(required) <= set(fields):
            raise _Unfit
        if not self.subset.optional_fields:
            if any(name not in required and not _nullable(schema) for name, schema in fields.items()):
                raise _Unfit
            required = list(fields)
        return {
            "properties": {name: self.node(schema) for name, schema in fields.items()},
            "required": required,
            "additionalProperties": False,
        }

    def _limits(self, node: Schema) -> Schema:
        kept = {name: node[name] for name in node if name in self.subset.limits}
        if node.get("minItems") in (0, 1):
            kept["minItems"] = node["minItems"]
        if node.get("format") in self.subset.formats:
            kept["format"] = node["format"]
        return kept


def _described(fit: Schema, node: Schema) -> Schema:
    description = node.get("description")
    return {**fit, "description": description} if description and "$ref" not in fit else fit


def _types(node: Schema) -> list[str]:
    types = node.get("type")
    if isinstance(types, str):
        return [types]
    if isinstance(types, list) and types:
        return types
    if "properties" in node:
        return ["object"]
    if "items" in node:
        return ["array"]
    return _types_of(node.get("enum", ()))


def _types_of(values: Iterable[JSON]) -> list[str]:
    types = [next((name for kind, name in _TYPE_OF if isinstance(value, kind)), None) for value in values]
    if not types or None in types:
        raise _Unfit
    return list(dict.fromkeys(name for name in types if name))


def _nullable(schema: JSON) -> bool:
    if not isinstance(schema, dict):
        return False
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    types = schema.get("type", ())
    return "null" in ([types] if isinstance(types, str) else types) or any(_nullable(choice) for choice in choices)


def _pointed_at(document: Schema, ref: str) -> JSON:
    found: JSON = document
    for part in unquote(ref).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            raise _Unfit
    return found
