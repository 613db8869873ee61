"""A client that reads along: pieces of replies are typed, and a connection that is lost tells no word twice."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ditto import CallDelta
from ditto.client.job_event import JobEvent
from tests.unit.client.test_client_connections import Server, client_of


def wire(kind: str, seq: int | None = None, **fields: Any) -> dict[str, Any]:
    number = {} if seq is None else {"seq": seq}
    return {"jobId": "j", **number, "at": "2026-03-01T12:00:00Z", "kind": kind, **fields}


def said(text: str, start: int = 0) -> dict[str, Any]:
    return wire("call.delta", call="sim/a", round=1, start=start, text=text)


def completed(text: str) -> dict[str, Any]:
    return wire("call.completed", 3, call="sim/a", round=1, reply={"text": text})


def stream(*events: dict[str, Any]) -> httpx.Response:
    body = "".join(f"event: {event['kind']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)


async def followed(*answers: Any) -> list[JobEvent]:
    return [event async for event in client_of(Server(*answers, httpx.Response(204))).events("j")]


def texts(events: list[JobEvent]) -> list[tuple[int, str]]:
    return [(event.start, event.text) for event in events if isinstance(event, CallDelta)]


async def test_a_piece_of_a_reply_is_typed_and_has_no_number() -> None:
    (event,) = await followed(stream(said("Lis")))

    assert isinstance(event, CallDelta)
    assert (event.call, event.round, event.start, event.text, event.seq) == ("sim/a", 1, 0, "Lis", None)
    assert event.data == {"call": "sim/a", "round": 1, "start": 0, "text": "Lis"}


async def test_the_text_so_far_is_not_told_again_after_a_lost_connection() -> None:
    events = await followed(
        stream(wire("call.started", 2), said("Lis"), said("bon", 3)),
        stream(said("Lisbon is")),
        stream(said("Lisbon is it"), said(".", 12)),
        stream(completed("Lisbon is it. 🇵🇹")),
    )

    assert texts(events) == [(0, "Lis"), (3, "bon"), (6, " is"), (9, " it"), (12, "."), (13, " 🇵🇹")]
    assert [event.seq for event in events if event.seq is not None] == [2, 3]


async def test_a_text_that_began_anew_meanwhile_replaces_what_there_was() -> None:
    events = await followed(stream(said("Porto")), stream(said("Lis")), stream(completed("Lisbon")))

    assert texts(events) == [(0, "Porto"), (0, "Lis"), (3, "bon")]


async def test_after_a_try_that_failed_the_text_begins_anew_though_it_is_the_same() -> None:
    retried = wire("call.retried", call="sim/a", round=1, attempt=2)

    events = await followed(stream(said("Lis"), retried, said("Lis"), completed("Lisbon")))

    assert texts(events) == [(0, "Lis"), (0, "Lis"), (3, "bon")]


async def test_in_a_retried_job_the_text_begins_anew_though_it_is_the_same() -> None:
    started = {"call": "sim/a", "round": 1}
    failed = wire("call.failed", 3, call="sim/a", round=1, failure={"type": "Unreachable"})
    again = (wire("job.retried", 4), wire("call.started", 5, **started), said("Lis"), said("bon", 3))

    events = await followed(stream(wire("call.started", 2, **started), said("Lis"), failed), stream(*again))

    assert texts(events) == [(0, "Lis"), (0, "Lis"), (3, "bon")]


async def test_a_stream_is_resumed_behind_the_last_number_whatever_came_after_it() -> None:
    server = Server(stream(wire("call.started", 2), said("Lis")), httpx.Response(204))

    async for _ in client_of(server).events("j"):
        pass

    assert [request.url.params["after"] for request in server.requests] == ["0", "2"]


@pytest.mark.parametrize("kind", ["call.retried", "verdict.leading"])
async def test_what_else_is_not_kept_comes_as_it_is(kind: str) -> None:
    (event,) = await followed(stream(wire(kind, attempt=2)))

    assert (event.kind, event.seq, event.data) == (kind, None, {"attempt": 2})
