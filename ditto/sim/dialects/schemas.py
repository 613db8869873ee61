"""Which JSON Schemas the providers take in their strict modes; the rest they refuse.

After https://platform.openai.com/docs/guides/structured-outputs#supported-schemas and
https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations
"""

from __future__ import annotations

from collections.abc import Iterator

from ditto.sim.asked import Body, Fault, Refused

_NEVER_STRICT = (
    "allOf",
    "not",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "oneOf",
    "patternProperties",
)
_NEVER_ANTHROPIC = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "oneOf",
    "not",
    "if",
    "patternProperties",
)


def check_strict(schema: Body, name: str) -> None:
    """Checks a schema as OpenAI does with `strict: true`.

    Raises:
        Refused: It is outside of what strict mode takes.
    """

    def refuse(context: tuple[str, ...], why: str) -> None:
        message = f"Invalid schema for response_format '{name}': In context={context}, {why}."
        raise Refused(Fault.BAD_REQUEST, message, "response_format")

    if schema.get("type") != "object" or "anyOf" in schema:
        refuse((), "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'")
    for context, part in _parts(schema, ()):
        for keyword in _NEVER_STRICT:
            if keyword in part:
                refuse(context, f"'{keyword}' is not permitted")
        properties = part.get("properties")
        if part.get("type") != "object" and properties is None:
            continue
        if part.get("additionalProperties") is not False:
            refuse(context, "'additionalProperties' is required to be supplied and to be false")
        missing = sorted(set(properties or {}) - set(part.get("required") or ()))
        if missing:
            refuse(
                context,
                "'required' is required to be supplied and to be an array including every key in properties."
                f" Missing '{missing[0]}'",
            )


def check_anthropic(schema: Body) -> None:
    """Checks a schema as Anthropic does for its JSON outputs.

    Raises:
        Refused: It is outside of what they take.
    """
    where = "output_config.format.schema"
    for _, part in _parts(schema, ()):
        if "object" in _types(part) and part.get("additionalProperties") is not False:
            why = "For 'object' type, 'additionalProperties' must be explicitly set to false"
            raise Refused(Fault.BAD_REQUEST, f"{where}: {why}", where)
        for keyword in _NEVER_ANTHROPIC:
            if keyword in part:
                kind = next(iter(_types(part)), "object")
                why = f"For '{kind}' type, property '{keyword}' is not supported"
                raise Refused(Fault.BAD_REQUEST, f"{where}: {why}", where)
        if part.get("minItems", 0) not in (0, 1):
            why = "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
            raise Refused(Fault.BAD_REQUEST, f"{where}: {why}", where)


def _types(part: Body) -> tuple[str, ...]:
    kind = part.get("type")
    return tuple(kind) if isinstance(kind, list) else (kind,) if isinstance(kind, str) else ()


def _parts(schema: object, context: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Body]]:
    """Yields every subschema with its path."""
    if not isinstance(schema, dict):
        return
    yield context, schema
    for group in ("properties", "$defs", "definitions"):
        members = schema.get(group)
        if isinstance(members, dict):
            for name, part in members.items():
                yield from _parts(part, (*context, group, str(name)))
    for keyword in ("items", "additionalProperties", "not", "if", "then", "else"):
        yield from _parts(schema.get(keyword), (*context, keyword))
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        members = schema.get(keyword)
        if isinstance(members, list):
            for at, part in enumerate(members):
                yield from _parts(part, (*context, keyword, str(at)))
