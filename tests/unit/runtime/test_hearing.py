"""Who follows a job hears its models write, from the text so far on, over the death of a holder and of a caller."""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain.events import Failure, Reply
from ditto.domain.live import CallDelta, Live, VerdictLeading
from ditto.domain.spec import StrategyName
from ditto.errors import HolderGone
from ditto.runtime import calling, hearing
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.following import Place, Reader
from ditto.runtime.host import Host
from ditto.runtime.runner import utc_now
from tests.unit.runtime.callers import KillableCaller
from tests.unit.runtime.house import WAIT_S, House, asked, until


class CountingCaller(KillableCaller):
    """Counts how often it is asked for drafts, and loses the next so many answers."""

    heard = 0
    lost = 0

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        self.heard += 1
        found = await super().hear(holder, heard, wait_s)
        if self.lost:
            self.lost -= 1
            raise HolderGone("the answer was lost")
        return found


@pytest.fixture
async def house(monkeypatch):
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)
    monkeypatch.setattr(hearing, "PAUSE_S", 0.0)
    built = House(a=Reply(text="42"), b=Reply(text="42"))
    built.caller = CountingCaller(built.models)
    yield built
    await built.close()


class Following:
    """Somebody who follows a job at whoever holds it."""

    def __init__(self, host: Host, job_id: str = "j1") -> None:
        self.host = host
        self.told = []
        self._job_id = job_id
        self._reader = Reader(0, utc_now)

    async def until(self, *texts: str, call: str = "slow") -> None:
        """Follows until this call's text is one of these."""
        async with asyncio.timeout(WAIT_S):
            while self.text(call) not in texts:
                await self.once()

    async def to_the_end(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while not self.told or self.told[-1].event.kind not in ("job.completed", "job.failed"):
                await self.once()

    async def once(self) -> None:
        news = await self.host.follow(self._job_id, self._reader.place(), WAIT_S)
        self.told += self._reader.told(news)

    def text(self, call: str) -> str:
        text = ""
        for event in self.deltas(call):
            text = text[: event.start] + event.text
        return text

    def deltas(self, call: str) -> list[CallDelta]:
        return [each.event for each in self.told if isinstance(each.event, CallDelta) and each.event.call == call]

    def numbers(self) -> list[int]:
        return [each.seq for each in self.told if not isinstance(each, Live)]


async def begun(house: House, *models: str, **changes: object) -> Host:
    host = await house.host()
    await host.accept("j1", asked(*models, live=True, **changes), None)
    await until(lambda: set(models) == set(house.models.asked))
    return host


async def test_a_reply_is_told_while_it_is_written(house):
    one = Following(await begun(house, "slow"))
    house.models.hearers["slow"].said("It")
    await one.until("It")
    house.models.hearers["slow"].said(" is 42")
    await one.until("It is 42")
    house.models.release("slow", Reply(text="It is 42."))
    await one.to_the_end()
    assert "".join(delta.text for delta in one.deltas("slow")) == "It is 42."
    assert one.numbers() == [1, 2, 3, 4]


async def test_who_comes_late_gets_the_text_so_far_in_one_piece(house):
    host = await begun(house, "slow")
    early, late = Following(host), Following(host)
    for word in ("It", " is", " 42"):
        house.models.hearers["slow"].said(word)
        await early.until(early.text("slow") + word)
    await late.until("It is 42")
    assert len(late.deltas("slow")) == 1


async def test_who_has_read_on_in_the_journal_is_told_no_text_of_a_call_that_has_ended_there(house):
    """While an append is slow its events are in the journal, and a reader may have them before the holder goes on."""
    host = await begun(house, "slow")
    house.models.hearers["slow"].said("It is")
    await Following(host).until("It is")

    assert not await host.follow("j1", Place(after=99), 0.05)


async def test_of_a_job_that_nobody_follows_nothing_is_heard(house):
    host = await begun(house, "slow")
    house.models.hearers["slow"].said("It is")
    house.models.release("slow", Reply(text="It is 42."))
    await house.ended(host, "j1")
    assert house.caller.heard == 0


async def test_replies_of_a_job_that_is_not_to_be_followed_are_not_streamed(house):
    host = await house.host()
    await host.accept("j1", asked("a", "slow"), None)
    await until(lambda: house.models.asked["slow"] == 1)
    assert house.models.hearers == {}


async def test_words_that_come_meanwhile_travel_together(house):
    one = Following(await begun(house, "slow"))
    for _ in range(500):
        house.models.hearers["slow"].said("x")
    await one.until("x" * 500)
    assert house.caller.heard <= 3


async def test_a_reader_that_reads_slowly_is_given_all_at_once(house):
    host = await begun(house, "slow")
    quick, slow = Following(host), Following(host)
    house.models.hearers["slow"].said("0")
    await slow.until("0")
    for word in "123456789":
        house.models.hearers["slow"].said(word)
        await quick.until(quick.text("slow") + word, "0" + word if not quick.told else "")
    await slow.until("0123456789")
    assert len(slow.deltas("slow")) == 2


async def test_an_answer_that_is_lost_on_the_way_is_asked_for_again(house):
    one = Following(await begun(house, "slow"))
    house.caller.lost = 3
    house.models.hearers["slow"].said("It is")
    await one.until("It is")
    assert len(one.deltas("slow")) == 1


async def test_the_next_holder_has_the_text_so_far_from_the_living_caller(house):
    first = await begun(house, "slow")
    one = Following(first)
    house.models.hearers["slow"].said("It is")
    await one.until("It is")
    await house.kill_9(first)
    house.models.hearers["slow"].said(" 42")
    one.host = await house.host()
    late = Following(one.host)
    await late.until("It is 42")
    await one.until("It is 42")
    house.models.release("slow", Reply(text="It is 42."))
    await one.to_the_end()
    assert "".join(delta.text for delta in one.deltas("slow")) == "It is 42."
    assert one.numbers() == list(range(1, one.numbers()[-1] + 1))


async def test_a_call_that_another_caller_process_makes_anew_begins_its_text_anew(house):
    one = Following(await begun(house, "slow"))
    house.models.hearers["slow"].said("It is")
    await one.until("It is")
    before = house.models.hearers["slow"]
    await house.caller.kill()
    house.caller.start()
    await until(lambda: house.models.hearers["slow"] is not before)
    house.models.hearers["slow"].said("Forty-")
    await one.until("Forty-")
    house.models.release("slow", Reply(text="Forty-two"))
    await one.to_the_end()
    assert one.text("slow") == "Forty-two"


async def test_several_calls_are_told_apart(house):
    one = Following(await begun(house, "slow", "slower"))
    house.models.hearers["slow"].said("It is")
    house.models.hearers["slower"].said("Well,")
    await one.until("It is")
    await one.until("Well,", call="slower")


async def test_a_call_that_begins_while_others_are_heard_is_heard_too(house):
    host = await begun(house, "slow", strategy=StrategyName.COOPERATIVE)
    await host.accept("j2", asked("slow", "slower", live=True, strategy=StrategyName.COOPERATIVE), None)
    await until(lambda: house.models.asked["slow"] == 2)
    one = Following(host, "j2")
    house.models.hearers["slow"].said("It is")
    await one.until("It is")
    house.models.release("slow", Reply(text="It is 42."))
    await until(lambda: "slower" in house.models.hearers)
    house.models.hearers["slower"].said("Well,")
    await one.until("Well,", call="slower")


async def test_what_a_failed_call_had_said_is_kept_by_nobody(house):
    host = await begun(house, "slow", "slower")
    one = Following(host)
    house.models.hearers["slow"].said("It is")
    await one.until("It is")
    house.models.release("slow", Failure(type="Unreachable", message="it broke off"))
    async with asyncio.timeout(WAIT_S):
        while one.numbers()[-1] < 4:
            await one.once()
    house.models.hearers["slower"].said("Well,")
    late = Following(host)
    await late.until("Well,", call="slower")
    assert late.deltas("slow") == []


@pytest.mark.timeout(30)  # where the reader is not let go, it turns round and round and stops the whole process
async def test_a_holder_that_closes_lets_its_readers_go(house):
    host = await begun(house, "slow")
    one = Following(host)
    while len(one.numbers()) < 2:
        await one.once()
    reading = asyncio.ensure_future(one.once())
    await until(lambda: house.caller.heard)
    await host.close()
    async with asyncio.timeout(WAIT_S / 2):
        await reading
    assert one.numbers() == [1, 2]


async def test_who_leads_is_told_while_others_are_awaited_and_once_for_each_reply(house):
    one = Following(await begun(house, "a", "b", "slow"))
    async with asyncio.timeout(WAIT_S):
        while not leaders(one) or leaders(one)[-1].replies < 2:
            await one.once()
    house.models.release("slow", Reply(text="42"))
    await one.to_the_end()
    replies = [leader.replies for leader in leaders(one)]
    assert replies == sorted(set(replies))
    assert leaders(one)[-1].supporting_models == ("a", "b")


async def test_a_long_journal_is_told_in_pages(house, monkeypatch):
    monkeypatch.setattr(hearing, "PAGE", 2)
    host = await begun(house, "a", "b", "slow")
    await until(lambda: len(host._jobs.running("j1").records) == 6)
    one = Following(host)
    await one.once()
    assert one.numbers() == [1, 2]
    house.models.release("slow", Reply(text="42"))
    await one.to_the_end()
    assert one.numbers() == list(range(1, 9))


async def test_a_job_that_nobody_follows_any_more_is_forgotten(house, monkeypatch):
    monkeypatch.setattr(hearing, "LINGER_S", 0.0)
    monkeypatch.setattr(hearing, "HEAR_S", 0.01)
    host = await begun(house, "slow")
    one = Following(host)
    house.models.hearers["slow"].said("It is")
    await one.until("It is")
    await until(lambda: not host._hearing._followed)


async def test_a_job_that_was_not_streamed_is_forgotten_when_another_is_followed(house, monkeypatch):
    monkeypatch.setattr(hearing, "LINGER_S", 0.0)
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    await Following(host).once()
    await host.accept("j2", asked("slow"), None)
    await Following(host, "j2").once()
    assert list(host._hearing._followed) == ["j2"]


async def test_in_a_large_panel_who_leads_is_found_on_a_thread_and_not_for_every_reply(house, monkeypatch):
    monkeypatch.setattr(hearing, "_SMALL_PANEL", 1)
    monkeypatch.setattr(hearing, "_REST", 1000.0)
    one = Following(await begun(house, "a", "b", "slow"))
    async with asyncio.timeout(WAIT_S):
        while not leaders(one):
            await one.once()
    house.models.release("slow", Reply(text="42"))
    await one.to_the_end()
    assert len(leaders(one)) == 1


def leaders(one: Following) -> list[VerdictLeading]:
    return [each.event for each in one.told if isinstance(each.event, VerdictLeading)]
