"""Virtual time: each simulated process has an event loop of its own, and a clockwork runs them one callback at a time.

Inside a process callbacks run in the order in which asyncio promises it; between processes nothing is promised, so a
seeded choice says which process runs next. Each callback takes a little time, within which messages and timers may
fall due; when no process has anything to do, time jumps to the next of them. A process can be stopped for good or for
a while between any two callbacks.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import warnings
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

LONGEST_STEP_S = 0.0004


class Handle:
    """A callback that is to be run."""

    __slots__ = ("_args", "_callback", "_context", "_when", "is_cancelled", "loop")

    def __init__(
        self, loop: ProcessLoop, callback: Callable[..., Any], args: tuple[Any, ...], context: Any, when: float = 0.0
    ) -> None:
        self.loop = loop
        self._callback = callback
        self._args = args
        self._context = context
        self._when = when
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def cancelled(self) -> bool:
        return self.is_cancelled

    def when(self) -> float:
        return self._when

    def run(self) -> None:
        if self._context is None:
            self._callback(*self._args)
        else:
            self._context.run(self._callback, *self._args)

    def fall_due(self) -> None:
        if not self.is_cancelled:
            self.loop.enqueue(self)


class _Event:
    """Something that happens to the world at large, outside of any process."""

    __slots__ = ("_action", "_args")

    def __init__(self, action: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._action = action
        self._args = args

    def fall_due(self) -> None:
        self._action(*self._args)


class NumberedTask(asyncio.Task[Any]):
    """A task whose place in a set comes from its number and not from its address, so that every run is alike."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], *, loop: ProcessLoop, number: int, name: str | None
    ) -> None:
        self._number = number
        super().__init__(coroutine, loop=loop, name=name)

    def __hash__(self) -> int:
        return self._number


class Clockwork:
    """Runs the loops of all processes.

    Args:
        dice: Says who runs next, and how long a callback takes.
    """

    def __init__(self, dice: Random) -> None:
        self.now_s = 0.0
        self.steps = 0
        self._dice = dice.random
        self._due: list[tuple[float, int, Handle | _Event]] = []
        self._ready: list[ProcessLoop] = []
        self._numbers = itertools.count(1)

    def later(self, delay_s: float, action: Callable[..., None], *args: Any) -> None:
        """Has something happen outside of any process after `delay_s`."""
        heapq.heappush(self._due, (self.now_s + delay_s, next(self._numbers), _Event(action, args)))

    def push(self, handle: Handle) -> None:
        """Has a process's timer fall due."""
        heapq.heappush(self._due, (handle.when(), next(self._numbers), handle))

    def number(self) -> int:
        """Returns a number that was not given before."""
        return next(self._numbers)

    def step(self) -> ProcessLoop | None:
        """Runs one callback and returns its process's loop, or lets one timer or message fall due."""
        due = self._due
        ready = self._ready
        if due and (not ready or due[0][0] <= self.now_s):
            at_s, _, what = heapq.heappop(due)
            self.now_s = max(self.now_s, at_s)
            what.fall_due()
            return None
        if not ready:
            raise RuntimeError("nothing will ever happen again")
        loop = ready[int(self._dice() * len(ready))] if len(ready) > 1 else ready[0]
        handle = loop.dequeue()
        if handle.is_cancelled:
            return None
        self.steps += 1
        self.now_s += self._dice() * LONGEST_STEP_S
        events._set_running_loop(loop)
        try:
            handle.run()
        except Exception as error:  # noqa: BLE001  # as asyncio does: a callback's failure is reported, and the loop goes on
            loop.call_exception_handler({"message": "a callback failed", "exception": error})
        finally:
            events._set_running_loop(None)
        return loop

    def woken(self, loop: ProcessLoop) -> None:
        self._ready.append(loop)

    def asleep(self, loop: ProcessLoop) -> None:
        self._ready.remove(loop)


class ProcessLoop(asyncio.AbstractEventLoop):
    """The event loop of one process.

    Args:
        failed: Called with what asyncio reports of a living process: a task that failed and that nobody looks at.
    """

    def __init__(self, clockwork: Clockwork, failed: Callable[[dict[str, Any]], None]) -> None:
        self.clockwork = clockwork
        self.dead = False
        self._failed = failed
        self._frozen = False
        self._queue: deque[Handle] = deque()
        self._tasks: list[NumberedTask] = []

    @property
    def frozen(self) -> bool:
        return self._frozen

    def freeze(self) -> None:
        """Runs nothing more until `thaw`; what arrives meanwhile waits."""
        if self._queue and not self._frozen:
            self.clockwork.asleep(self)
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen and self._queue:
            self.clockwork.woken(self)
        self._frozen = False

    def die(self) -> None:
        """Runs nothing more for ever. Its tasks are kept, so that none of their `finally` runs before `bury`."""
        if self._queue and not self._frozen:
            self.clockwork.asleep(self)
        self.dead = True
        self._queue.clear()

    def bury(self) -> None:
        """Lets go of the tasks of a dead process without a word."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what was never begun was never awaited
            for task in self._tasks:
                if not task.done():
                    task._log_destroy_pending = False
                    coroutine = task.get_coro()
                    assert coroutine is not None
                    coroutine.close()
            self._tasks.clear()

    def enqueue(self, handle: Handle) -> None:
        if self.dead:
            return
        if not self._queue and not self._frozen:
            self.clockwork.woken(self)
        self._queue.append(handle)

    def dequeue(self) -> Handle:
        handle = self._queue.popleft()
        if not self._queue:
            self.clockwork.asleep(self)
        return handle

    def time(self) -> float:
        return self.clockwork.now_s

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None) -> Any:
        handle = Handle(self, callback, args, context)
        self.enqueue(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Any:
        return self.call_at(self.clockwork.now_s + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Any:
        handle = Handle(self, callback, args, context, when)
        if not self.dead:
            self.clockwork.push(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        task = NumberedTask(coro, loop=self, number=self.clockwork.number(), name=name)
        self._tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Runs what belongs on a thread at once: a thread would bring in the real clock."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits for it
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.dead:
            self._failed(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.dead

    def is_closed(self) -> bool:
        return self.dead
