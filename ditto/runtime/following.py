"""How far one reader has got in a job, and what he is told next: events of the journal, and what is not kept.

The journal's events come once each and in order. Between them come the drafts of the calls that run: the text so far to
who has none, then what is new. Before a call's end what is still missing of its text is told, so that who has heard a
reply from its beginning has heard all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from ditto.domain.events import CallCompleted, CallFailed, JobRetried, Recorded, Reply
from ditto.domain.live import CallDelta, CallRetried, Live, VerdictLeading
from ditto.runtime.drafts import NOTHING_KNOWN, Known, Piece

PAGE = 200
"""So many events at most are read for one reader at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader is.

    Attributes:
        after: The number of the last event that he has.
        heard: By order, how much of each draft.
        leading: Of how many replies he knows who leads.
    """

    after: int = 0
    heard: dict[str, Known] = field(default_factory=dict)
    leading: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a reader lacks: drafts and the leading verdict belong behind the events."""

    records: Sequence[Recorded] = ()
    pieces: Sequence[Piece] = ()
    leading: VerdictLeading | None = None

    def __bool__(self) -> bool:
        return bool(self.records or self.pieces or self.leading)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """What has been told of one call's reply; `told`: text of it, though that may be void by now."""

    order_id: str
    round: int
    heard: Known
    checksum: int
    told: bool


class Reader:
    """One reader of a job.

    Args:
        after: The number of the last event that he has.
    """

    def __init__(self, after: int, clock: Callable[[], datetime]) -> None:
        self.after = after
        self._clock = clock
        self._texts: dict[str, _Text] = {}
        self._leading = 0

    def place(self) -> Place:
        """Returns where he is."""
        heard = {text.order_id: text.heard for text in self._texts.values()}
        return Place(after=self.after, heard=heard, leading=self._leading)

    def told(self, news: News) -> Iterator[Recorded | Live]:
        """Yields what the news are to him."""
        for record in news.records:
            yield from self._before(record)
            self.after = record.seq
            yield record
        for piece in news.pieces:
            yield from self._piece(piece)
        if news.leading is not None:
            self._leading = news.leading.replies
            yield Live(at=self._clock(), event=news.leading)

    def _before(self, record: Recorded) -> Iterator[Live]:
        match record.event:
            case CallCompleted(call=call, round=round_, reply=reply):
                text = self._texts.pop(call, None)
                if text is not None and text.round == round_ and text.told:
                    yield from self._rest(call, text, reply)
            case CallFailed(call=call):
                self._texts.pop(call, None)
            case JobRetried():
                self._texts.clear()
                self._leading = 0

    def _rest(self, call: str, text: _Text, reply: Reply) -> Iterator[Live]:
        chars = text.heard.chars
        goes_on = _checksum(reply.text[:chars], 0) == text.checksum and len(reply.text) >= chars
        start = chars if goes_on else 0
        if reply.text[start:] or not goes_on:
            delta = CallDelta(call=call, round=text.round, start=start, text=reply.text[start:])
            yield Live(at=self._clock(), event=delta)

    def _piece(self, piece: Piece) -> Iterator[Live]:
        _, turn, call = piece.order_id.split("/", 2)
        round_ = int(turn.partition(".")[2])
        before = self._texts.get(call)
        known = before.heard if before is not None and before.order_id == piece.order_id else NOTHING_KNOWN
        checksum = before.checksum if before is not None and piece.start else 0
        self._texts[call] = _Text(
            order_id=piece.order_id,
            round=round_,
            heard=piece.heard,
            checksum=_checksum(piece.text, checksum),
            told=bool(piece.text or known.chars) or (before is not None and before.told),
        )
        retried = piece.attempt > known.attempt and piece.after is not None
        if retried and piece.after is not None:
            event = CallRetried(call=call, round=round_, attempt=piece.attempt, failure=piece.after)
            yield Live(at=self._clock(), event=event)
        if piece.text or (piece.start < known.chars and not retried):
            delta = CallDelta(call=call, round=round_, start=piece.start, text=piece.text)
            yield Live(at=self._clock(), event=delta)


def _checksum(text: str, before: int) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"), before)
