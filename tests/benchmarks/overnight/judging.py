"""What a batch has left behind, held against what it should have: rows missing, twice, different, calls too many.

A call that was in flight when everything was killed has to be made again, for nobody has its reply. So many may the
models have been asked beyond one for each row and model, and no more. What was in flight the journal says, where there
is one: the calls that had begun and whose reply it had not. Without one, the models themselves: what they were at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill of everything that a command had begun.

    Attributes:
        rows: In the output at that moment.
        ended: Calls that had ended, a moment before.
        begun: Calls that had begun when no process was left.
        unrecorded: Calls of which the journal had the beginning and no reply, None where there is no journal.
    """

    rows: int
    ended: int
    begun: int
    unrecorded: frozenset[str] | None = None

    @property
    def at_models(self) -> int:
        """Calls that the models were at at some moment between the look before the kill and the last process's end."""
        return self.begun - self.ended


@dataclass(slots=True, kw_only=True)
class Output:
    """The rows of an output: of each id what it says, how often it stands there, and lines that are none."""

    said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    torn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is wrong with an output.

    Attributes:
        strange: Rows that nobody asked for.
        different: By column, rows that say something else than those of the run that nobody killed; None: no such run.
    """

    rows: int
    missing: int
    twice: int
    strange: int
    torn: int
    different: dict[str, int] | None

    @property
    def right(self) -> bool:
        return not (self.missing or self.twice or self.strange or self.torn or self.different)


def read(lines: Iterable[bytes], columns: Sequence[str]) -> Output:
    """Returns the output that these lines are; of each row the columns that are to be the same in every run."""
    output = Output()
    for line in lines:
        try:
            row = json.loads(line)
            id = str(row["id"])
        except (ValueError, KeyError, TypeError):
            output.torn += 1
            continue
        output.times[id] += 1
        output.said[id] = tuple(json.dumps(row.get(column), sort_keys=True) for column in columns)
    return output


def judged(wanted: Collection[str], output: Output, columns: Sequence[str], like: Output | None = None) -> Judged:
    """Returns what is wrong with an output.

    Args:
        wanted: The ids that should stand there once.
        like: The output of a run that nobody killed.
    """
    ids = set(wanted)
    different = Counter[str]()
    for id, said in output.said.items() if like is not None else ():
        assert like is not None
        for column, here, there in zip(columns, said, like.said.get(id, said), strict=True):
            different[column] += here != there
    return Judged(
        rows=sum(output.times.values()),
        missing=len(ids - output.times.keys()),
        twice=sum(count > 1 for count in output.times.values()),
        strange=len(output.times.keys() - ids),
        torn=output.torn,
        different=None if like is None else {column: count for column, count in different.items() if count},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the models were asked in all, beside what had to be.

    Attributes:
        calls: One for each row and model.
        at_models: At the kills, in all; `in_flight` with those whose reply was on its way into the journal.
        answered_again: Calls that were made again although the journal had their reply; without one, although the
            models had answered them, at least.
    """

    calls: int
    begun: int
    at_models: int
    in_flight: int
    answered_again: int

    @property
    def beyond(self) -> int:
        """Calls beyond one for each row and model; below zero where some were never made."""
        return self.begun - self.calls

    @property
    def right(self) -> bool:
        return 0 <= self.beyond <= self.in_flight and not self.answered_again


def asked(calls: int, begun: int, times: Mapping[str, int], kills: Sequence[Kill]) -> Asked:
    """Returns what the models were asked.

    Args:
        begun: Calls that they got in all.
        times: How often they got a call, of those that they got more than once.
    """
    at_models = sum(kill.at_models for kill in kills)
    recorded = [kill.unrecorded for kill in kills if kill.unrecorded is not None]
    if len(recorded) < len(kills):
        again = max(0, begun - calls - at_models)
        return Asked(calls=calls, begun=begun, at_models=at_models, in_flight=at_models, answered_again=again)
    lost = Counter(call for unrecorded in recorded for call in unrecorded)
    return Asked(
        calls=calls,
        begun=begun,
        at_models=at_models,
        in_flight=lost.total(),
        answered_again=sum(max(0, count - 1 - lost[call]) for call, count in times.items()),
    )
