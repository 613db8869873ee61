"""What a provider or a model allows: calls at once, requests and tokens in a time; and when one is left alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RateLimit(BaseModel):
    """What is allowed, over all jobs and callers; what is not set is found where the provider says 429.

    Attributes:
        calls_at_once: Requests under way.
        requests_per_second: Or `requests_per_minute`, whichever the provider's own page says; sent evenly either way.
        tokens_per_minute: Of questions and answers together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls_at_once: Annotated[int, Field(ge=1)] | None = None
    requests_per_second: _Positive | None = None
    requests_per_minute: _Positive | None = None
    tokens_per_minute: _Positive | None = None

    @model_validator(mode="after")
    def _one_rate(self) -> RateLimit:
        if self.requests_per_second is not None and self.requests_per_minute is not None:
            raise ValueError("requests_per_second or requests_per_minute, not both")
        return self

    @property
    def requests_per_s(self) -> float | None:
        """Requests a second, however they were given."""
        if self.requests_per_minute is not None:
            return self.requests_per_minute / 60
        return self.requests_per_second

    @property
    def tokens_per_s(self) -> float | None:
        return None if self.tokens_per_minute is None else self.tokens_per_minute / 60

    @property
    def words(self) -> str:
        """What is allowed, for people: `50 requests a second, 4 calls at once`."""
        parts = (
            (self.requests_per_second, "requests a second"),
            (self.requests_per_minute, "requests a minute"),
            (self.tokens_per_minute, "tokens a minute"),
            (self.calls_at_once, "calls at once"),
        )
        return ", ".join(f"{amount:.12g} {unit}" for amount, unit in parts if amount is not None) or "no limit"


class CircuitRule(BaseModel):
    """When a model that only fails is left alone for a while.

    Attributes:
        failures: Requests in a row that could not be sent or that the provider failed on (5xx).
        jobs: So many different jobs they must have come from: what one job asks may be what the provider fails on.
        pause_s: How long nobody asks the model then; after it one request tries.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    failures: Annotated[int, Field(ge=1)] = 10
    jobs: Annotated[int, Field(ge=1)] = 3
    pause_s: _Positive = 10.0
