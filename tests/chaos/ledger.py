"""What a run has cost: what clients saw, what the models were asked and what the journals say, compared.

A call is known by its prompt, which no other job has, and its model. Each request to a model beyond the first is a
repetition, except those that the call's own outcome counts as tries. It is put down to the fault that broke the
request before it off; where that one was not broken off, to the last fault that had the call in hand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ditto.domain import events as ev
from ditto.domain.events import Recorded
from ditto.domain.job import JobState, fold
from ditto.errors import DittoError
from tests.chaos.cases import Case
from tests.chaos.faults import Fault
from tests.chaos.load import Sighting
from tests.chaos.models import Request
from tests.chaos.spans import Call, Span, spans_of
from tests.chaos.victims import Action, Hold, Kind

OUTLIVES_S = 5.0
"""So long at most a caller goes on after its node has been struck."""
_ENDS = (ev.JobCompleted, ev.JobFailed, ev.JobCancelled)


@dataclass(slots=True, kw_only=True)
class Toll:
    """What the faults of one kind have cost.

    Attributes:
        in_flight: Calls in the victims' hands.
        repeated: Calls asked again before their reply was in the journal.
        not_its_own: Those of them that were not in the victim's hands.
        broken: Foreign clients that got an error instead of an answer.
        came_back: Clients of Ditto's own that passed an error on, and were asked again with the key.
    """

    faults: int = 0
    in_flight: int = 0
    repeated: int = 0
    not_its_own: int = 0
    broken: int = 0
    came_back: int = 0
    recoveries_s: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Account:
    """What a run has cost. Every list names what is wrong, and is empty where nothing is.

    Attributes:
        lost: Accepted jobs that never ended.
        ended_twice: Jobs with two ends, and clients that saw two results.
        doubled: Keys and cases with more than one job.
        answered_repeated: Calls asked again although their reply was in the journal.
        wrong: Jobs that did not end with all replies and the right answer.
        unfolded: Journals that do not fold.
        unserved: Clients with a key that got no answer in the end.
        torn: Clients that saw events twice, or not at all.
        tolls: By what the fault was, `actor kill`, and `before` the first one.
    """

    jobs: int = 0
    clients: int = 0
    dedicated: int = 0
    adopted: int = 0
    calls: int = 0
    requests: int = 0
    tries: int = 0
    lost: list[str] = field(default_factory=list)
    ended_twice: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    answered_repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unfolded: list[str] = field(default_factory=list)
    unserved: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    tolls: dict[str, Toll] = field(default_factory=lambda: defaultdict(Toll))


def account(
    journals: Mapping[str, Sequence[Recorded]],
    requests: Sequence[Request],
    sightings: Sequence[Sighting],
    faults: Sequence[Fault],
) -> Account:
    """Returns what a run has cost, when every client has come to an end and every job has had the time to."""
    account = Account(jobs=len(journals), clients=len(sightings), requests=len(requests))
    cases = {seen.case.number: seen.case for seen in sightings}
    blame = _Blame(faults, journals)
    for fault in faults:
        toll = account.tolls[name_of(fault)]
        toll.faults += 1
        toll.in_flight += blame.in_flight(fault)
        if fault.recovered_s is not None:
            toll.recoveries_s.append(fault.recovered_s)
    for job_id, records in journals.items():
        _judge_job(account, job_id, records, cases)
    _judge_doubles(account, journals)
    _judge_clients(account, journals, sightings, blame)
    _judge_calls(account, journals, requests, cases, blame)
    return account


def name_of(fault: Fault) -> str:
    """Returns what a fault was: `actor kill`."""
    return f"{fault.kind} {fault.action}"


class _Blame:
    """Which fault something is put down to."""

    def __init__(self, faults: Sequence[Fault], journals: Mapping[str, Sequence[Recorded]]) -> None:
        self._faults = sorted(faults, key=lambda fault: fault.at)
        self._moments = [fault.at for fault in self._faults]
        self._spans: dict[Call, list[Span]] = defaultdict(list)
        for job_id, records in journals.items():
            for span in spans_of(job_id, records):
                self._spans[span.call].append(span)

    def in_flight(self, fault: Fault) -> int:
        """Returns how many calls the fault's victim had in hand."""
        return sum(_has(fault, spans, fault.at) for spans in self._spans.values())

    def at(self, moment: float) -> str:
        """Returns the name of the last fault before this moment."""
        place = bisect_right(self._moments, moment)
        return name_of(self._faults[place - 1]) if place else "before"

    def of(self, call: Call, before: Request, again: Request) -> tuple[str, bool]:
        """Returns the name of the fault for which a call was asked again, and whether its victim had it in hand.

        A victim may take more calls in hand before it is dead: the processes of a node outlive its raylet by seconds. A
        reply that came and never reached the journal is lost with who kept it, whatever else has fallen since.
        """
        broken_off = before.ending == "aborted"
        lost_at = again.began_at if before.ended_at is None else before.ended_at
        earlier = self._faults[: bisect_right(self._moments, lost_at if broken_off else again.began_at)]
        if not earlier:
            return "before", False
        own = [fault for fault in earlier if _has(fault, self._spans[call], lost_at)]
        if broken_off:
            return name_of(earlier[-1]), earlier[-1] in own
        keepers = [fault for fault in own if _kept_replies(fault) and fault.at >= before.began_at - OUTLIVES_S]
        return name_of((keepers or own or earlier)[-1]), bool(own)


def _kept_replies(fault: Fault) -> bool:
    """Tells whether the victim kept replies that had not reached the journal, and may have ended with them.

    A frozen node may be taken for dead, and its callers begun elsewhere; if everything stands still nobody notices.
    """
    return fault.hold is Hold.CALLS or (fault.kind is Kind.EVERYTHING and fault.action is Action.KILL)


def _has(fault: Fault, spans: Sequence[Span], moment: float) -> bool:
    """Tells whether the victim has one of these spans of a call in hand at that moment."""
    for span in spans:
        if span.began_at <= moment < span.ended_at:
            match fault.hold:
                case Hold.ALL:
                    return True
                case Hold.CALLS:
                    return span.caller in fault.names
                case Hold.JOBS:
                    return span.holder in fault.names
    return False


def _judge_job(account: Account, job_id: str, records: Sequence[Recorded], cases: Mapping[int, Case]) -> None:
    events = [record.event for record in records]
    ends = sum(isinstance(event, _ENDS) for event in events) - sum(event.kind == "job.retried" for event in events)
    account.adopted += any(isinstance(event, ev.JobAdopted) for event in events)
    if ends == 0:
        account.lost.append(job_id)
    if ends > 1:
        account.ended_twice.append(job_id)
    try:
        job = fold(job_id, list(records))
    except DittoError as error:
        account.unfolded.append(f"{job_id}: {error}")
        return
    account.dedicated += isinstance(events[0], ev.JobAccepted) and events[0].holder.startswith("job:")
    case = cases.get(int(job.spec.metadata["case"]))
    right = job.state is JobState.COMPLETE and len(job.usable()) == len(job.spec.calls)
    if job.state.ended and not right:
        account.wrong.append(f"{job_id}: {job.state}, {len(job.usable())} of {len(job.spec.calls)} replies")
    elif right and case is not None and _answer(events) != case.answer:
        account.wrong.append(f"{job_id}: {_answer(events)} instead of {case.answer}")


def _answer(events: Sequence[ev.Event]) -> Any:
    return next((event.verdict.answer for event in events if isinstance(event, ev.JobCompleted)), None)


def _judge_doubles(account: Account, journals: Mapping[str, Sequence[Recorded]]) -> None:
    by_case: dict[int, list[str]] = defaultdict(list)
    for job_id, records in journals.items():
        by_case[_case_number(records)].append(job_id)
    account.doubled = [f"case {number}: {' '.join(ids)}" for number, ids in sorted(by_case.items()) if len(ids) > 1]


def _judge_clients(
    account: Account, journals: Mapping[str, Sequence[Recorded]], sightings: Sequence[Sighting], blame: _Blame
) -> None:
    for seen in sightings:
        who = f"case {seen.case.number}"
        account.lost += [
            f"{who}: {job_id} was promised and is unknown" for job_id in seen.jobs if job_id not in journals
        ]
        if len({repr(answer) for answer in seen.answers}) > 1 or len(seen.jobs) > 1:
            account.ended_twice.append(f"{who}: {seen.jobs} {seen.answers}")
        if seen.torn:
            account.torn.append(f"{who}: {seen.torn}")
        if not seen.served and (seen.case.way.keyed or seen.accepted):
            account.unserved.append(f"{who}: {seen.troubles[-3:]}")
        if seen.case.way.keyed:
            for name in {blame.at(moment) for moment, _ in seen.troubles}:
                account.tolls[name].came_back += 1
        elif seen.troubles and not seen.served:
            account.tolls[blame.at(seen.troubles[0][0])].broken += 1


def _judge_calls(
    account: Account,
    journals: Mapping[str, Sequence[Recorded]],
    requests: Sequence[Request],
    cases: Mapping[int, Case],
    blame: _Blame,
) -> None:
    jobs = {
        cases[number].digest: job_id
        for job_id, records in journals.items()
        if (number := _case_number(records)) in cases
    }
    outcomes = {job_id: _outcomes(records) for job_id, records in journals.items()}
    asked: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for request in requests:
        asked[request.prompt, request.model].append(request)
    for (prompt, model), tries in asked.items():
        account.calls += 1
        job_id = jobs.get(prompt, "")
        call = f"sim/{model}"
        answered_at, attempts = outcomes.get(job_id, {}).get(call, (float("inf"), 1))
        tries.sort(key=lambda request: request.began_at)
        account.tries += attempts - 1
        for before, again in list(pairwise(tries))[attempts - 1 :]:
            if again.began_at > answered_at:
                account.answered_repeated.append(f"{job_id} {call}, after {blame.at(again.began_at)}")
                continue
            name, its_own = blame.of((job_id, call), before, again)
            account.tolls[name].repeated += 1
            account.tolls[name].not_its_own += not its_own


def _outcomes(records: Sequence[Recorded]) -> dict[str, tuple[float, int]]:
    """Returns when each call's reply was in the journal, and how many tries it took."""
    return {
        record.event.call: (record.at.timestamp(), record.event.reply.attempts)
        for record in records
        if isinstance(record.event, ev.CallCompleted)
    }


def _case_number(records: Sequence[Recorded]) -> int:
    first = records[0].event
    assert isinstance(first, ev.JobAccepted)
    return int(first.spec.metadata["case"])
