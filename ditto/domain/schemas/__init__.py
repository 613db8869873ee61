"""JSON Schemas of results: is one usable, what providers are told of it, and which value a reply holds.

Nothing in here ever retrieves anything: references lead into the schema itself, or it is refused.
"""

from __future__ import annotations

from ditto.domain.schemas.checking import complaints
from ditto.domain.schemas.reading import problem, read
from ditto.domain.schemas.validating import Validator
from ditto.domain.schemas.wrapping import wrap
from ditto.errors import Misfit

__all__ = ["Misfit", "Validator", "complaints", "problem", "read", "wrap"]
