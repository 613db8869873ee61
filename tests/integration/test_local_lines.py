"""Lines between the processes of one machine: what is asked is answered, and a broken line is noticed at once."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ditto.errors import HolderGone, InternalError, KeyTaken
from ditto.runtime.local_lines import LocalLine, listen

SILENT = """
import asyncio, sys
from pathlib import Path
from ditto.runtime.local_lines import listen

async def main():
    await listen(Path(sys.argv[1]), {"wait": lambda message: asyncio.Event().wait()})
    print("listening", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""A process that takes what it is asked and never answers."""


async def echo(message: bytes) -> bytes:
    return message


async def after(message: bytes) -> bytes:
    await asyncio.sleep(float(message))
    return message


async def taken(message: bytes) -> bytes:
    raise KeyTaken("job", "print")


async def broken(message: bytes) -> bytes:
    raise ZeroDivisionError("secret")


METHODS = {"echo": echo, "after": after, "taken": taken, "broken": broken}


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has at most a hundred bytes
        yield Path(folder, "own", "line")


@pytest.fixture
async def line(path: Path) -> AsyncIterator[LocalLine]:
    server = await listen(path, METHODS)
    line = LocalLine(path)
    assert await line.open()
    yield line
    line.close()
    server.close()
    await asyncio.sleep(0)


async def test_a_message_of_any_size_is_answered(line: LocalLine) -> None:
    for message in (b"", b"\n", b"x" * 5_000_000):
        assert await line.ask("echo", message) == message


async def test_answers_come_as_they_are_ready_and_to_who_has_asked(line: LocalLine) -> None:
    came: list[bytes] = []

    async def ask(message: bytes) -> None:
        came.append(await line.ask("after", message))

    await asyncio.gather(ask(b"0.05"), ask(b"0"), ask(b"0.02"))

    assert came == [b"0", b"0.02", b"0.05"]


async def test_an_error_arrives_as_it_was_raised(line: LocalLine) -> None:
    with pytest.raises(KeyTaken) as raised:
        await line.ask("taken", b"")

    assert raised.value.args == ("job", "print")


async def test_what_nobody_foresaw_is_told_without_its_words(line: LocalLine, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InternalError, match="broken failed: ZeroDivisionError") as raised:
        await line.ask("broken", b"")

    assert "secret" not in str(raised.value)
    assert "a message was not answered" in caplog.messages


async def test_who_asks_and_goes_away_disturbs_nobody(line: LocalLine) -> None:
    gone = asyncio.create_task(line.ask("after", b"0.02"))
    await asyncio.sleep(0)
    gone.cancel()

    assert await line.ask("after", b"0.04") == b"0.04"


async def test_there_is_no_line_to_where_nobody_listens(path: Path) -> None:
    assert not await LocalLine(path).open()


async def test_when_the_other_process_is_killed_who_waits_is_told_and_the_next_one_is_found(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SILENT, str(path), stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    line = LocalLine(path)
    assert await line.open()
    waiting = asyncio.create_task(line.ask("wait", b""))
    await asyncio.sleep(0)

    process.kill()

    with pytest.raises(HolderGone):
        await waiting
    await process.communicate()
    assert not await line.open()
    server = await listen(path, METHODS)
    assert await line.open()
    assert await line.ask("echo", b"again") == b"again"
    line.close()
    server.close()
    await asyncio.sleep(0)


async def test_nobody_listens_in_a_folder_that_others_can_open(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o755)

    with pytest.raises(PermissionError):
        await listen(path, METHODS)

    assert os.listdir(path.parent) == []
