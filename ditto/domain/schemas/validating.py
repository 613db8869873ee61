"""Whether a value satisfies a schema, by jsonschema, and what it says where not.

References are never retrieved. Unique items are told apart in linear time, where jsonschema compares each with each,
and patterns are matched in linear time. What is left can still multiply: a schema whose parts each refer to two others
judges one value a million times. So steps are counted, and a judgement that takes too many of them is given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ditto.domain.schemas import names
from ditto.domain.schemas.sizes import parts
from ditto.domain.spec import JSON
from ditto.errors import Misfit

if TYPE_CHECKING:
    from referencing._core import Resolver  # the library gives the type no public name

_STEPS = 250_000
"""Of one validator, for all that it judges: a second or two. A step is a keyword with one part, judging one value."""
_LARGE_CHARS = 5_000
_CHARS_A_STEP = 400
"""Of what an error says: it writes out the value that is wrong."""
_PAIRS_A_STEP = 1_000
_PATTERN_CHARS = 1_000
_SEEN_PROBLEMS = 100
_SHOWN_PROBLEMS = 5
_SHOWN_CHARS = 200


class Validator:
    """Judges values by one schema; what it judges may take so many steps in all."""

    def __init__(self, schema: dict[str, Any]) -> None:
        root = {key: value for key, value in schema.items() if key != "$schema"}  # it would bring a judge of its own
        self._steps = _Steps()
        self._judge = _Judge(root, format_checker=self._steps, _resolver=resolver(root))

    def problem(self, value: JSON) -> str | None:
        """Returns why a value does not satisfy the schema, None where it does.

        Raises:
            Misfit: It cannot be judged: a number is too large to be divided, it is nested too deeply, or judging it
                takes too many steps.
        """
        try:
            self._steps.large = len(repr(value)) > _LARGE_CHARS
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


def resolver(schema: dict[str, Any]) -> Resolver[JSON]:
    """Returns what follows the references of a schema; its anchors are looked for once, here.

    Raises:
        Exception: Of many kinds, where an `$id` in it is strange.
    """
    resource = DRAFT202012.create_resource(schema)
    base = resource.id() or ""
    registry: Registry[Any] = Registry().with_resource(base, resource).crawl()
    return registry.resolver(base)


class _Steps(FormatChecker):
    """How many steps are left, and the formats: the one thing that jsonschema hands on from schema to schema.

    Attributes:
        large: Whether what is judged is so large that writing errors about it takes long.
    """

    def __init__(self) -> None:
        super().__init__(())
        self.checkers = _FORMATS
        self.large = False
        self._left = _STEPS

    def take(self, steps: int) -> None:
        """Takes steps of those that are left.

        Raises:
            Misfit: There are not so many.
        """
        self._left -= steps
        if self._left < 0:
            raise Misfit("checking it takes too many steps")

    def charged(self, errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
        """Yields errors, each for its steps where it is new."""
        for error in errors:
            if not isinstance(error.validator, str):  # those from within know their keyword already
                self.take(len(error.message) // _CHARS_A_STEP)
            yield error


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


def _is_pattern(instance: object) -> bool:
    if isinstance(instance, str) and len(instance) <= _PATTERN_CHARS:
        re.compile(instance)
    return True


_FORMATS = {**Draft202012Validator.FORMAT_CHECKER.checkers, "regex": (_is_pattern, re.error)}


_Keyword = Callable[[Any, Any, JSON, JSON], Iterable[ValidationError] | None]


def _counted(name: str, keyword: _Keyword) -> _Keyword:
    def counted(validator: Any, wanted: Any, instance: JSON, schema: JSON) -> Iterable[ValidationError] | None:
        steps: _Steps = validator.format_checker
        breadth = len(wanted) if isinstance(wanted, dict | list) else 0
        if name in ("const", "enum"):
            breadth = parts(wanted)
        elif name in ("unevaluatedItems", "unevaluatedProperties") and isinstance(instance, list):
            breadth = len(instance) ** 2 // _PAIRS_A_STEP  # each is looked for among all that was evaluated
        steps.take(1 + breadth)
        errors = keyword(validator, wanted, instance, schema)
        return steps.charged(errors) if errors and steps.large else errors

    return counted


_OWN: dict[str, _Keyword] = {
    "additionalProperties": names.additional_properties,
    "pattern": names.pattern_keyword,
    "patternProperties": names.pattern_properties,
    "unevaluatedProperties": names.unevaluated_properties,
    "uniqueItems": _unique_items,
}
_KEYWORDS = {name: _counted(name, keyword) for name, keyword in {**Draft202012Validator.VALIDATORS, **_OWN}.items()}
_Judge: Any = validators.extend(Draft202012Validator, _KEYWORDS)  # type: ignore[no-untyped-call]
