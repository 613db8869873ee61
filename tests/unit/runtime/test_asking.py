"""A line to a holder: jobs go out gathered, their ends come back, and whoever waits hears of the holder's death."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from ditto.errors import HolderGone, RateLimited
from ditto.runtime import asking
from ditto.runtime.asking import POLL_S, Asked, Asking, Desks
from tests.unit.runtime.house import WAIT_S, asked

SPEC = asked("a")


class Holder:
    """An `AskedPort` that accepts each job when it is let, and counts its messages."""

    def __init__(self) -> None:
        self.epoch = 1
        self.messages: list[str] = []
        self.accepted: list[str] = []
        self.refusing: Exception | None = None
        self.let = asyncio.Event()
        self.let.set()
        self.gone = False
        self.desks = Desks(self._accept, asyncio.ensure_future)

    def begin_anew(self) -> None:
        self.epoch += 1
        self.desks = Desks(self._accept, asyncio.ensure_future)

    async def accept_one(self, job_id, spec, claim, wait_s):
        self.messages.append("accept_one")
        return await self._accept(job_id, spec, claim, wait_s)

    async def accept_all(self, line, asked, wait_s):
        self.messages.append("accept_all")
        await asyncio.sleep(0)
        self.desks.accept_all(line, asked, wait_s)
        return self.epoch

    async def came(self, line, seen, wait_s):
        self.messages.append("came")
        epoch, desks = self.epoch, self.desks
        came = await desks.came(line, seen, 0.01)
        if self.gone or epoch != self.epoch:
            raise HolderGone("it died in the middle")
        return asking.Heard(epoch=epoch, came=came)

    async def _accept(self, job_id, spec, claim, wait_s):
        await self.let.wait()
        if self.refusing is not None:
            raise self.refusing
        self.accepted.append(job_id)
        return f"the job {job_id}"


@pytest.fixture
def holder():
    return Holder()


def line(holder, few=0):
    return Asking(holder, map(str, itertools.count()).__next__, few=few)


async def everything(*work):
    async with asyncio.timeout(WAIT_S):
        return await asyncio.gather(*work, return_exceptions=True)


async def test_a_hundred_jobs_at_once_are_a_few_messages(holder):
    line_ = line(holder)
    jobs = await everything(*(line_.accept(f"j{n}", SPEC, None, POLL_S) for n in range(100)))
    assert jobs == [f"the job j{n}" for n in range(100)]
    assert len(holder.messages) < 10


async def test_a_few_jobs_go_out_each_by_itself(holder):
    line_ = line(holder, few=2)
    await everything(*(line_.accept(f"j{n}", SPEC, None, POLL_S) for n in range(2)))
    assert holder.messages == ["accept_one", "accept_one"]


async def test_a_job_that_is_not_waited_for_goes_out_by_itself(holder):
    await line(holder).accept("j", SPEC, None, 0.0)
    assert holder.messages == ["accept_one"]


async def test_why_a_job_was_not_accepted_is_told(holder):
    holder.refusing = RateLimited("the service is full")
    with pytest.raises(RateLimited):
        await line(holder).accept("j", SPEC, None, POLL_S)


async def test_when_the_holder_dies_all_who_wait_are_told(holder):
    line_ = line(holder)
    holder.let.clear()
    waiting = [asyncio.ensure_future(line_.accept(f"j{n}", SPEC, None, POLL_S)) for n in range(3)]
    await asyncio.sleep(0)
    holder.gone = True
    assert all(isinstance(each, HolderGone) for each in await everything(*waiting))


async def test_a_holder_that_was_begun_anew_knows_nothing_of_what_the_last_one_was_asked(holder):
    line_ = line(holder)
    holder.let.clear()
    waiting = asyncio.ensure_future(line_.accept("j1", SPEC, None, POLL_S))
    while not holder.desks._desks:  # noqa: ASYNC110  # nothing else tells
        await asyncio.sleep(0)
    holder.begin_anew()
    [came] = await everything(waiting)
    assert isinstance(came, HolderGone)
    holder.let.set()
    assert await everything(line_.accept("j2", SPEC, None, POLL_S)) == ["the job j2"]


async def test_what_came_is_told_again_until_it_was_seen(holder):
    holder.desks.accept_all("line", [Asked(job_id="j", spec=SPEC, claim=None)], POLL_S)
    first = await holder.desks.came("line", 0, WAIT_S)
    again = await holder.desks.came("line", 0, WAIT_S)
    assert [each.job_id for each in first] == [each.job_id for each in again] == ["j"]
    assert await holder.desks.came("line", first[0].number, 0.0) == []


async def test_who_leaves_leaves_no_poll_behind(holder):
    line_ = line(holder)
    holder.let.clear()
    waiting = asyncio.ensure_future(line_.accept("j", SPEC, None, POLL_S))
    await asyncio.sleep(0)
    waiting.cancel()
    await everything(waiting)
    await everything(line_._poller)
    assert line_._waiting == {}


async def test_a_line_that_is_silent_for_long_is_forgotten():
    now = 0.0
    desks = Desks(Holder()._accept, asyncio.ensure_future, clock=lambda: now)
    desks.accept_all("line", [], POLL_S)
    now = asking.FORGET_S + 1
    desks.accept_all("other", [], POLL_S)
    assert list(desks._desks) == ["other"]


async def test_a_line_that_has_rested_until_it_was_forgotten_is_told_what_comes_then(holder):
    now = 0.0
    holder.desks = Desks(holder._accept, asyncio.ensure_future, clock=lambda: now)
    rested = line(holder)
    await everything(*(rested.accept(f"j{number}", SPEC, None, POLL_S) for number in range(3)))
    now = asking.FORGET_S + 1
    holder.desks.accept_all("other", [], POLL_S)

    assert await everything(rested.accept("j9", SPEC, None, POLL_S)) == ["the job j9"]
