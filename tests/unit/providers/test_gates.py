"""Requests go through the gates in their turn; what they wait for it is none of their own time."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from ditto.domain.events import Failure, Reply
from ditto.errors import CallCircuitOpen, CallNoTurn
from ditto.providers.limits.gates import Gates
from ditto.providers.limits.lane import AT_ONCE
from ditto.providers.models import Models
from ditto.providers.port import NOBODYS, Whose
from ditto.settings.endpoints import KNOWN
from ditto.settings.rates import CircuitRule, RateLimit
from tests.unit.providers.stage import COMPLETION, KEY, QUESTION, Stage, failing

ONE_AT_ONCE = RateLimit(calls_at_once=1)
SOON = CircuitRule(failures=2, jobs=2, pause_s=10)


class Clockwork:
    """Gates whose timers move their clock."""

    def __init__(self, limits: dict[str, RateLimit] | None = None, circuit: CircuitRule | None = None) -> None:
        self.stage = Stage(COMPLETION)
        self.waited_s: list[float] = []
        self.gates = Gates(
            limits,
            circuit,
            waited=lambda provider, name, seconds: self.waited_s.append(round(seconds, 3)),
            clock=lambda: self.stage.now_s,
            later=self.stage.later,
        )

    async def turn(self, name: str = "p/m", whose: Whose = NOBODYS, until: float = float("inf")):
        return await self.gates.turn("p", name, whose, until=until)

    def models(self) -> Models:
        return Models(
            KNOWN,
            {"OPENAI_API_KEY": KEY},
            transport=httpx.MockTransport(self.stage.answer),
            gates=self.gates,
            sleep=self.stage.sleep,
            random=lambda: 0.0,
            clock=lambda: self.stage.now_s,
        )

    async def ask(self, job: str = "", *, timeout_s: float = 5.0, within_s: float = 1000.0) -> Reply | Failure:
        return await self.models().ask(
            "openai",
            "openai/gpt-x",
            QUESTION,
            timeout_s=timeout_s,
            max_retries=0,
            whose=Whose(job=job, within_s=within_s),
        )


async def test_where_nothing_is_limited_calls_go_at_once():
    works = Clockwork()
    for _ in range(1000):
        with await works.turn():
            pass
    assert (works.stage.now_s, works.waited_s) == (1000.0, [])


async def test_of_a_model_of_which_nothing_is_known_more_is_asked_at_once_with_each_answer():
    works = Clockwork()
    turns = [await works.turn() for _ in range(AT_ONCE)]
    waiting = [asyncio.ensure_future(works.turn()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(turn.done() for turn in waiting)
    with turns[0]:
        pass
    await asyncio.gather(*waiting[:2])
    assert not waiting[2].done()
    waiting[2].cancel()


async def test_a_providers_limit_holds_over_its_models_and_a_models_over_itself():
    works = Clockwork({"p": RateLimit(requests_per_second=10), "p/slow": RateLimit(requests_per_second=1)})
    await asyncio.gather(*(works.turn(name) for name in ("p/a", "p/b", "p/c")))
    assert works.stage.now_s == pytest.approx(1000.2, abs=0.02)
    await asyncio.gather(*(works.turn("p/slow") for _ in range(3)))
    assert works.stage.now_s == pytest.approx(1002.3, abs=0.1)


async def test_a_call_that_ends_gives_the_next_one_its_turn():
    works = Clockwork({"p/m": ONE_AT_ONCE})
    first = await works.turn()
    second = asyncio.ensure_future(works.turn())
    await asyncio.sleep(0)
    assert not second.done()
    with first:
        pass
    with await second:
        assert works.gates.standing()[0].waiting == 0


async def test_a_call_that_is_cancelled_while_it_waits_takes_no_turn():
    works = Clockwork({"p/m": ONE_AT_ONCE})
    first = await works.turn()
    second, third = asyncio.ensure_future(works.turn()), asyncio.ensure_future(works.turn())
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    with first:
        pass
    with await third:
        pass


async def test_a_call_that_is_cancelled_as_its_turn_comes_passes_it_on():
    works = Clockwork({"p/m": ONE_AT_ONCE})
    first = await works.turn()
    second, third = asyncio.ensure_future(works.turn()), asyncio.ensure_future(works.turn())
    await asyncio.sleep(0)
    with first:
        pass
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    with await third:
        pass


async def test_a_wait_ends_with_the_job_and_not_as_a_timeout_of_the_provider():
    works = Clockwork({"p/m": ONE_AT_ONCE})
    await works.turn()
    with pytest.raises(CallNoTurn, match="before the end of the job"):
        await works.turn(until=works.stage.now_s + 0.01)
    assert CallNoTurn.type == "RateLimited"


async def test_waiting_is_none_of_a_calls_own_time():
    works = Clockwork({"openai": RateLimit(requests_per_minute=6)})
    works.stage.takes_s = 1.0
    replies = await asyncio.gather(*(works.ask(timeout_s=5.0) for _ in range(5)))
    assert [type(reply) for reply in replies] == [Reply] * 5
    assert [round(reply.elapsed_s, 3) for reply in replies] == [1.0] * 5
    assert max(works.waited_s) > 30


async def test_a_429_slows_the_model_down_for_everybody_and_no_other():
    works = Clockwork()
    works.stage.answers = [failing(429, **{"retry-after": "3"}), COMPLETION]
    await works.ask()
    now = works.stage.now_s
    await works.turn("openai/other")
    assert works.stage.now_s == now
    assert isinstance(await works.ask(), Reply)
    assert works.stage.now_s == pytest.approx(now + 3, abs=0.01)
    assert [gate.model for gate in works.gates.standing()] == ["openai/gpt-x"]


async def test_a_model_that_only_fails_is_not_asked_for_a_while_and_then_tried_by_one():
    works = Clockwork(circuit=SOON)
    works.stage.answers = [failing(503)]
    for job in ("a", "b"):
        assert (await works.ask(job)).type == "Overloaded"
    refused = await works.ask("c")
    assert (refused.type, refused.attempts, len(works.stage.requests)) == ("CircuitOpen", 0, 2)
    works.stage.answers = [COMPLETION]
    works.stage.now_s += 10
    assert isinstance(await works.ask("d"), Reply)
    assert isinstance(await works.ask("e"), Reply)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 429])
async def test_what_is_wrong_with_a_request_does_not_open_the_circuit(status):
    works = Clockwork(circuit=SOON)
    works.stage.answers = [failing(status)]
    for job in "abcdef":
        await works.ask(job)
    assert len(works.stage.requests) == 6


async def test_calls_that_wait_when_the_circuit_opens_fail_at_once():
    works = Clockwork({"openai/gpt-x": ONE_AT_ONCE}, circuit=SOON)
    works.stage.answers = [failing(503)]
    failures = await asyncio.gather(*(works.ask(job) for job in "abcd"))
    assert sorted(failure.type for failure in failures) == ["CircuitOpen"] * 2 + ["Overloaded"] * 2


async def test_a_model_that_nobody_asks_any_more_is_forgotten():
    works = Clockwork({"p/m": RateLimit(requests_per_second=1)})
    for number in range(100):
        with await works.turn(f"p/{number}"):
            pass
    works.stage.now_s += 1000
    with await works.turn("p/new"):
        pass
    assert set(works.gates._models) == {"p/new"}


async def test_an_open_circuit_says_so():
    works = Clockwork(circuit=SOON)
    works.stage.answers = [failing(503)]
    for job in ("a", "b"):
        await works.ask(job)
    with pytest.raises(CallCircuitOpen, match=r"openai/gpt-x .* not asked"):
        await works.turn("openai/gpt-x")
    assert works.gates.standing()[0].open
