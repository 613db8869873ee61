"""Which value a reply gives for a schema: the first of all that it may mean that satisfies it.

One reply is never more than a misfit, whatever it holds, and never takes long: what is looked at is bounded.
"""

from __future__ import annotations

from typing import Any

from ditto.domain.schemas.candidates import candidates
from ditto.domain.schemas.sizes import MAX_PARTS, parts
from ditto.domain.schemas.validating import Validator
from ditto.domain.schemas.wrapping import WRAPPER, wraps
from ditto.domain.spec import JSON
from ditto.errors import Misfit


def read(text: str, schema: dict[str, Any]) -> JSON:
    """Returns the value that a reply gives for this schema, bare or wrapped as providers are told.

    Raises:
        Misfit: No value in it validates.
    """
    validator = Validator(schema)
    problem: str | None = None
    left = 2 * MAX_PARTS
    for candidate in candidates(text, bare_text=_takes_bare_text(schema)):
        values = [candidate]
        if wraps(schema) and isinstance(candidate, dict) and set(candidate) == {WRAPPER}:
            values.insert(0, candidate[WRAPPER])
        for value in values:
            try:
                left -= parts(value)
                found = validator.problem(value) if left >= 0 else None
            except Misfit as misfit:
                found = str(misfit)
            else:
                if left < 0:
                    raise Misfit(problem or "the reply holds too many values to look at each")
            if found is None:
                return value
            problem = problem or found
    raise Misfit(problem or "the reply holds no JSON")


def problem(text: str, schema: dict[str, Any]) -> str | None:
    """Returns why a reply does not satisfy the schema, in the validator's words, or None when it does."""
    try:
        read(text, schema)
    except Misfit as misfit:
        return str(misfit)
    return None


def _takes_bare_text(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return "string" in kinds or any(isinstance(allowed, str) for allowed in schema.get("enum", []))
