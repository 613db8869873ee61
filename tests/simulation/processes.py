"""A simulated process: an object that others call by messages, on a loop of its own, which can end at any step."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ditto.errors import HolderGone
from tests.simulation.clockwork import Clockwork, ProcessLoop
from tests.simulation.ledger import Ledger
from tests.simulation.wires import Replying

TAKEN_AT_S: ContextVar[float] = ContextVar("taken_at_s")
"""When the message was taken on which something is done: a task inherits it from the one that began it."""


class Process:
    """One instance of what has a name.

    Attributes:
        id: The name and the number of the instance.
        serves: The object whose methods others call. Until it is built no message reaches the process.
    """

    def __init__(self, name: str, id: str, clockwork: Clockwork, ledger: Ledger) -> None:
        self.name = name
        self.id = id
        self.loop = ProcessLoop(clockwork, self._failed)
        self.replaced = False
        self._serves: Any = None
        self._early: list[tuple[int, str, tuple[Any, ...]]] = []
        self._ledger = ledger
        self._open: dict[int, Replying] = {}
        self._numbers = itertools.count()
        self._ids = itertools.count()
        self._on_thaw: list[Callable[[], None]] = []

    @property
    def gone(self) -> bool:
        """Nobody reaches it any more by its name, though it may still run."""
        return self.loop.dead or self.replaced

    @property
    def serves(self) -> Any:
        return self._serves

    @serves.setter
    def serves(self, built: Any) -> None:
        self._serves = built
        early, self._early = self._early, []
        for message in early:
            self.loop.call_soon(self._begin, *message)

    def new_id(self) -> str:
        """Returns an id that no other process mints."""
        return f"{self.id}.{next(self._ids)}"

    def serve(self, method: str, args: tuple[Any, ...], reply: Replying) -> None:
        """Runs a method and replies with what came of it, or that this process has died."""
        number = next(self._numbers)
        self._open[number] = reply
        if self._serves is None:
            self._early.append((number, method, args))
        else:
            self.loop.call_soon(self._begin, number, method, args)

    def run(self, coroutine: Any, ended: Callable[[BaseException | None], None]) -> None:
        """Runs a coroutine in this process, and tells how it ended if the process lives to see it."""
        task = self.loop.create_task(coroutine)
        task.add_done_callback(lambda task: ended(None if task.cancelled() else task.exception()))

    def when_thawed(self, action: Callable[[], None]) -> None:
        self._on_thaw.append(action)

    def freeze(self) -> None:
        self.loop.freeze()

    def thaw(self) -> None:
        if self.loop.dead:
            return
        self.loop.thaw()
        waiting, self._on_thaw = self._on_thaw, []
        for action in waiting:
            action()

    def die(self) -> None:
        """Ends at once: nothing that it was about to do happens."""
        self.loop.die()
        self.lose_callers()

    def lose_callers(self) -> None:
        """Tells all who wait for this process that they wait in vain."""
        waiting, self._open = self._open, {}
        self._early.clear()
        for reply in waiting.values():
            reply(None, HolderGone(f"{self.id} is gone"))

    def _begin(self, number: int, method: str, args: tuple[Any, ...]) -> None:
        task = self.loop.create_task(self._answer(getattr(self._serves, method), args))

        def done(_: object) -> None:
            reply = self._open.pop(number, None)
            cancelled = task.cancelled()
            error = None if cancelled else task.exception()
            if reply is None:
                return
            if cancelled:
                reply(None, HolderGone("the method was cancelled"))
            else:
                reply(None if error else task.result(), error)

        task.add_done_callback(done)

    async def _answer(self, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        TAKEN_AT_S.set(self.loop.time())
        result = method(*args)
        return await result if inspect.isawaitable(result) else result

    def _failed(self, context: dict[str, Any]) -> None:
        if self.loop.dead:
            return  # what it had not come to hear of when it ended
        self._ledger.broken("nothing fails unseen", f"{self.id}: {context['message']}: {context.get('exception')!r}")
