"""A channel between two processes of one machine: a method's name and bytes go over a Unix socket, bytes come back.

A message through Ray costs both its ends together a millisecond of CPU, whatever is in it; over a channel it costs a
tenth. So the messages that every job takes go over channels where both ends are on one node; all others go through Ray,
which also begins who is not there. A channel breaks when the process at its other end ends, and whoever waits for an
answer is told so at once. One whose other end was silent for too long is given up: another process may be there since.

Who is at one end can have the other do anything, as with Ray's own ports. So sockets lie in a folder that is open to
their user alone, and who asks looks whose process answers.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pickle
import socket
import stat
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import cast

from ditto.errors import DittoError, HolderGone, InternalError

Method = Callable[[bytes], Awaitable[bytes]]
"""Takes a message and answers with one."""

log = logging.getLogger("ditto.channels")

SILENT_S = 4.0
"""Who gives up an answer after nothing was heard for so long breaks the channel; less than `listening.PATIENCE_S`."""
_HEAD = struct.Struct("!QQB")
"""Of each frame: how many bytes follow, the number of the question, and what the frame is."""
_ASKED, _ANSWERED, _FAILED = range(3)
_PEER = struct.Struct("3i")
"""What Linux tells of the process at the other end: its id, its user and its group."""


async def listen(path: Path, methods: Mapping[str, Method]) -> asyncio.Server:
    """Returns the server that answers at a path from now on; what was there before is replaced.

    Raises:
        OSError: It cannot listen there: the path is too long, or its folder is not this user's alone.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_own(path.parent)
    return await asyncio.get_running_loop().create_unix_server(lambda: _Answering(methods), path)


class LocalChannel:
    """A channel to whoever listens at a path, opened when it is first wanted, and again after it broke."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end: _Asking | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> bool:
        """Returns whether there is a channel: False where nobody of this user's listens at the path."""
        if self._end is not None and not self._end.broken:
            return True
        async with self._opening:
            if self._end is not None and not self._end.broken:
                return True
            try:
                loop = asyncio.get_running_loop()
                transport, end = await loop.create_unix_connection(_Asking, os.fspath(self._path))
            except OSError:
                return False
            try:
                _check_peer(transport, self._path.parent)
            except OSError as error:
                log.warning("channel refused", extra={"reason": str(error)})
                end.hang_up()
                return False
            self._end = end
        return True

    async def ask(self, method: str, message: bytes) -> bytes:
        """Returns what the method answers over the open channel.

        Raises:
            HolderGone: The channel broke; whether the method has run is not known.
            DittoError: What the method raised.
        """
        if self._end is None:
            raise HolderGone("there is no channel")
        return await self._end.ask(method, message)

    def close(self) -> None:
        """Breaks the channel."""
        if self._end is not None:
            self._end.hang_up()


class _End(asyncio.Protocol, ABC):
    """One end of a channel: it cuts what comes into frames."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport
        self._came = bytearray()
        self._heard_at_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard_at_s = time.monotonic()
        self._came += data
        at = 0
        with memoryview(self._came) as came:
            while len(came) - at >= _HEAD.size:
                length, number, kind = _HEAD.unpack_from(came, at)
                begins = at + _HEAD.size
                if len(came) - begins < length:
                    break
                at = begins + length
                self._take(number, kind, bytes(came[begins:at]))
        del self._came[:at]

    def hang_up(self) -> None:
        self._transport.abort()  # to close it would wait for an end that may be frozen

    def _send(self, number: int, kind: int, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(_HEAD.pack(len(body), number, kind) + body)

    @abstractmethod
    def _take(self, number: int, kind: int, body: bytes) -> None:
        """Takes a frame that has come."""


class _Asking(_End):
    """The end that asks."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    async def ask(self, method: str, message: bytes) -> bytes:
        if self.broken:
            raise HolderGone("the channel is broken")
        asked_at_s = time.monotonic()
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send(number, _ASKED, b"%s\n%s" % (method.encode(), message))
        try:
            return await answer
        except asyncio.CancelledError:
            if time.monotonic() - max(asked_at_s, self._heard_at_s) >= SILENT_S:
                self.hang_up()
            raise
        finally:
            self._waiting.pop(number, None)

    def connection_lost(self, error: Exception | None) -> None:
        self.broken = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(HolderGone("the channel broke"))

    def _take(self, number: int, kind: int, body: bytes) -> None:
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return  # whoever asked has gone
        if kind == _FAILED:
            answer.set_exception(pickle.loads(body))
        else:
            answer.set_result(body)


class _Answering(_End):
    """The end that answers; what has been asked is done to its end, whether or not anybody still waits."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        super().__init__()
        self._methods = methods
        self._tasks: set[asyncio.Task[None]] = set()

    def _take(self, number: int, kind: int, body: bytes) -> None:
        method, _, message = body.partition(b"\n")
        task = asyncio.get_running_loop().create_task(self._answer(number, method.decode(), message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, method: str, message: bytes) -> None:
        try:
            answer = await self._methods[method](message)
        except DittoError as error:
            self._send(number, _FAILED, pickle.dumps(error))
        except asyncio.CancelledError:
            self._send(number, _FAILED, pickle.dumps(HolderGone(f"{method} was broken off")))
            raise
        except Exception as error:  # who waits must hear of it, whatever Ditto stumbled on
            log.exception("a message was not answered", extra={"method": method})
            said = InternalError(f"{method} failed: {type(error).__name__}; the log says more")
            self._send(number, _FAILED, pickle.dumps(said))
        else:
            self._send(number, _ANSWERED, answer)


def _check_peer(transport: asyncio.BaseTransport, folder: Path) -> None:
    """Returns where the process at the other end is this user's.

    Raises:
        OSError: It is another user's; or, where the system does not tell, it could be.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        _check_own(folder)
        return
    connected: socket.socket = transport.get_extra_info("socket")
    _, user, _ = _PEER.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    if user != os.getuid():
        raise PermissionError(f"who listens in {folder} is user {user}")


def _check_own(folder: Path) -> None:
    """Returns where a folder is open to this user alone.

    Raises:
        PermissionError: It is somebody else's, or others can open it.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not its user's alone")
