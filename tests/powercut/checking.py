"""Opens a journal as a power cut left it, and tells what is wrong with it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ditto.domain.job import fold
from ditto.errors import DittoError
from ditto.store.sqlite import SqliteJournal
from tests.powercut.plan import Planned
from tests.powercut.writer import STORE, Promise


@dataclass(frozen=True, slots=True)
class Promised:
    """What had been promised when the power went.

    Attributes:
        jobs: Each job's number of events.
        epochs: By holder.
        forgetting: Jobs that may be gone, and are whole where they are not.
        forgotten: Jobs that must be gone.
        purged: Those of them of which no byte may be left.
    """

    jobs: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    forgetting: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    purged: set[str] = field(default_factory=set)

    def note(self, lines: str) -> None:
        """Adds what a session wrote into its file of promises."""
        for line in lines.splitlines():
            kind, name, number = line.split()
            match Promise(kind):
                case Promise.JOB:
                    self.jobs[name] = int(number)
                case Promise.EPOCH:
                    self.epochs[name] = int(number)
                case Promise.FORGETTING:
                    self.forgetting.add(name)
                case Promise.FORGOTTEN:
                    self.forgotten.add(name)
                case Promise.PURGED:
                    self.purged.add(name)

    def needs(self, job_id: str, found: int) -> int:
        """Returns how many events this job must have, of which so many were found."""
        gone = job_id in self.forgotten or (job_id in self.forgetting and found == 0)
        return 0 if gone else self.jobs.get(job_id, 0)


async def faults(folder: Path, jobs: list[Planned], promised: Promised) -> list[str]:
    """Returns a sentence for each thing that is wrong with the journal in this folder."""
    path = folder / STORE
    left = list(_faults_of_bytes(path, [job for job in jobs if job.id in promised.purged]))
    try:
        journal = SqliteJournal(path)
    except DittoError as error:
        return [f"the journal does not open: {error}"]
    try:
        each = await asyncio.gather(*(_faults_of_job(journal, job, promised) for job in jobs))
        found = [fault for faults in each for fault in faults]
        found += [fault async for fault in _faults_of_epochs(journal, promised.epochs)]
    except DittoError as error:
        found = [f"the journal cannot be used: {error}"]
    finally:
        await journal.close()
    return left + found + list(_faults_of_file(path))


def _faults_of_bytes(path: Path, purged: list[Planned]) -> Iterator[str]:
    """Looks into the files before anything opens them."""
    for file in path.parent.glob(f"{path.name}*") if purged else ():
        content = file.read_bytes()
        for job in purged:
            if any(trace in content for trace in job.traces):
                yield f"{job.id} was purged, and {file.name} has bytes of it"


async def _faults_of_job(journal: SqliteJournal, job: Planned, promised: Promised) -> list[str]:
    records = await journal.read(job.id)
    row = await journal.row(job.id)
    claim = job.appends[0].claim
    keyed = None if claim is None else await journal.keyed(claim.key)
    found = []
    if len(records) < (needed := promised.needs(job.id, len(records))):
        found.append(f"{job.id} was promised with {needed} events and has {len(records)}")
    if records and job.id in promised.forgotten:
        found.append(f"{job.id} was forgotten and is there again")
    if len(records) not in job.ends:
        found.append(f"{job.id} shows half an append: {len(records)} events")
    if [record.event for record in records] != job.events[: len(records)]:
        found.append(f"{job.id} has events that nobody appended to it")
    if (row is None) != (not records) or (claim is not None and (keyed is None) != (not records)):
        found.append(f"{job.id} is in one table and not in another")
    if records:
        folded = fold(job.id, records)
        if row is not None and (row.state, row.holder) != (folded.state, folded.holder):
            found.append(f"{job.id} is {folded.state} by its events and {row.state} by its row")
    return found


async def _faults_of_epochs(journal: SqliteJournal, promised: Mapping[str, int]) -> AsyncIterator[str]:
    for holder, epoch in promised.items():
        if (begun := await journal.begin_epoch(holder)) <= epoch:
            yield f"{holder} began epoch {epoch}, and after the cut epoch {begun}"


def _faults_of_file(path: Path) -> Iterator[str]:
    try:
        with closing(sqlite3.connect(path)) as connection:
            answers = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        answers = [str(error)]
    if answers != ["ok"]:
        yield f"integrity_check: {'; '.join(answers)}"
