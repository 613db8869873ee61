"""Replays a recording and cuts the power at many moments."""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.powercut.checking import Promised, faults
from tests.powercut.disk import Disk, Left
from tests.powercut.plan import Planned
from tests.powercut.recording import Recording
from tests.powercut.tape import Kind, Operation, operations
from tests.powercut.writer import PROMISES, STORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Attributes:
    cut: How many operations of the tape came before the power went.
    """

    cut: int
    left: Left
    what: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Figures:
    """Attributes:
    logs: How often SQLite's log was begun, anew or over what a checkpoint has taken from it.
    images: Disks that were built and opened; `left` counts them by what was left of the writes that were not synced.
    """

    operations: int = 0
    syncs: int = 0
    logs: int = 0
    promises: int = 0
    cuts: int = 0
    images: int = 0
    left: dict[Left, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def moments(tape: list[Operation], cuts: int, draw: random.Random) -> set[int]:
    """Returns where the power goes: half of the cuts right before a sync, when most is at stake, the others anywhere.

    Args:
        cuts: 0: before every sync, at the end, and as many elsewhere.
    """
    before_syncs = [place for place, operation in enumerate(tape) if operation.kind is Kind.SYNCED] + [len(tape)]
    number = cuts or 2 * len(before_syncs)
    chosen = before_syncs if cuts == 0 else draw.sample(before_syncs, min(len(before_syncs), number // 2))
    elsewhere = set(range(len(tape))) - set(chosen)
    return {*chosen, *draw.sample(sorted(elsewhere), min(len(elsewhere), number - len(chosen)))}


async def cut(recording: Recording, jobs: list[Planned], cuts: int, seed: int, folder: Path) -> Figures:
    """Returns what was found at that many cuts, each with two or more of the disks that it could leave.

    Args:
        folder: Where the disks are built; one at a time.
    """
    tape = list(operations(recording.tape))
    draw = random.Random(seed)
    where = moments(tape, cuts, draw)
    disk, promised = Disk(recording.root), Promised()
    figures = Figures(operations=len(tape), cuts=len(where))
    names: dict[int, str] = {}
    for place in range(len(tape) + 1):
        if place in where:
            await _cut_here(place, disk, jobs, promised, draw, folder, figures)
        if place < len(tape):
            operation = tape[place]
            disk.do(operation)
            if operation.kind is Kind.CREATED:
                names[operation.inode] = operation.name
            _note(operation, names.get(operation.inode, ""), promised, figures)
    return figures


def _note(operation: Operation, name: str, promised: Promised, figures: Figures) -> None:
    figures.syncs += operation.kind is Kind.SYNCED
    if operation.kind is Kind.WRITTEN and name == PROMISES:
        promised.note(operation.data.decode())
        figures.promises += 1
    if operation.kind is Kind.WRITTEN and operation.number == 0 and name == f"{STORE.name}-wal":
        figures.logs += 1


async def _cut_here(
    place: int,
    disk: Disk,
    jobs: list[Planned],
    promised: Promised,
    draw: random.Random,
    folder: Path,
    figures: Figures,
) -> None:
    for left in (Left.NOTHING, draw.choice([Left.EVERYTHING, Left.BEGINNING, Left.SOME, Left.SOME])):
        image = folder / "image"
        disk.after_a_cut(left, draw, image)
        found = await faults(image, jobs, promised)
        await asyncio.to_thread(shutil.rmtree, image)
        figures.images += 1
        figures.left[left] = figures.left.get(left, 0) + 1
        if found:
            figures.faults.append(Fault(cut=place, left=left, what=tuple(found)))
