"""Whose a job is: tenants, and what each of them may ask of the service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

DEFAULT = "default"
"""The tenant of whoever runs the service: who asks without a key, where none is needed, is it."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

Count = Annotated[int, Field(ge=1)] | None


class Allowance(BaseModel):
    """What a tenant may do; None is no limit.

    Attributes:
        requests_per_minute: Of any kind.
        jobs_per_minute: That are begun, retries among them.
        jobs_at_once: That have not ended.
        models: Whom it may ask, by name or by a pattern such as `openai/*`.
        calls_per_day: Of models, in a day of UTC; tries again after an error are not counted.
        tokens_per_day: That its calls have taken and given; a job that runs is not stopped by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: Count = None
    jobs_per_minute: Count = None
    jobs_at_once: Count = None
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    calls_per_day: Count = None
    tokens_per_day: Count = None

    @property
    def metered(self) -> bool:
        """Whether the calls and tokens of its jobs have to be counted."""
        return self.calls_per_day is not None or self.tokens_per_day is not None

    @property
    def in_turn(self) -> bool:
        """Whether its jobs are begun one after the other, each counted in the journal before the next."""
        return self.jobs_at_once is not None or self.metered

    def permits(self, model: str) -> bool:
        """Tells whether this model may be asked."""
        return self.models is None or any(fnmatchcase(model, pattern) for pattern in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who asks.

    Attributes:
        keyed: A key has opened; else none was needed, and whatever was shown was not looked at.
    """

    name: str
    allowance: Allowance
    keyed: bool = True


OPERATOR = Tenant(name=DEFAULT, allowance=Allowance(), keyed=False)
"""Who runs the service: asked without a door in between, it sees every tenant's jobs."""


def is_name(text: str) -> bool:
    """Tells whether a tenant may be called so: small letters, digits, `-` and `_`."""
    return _NAME.fullmatch(text) is not None
