"""Replies are followed while they are written: by both streams and the clients, late, and on a line that is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

import ditto
from tests.acceptance.conftest import Serving
from tests.acceptance.test_following import messages, socket

QUESTION = "What is 17 * 23? Explain each step."
SLOWLY = "sim/wordy+slow=1s+drip=80ms"


def submitted(http: httpx.Client, *models: str, prompt: str = QUESTION) -> str:
    job_id: str = http.post("/jobs", json={"prompt": prompt, "models": models}).json()["jobId"]
    return job_id


def streamed(http: httpx.Client, job_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
    with http.stream("GET", f"/jobs/{job_id}/events?after={after}") as stream:
        fields: dict[str, str] = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                event = json.loads(fields["data"])
                assert str(event.get("seq")) == fields.get("id", "None")
                yield event
                fields = {}


def text(events: Iterable[dict[str, Any]]) -> str:
    """Returns what a reader has who does as the wire says."""
    read = ""
    for event in events:
        if event["kind"] == "call.delta":
            assert event["start"] in (0, len(read))
            read = read[: event["start"]] + event["text"]
    return read


def place(events: list[dict[str, Any]], kind: str) -> int:
    return next(at for at, event in enumerate(events) if event["kind"] == kind)


def test_a_reply_comes_word_by_word_before_it_is_complete_and_is_whole_in_the_end(http: httpx.Client) -> None:
    events = list(streamed(http, submitted(http, SLOWLY)))

    deltas = [event for event in events if event["kind"] == "call.delta"]
    completed = events[place(events, "call.completed")]
    assert len(deltas) > 3
    assert [delta["start"] for delta in deltas].count(0) == 1
    assert "".join(delta["text"] for delta in deltas) == completed["reply"]["text"]
    assert completed["reply"]["outputTokens"] > 0
    numbers = [event["seq"] for event in events if "seq" in event]
    assert numbers == list(range(1, len(numbers) + 1))


def test_who_comes_late_gets_the_text_so_far_and_goes_on(http: httpx.Client, serving: Serving) -> None:
    job_id, early = submitted(http, SLOWLY), []
    for event in streamed(http, job_id):
        early.append(event)
        if len(text(early)) > 20:
            break
    with socket(serving, job_id) as following:
        late = list(messages(following))

    first = late[place(late, "call.delta")]
    assert first["start"] == 0
    assert first["text"].startswith(text(early))
    assert text(late) == late[place(late, "call.completed")]["reply"]["text"]


def test_a_reader_that_loses_its_line_again_and_again_has_every_event_once_and_every_word(http: httpx.Client) -> None:
    job_id, numbers, read = submitted(http, SLOWLY, "sim/terse"), list[int](), ""
    while True:
        for event in streamed(http, job_id, numbers[-1] if numbers else 0):
            if "seq" in event:
                numbers.append(event["seq"])
            elif event["kind"] == "call.delta" and event["call"] == SLOWLY:
                read = read[: event["start"]] + event["text"]
            if event["kind"] in ("call.delta", "verdict.leading", "job.completed"):
                break
        if event["kind"] == "job.completed":
            break

    assert numbers == list(range(1, len(numbers) + 1))
    assert http.get(f"/jobs/{job_id}").json()["responses"][SLOWLY].startswith(read)
    assert read


def test_the_clients_events_have_the_pieces_typed(serving: Serving) -> None:
    with ditto.Ditto(serving.url) as client:
        job = client.submit(QUESTION, models=[SLOWLY])
        events = list(job.events())

    pieces = [event for event in events if isinstance(event, ditto.CallDelta)]
    (completed,) = (event for event in events if event.kind == "call.completed")
    assert "".join(piece.text for piece in pieces) == completed.data["reply"]["text"]
    assert {piece.seq for piece in pieces} == {None}


def test_a_try_that_breaks_off_is_told_and_the_reply_comes_all_the_same(http: httpx.Client) -> None:
    events = list(streamed(http, submitted(http, "sim/wordy+reset*1")))

    retried = events[place(events, "call.retried")]
    completed = events[place(events, "call.completed")]
    assert (retried["attempt"], retried["failure"]["type"]) == (2, "Unreachable")
    assert completed["reply"]["attempts"] == 2
    assert text(events) == completed["reply"]["text"]


def test_an_endless_reply_fails_its_call_alone(http: httpx.Client) -> None:
    job_id = submitted(http, "sim/terse+endless", "sim/terse")

    done = http.get(f"/jobs/{job_id}", params={"wait": 60_000}, timeout=90).json()

    assert done["state"] == "complete"
    assert done["errors"]["sim/terse+endless"]["type"] == "TooLarge"


def test_who_leads_is_told_while_others_are_awaited(http: httpx.Client) -> None:
    job_id = submitted(http, "sim/terse", "sim/wordy", "sim/terse+slow=3s", prompt="What is 17 * 23?")

    events = list(streamed(http, job_id))

    leading = [event for event in events if event["kind"] == "verdict.leading"]
    assert leading[-1]["answer"] == 391
    assert "sim/terse" in leading[-1]["supportingModels"]
