"""A job is followed by server-sent events and by WebSocket, through the ingress, on a line that is lost and lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.acceptance.conftest import Serving

SLOWLY = [f"sim/terse+slow={100 * place}ms" for place in range(1, 16)]


def socket(serving: Serving, job_id: str, after: int = 0, **headers: str) -> ClientConnection:
    address = f"{serving.url.replace('http', 'ws', 1)}/jobs/{job_id}/ws?after={after}"
    return connect(address, additional_headers=headers, proxy=None, max_size=None)


def messages(following: ClientConnection) -> Iterator[dict[str, Any]]:
    for message in following:  # ends at a normal close
        yield json.loads(message)


def numbered(told: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields what is journalled: the rest is told to who is there."""
    return (event for event in told if "seq" in event)


def submitted(http: httpx.Client, *models: str) -> str:
    job_id: str = http.post("/jobs", json={"prompt": "What is 6 * 7?", "models": models}).json()["jobId"]
    return job_id


def streamed(http: httpx.Client, job_id: str, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
    with http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def test_a_socket_tells_what_the_stream_tells_and_closes_at_the_jobs_end(http, serving):
    job_id = submitted(http, "sim/terse", "sim/wordy+slow=500ms")
    with socket(serving, job_id) as following:
        told = list(numbered(messages(following)))
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert [told[0]["kind"], told[-1]["kind"]] == ["job.accepted", "job.completed"]
    assert told == list(streamed(http, job_id, {}))
    assert (following.close_code, following.close_reason) == (1000, "the job has ended")


def test_every_event_is_seen_once_on_a_line_that_is_lost_twenty_times(http, serving):
    job_id, seen = submitted(http, *SLOWLY), list[int]()
    for lost in range(20):
        after = seen[-1] if seen else 0
        if lost % 2:
            with socket(serving, job_id, after) as following:
                seen.append(next(numbered(messages(following)))["seq"])
        else:
            seen.append(next(numbered(streamed(http, job_id, {"Last-Event-ID": str(after)})))["seq"])
    with socket(serving, job_id, seen[-1]) as following:
        seen += [event["seq"] for event in numbered(messages(following))]
    assert seen == list(range(1, 2 * len(SLOWLY) + 3))


def test_a_client_cancels_its_job_over_the_socket(http, serving):
    before = httpx.get(f"{serving.sim}/sim/counts").json()["models"].get("terse+hang", {"aborted": 0})["aborted"]
    job_id = submitted(http, "sim/terse+hang")
    with socket(serving, job_id) as following:
        coming = messages(following)
        assert next(event for event in coming if event["kind"] == "call.started")
        following.send('{"type": "cancel"}')
        assert [event["kind"] for event in coming] == ["job.cancelled"]
    assert http.get(f"/jobs/{job_id}").json()["state"] == "cancelled"
    until = time.monotonic() + 10
    while httpx.get(f"{serving.sim}/sim/counts").json()["models"]["terse+hang"]["aborted"] == before:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("job", "headers", "said", "code", "reason"),
    [
        ("nobody", {}, None, 4404, "there is no job nobody"),
        (None, {"Origin": "http://elsewhere.example"}, None, 4403, "a page of another origin"),
        (None, {}, '{"type": "pause"}', 4400, "the message is wrong"),
    ],
)
def test_what_is_wrong_is_told_by_a_code_and_a_reason(http, serving, job, headers, said, code, reason):
    job_id = job or submitted(http, "sim/terse+hang")  # one that has ended would close the socket as it should
    with socket(serving, job_id, **headers) as following:
        if said is not None:
            following.send(said)
        told: list[dict[str, Any]] = []
        with pytest.raises(ConnectionClosed) as closed:
            told.extend(messages(following))
    http.post(f"/jobs/{job_id}/cancel")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert closed.value.rcvd.reason.startswith(reason)
    assert told[-1]["error"]["message"].startswith(reason)
