"""The blocking client is the asynchronous one, seen from a thread that waits."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator

import pytest

from ditto import AsyncDitto, AsyncJob, Ditto, Job, JobState
from ditto.client.cluster_backend import ClusterBackend
from ditto.domain.events import Failure
from ditto.errors import BadRequest, NotFound
from tests.fakes import FakeService, Held


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> Iterator[Ditto]:
    with Ditto.over(ClusterBackend(service)) as opened:
        yield opened


def shape(function: object) -> str:
    """Returns the signature in the words of the blocking client."""
    text = str(inspect.signature(function)).replace("'", "")  # type: ignore[arg-type]
    return re.sub(r"\bAsync(Job|Ditto|Iterator)\b", r"\1", text)


def verbs(kind: type) -> list[str]:
    return sorted(name for name, member in vars(kind).items() if callable(member) and not name.startswith("_"))


@pytest.mark.parametrize(("blocking", "asynchronous"), [(Ditto, AsyncDitto), (Job, AsyncJob)])
def test_both_clients_have_the_same_verbs_with_the_same_signatures(blocking: type, asynchronous: type) -> None:
    assert verbs(blocking) == verbs(asynchronous)
    for name in verbs(blocking):
        mine, twin = getattr(blocking, name), getattr(asynchronous, name)
        assert shape(mine) == shape(twin), name
        assert [shape(o) for o in typing.get_overloads(mine)] == [shape(o) for o in typing.get_overloads(twin)], name


@pytest.mark.parametrize("verb", ["ask", "submit"])
def test_the_overloads_of_a_question_differ_in_its_schema_alone(verb: str) -> None:
    overloads = typing.get_overloads(getattr(AsyncDitto, verb))
    whole = inspect.signature(getattr(AsyncDitto, verb)).parameters

    assert len(overloads) == 3
    for overload in overloads:
        parameters = inspect.signature(overload).parameters
        assert list(parameters) == list(whole)
        for name in set(parameters) - {"schema"}:
            assert parameters[name] == whole[name]


def test_a_question_is_asked_and_answered(client: Ditto, service: FakeService) -> None:
    service.replies = {"sim/alpha": "true"}

    view = client.ask("Is it?", schema=bool, models=["sim/alpha"], timeout_s=1.0)

    assert view.result is True
    assert client.get(view.job_id).state is JobState.COMPLETE
    assert [job.job_id for job in client.jobs().jobs] == [view.job_id]


def test_a_job_is_submitted_followed_and_cancelled(client: Ditto, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job = client.submit("Is it?", models=["sim/alpha"])

    events = job.events()
    first = next(events)
    running = job.wait(timeout_s=0.001)
    cancelled = job.cancel()

    assert first.kind == "job.accepted"
    assert (running.state, cancelled.state) == (JobState.RUNNING, JobState.CANCELLED)
    assert [event.kind for event in events] == ["call.started", "job.cancelled"]
    assert client.job(job.id).state() == client.wait(job.id) == client.cancel(job.id)


def test_a_job_is_retried_and_deleted(client: Ditto, service: FakeService) -> None:
    service.replies = {"sim/alpha": Failure(type="Timeout", message="no answer in 1 ms")}
    job = client.submit("Is it?", models=["sim/alpha"])
    failed = job.wait()
    service.replies = {}

    retried = job.retry()
    ended = job.wait()
    job.delete()

    assert (failed.state, retried.state, ended.state) == (JobState.ERROR, JobState.RUNNING, JobState.COMPLETE)
    for gone in (job.state, lambda: client.retry(job.id), lambda: client.delete(job.id)):
        with pytest.raises(NotFound):
            gone()


def test_events_may_be_left_before_they_end(client: Ditto, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job = client.submit("Is it?", models=["sim/alpha"])

    for event in client.events(job.id):
        if event.kind == "call.started":
            break

    assert job.state().state is JobState.RUNNING


def test_errors_arrive_as_they_are(client: Ditto) -> None:
    with pytest.raises(BadRequest):
        client.ask(" ")
    with pytest.raises(NotFound):
        client.get("01NONE")


def test_a_client_is_closed_once_and_again(service: FakeService) -> None:
    client = Ditto.over(ClusterBackend(service))

    client.close()
    client.close()

    assert service.closed
