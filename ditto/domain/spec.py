"""What a job is asked, with every default filled in and every name resolved: it needs nothing else to be finished."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from ditto.domain.confidence.calibration import Calibration
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.tenants import DEFAULT

JSON: TypeAlias = Any
"""Decoded JSON: None, bool, int, float, str, list or dict."""


class StrategyName(StrEnum):
    CONSENSUS = "consensus"
    COOPERATIVE = "cooperative"


class Placement(StrEnum):
    """Where a job lives: in an actor of its own while spares last, always, or on a shared host."""

    AUTO = "auto"
    DEDICATED = "dedicated"
    SHARED = "shared"


class AnswerKind(StrEnum):
    """What kind of answer is compared."""

    NUMBER = "number"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    DATE = "date"
    TEXT = "text"
    LIST = "list"
    MATH = "math"
    CODE = "code"
    JSON = "json"


class SettleRule(StrEnum):
    """How long a job waits: for every model, or until no missing reply can change the answer."""

    ALL = "all"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confident:
    """A job waits until its confidence is at least this, 0 to 1."""

    confident: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Passed on to the providers; None is left to them."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One seat in the panel.

    Attributes:
        name: Unique in the job: the model's name, `#2` and so on appended for its second seat.
        model: The model's name as configured, `provider/model`.
        weight: How much its reply counts, 0 or more.
    """

    name: str
    model: str
    weight: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """The resolved request, as `job.accepted` keeps it.

    Attributes:
        messages: The conversation without its system message; ends with a user's message.
        schema: JSON Schema 2020-12 of the result, None for text.
        answer: The kind to compare, or the allowed answers, or None: read from question and panel.
        timeout_s: For one call: tries, pauses and re-asks together.
        grace_s: How long stragglers are waited for once `min_responses` have answered; None: for all.
        deadline_at: When the job ends with what it has (aware UTC).
        skills: What is known of its models, from a history without labels; None: nothing was when it was accepted.
        calibration: What labels say of confidences in this job's task; None: there were not enough.
        replies_limit_bytes: All replies of the job together, UTF-8; the call whose reply goes beyond it fails.
        review_threshold: Below this confidence the verdict needs a person's review.
        judge: The model that is asked where the vote cannot decide, as configured; None: nobody is.
        live: Its replies are streamed, for who follows it: that costs a little for every word.
        tenant: Whose the job is.
        metered: Whether its calls and tokens are counted for its tenant.
    """

    strategy: StrategyName
    calls: tuple[Call, ...]
    messages: tuple[Message, ...]
    system: str | None = None
    sampling: Sampling = Sampling()
    schema: dict[str, Any] | None = None
    answer: AnswerKind | tuple[str, ...] | None = None
    min_responses: int = 1
    settle: SettleRule | Confident = SettleRule.ALL
    judge: str | None = None
    max_retries: int = 2
    timeout_s: float = 300.0
    grace_s: float | None = None
    deadline_at: datetime
    skills: SkillSheet | None = None
    calibration: Calibration | None = None
    replies_limit_bytes: int = 64 * 2**20
    review_threshold: float = 0.5
    metadata: dict[str, Any] = field(default_factory=dict)
    live: bool = False
    tenant: str = DEFAULT
    metered: bool = False

    @property
    def payer(self) -> str | None:
        """The tenant for whom calls and tokens are counted; None: for nobody."""
        return self.tenant if self.metered else None

    @property
    def question(self) -> str:
        """The last user's message: what the panel is asked."""
        return self.messages[-1].content
