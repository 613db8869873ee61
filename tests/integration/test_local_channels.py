"""Channels between the processes of one machine: what is asked is answered, and a broken channel is noticed at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ditto.errors import HolderGone, InternalError, KeyTaken
from ditto.runtime import local_channels
from ditto.runtime.local_channels import LocalChannel, listen

SILENT = """
import asyncio, sys
from pathlib import Path
from ditto.runtime.local_channels import listen

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


HEARD_S = 0.1
"""Long enough for the other end to hear that a channel broke."""
METHODS = {"echo": echo, "after": after, "taken": taken, "broken": broken}


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has at most a hundred bytes
        yield Path(folder, "own", "channel")


@pytest.fixture
async def channel(path: Path) -> AsyncIterator[LocalChannel]:
    server = await listen(path, METHODS)
    channel = LocalChannel(path)
    assert await channel.open()
    yield channel
    channel.close()
    await asyncio.sleep(HEARD_S)
    server.close()


async def test_a_message_of_any_size_is_answered(channel: LocalChannel) -> None:
    for message in (b"", b"\n", b"x" * 5_000_000):
        assert await channel.ask("echo", message) == message


async def test_answers_come_as_they_are_ready_and_to_who_has_asked(channel: LocalChannel) -> None:
    came: list[bytes] = []

    async def ask(message: bytes) -> None:
        came.append(await channel.ask("after", message))

    await asyncio.gather(ask(b"0.05"), ask(b"0"), ask(b"0.02"))

    assert came == [b"0", b"0.02", b"0.05"]


async def test_an_error_arrives_as_it_was_raised(channel: LocalChannel) -> None:
    with pytest.raises(KeyTaken) as raised:
        await channel.ask("taken", b"")

    assert raised.value.args == ("job", "print")


async def test_what_nobody_foresaw_is_told_without_its_words(
    channel: LocalChannel, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InternalError, match="broken failed: ZeroDivisionError") as raised:
        await channel.ask("broken", b"")

    assert "secret" not in str(raised.value)
    assert "a message was not answered" in caplog.messages


async def test_who_asks_and_goes_away_disturbs_nobody(channel: LocalChannel) -> None:
    gone = asyncio.create_task(channel.ask("after", b"0.02"))
    await asyncio.sleep(0)
    gone.cancel()

    assert await channel.ask("after", b"0.04") == b"0.04"


async def test_there_is_no_channel_to_where_nobody_listens(path: Path) -> None:
    assert not await LocalChannel(path).open()


async def test_when_the_other_process_is_killed_who_waits_is_told_and_the_next_one_is_found(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SILENT, str(path), stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    channel = LocalChannel(path)
    assert await channel.open()
    waiting = asyncio.create_task(channel.ask("wait", b""))
    await asyncio.sleep(0)

    process.kill()

    with pytest.raises(HolderGone):
        await waiting
    await process.communicate()
    assert not await channel.open()
    server = await listen(path, METHODS)
    assert await channel.open()
    assert await channel.ask("echo", b"again") == b"again"
    channel.close()
    await asyncio.sleep(HEARD_S)
    server.close()


async def test_nobody_listens_in_a_folder_that_others_can_open(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o755)

    with pytest.raises(PermissionError):
        await listen(path, METHODS)

    assert os.listdir(path.parent) == []


async def test_a_method_that_is_broken_off_is_told_of(path: Path) -> None:
    async def broken_off(message: bytes) -> bytes:
        raise asyncio.CancelledError

    server = await listen(path, {"it": broken_off})
    channel = LocalChannel(path)
    assert await channel.open()

    with pytest.raises(HolderGone):
        await channel.ask("it", b"")

    channel.close()
    await asyncio.sleep(HEARD_S)
    server.close()


async def test_who_gives_a_silent_end_up_looks_for_another_one(
    channel: LocalChannel, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_channels, "SILENT_S", 0.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await channel.ask("after", b"0.05")
    await asyncio.sleep(HEARD_S)
    second = await listen(path, {"echo": taken})

    assert await channel.open()
    with pytest.raises(KeyTaken):
        await channel.ask("echo", b"")

    channel.close()
    await asyncio.sleep(HEARD_S)
    second.close()


async def test_nobody_is_asked_who_is_another_users(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await listen(path, METHODS)
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967)

    assert not await LocalChannel(path).open()

    await asyncio.sleep(HEARD_S)
    server.close()


async def test_a_channel_to_a_frozen_process_is_broken_all_the_same(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SILENT, str(path), stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    channel = LocalChannel(path)
    assert await channel.open()
    process.send_signal(signal.SIGSTOP)
    waiting = asyncio.create_task(channel.ask("wait", b"x" * 5_000_000))
    await asyncio.sleep(0)

    channel.close()

    with pytest.raises(HolderGone):
        await waiting
    process.kill()
    await process.communicate()
