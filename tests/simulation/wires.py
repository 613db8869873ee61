"""Messages between simulated processes, as Ray's calls of an actor's methods: lost, doubled, late, out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ditto.errors import DittoError, HolderGone
from ditto.runtime.asking import Asking
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.orders import Batch, Order, Seen
from tests.simulation.chances import Chances
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Ledger
from tests.simulation.plans import Fault

if TYPE_CHECKING:
    from tests.simulation.processes import Process

Replying = Callable[[Any, BaseException | None], None]
_LATE_S = (0.5, 3.0, 12.0)


class Wires:
    """Carries calls from process to process.

    Args:
        address: Returns the id of the process that has a name now, or where there is none, of the next that will.
        find: Returns the process with an id, None where it has not begun.
    """

    def __init__(
        self,
        clockwork: Clockwork,
        chances: Chances,
        ledger: Ledger,
        *,
        address: Callable[[str], str],
        find: Callable[[str], Process | None],
    ) -> None:
        self._clockwork = clockwork
        self._chances = chances
        self._ledger = ledger
        self._address = address
        self._find = find
        self.under_way = 0

    async def call(self, sender: Process, name: str, method: str, args: tuple[Any, ...]) -> Any:
        """Returns what the method returned there.

        Raises:
            HolderGone: The process was not there, or died, or a message was lost: the method may have run or not.
            DittoError: What the method raised.
        """
        answer: asyncio.Future[Any] = sender.loop.create_future()
        lost = self._chances.strikes(Fault.REQUEST_LOST)
        self._ledger.note("call", sender.id, name, method, "lost" if lost else "")
        if lost:
            self._send(self._delay_s(), self._settle, answer, None, HolderGone("the request was lost"))
            return await answer
        to = self._address(name)
        reply = self._replying(answer, name, method)
        self._send(self._delay_s(), self._arrive, to, method, args, reply)
        if self._chances.strikes(Fault.DOUBLED):
            self._send(self._delay_s() + self._late_s(), self._arrive, to, method, args, _nobody)
        return await answer

    def _replying(self, answer: asyncio.Future[Any], name: str, method: str) -> Replying:
        def reply(result: Any, error: BaseException | None) -> None:
            if self._chances.strikes(Fault.REPLY_LOST):
                result, error = None, HolderGone("the reply was lost")
            elif isinstance(error, asyncio.CancelledError):
                result, error = None, HolderGone("the method was cancelled")
            elif error is not None and not isinstance(error, DittoError):
                self._ledger.broken("methods raise Ditto's errors", f"{name}.{method}: {error!r}")
                result, error = None, HolderGone("the method failed")
            self._send(self._delay_s(), self._settle, answer, result, error)

        return reply

    def _arrive(self, to: str, method: str, args: tuple[Any, ...], reply: Replying) -> None:
        """Hands a message over, but not to a process that was taken for dead: its connections were cut."""
        process = self._find(to)
        if process is None or process.gone:
            reply(None, HolderGone(f"{to} is not there"))
        else:
            self._ledger.note("arrives", process.id, method)
            process.serve(method, args, reply)

    def _settle(self, answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def _send(self, delay_s: float, action: Callable[..., None], *args: Any) -> None:
        def arrive() -> None:
            self.under_way -= 1
            action(*args)

        self.under_way += 1
        self._clockwork.later(delay_s, arrive)

    def _delay_s(self) -> float:
        delay_s = self._chances.up_to(self._chances.plan.longest_delay_s)
        return delay_s + self._late_s() if self._chances.strikes(Fault.SLOW) else delay_s

    def _late_s(self) -> float:
        return self._chances.up_to(self._chances.one_of(_LATE_S))


def _nobody(result: Any, error: BaseException | None) -> None:
    """Hears the answer to a message that was doubled."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A process by name, as another one holds it: every method of it is a message."""

    sender: Process
    name: str
    wires: Wires

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            return self.wires.call(self.sender, self.name, "accept" if method == "accept_one" else method, args)

        return call


@dataclass(frozen=True, slots=True)
class AskedReference:
    """A shared host by name, to which jobs go out gathered."""

    reference: Reference
    asking: Asking

    async def accept(self, *args: Any) -> Any:
        return await self.asking.accept(*args)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return cast(Callable[..., Any], getattr(self.reference, method))


@dataclass(frozen=True, slots=True)
class CallerReference:
    """A caller by name. Tells `given` of every order that it carries.

    A line gathers orders in a set: here they are put in order, so that the same seed is the same run.
    """

    sender: Process
    name: str
    wires: Wires
    given: Callable[[Order], None]

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        ordered = sorted(orders, key=lambda order: order.id)
        for order in ordered:
            self.given(order)
        instance: str = await self.wires.call(
            self.sender, self.name, "call_models", (holder, epoch, ordered, list(cancelled))
        )
        return instance

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        args = (holder, epoch, seen, list(journalled), wait_s)
        batch: Batch = await self.wires.call(self.sender, self.name, "poll", args)
        return batch

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        args = (holder, dict(heard), wait_s)
        pieces: list[Piece] = await self.wires.call(self.sender, self.name, "hear", args)
        return pieces
