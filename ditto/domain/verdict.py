"""What the panel's replies come to: the merged result, how sure it is, who supports it and who dissents."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ditto.domain.spec import JSON, AnswerKind


class Intent(StrEnum):
    ANSWER = "answer"
    CLARIFICATION = "clarification"
    REFUSAL = "refusal"
    UNKNOWN = "unknown"


class BasisKind(StrEnum):
    """What a confidence rests on."""

    COLD = "cold"
    HISTORY = "history"
    CALIBRATED = "calibrated"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the confidence rests on.

    Attributes:
        skills: The version of the skills that were used, None for none.
        uncalibrated: The confidence before labels corrected it, None where they did not; what is to be learned from.
    """

    kind: BasisKind = BasisKind.COLD
    skills: int | None = None
    uncalibrated: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read out of one reply.

    Attributes:
        call: The call's name.
        answer: The short answer that was compared (decoded JSON), None where there is none.
        confidence: The probability that this answer is right, None without ground.
        abstained: Why the reply is no vote, None where it is one.
    """

    call: str
    summary: str
    intent: Intent
    answer: JSON = None
    confidence: float | None = None
    abstained: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissent:
    """An answer that lost. `share` is its part of the readable replies that are not refusals."""

    answer: JSON
    models: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldVerdict:
    confidence: float | None
    supporting: tuple[str, ...]
    dissent: tuple[Dissent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the judge decided.

    Attributes:
        model: The judge's name.
        chosen: The call whose reply it takes for the best.
        confidence: How probably right it calls that reply, None where it does not say.
        order: The calls as their replies were numbered for it, from 1.
    """

    model: str
    chosen: str
    reason: str
    confidence: float | None
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The merged answer.

    Attributes:
        result: Text, or with a schema the validated value.
        answer: The short answer that was voted on, None where the replies have none.
        chosen: The call whose reply `result` is, None where it was put together field by field.
        kind: Of the answers that were compared, None where nothing was.
        options: How many answers were offered, None where answers are open.
        agreement: The winner's part of the readable replies that are not refusals, None where nothing was compared.
        supporting: Calls that support the result, in the panel's order.
        fields: By JSON pointer (RFC 6901) into `result`.
        readings: One for each reply, in the panel's order.
        judgement: Of the judge, None where none has decided; the readings are the vote's in any case.
    """

    result: JSON
    summary: str
    intent: Intent
    confidence: float | None
    needs_review: bool
    needs_clarification: bool = False
    supporting: tuple[str, ...] = ()
    answer: JSON = None
    chosen: str | None = None
    kind: AnswerKind | None = None
    options: int | None = None
    agreement: float | None = None
    basis: Basis = Basis()
    dissent: tuple[Dissent, ...] = ()
    fields: dict[str, FieldVerdict] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    warnings: tuple[str, ...] = ()
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One usable reply as the merge sees it.

    Attributes:
        call: The call's name; unique.
        model: The model's base name.
        text: The reply, reasoning blocks removed.
        value: With a schema: the validated value that was read from the reply.
        weight: 0 or more; 0: shown, not counted.
        finish: How the reply ended: `stop`, `length`, `content_filter` or `other`.
    """

    call: str
    model: str
    text: str
    value: Any = None
    weight: float = 1.0
    finish: str = "stop"
