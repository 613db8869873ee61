"""Whether a value satisfies a schema, by jsonschema, and what it says where not.

References are never retrieved. Unique items are told apart in linear time, where jsonschema compares each with each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry

from ditto.domain.spec import JSON
from ditto.errors import Misfit

_SEEN_PROBLEMS = 100
_SHOWN_PROBLEMS = 5
_SHOWN_CHARS = 200


class Validator:
    """Judges values by one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        registry: Registry[Any] = Registry()
        self._judge = _Judge(schema, format_checker=Draft202012Validator.FORMAT_CHECKER, registry=registry)

    def problem(self, value: JSON) -> str | None:
        """Returns why a value does not satisfy the schema, None where it does.

        Raises:
            Misfit: It cannot be judged: a number is too large to be divided, or it is nested too deeply.
        """
        try:
            errors = list(islice(self._judge.iter_errors(value), _SEEN_PROBLEMS))
        except Exception as error:  # any library's stumble over a reply is a reply that does not fit
            raise Misfit(f"the value cannot be checked against the schema: {short(str(error))}") from error
        if not errors:
            return None
        errors.sort(key=lambda error: [str(part) for part in error.absolute_path])
        words = [_words(error) for error in errors[:_SHOWN_PROBLEMS]]
        if len(errors) > _SHOWN_PROBLEMS:
            more = "many" if len(errors) == _SEEN_PROBLEMS else str(len(errors) - _SHOWN_PROBLEMS)
            words.append(f"and {more} more")
        return "; ".join(words)

    def accepts(self, value: JSON) -> bool:
        """Tells whether a value satisfies the schema; one that cannot be judged does not."""
        try:
            return self.problem(value) is None
        except Misfit:
            return False


def short(message: str) -> str:
    """Returns a message as far as it is worth showing."""
    return message if len(message) <= _SHOWN_CHARS else f"{message[: _SHOWN_CHARS - 1]}…"


def _words(error: ValidationError) -> str:
    where = "".join(f"/{part}" for part in error.absolute_path)
    return f"{where}: {short(error.message)}" if where else short(error.message)


def _unique_items(validator: Any, wanted: bool, instance: JSON, schema: JSON) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list) and len({_identity(item) for item in instance}) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _identity(value: JSON) -> Hashable:
    """Returns what is equal for equal JSON values; 1 is 1.0, and true is not 1."""
    if isinstance(value, bool):
        return ("constant", value)
    if isinstance(value, list):
        return ("list", tuple(_identity(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, _identity(item)) for name, item in value.items()))
    return ("plain", value)


_Judge: Any = validators.extend(Draft202012Validator, {"uniqueItems": _unique_items})  # type: ignore[no-untyped-call]
