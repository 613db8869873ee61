"""The replies that a client is reading along with: a connection that is made again tells their text again."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from ditto.client.job_event import CallDelta, JobEvent


class Texts:
    """How much of each reply was passed on: its length, and a checksum to know it by."""

    def __init__(self) -> None:
        self._passed: dict[tuple[str, int], tuple[int, int]] = {}

    def fresh(self, event: JobEvent) -> Iterator[JobEvent]:
        """Yields what is new in this event; before a reply's end what was not passed on of its text."""
        if isinstance(event, CallDelta):
            yield from self._delta(event)
            return
        key = (event.data.get("call", ""), event.data.get("round", 0))
        if event.kind == "call.started":
            self._passed.pop(key, None)  # the job was retried: what was said before is void
        if event.kind == "call.retried" and key in self._passed:
            self._passed[key] = (0, 0)
        if event.kind == "call.completed" and key in self._passed:
            yield from self._delta(_whole(event))
            del self._passed[key]
        yield event

    def _delta(self, event: CallDelta) -> Iterator[JobEvent]:
        key = (event.call, event.round)
        chars, checksum = self._passed.get(key, (0, 0))
        if event.start == 0 and len(event.text) >= chars and _checksum(event.text[:chars], 0) == checksum:
            event = _from(event, chars)
        self._passed[key] = (event.start + len(event.text), _checksum(event.text, checksum if event.start else 0))
        if event.text or event.start == 0:
            yield event


def _from(event: CallDelta, start: int) -> CallDelta:
    text = event.text[start:]
    return event.model_copy(update={"start": start, "text": text, "data": {**event.data, "start": start, "text": text}})


def _whole(event: JobEvent) -> CallDelta:
    """Returns the reply that has come whole as if it were the first piece of itself."""
    fields = {"call": event.data["call"], "round": event.data["round"], "start": 0, "text": event.data["reply"]["text"]}
    return CallDelta(job_id=event.job_id, seq=None, at=event.at, kind="call.delta", data=fields, **fields)


def _checksum(text: str, before: int) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"), before)
