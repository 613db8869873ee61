"""What a holder tells who follows its jobs, and how it hears, for them alone, what is being written.

While somebody follows a job whose calls are streamed, its callers are asked for the drafts: one question at a time to
each caller for all such jobs, and not more often than a reader has use for. Of a job that nobody follows nothing is
heard, and soon nothing is kept; the caller has the text so far for whoever comes next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from ditto.domain.job import Running
from ditto.domain.live import VerdictLeading, leading
from ditto.domain.spec import StrategyName
from ditto.errors import DittoError
from ditto.runtime.calling import CallerPort
from ditto.runtime.drafts import NOTHING_KNOWN, Known, Piece, Written, pieces
from ditto.runtime.following import PAGE, News, Place
from ditto.runtime.held import Held
from ditto.runtime.orders import order_id

HEAR_S = 10.0
DEAF_S = 15.0
"""A caller that is silent for so long is asked again: the question or its answer is lost."""
PACE_S = 0.06
"""So long after a piece the next one is asked for: what comes meanwhile travels together."""
PAUSE_S = 0.2
LINGER_S = 5.0
"""So long after a reader's last question its job counts as followed: he may be busy with what he got."""
_SMALL_PANEL = 20
"""In a larger one it takes a while to find who leads: then on a thread, and only part of the time."""
_REST = 4.0
"""So many times as long as it took until it is looked for again."""


@dataclass(slots=True)
class _Followed:
    """A job that somebody follows: its drafts by order, and who leads."""

    held: Held
    readers: int = 0
    until: float = 0.0
    drafts: dict[str, Written] = field(default_factory=dict)
    leading: VerdictLeading | None = None
    counted: int = 0
    counting: bool = False

    def left(self, now: float) -> bool:
        """Tells whether nobody follows it any more."""
        return not self.readers and (now > self.until or self.held.ended.done())

    def orders(self) -> dict[str, str]:
        """Returns the orders whose replies are streamed, each with its caller."""
        job = self.held.runner.job
        if not job.spec.live or job.state.ended:
            return {}
        running = ((name, status) for name, status in job.calls.items() if isinstance(status, Running))
        return {order_id(job, name, status.round): status.caller for name, status in running}


@dataclass(slots=True)
class _Ear:
    """What one caller is being asked for."""

    asked: frozenset[str] = frozenset()
    more: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Hearing:
    """Tells the readers of one holder's jobs what is new.

    Args:
        port: Returns a caller by its name.
        own: Runs something for as long as the holder does.
    """

    def __init__(
        self,
        holder: str,
        *,
        port: Callable[[str], CallerPort],
        own: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._holder = holder
        self._port = port
        self._own = own
        self._followed: dict[str, _Followed] = {}
        self._ears: dict[str, _Ear] = {}
        self._tidied_at = 0.0

    async def follow(self, held: Held, place: Place, wait_s: float) -> News:
        """Returns what a reader at this place lacks, waiting for some of it up to `wait_s`."""
        loop, job_id = asyncio.get_running_loop(), held.runner.job.id
        self._tidy(loop.time())
        followed = self._followed.get(job_id)
        if followed is None or followed.held is not held:
            followed = self._followed[job_id] = _Followed(held=held)
        followed.readers += 1
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    coming = held.news
                    self._attend(followed)
                    news = _news(followed, place)
                    if news or held.ended.done():
                        return news
                    await coming.wait()
        except TimeoutError:
            return News()
        finally:
            followed.readers -= 1
            followed.until = loop.time() + LINGER_S
            if held.ended.done() and not followed.readers and self._followed.get(job_id) is followed:
                del self._followed[job_id]

    def _attend(self, followed: _Followed) -> None:
        """Sees to it that what this job's calls say is heard, and that it is known who leads."""
        orders = followed.orders()
        for caller in dict.fromkeys(orders.values()):
            ear = self._ears.setdefault(caller, _Ear())
            if not ear.asked.issuperset(key for key, name in orders.items() if name == caller):
                ear.more.set()
            if ear.task is None or ear.task.done():
                ear.task = self._own(self._hear(caller, ear))
        job = followed.held.runner.job
        replies = len(job.usable())
        votes = job.spec.live and job.spec.strategy is StrategyName.CONSENSUS and len(job.spec.calls) > 1
        if votes and not job.state.ended and replies > followed.counted and not followed.counting:
            followed.counted, followed.counting = replies, True
            self._own(self._lead(followed))

    async def _lead(self, followed: _Followed) -> None:
        job = followed.held.runner.job
        if len(job.spec.calls) <= _SMALL_PANEL:
            followed.leading = leading(job)
        else:
            began = time.monotonic()
            followed.leading = await asyncio.to_thread(leading, job)
            followed.held.wake()
            await asyncio.sleep(_REST * (time.monotonic() - began))
        followed.counting = False
        followed.held.wake()

    def _tidy(self, now: float) -> None:
        """Forgets the jobs that nobody follows any more."""
        if now < self._tidied_at + LINGER_S:
            return
        self._tidied_at = now
        left = [job_id for job_id, followed in self._followed.items() if followed.left(now)]
        for job_id in left:
            del self._followed[job_id]

    async def _hear(self, caller: str, ear: _Ear) -> None:
        while wanted := self._wanted(caller):
            ear.asked = frozenset(wanted)
            ear.more.clear()
            for piece in await self._heard(caller, ear, wanted):
                self._take(piece)
            await asyncio.sleep(PACE_S)
        ear.asked = frozenset()

    async def _heard(self, caller: str, ear: _Ear, wanted: dict[str, Known]) -> list[Piece]:
        """Returns what the caller has to say, or nothing where there is more to ask for meanwhile."""
        hearing = asyncio.ensure_future(self._port(caller).hear(self._holder, wanted, HEAR_S))
        more = asyncio.ensure_future(ear.more.wait())
        try:
            await asyncio.wait([hearing, more], timeout=DEAF_S, return_when=asyncio.FIRST_COMPLETED)
            return hearing.result() if hearing.done() else []
        except DittoError:
            await asyncio.sleep(PAUSE_S)
            return []
        finally:
            hearing.cancel()
            more.cancel()

    def _wanted(self, caller: str) -> dict[str, Known]:
        """Returns which drafts of this caller are followed, and how much of each is here; forgets all others."""
        now = asyncio.get_running_loop().time()
        wanted = {}
        for job_id, followed in list(self._followed.items()):
            if followed.left(now):
                del self._followed[job_id]
                continue
            orders = followed.orders()
            followed.drafts = {key: draft for key, draft in followed.drafts.items() if key in orders}
            for key in (key for key, name in orders.items() if name == caller):
                draft = followed.drafts.get(key)
                wanted[key] = NOTHING_KNOWN if draft is None else _whole(draft)
        return wanted

    def _take(self, piece: Piece) -> None:
        followed = self._followed.get(piece.order_id.partition("/")[0])
        if followed is None or piece.order_id not in followed.orders():
            return
        before = followed.drafts.get(piece.order_id)
        text = "" if before is None or before.edition != piece.edition else before.text
        if piece.start > len(text):
            return
        followed.drafts[piece.order_id] = Written(
            edition=piece.edition, attempt=piece.attempt, after=piece.after, text=text[: piece.start] + piece.text
        )
        followed.held.wake()


def _whole(draft: Written) -> Known:
    return Known(edition=draft.edition, attempt=draft.attempt, chars=len(draft.text))


def _news(followed: _Followed, place: Place) -> News:
    held = followed.held
    records = held.records[place.after : place.after + PAGE]
    if place.after + len(records) != len(held.records):  # there is more, or he has read in the journal what comes here
        return News(records=records)
    orders = followed.orders()
    drafts = {key: draft for key, draft in followed.drafts.items() if key in orders}
    found = followed.leading
    ahead = found is not None and found.replies > place.leading and not held.runner.job.state.ended
    return News(records=records, pieces=pieces(drafts, place.heard), leading=found if ahead else None)
