"""Group commit: what comes while a batch is written shares the next one, and nobody's end stops the others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ditto.store.group_commit import GroupCommit


class Slow:
    """Writes a batch when it is told to, and remembers each."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def write(self, batch: list[int]) -> list[int]:
        self.batches.append(batch)
        self.begun.set()
        self.go.wait(5)
        return [-item for item in batch]


async def test_what_comes_while_a_batch_is_written_is_written_together():
    slow = Slow()
    commit = GroupCommit(slow.write)
    first = asyncio.create_task(commit.put(1))
    await asyncio.to_thread(slow.begun.wait, 5)
    rest = [asyncio.create_task(commit.put(item)) for item in range(2, 6)]
    await asyncio.sleep(0)
    slow.go.set()
    assert [await first, *await asyncio.gather(*rest)] == [-1, -2, -3, -4, -5]
    assert slow.batches == [[1], [2, 3, 4, 5]]
    await commit.close()


def test_a_waiter_whose_loop_has_ended_stops_nobody_else():
    slow = Slow()
    commit = GroupCommit(slow.write)

    async def leave() -> None:
        asyncio.ensure_future(commit.put(1))  # noqa: RUF006  # the loop ends before it does
        await asyncio.to_thread(slow.begun.wait, 5)

    asyncio.run(leave())
    slow.go.set()
    assert asyncio.run(commit.put(2)) == -2
    asyncio.run(commit.close())


async def test_an_error_of_the_writing_reaches_who_waits_and_the_next_batch_is_written():
    def write(batch: list[int]) -> list[int]:
        if 1 in batch:
            raise ZeroDivisionError
        return batch

    commit = GroupCommit(write)
    with pytest.raises(ZeroDivisionError):
        await commit.put(1)
    assert await commit.put(2) == 2
    await commit.close()
    with pytest.raises(RuntimeError):
        await commit.put(3)
