"""Every request to a model goes through here when it is its turn, and tells on its way back how it ended.

Where nothing limits a model a request goes at once. Where something does (a limit that is set, one that was found, a
circuit that is open) it waits, or fails at once. What a call waits for its turn is none of its own time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from ditto.errors import (
    CallCircuitOpen,
    CallError,
    CallNoTurn,
    CallOverloaded,
    CallRateLimited,
    CallTimeout,
    CallUnreachable,
)
from ditto.providers.limits.desk import Desk, Waiter
from ditto.providers.limits.lane import Lane
from ditto.providers.limits.sharing import Need, Share
from ditto.providers.limits.stake import Stake
from ditto.providers.port import Whose
from ditto.settings.rates import CircuitRule, RateLimit

FORGET_S = 60.0
"""What was found of a model that nobody has asked for so long is forgotten."""
_TIDY_S = 10.0
_SOONEST_S = 0.001

Waited = Callable[[str, str, float], None]


class Timer(Protocol):
    """What was asked to be called later."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How it stands with one model.

    Attributes:
        rate: Calls a second that may be sent from here, as it was found; None where nothing was found.
        open: Whether its circuit is.
    """

    provider: str
    model: str
    waiting: int
    rate: float | None
    open: bool


@dataclass(slots=True, eq=False)
class _Model:
    """One model at its desk."""

    provider: str
    name: str
    desk: Desk
    lane: Lane


class Gates:
    """All models of this process.

    Args:
        limits: By provider (`openai`) or model (`openai/gpt-x`).
        stake: This process's part in them; by default it has all to itself.
        waited: Called with provider, model and seconds where a call had to wait for its turn.
        clock: Returns seconds that only go up.
        later: Calls something after so many seconds; by default the running loop does.
    """

    def __init__(
        self,
        limits: Mapping[str, RateLimit] | None = None,
        circuit: CircuitRule | None = None,
        *,
        stake: Stake | None = None,
        waited: Waited = lambda provider, name, seconds: None,
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self._limits = limits or {}
        self._circuit = circuit or CircuitRule()
        self._stake = Stake(self._limits) if stake is None else stake
        self._waited = waited
        self._clock = clock
        self._later = _by_loop if later is None else later
        self._models: dict[str, _Model] = {}
        self._desks: dict[str, Desk] = {}
        self._timers: dict[Desk, Timer] = {}
        self._tidied_at = clock()

    async def turn(
        self,
        provider: str,
        name: str,
        whose: Whose,
        *,
        until: float,
        question_tokens: float = 0.0,
        answer_limit: int | None = None,
        again: bool = False,
    ) -> Turn:
        """Returns when a request to this model may be sent; the turn is to be entered then, and left at its end.

        Args:
            until: The moment at which the job ends.
            question_tokens: About how many tokens are sent.
            answer_limit: The most tokens that may come back.
            again: The call was refused before.

        Raises:
            CallCircuitOpen: The model is left alone for a while.
            CallNoTurn: There is no turn before the end of the job.
        """
        now = self._clock()
        model = self._models.get(name) or self._opened(provider, name, now)
        lane, desk = model.lane, model.desk
        _refuse_if_open(name, lane, now)
        if self._stake.shared:
            self._stake.asked(provider, name)
        if lane.free and desk.whole is None and not len(desk):
            lane.sent(now, 0.0, waited=False)
            return Turn(self, model, whose, now, 0.0)
        tokens = max(place.expected_tokens(question_tokens, answer_limit) for place in _places(model))
        if desk.may_go(name, now):
            desk.go(name, now, tokens, waited=False)
            return Turn(self, model, whose, now, tokens)
        granted_at = await self._granted(model, whose.key, tokens, again=again, until=until)
        self._waited(provider, name, granted_at - now)
        return Turn(self, model, whose, granted_at, tokens)

    def standing(self) -> list[Gate]:
        """Returns how it stands with the models that wait, were refused, or are left alone."""
        now = self._clock()
        return [
            Gate(
                provider=model.provider,
                model=name,
                waiting=len(model.desk.all_for(name)),
                rate=model.lane.found.rate,
                open=model.lane.circuit.open_s(now) > 0,
            )
            for name, model in self._models.items()
            if not model.lane.free or len(model.desk) or model.lane.circuit.open_s(now) > 0
        ]

    def needs(self) -> dict[str, Need]:
        """Returns what this process needs of each limit that it has asked for, or holds more of than at first."""
        waiting: Counter[str] = Counter()
        running: Counter[str] = Counter()
        for model in self._models.values():
            queued = len(model.desk.all_for(model.name)) if len(model.desk) else 0
            for name in (model.name, model.provider):
                waiting[name] += queued
                running[name] += model.lane.running
        return self._stake.needs(self._clock(), waiting, running)

    def take(self, shares: Mapping[str, Share]) -> bool:
        """Takes these shares from now on; returns whether any of them is less than before."""
        less = self._stake.take(shares)
        now = self._clock()
        for place, desk in list(self._desks.items()):
            if desk.whole is not None and place in shares:
                desk.whole.share(shares[place], now)
            for name in desk.lanes.keys() & shares.keys():
                desk.lanes[name].share(shares[name], now)
            if len(desk):
                self._pump(desk)
        return less

    def slow_down(self, name: str, closed_s: float) -> None:
        """Slows a model down that has refused another process."""
        model = self._models.get(name)
        if model is not None:
            model.lane.slow_down(self._clock(), closed_s)
            self._pump(model.desk)

    async def _granted(self, model: _Model, key: str, tokens: float, *, again: bool, until: float) -> float:
        """Returns the moment at which the turn has come; the request counts as sent from then on."""
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiter = Waiter(name=model.name, key=key, again=again, tokens=tokens, grant=turn.set_result, fail=_fail(turn))
        model.desk.add(waiter)
        self._pump(model.desk)
        wait_s = until - self._clock()
        try:
            async with asyncio.timeout(None if wait_s == float("inf") else wait_s):
                return await turn
        except BaseException as error:
            if not waiter.gone:
                model.desk.remove(waiter)
            elif turn.done() and turn.exception() is None:  # granted in the same moment, and used by nobody
                self.end(model, lambda lane: None)
            if isinstance(error, TimeoutError):
                raise CallNoTurn(f"{model.name}: its turn did not come before the end of the job") from None
            raise

    def end(self, model: _Model, told: Callable[[Lane], None]) -> None:
        """Notes that a request has ended, and gives the turns that this makes possible."""
        for place in _places(model):
            place.running -= 1
            told(place)
        if len(model.desk):
            self._pump(model.desk)

    def refused(self, model: _Model, now: float) -> None:
        """Notes that a model has refused, for the other processes."""
        if self._stake.shared:
            self._stake.refused(model.name, model.lane.closed_s(now))

    def failed(self, model: _Model) -> None:
        """Fails the calls that wait for a model whose circuit has opened."""
        if not model.lane.circuit.open_s(self._clock()):
            return
        for waiter in model.desk.all_for(model.name):
            model.desk.remove(waiter)
            waiter.fail(_open_error(model.name))

    def now(self) -> float:
        return self._clock()

    def _opened(self, provider: str, name: str, now: float) -> _Model:
        self._tidy(now)
        whole = self._limits.get(provider)
        place = provider if whole is not None else name
        desk = self._desks.get(place)
        if desk is None:
            desk = self._desks[place] = Desk(None if whole is None else self._lane(provider, whole))
        lane = desk.lanes[name] = self._lane(name, self._limits.get(name, RateLimit()))
        lane.used_at = now
        model = self._models[name] = _Model(provider, name, desk, lane)
        return model

    def _lane(self, name: str, limit: RateLimit) -> Lane:
        return Lane(limit, self._circuit, self._stake.share(name))

    def _pump(self, desk: Desk) -> None:
        now = self._clock()
        while (waiter := desk.next(now)) is not None:
            waiter.grant(now)
        timer = self._timers.pop(desk, None)
        if timer is not None:
            timer.cancel()
        wakes_at = desk.wakes_at()
        if wakes_at != float("inf"):
            delay_s = max(wakes_at - now, _SOONEST_S)
            self._timers[desk] = self._later(delay_s, lambda: self._pump(desk))

    def _tidy(self, now: float) -> None:
        """Forgets models that nobody has asked for a while: a job may name any number of them."""
        if now - self._tidied_at < _TIDY_S:
            return
        self._tidied_at = now
        for name, model in list(self._models.items()):
            if model.lane.used_at < now - FORGET_S and not model.lane.running and not len(model.desk):
                del self._models[name], model.desk.lanes[name]
                if model.desk.whole is None:
                    del self._desks[name]


class Turn:
    """One request, between its sending and its end; a context, which sees how it ends."""

    def __init__(self, gates: Gates, model: _Model, whose: Whose, sent_at: float, tokens: float) -> None:
        self.sent_at = sent_at
        self._gates = gates
        self._model = model
        self._job = whose.job
        self._tokens = tokens
        self._counted: tuple[int | None, int | None] = (None, None)
        self._tries = model.lane.circuit.sent()

    def counted(self, question: int | None, answer: int | None) -> None:
        """Notes how many tokens the provider has counted."""
        self._counted = question, answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        circuit, now = self._model.lane.circuit, self._gates.now()
        match error:
            case CallRateLimited(retry_after_s=retry_after_s):
                circuit.answered()
                self._gates.end(self._model, lambda lane: self._refused(lane, now, retry_after_s))
            case CallUnreachable() | CallOverloaded():
                circuit.failed(self._job, now)
                self._gates.failed(self._model)
                self._gates.end(self._model, self._unanswered)
            case None | CallError() if not isinstance(error, CallTimeout):
                circuit.answered()
                self._gates.end(self._model, lambda lane: lane.answered(self._tokens, *self._counted))
            case _:
                if self._tries:
                    circuit.given_up()
                self._gates.end(self._model, self._unanswered)

    def _refused(self, lane: Lane, now: float, retry_after_s: float | None) -> None:
        if lane is self._model.lane:
            if lane.refused(now, self.sent_at, self._tokens, retry_after_s):
                self._gates.refused(self._model, now)
        else:
            lane.untaken(self._tokens)

    def _unanswered(self, lane: Lane) -> None:
        lane.untaken(self._tokens)


def _places(model: _Model) -> tuple[Lane, ...]:
    """Returns what limits this model: its own lane, and its provider's."""
    return (model.lane,) if model.desk.whole is None else (model.lane, model.desk.whole)


def _refuse_if_open(name: str, lane: Lane, now: float) -> None:
    if lane.circuit.open_s(now):
        raise _open_error(name)


def _open_error(name: str) -> CallCircuitOpen:
    return CallCircuitOpen(f"{name} only fails just now, so it is left alone for a moment: not asked")


def _by_loop(delay_s: float, call: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, call)


def _fail(turn: asyncio.Future[float]) -> Callable[[CallError], None]:
    def fail(error: CallError) -> None:
        if not turn.done():
            turn.set_exception(error)

    return fail
