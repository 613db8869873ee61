"""The account of a chaos run finds what is wrong: each way of losing, doubling and paying twice is one it can see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ditto.domain import events as ev
from ditto.domain.events import Recorded, Reply
from ditto.domain.job import fold
from ditto.domain.spec import Call, JobSpec, Message, StrategyName
from ditto.domain.strategies import verdict
from tests.chaos.cases import Case, Way, cases
from tests.chaos.faults import Fault
from tests.chaos.ledger import Account, account
from tests.chaos.load import Sighting
from tests.chaos.models import Request
from tests.chaos.spans import spans_of
from tests.chaos.victims import Action, Hold, Kind

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()
JOB = "j1"


def case() -> Case:
    return Case(number=0, left=6, right=7, way=Way.WAIT, shared=True, slowness="slow=1s")


MODELS = case().models
SPEC = JobSpec(
    strategy=StrategyName.CONSENSUS,
    calls=tuple(Call(name=model, model=model) for model in MODELS),
    messages=(Message(role="user", content=case().prompt),),
    deadline_at=datetime.fromtimestamp(NOON + 1800, UTC),
    metadata={"case": 0},
)
BEGINNING = [
    ev.JobAccepted(spec=SPEC, holder="host:0"),
    *(ev.CallStarted(call=model, round=1, caller="caller:0") for model in MODELS),
]
REPLIES = [ev.CallCompleted(call=model, round=1, reply=Reply(text="42")) for model in MODELS]


def journal(*events: ev.Event) -> list[Recorded]:
    """Returns these events, a second apart."""
    moment = datetime.fromtimestamp(NOON, UTC)
    return [
        Recorded(seq=seq, at=moment + timedelta(seconds=seq - 1), event=event) for seq, event in enumerate(events, 1)
    ]


def ending() -> ev.JobCompleted:
    job = fold(JOB, journal(*BEGINNING, *REPLIES))
    return ev.JobCompleted(verdict=verdict(job), merge_s=0.0)


def whole() -> list[Recorded]:
    """Returns the journal of a job that ended as it should: calls begin by second 3, replies come at 4, 5 and 6."""
    return journal(*BEGINNING, *REPLIES, ending())


def request(model: str, began_s: float, *, attempt: int = 1, ended_s: float, how: str = "answered") -> Request:
    return Request(
        model=model.removeprefix("sim/"),
        prompt=case().digest,
        attempt=attempt,
        began_at=NOON + began_s,
        ended_at=NOON + ended_s,
        ending=how,
    )


def once() -> list[Request]:
    """Returns the requests of a job whose calls were made once each."""
    return [request(model, 3.0, ended_s=3.5) for model in MODELS]


def seen(way: Way = Way.WAIT) -> Sighting:
    asked = Case(number=0, left=6, right=7, way=way, shared=True, slowness="slow=1s")
    sighting = Sighting(case=asked, asked_at=NOON)
    sighting.answered(JOB, "complete", "42", 3)
    sighting.served = True
    return sighting


def fault(kind: Kind, at_s: float, name: str = "") -> Fault:
    holds = {Kind.CALLER: Hold.CALLS, Kind.HOST: Hold.JOBS}
    names = {Kind.CALLER: "caller:0", Kind.HOST: "host:0"}
    return Fault(
        kind=kind,
        action=Action.KILL,
        victim="x",
        at=NOON + at_s,
        frozen_s=0.0,
        hold=holds.get(kind, Hold.ALL),
        names=(name or names.get(kind, ""),),
        recovered_s=1.0,
    )


def wrongs(found: Account) -> list[str]:
    names = ("lost", "ended_twice", "doubled", "answered_repeated", "wrong", "unfolded", "unserved", "torn")
    return [name for name in names if getattr(found, name)]


def test_a_run_in_which_nothing_happened_has_cost_nothing():
    found = account({JOB: whole()}, once(), [seen()], [])

    assert wrongs(found) == []
    assert (found.jobs, found.calls, found.requests, found.dedicated) == (1, 3, 3, 0)
    assert not found.tolls


def test_an_accepted_job_without_an_end_is_lost():
    found = account({JOB: journal(*BEGINNING)}, once(), [], [])

    assert found.lost == [JOB]


def test_a_promised_job_that_the_journal_does_not_know_is_lost():
    sighting = Sighting(case=case(), asked_at=NOON)
    sighting.told("j9")

    found = account({}, [], [sighting], [])

    assert found.lost == ["case 0: j9 was promised and is unknown"]
    assert wrongs(found) == ["lost", "unserved"]


def test_two_ends_of_one_job_are_found():
    found = account({JOB: journal(*BEGINNING, *REPLIES, ending(), ending())}, once(), [seen()], [])

    assert found.ended_twice == [JOB]
    assert "unfolded" in wrongs(found)


def test_a_client_that_sees_two_results_is_found():
    sighting = seen()
    sighting.answered(JOB, "complete", "43", 3)

    found = account({JOB: whole()}, once(), [sighting], [])

    assert wrongs(found) == ["ended_twice"]


def test_one_key_with_two_jobs_is_found():
    found = account({JOB: whole(), "j2": whole()}, once(), [seen()], [])

    assert found.doubled == ["case 0: j1 j2"]


def test_a_call_asked_again_after_its_reply_was_journalled_is_found():
    again = request(MODELS[0], 4.5, attempt=2, ended_s=5.0)

    found = account({JOB: whole()}, [*once(), again], [seen()], [fault(Kind.HOST, 4.2)])

    assert found.answered_repeated == [f"{JOB} {MODELS[0]}, after host kill"]
    assert found.tolls["host kill"].repeated == 0


def test_a_call_broken_off_is_put_down_to_the_fault_that_broke_it_off():
    broken = request(MODELS[0], 3.0, ended_s=3.21, how="aborted")
    again = request(MODELS[0], 3.9, attempt=2, ended_s=3.95)
    faults = [fault(Kind.CALLER, 3.2), fault(Kind.HOST, 3.5)]

    found = account({JOB: whole()}, [broken, again, *once()[1:]], [seen()], faults)

    assert wrongs(found) == []
    assert found.tolls["caller kill"].repeated == 1
    assert found.tolls["caller kill"].not_its_own == 0
    assert found.tolls["host kill"].repeated == 0


def test_a_reply_that_was_not_journalled_is_lost_with_who_kept_it_whatever_falls_afterwards():
    again = request(MODELS[0], 3.8, attempt=2, ended_s=3.9)
    faults = [fault(Kind.CALLER, 3.4), fault(Kind.KEEPER, 3.7)]

    found = account({JOB: whole()}, [*once(), again], [seen()], faults)

    assert (found.tolls["caller kill"].repeated, found.tolls["keeper kill"].repeated) == (1, 0)


def test_a_caller_that_fell_long_before_has_lost_no_reply():
    again = request(MODELS[0], 3.8, attempt=2, ended_s=3.9)
    faults = [fault(Kind.CALLER, -20.0), fault(Kind.KEEPER, 3.7)]

    found = account({JOB: whole()}, [*once(), again], [seen()], faults)

    assert (found.tolls["caller kill"].repeated, found.tolls["keeper kill"].repeated) == (0, 1)


def test_a_repeated_call_that_was_not_the_victims_own_is_told_apart():
    broken = request(MODELS[0], 3.0, ended_s=3.21, how="aborted")
    again = request(MODELS[0], 3.9, attempt=2, ended_s=3.95)

    found = account({JOB: whole()}, [broken, again, *once()[1:]], [seen()], [fault(Kind.CALLER, 3.2, "caller:1")])

    assert found.tolls["caller kill"].not_its_own == 1


def test_calls_in_flight_are_those_that_the_victim_had_in_hand_at_that_moment():
    faults = [fault(Kind.HOST, 4.5), fault(Kind.HOST, 5.5, "host:1"), fault(Kind.CALLER, 5.5), fault(Kind.KEEPER, 2.5)]

    found = account({JOB: whole()}, once(), [seen()], faults)

    assert found.tolls["host kill"].in_flight == 2
    assert found.tolls["caller kill"].in_flight == 1
    assert found.tolls["keeper kill"].in_flight == 2


def test_an_adopted_jobs_calls_are_in_its_new_holders_hands():
    adopted = journal(*BEGINNING, ev.JobAdopted(holder="host:1", epoch=2), *REPLIES)

    spans = [span for span in spans_of(JOB, adopted) if span.call == (JOB, MODELS[0])]

    assert [(span.holder, span.began_at - NOON, span.ended_at - NOON) for span in spans] == [
        ("host:0", 1.0, 4.0),
        ("host:1", 4.0, 5.0),
    ]


def test_tries_that_the_reply_itself_counts_are_no_repetition():
    tried = [
        ev.CallCompleted(call=model, round=1, reply=Reply(text="42", attempts=2 if model == MODELS[0] else 1))
        for model in MODELS
    ]
    again = request(MODELS[0], 3.6, attempt=2, ended_s=3.7)

    found = account({JOB: journal(*BEGINNING, *tried, ending())}, [*once(), again], [seen()], [])

    assert found.tries == 1
    assert not found.tolls


def test_a_wrong_answer_is_found():
    wrong = Case(number=0, left=6, right=8, way=Way.WAIT, shared=True, slowness="slow=1s")
    sighting = Sighting(case=wrong, asked_at=NOON)
    sighting.answered(JOB, "complete", "42", 3)
    sighting.served = True

    found = account({JOB: whole()}, [], [sighting], [])

    assert found.wrong == [f"{JOB}: 42 instead of 48"]


@pytest.mark.parametrize(("way", "broken", "came_back"), [(Way.FOREIGN_WAIT, 1, 0), (Way.WAIT, 0, 1)])
def test_a_clients_errors_count_once_for_each_fault(way, broken, came_back):
    sighting = Sighting(case=replace(case(), way=way), asked_at=NOON)
    sighting.troubles += [(NOON + 4.1, "status 500"), (NOON + 4.2, "status 503")]

    found = account({JOB: whole()}, once(), [sighting], [fault(Kind.REPLICA, 4.0)])

    toll = found.tolls["replica kill"]
    assert (toll.broken, toll.came_back) == (broken, came_back)


def test_no_two_cases_ask_the_same():
    asked = [case for case, _ in zip(cases(seed=1), range(3000), strict=False)]

    assert len({case.digest for case in asked}) == 3000
    assert {case.way for case in asked} == set(Way)
    assert asked[7] == next(cases(seed=1, first=7))
