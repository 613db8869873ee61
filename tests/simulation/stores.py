"""The journal of a run, and each process's way to it, on which commits fail and answers to commits get lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ditto.domain.job import Job, apply
from ditto.errors import AppendConflict, StoreUnavailable
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append
from tests.simulation.chances import Chances
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Ledger
from tests.simulation.plans import Fault

if TYPE_CHECKING:
    from tests.simulation.processes import Process

T = TypeVar("T")
_LONGEST_S = 0.01


class FoldedJournal(MemoryJournal):
    """The memory journal, which here remembers how it folded a job: a run looks at the index very often."""

    def __init__(self) -> None:
        super().__init__()
        self._folded: dict[str, tuple[int, Job]] = {}

    def folded(self, job_id: str) -> Job:
        """Returns the job that its events make.

        Raises:
            IllegalMove: They do not follow from one another.
        """
        return self._job(job_id)

    def _job(self, job_id: str) -> Job:
        records = self._records[job_id]
        length, job = self._folded.get(job_id, (0, None))
        if job is None or length > len(records):
            job = super()._job(job_id)
        else:
            for _, record in records[length:]:
                job = apply(job, record)
        self._folded[job_id] = (len(records), job)
        return job


class Disk:
    """What all processes of a run write to: the memory journal, beside the ledger that sees every write."""

    def __init__(self, journal: FoldedJournal, ledger: Ledger) -> None:
        self.journal = journal
        self.out = False
        self._ledger = ledger
        self._ids: set[tuple[str, int, str]] = set()

    def do(self, process: str, method: str, args: tuple[Any, ...]) -> Any:
        """Returns what the journal's method returned, at once."""
        if method == "append":
            return self._append(process, *args)
        return at_once(getattr(self.journal, method)(*args))

    def _append(self, process: str, append: Append) -> None:
        known = len(self._ledger.records.get(append.job_id, ()))
        identity = (append.job_id, append.after, append.id)
        try:
            at_once(self.journal.append(append))
        except AppendConflict:
            self._ledger.note("conflict", process, append.job_id, append.after)
            if identity in self._ids:
                self._ledger.broken("the same append again succeeds", f"{append.job_id} after {append.after}")
            raise
        self._ids.add(identity)
        new = at_once(self.journal.read(append.job_id, known))
        if new:
            self._ledger.written(process, append.job_id, new, partial(self.journal.folded, append.job_id))


class StoreLine:
    """A process's way to the journal: a `Journal` whose every method takes a while and may fail."""

    def __init__(self, process: Process, disk: Disk, clockwork: Clockwork, chances: Chances) -> None:
        self._process = process
        self._disk = disk
        self._clockwork = clockwork
        self._chances = chances

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        if method.startswith("_"):
            raise AttributeError(method)

        async def ask(*args: Any) -> Any:
            return await self.ask(method, args)

        return ask

    async def ask(self, method: str, args: tuple[Any, ...]) -> Any:
        """Returns what the journal's method returned, after a while."""
        answer: asyncio.Future[Any] = self._process.loop.create_future()
        self._clockwork.later(self._chances.up_to(_LONGEST_S), self._do, method, args, answer)
        return await answer

    def _do(self, method: str, args: tuple[Any, ...], answer: asyncio.Future[Any]) -> None:
        """Writes or reads, unless the process has died or stopped before it got there."""
        process = self._process
        if process.loop.dead and self._chances.evens():
            return
        if process.loop.frozen and self._chances.evens():
            process.when_thawed(lambda: self._do(method, args, answer))
            return
        if self._disk.out or self._chances.strikes(Fault.COMMIT_FAILED):
            self._answer(answer, None, StoreUnavailable("the store does not answer"))
            return
        try:
            result, error = self._disk.do(process.id, method, args), None
        except Exception as raised:  # noqa: BLE001  # it belongs to whoever asked
            result, error = None, raised
        if self._chances.strikes(Fault.COMMIT_ANSWER_LOST):
            result, error = None, StoreUnavailable("the store's answer was lost")
        self._answer(answer, result, error)

    def _answer(self, answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
        self._clockwork.later(self._chances.up_to(_LONGEST_S), _settle, answer, result, error)


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Returns the result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise RuntimeError("the memory journal waits for nothing")
