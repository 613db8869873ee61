"""One session's process: it writes its jobs to a journal, and notes each promise when the append has returned.

`python -m tests.powercut.writer SESSION --folder DIR --seed N --together N [--synchronous MODE]`

The promises are a file beside the journal, so that the recorder puts them in their place among the journal's writes.
With `--synchronous` the journal's own choice is overruled: so it is shown that a careless journal is found out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from sqlite3 import dbapi2
from typing import Any, TypeVar

from ditto.errors import AppendConflict, StoreUnavailable
from ditto.store.port import Append
from ditto.store.sqlite import SqliteJournal
from tests.powercut.plan import Planned, Session, planned, rival

STORE = Path("data", "ditto", "journal.db")
PROMISES = "promises"
AT_ONCE = 8
PAUSE_S = 0.1

T = TypeVar("T")


class Promise(StrEnum):
    """What a line says of a name: its second word, and a number, its third."""

    JOB = "job"
    """So many of its events are in the journal."""
    EPOCH = "epoch"
    """This holder has begun that epoch."""
    FORGETTING = "forgetting"
    """The job is about to be forgotten: from now on nobody is promised that it is there."""
    FORGOTTEN = "forgotten"
    PURGED = "purged"
    """Not a byte of the job is left in the journal's files."""


class Promises:
    """A file with a line for each thing that was promised."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, promise: Promise, name: str, number: int = 0) -> None:
        os.write(self._file, f"{promise} {name} {number}\n".encode())


def careless(mode: str) -> None:
    """Makes every SQLite connection of this process work in this `synchronous` mode, whatever it is told later."""

    class Careless(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.execute(f"PRAGMA synchronous={mode}")
            self.set_authorizer(_without_synchronous)

    connect = sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, **{**options, "factory": Careless})

    sqlite3.connect = dbapi2.connect = connected  # type: ignore[assignment]  # for this process alone


def _without_synchronous(action: int, name: str | None, value: str | None, *_: str | None) -> int:
    told = action == sqlite3.SQLITE_PRAGMA and str(name).lower() == "synchronous" and value is not None
    return sqlite3.SQLITE_IGNORE if told else sqlite3.SQLITE_OK


async def write(journal: SqliteJournal, session: Session, jobs: list[Planned], promises: Promises) -> None:
    """Writes this session's share of the jobs."""
    promises.note(Promise.EPOCH, session, await _done(lambda: journal.begin_epoch(session)))
    gate = asyncio.Semaphore(AT_ONCE if session in (Session.LEFT, Session.RIGHT) else 1)
    await asyncio.gather(*(_write_job(journal, job, session, promises, gate) for job in jobs))


async def _write_job(
    journal: SqliteJournal, job: Planned, session: Session, promises: Promises, gate: asyncio.Semaphore
) -> None:
    async with gate:
        for append in job.share_of(session):
            await _done(partial(journal.append, append))
            promises.note(Promise.JOB, job.id, append.after + len(append.events))
            if append.id.endswith("/1"):
                await _done(partial(journal.append, append))  # its answer was lost
                await _refused(journal, rival(append))
        if job.forgotten and job.appends[-1] in job.share_of(session):
            promises.note(Promise.FORGETTING, job.id)
            assert await _done(partial(journal.forget, job.id)), f"{job.id} has ended"
            promises.note(Promise.FORGOTTEN, job.id)
            if await _done(journal.purge):
                promises.note(Promise.PURGED, job.id)


async def _refused(journal: SqliteJournal, append: Append) -> None:
    try:
        await _done(partial(journal.append, append))
    except AppendConflict:
        return
    raise AssertionError(f"two writers wrote event {append.after + 1} of {append.job_id}")


async def _done(act: Callable[[], Awaitable[T]]) -> T:
    """Returns what `act` returns, begun again while another process holds the file for too long."""
    while True:
        try:
            return await act()
        except StoreUnavailable as error:
            print(error, file=sys.stderr)
            await asyncio.sleep(PAUSE_S)


async def main() -> None:
    """Writes one session's share of the jobs, and closes the journal unless the session is one that dies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("session", type=Session)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--together", type=int, required=True)
    parser.add_argument("--synchronous", choices=["OFF", "NORMAL"])
    options = parser.parse_args()
    if options.synchronous is not None:
        careless(options.synchronous)
    journal = await _done(partial(asyncio.to_thread, SqliteJournal, options.folder / STORE))
    promises = Promises(options.folder / PROMISES)
    await write(journal, options.session, planned(options.seed, options.together), promises)
    if options.session in (Session.LEFT, Session.RIGHT):
        os._exit(0)  # as if killed: the journal is not closed
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main())
