"""Every verb, the same over a server and over an attached service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from ditto import AsyncDitto, JobState
from ditto.domain.events import Failure
from ditto.errors import (
    BadRequest,
    Conflict,
    DeadlineExceeded,
    IdempotencyMismatch,
    JobCancelled,
    JobError,
    NotFound,
    RateLimited,
    ResultInvalid,
    Unavailable,
)
from tests.fakes import FakeService, Held

ONE = ["sim/alpha"]
DEAD = Failure(type="Unreachable", message="connection refused", attempts=3)


class Order(BaseModel):
    model_config = ConfigDict(strict=True)

    item: str
    count: int
    due: date

    @field_validator("count")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("lamps come in pairs")
        return value


@dataclass
class Point:
    x: int
    y: int


async def test_asking_returns_the_merged_answer(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Paris", "sim/beta": "Paris", "sim/gamma": "Lyon"}

    view = await client.ask("What is the capital of France?", metadata={"mail_id": 7})

    assert view.state is JobState.COMPLETE
    assert view.result == "Paris"
    assert view.structured is not None
    assert view.structured.supporting_models == ["sim/alpha", "sim/beta"]
    assert view.structured.dissent[0].models == ["sim/gamma"]
    assert view.metadata == {"mail_id": 7}
    assert view.created_at == datetime(2025, 7, 1, 9, 30, tzinfo=UTC)


async def test_arguments_have_pythons_names_and_seconds(client: AsyncDitto, service: FakeService) -> None:
    await client.ask(
        messages=[{"role": "user", "content": "Hi?"}],
        models=ONE,
        strategy="cooperative",
        timeout_s=1.5,
        grace_s=0,
        deadline_s=60,
        max_tokens=10,
        top_p=0.5,
        temperature=0,
        stop=["\n"],
        min_responses=1,
        weights={"sim/alpha": 2},
        answer=["yes", "no"],
        placement="shared",
        on_disconnect="continue",
    )

    wire = service.asked[0].to_wire()
    wire.pop("idempotencyKey", None)
    assert wire == {
        "messages": [{"role": "user", "content": "Hi?"}],
        "models": ONE,
        "strategy": "cooperative",
        "timeout": 1500.0,
        "grace": 0.0,
        "deadline": 60000.0,
        "maxTokens": 10,
        "topP": 0.5,
        "temperature": 0.0,
        "stop": ["\n"],
        "minResponses": 1,
        "weights": {"sim/alpha": 2.0},
        "answer": ["yes", "no"],
        "placement": "shared",
        "onDisconnect": "continue",
    }


@pytest.mark.parametrize(
    ("schema", "reply", "expected"),
    [
        (Order, '{"item": "lamp", "count": 2, "due": "2025-07-01"}', Order(item="lamp", count=2, due=date(2025, 7, 1))),
        (list[Point], '[{"x": 1, "y": 2}]', [Point(1, 2)]),
        (Literal["urgent", "calm"], '"urgent"', "urgent"),
        (bool, "true", True),
        (int | None, "null", None),
        (set[int], "[1, 2]", {1, 2}),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({}, "just text", "just text"),
    ],
)
async def test_a_typed_result_is_an_instance(
    client: AsyncDitto, service: FakeService, schema: Any, reply: str, expected: Any
) -> None:
    service.replies = {"sim/alpha": reply}

    view = await client.ask("Read it.", schema=schema, models=ONE)
    job = await client.submit("Read it.", schema=schema, models=ONE)

    assert view.result == expected
    assert type(view.result) is type(expected)
    assert (await job.wait()).result == expected
    assert (await client.job(job.id, schema=schema).state()).result == expected


async def test_a_result_that_its_own_validators_refuse_is_told_with_the_job(
    client: AsyncDitto, service: FakeService
) -> None:
    service.replies = {"sim/alpha": '{"item": "lamp", "count": 3, "due": "2025-07-01"}'}

    with pytest.raises(ResultInvalid, match="/count: lamps come in pairs") as caught:
        await client.ask("Read the order.", schema=Order, models=ONE)

    assert caught.value.value == {"item": "lamp", "count": 3, "due": "2025-07-01"}
    assert (await client.get(caught.value.job_id)).result == caught.value.value


@pytest.mark.parametrize("schema", [object(), Callable, "Order"])
async def test_a_type_that_has_no_schema_is_refused(client: AsyncDitto, service: FakeService, schema: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        await client.ask("Read it.", schema=schema)

    assert caught.value.details[0]["path"] == "schema"
    assert service.asked == []


async def test_wrong_arguments_are_all_listed_and_nothing_is_sent(client: AsyncDitto, service: FakeService) -> None:
    with pytest.raises(BadRequest) as caught:
        await client.ask(" ", models=[], timeout_s="5", max_retries=11, strategy="magic")  # type: ignore[call-overload]

    paths = {wrong["path"] for wrong in caught.value.details}
    assert paths == {"prompt", "models", "timeout", "maxRetries", "strategy"}
    assert service.asked == []


async def test_what_only_the_service_can_refuse_is_the_same_error(client: AsyncDitto) -> None:
    with pytest.raises(BadRequest) as caught:
        await client.ask("Hi?", models=["nope/x"])

    assert caught.value.details == [{"path": "models", "message": "unknown model 'nope/x'"}]


async def test_an_unknown_argument_is_a_type_error(client: AsyncDitto) -> None:
    with pytest.raises(TypeError):
        await client.ask("Hi?", referee="sim/alpha")  # type: ignore[call-overload]


async def test_a_failed_job_raises_with_its_id_and_the_models_errors(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": DEAD}

    with pytest.raises(JobError) as caught:
        await client.ask("Hi?", models=ONE)

    assert caught.value.details == {"sim/alpha": {"type": "Unreachable", "message": DEAD.message, "attempts": 3}}
    assert caught.value.job_id is not None
    view = await client.wait(caught.value.job_id)
    assert view.state is JobState.ERROR
    assert view.error is not None
    assert view.error.type == "JobError"


@pytest.mark.parametrize(("ending", "raised"), [("cancel", JobCancelled), ("expire", DeadlineExceeded)])
async def test_a_job_that_ends_without_an_answer_raises(
    client: AsyncDitto, service: FakeService, ending: str, raised: type[Exception]
) -> None:
    service.replies = {"sim/alpha": Held()}
    asking = asyncio.create_task(client.ask("Hi?", models=ONE))
    await service.asked_times(1)
    job_id = (await service.list()).jobs[0].id
    end: Callable[[str], Awaitable[Any]] = getattr(service, ending)

    await end(job_id)

    with pytest.raises(raised) as caught:
        await asking
    assert getattr(caught.value, "job_id", None) == job_id


async def test_a_submitted_job_is_followed_by_its_handle(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job = await client.submit("Hi?", models=ONE)

    running, still = await job.state(), await job.wait(timeout_s=0.001)
    await service.release("sim/alpha", "Hello.")
    ended = await job.wait()

    assert (running.state, still.state) == (JobState.RUNNING, JobState.RUNNING)
    assert running.progress == {"sim/alpha": "running"}
    assert (ended.state, ended.result) == (JobState.COMPLETE, "Hello.")


async def test_a_job_is_cancelled_once_and_again(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job = await client.submit("Hi?", models=ONE)

    first = await job.cancel()
    second = await client.cancel(job.id)

    assert first.state is JobState.CANCELLED
    assert second == first


async def test_a_retry_asks_the_failed_models_alone(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": "3", "sim/beta": DEAD}
    job = await client.submit("How many?", schema=int, models=["sim/alpha", "sim/beta"])
    first = await job.wait()
    service.replies = {"sim/alpha": "7", "sim/beta": Held()}

    retried = await job.retry()
    await service.release("sim/beta", "3")
    ended = await job.wait()
    same = await client.retry(job.id)

    assert list(first.errors) == ["sim/beta"]
    assert (retried.state, retried.result) == (JobState.RUNNING, None)
    assert (ended.state, ended.result, ended.errors) == (JobState.COMPLETE, 3, {})
    assert ended.responses == {"sim/alpha": "3", "sim/beta": "3"}
    assert same == ended


async def test_the_events_of_a_retry_come_after_those_before(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": DEAD}
    job = await client.submit("Hi?", models=ONE)
    before = [event async for event in job.events()]
    service.replies = {}

    await job.retry()
    later = [event async for event in job.events(after=before[-1].seq)]

    assert [event.kind for event in later] == ["job.retried", "call.started", "call.completed", "job.completed"]


async def test_a_job_that_runs_is_neither_retried_nor_deleted(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job = await client.submit("Hi?", models=ONE)

    for refused in (job.retry, job.delete):
        with pytest.raises(Conflict, match="is running") as caught:
            await refused()
        assert caught.value.job_id == job.id
    await job.cancel()
    with pytest.raises(Conflict, match="is cancelled"):
        await client.retry(job.id)


async def test_a_deleted_job_is_gone_and_its_key_is_free(client: AsyncDitto) -> None:
    job = await client.submit("Hi?", idempotency_key="k")

    await job.delete()
    again = await client.submit("Another question?", idempotency_key="k")

    with pytest.raises(NotFound):
        await job.state()
    assert [job.job_id for job in (await client.jobs()).jobs] == [again.id]


async def test_every_question_has_a_key_and_a_given_one_is_kept(client: AsyncDitto, service: FakeService) -> None:
    await client.ask("Hi?")
    await client.ask("Hi?")
    await client.submit("Hi?")
    await client.submit("Hi?", idempotency_key="mine")

    keys = [request.idempotency_key for request in service.asked]
    assert None not in keys
    assert len(set(keys)) == 4
    assert keys[3] == "mine"


@pytest.mark.parametrize("busy", [RateLimited("the service is full"), Unavailable("the disk is full")])
async def test_a_service_that_is_busy_for_a_while_is_waited_for(
    client: AsyncDitto, service: FakeService, busy: Exception
) -> None:
    ready = iter([busy] * 4)
    submit = service.submit

    async def submit_later(request: Any, **more: Any) -> Any:
        service.unready = next(ready, None)
        return await submit(request, **more)

    service.submit = submit_later  # type: ignore[method-assign]
    view = await client.ask("Hi?")

    assert view.state is JobState.COMPLETE
    assert len(service.asked) == 5
    assert len({request.idempotency_key for request in service.asked}) == 1


async def test_events_come_in_order_and_go_on_where_one_stopped(client: AsyncDitto) -> None:
    job = await client.submit("Hi?", models=ONE, metadata={"mail_id": 7})

    events = [event async for event in job.events()]
    later = [event async for event in client.events(job.id, after=3)]

    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert [event.kind for event in events] == ["job.accepted", "call.started", "call.completed", "job.completed"]
    assert events[0].data["spec"]["metadata"] == {"mail_id": 7}
    assert events[2].data["reply"]["inputTokens"] == 21
    assert later == events[3:]


async def test_events_are_seen_while_the_job_runs(client: AsyncDitto, service: FakeService) -> None:
    job = await client.submit("Hi?", models=ONE)
    kinds = [event.kind async for event in job.events(after=4)]

    assert kinds == []


async def test_a_job_that_does_not_exist_is_not_found(client: AsyncDitto) -> None:
    for call in (client.get, client.wait, client.cancel, client.retry, client.delete):
        with pytest.raises(NotFound):
            await call("01NONE")
    with pytest.raises(NotFound):
        await anext(client.events("01NONE"))


async def test_a_key_is_the_same_job_or_a_mismatch(client: AsyncDitto) -> None:
    first = await client.submit("Hi?", idempotency_key="k")
    again = await client.ask("Hi?", idempotency_key="k")

    assert again.job_id == first.id
    with pytest.raises(IdempotencyMismatch) as caught:
        await client.ask("Ho?", idempotency_key="k")
    assert [wrong["path"] for wrong in caught.value.details] == ["prompt"]


async def test_jobs_are_listed_by_what_they_are(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/held": Held()}
    ids = [(await client.submit("Hi?", metadata={"team": "a"})).id for _ in range(2)]
    held = await client.submit("Hi?", models=["sim/held"])

    first = await client.jobs(limit=1, metadata={"team": "a"})
    second = await client.jobs(limit=1, metadata={"team": "a"}, cursor=first.cursor)
    running = await client.jobs(state=JobState.RUNNING, needs_review=False)

    assert [job.job_id for job in first.jobs] == [ids[1]]
    assert [job.job_id for job in second.jobs] == [ids[0]]
    assert second.cursor is None
    assert [job.job_id for job in running.jobs] == [held.id]


async def test_a_service_that_takes_no_jobs_is_unavailable(client: AsyncDitto, service: FakeService) -> None:
    service.unready = Unavailable("the service is draining")

    with pytest.raises(Unavailable, match="draining"):
        await client.ask("Hi?")


async def test_text_of_any_script_goes_both_ways(client: AsyncDitto, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Да 👍🏽 東京"}

    view = await client.ask("Ответь: 東京 🗼?", models=ONE)

    assert service.asked[0].prompt == "Ответь: 東京 🗼?"
    assert view.result == "Да 👍🏽 東京"


@pytest.mark.parametrize(
    ("on_disconnect", "state"),
    [("cancel", JobState.CANCELLED), ("continue", JobState.RUNNING), (None, JobState.RUNNING)],
)
async def test_giving_up_a_question_ends_its_job_only_if_it_says_so(
    client: AsyncDitto, service: FakeService, on_disconnect: Any, state: JobState
) -> None:
    service.replies = {"sim/alpha": Held()}
    asking = asyncio.create_task(client.ask("Hi?", models=ONE, on_disconnect=on_disconnect))
    await service.asked_times(1)
    job_id = (await service.list()).jobs[0].id

    asking.cancel()
    await asyncio.wait({asking})
    if state is JobState.CANCELLED:
        await service.wait(job_id)

    assert (await service.get(job_id)).state is state
