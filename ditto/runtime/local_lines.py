"""A line between two processes of one machine: a method's name and bytes go out over a Unix socket, bytes come back.

A message through Ray costs both its ends together a millisecond of CPU, whatever is in it; over a line it costs a
tenth. So the messages that every job takes go over lines where both ends are on one node; all others go through Ray,
which also begins who is not there. A line breaks when the process at its other end ends, and whoever waits for an
answer is told so at once.

Who can open the socket can have the other process do anything, as with Ray's own ports; so sockets lie in a folder that
is open to their user alone.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pickle
import stat
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import cast

from ditto.errors import DittoError, HolderGone, InternalError

Method = Callable[[bytes], Awaitable[bytes]]
"""Takes a message and answers with one."""

log = logging.getLogger("ditto.lines")

_HEAD = struct.Struct("!QQB")
"""Of each frame: how many bytes follow, the number of the question, and what the frame is."""
_ASKED, _ANSWERED, _FAILED = range(3)


async def listen(path: Path, methods: Mapping[str, Method]) -> asyncio.Server:
    """Returns the server that answers at a path from now on; what was there before is replaced.

    Raises:
        OSError: It cannot listen there: the path is too long, or its folder is not this user's alone.
    """
    _make_own(path.parent)
    return await asyncio.get_running_loop().create_unix_server(lambda: _Answering(methods), path)


class LocalLine:
    """A line to whoever listens at a path, opened when it is first wanted, and again after it broke."""

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._end: _Asking | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> bool:
        """Returns whether there is a line: False where nobody listens at the path."""
        if self._end is not None and not self._end.broken:
            return True
        async with self._opening:
            if self._end is not None and not self._end.broken:
                return True
            try:
                _, self._end = await asyncio.get_running_loop().create_unix_connection(_Asking, self._path)
            except OSError:
                return False
        return True

    async def ask(self, method: str, message: bytes) -> bytes:
        """Returns what the method answers over the open line.

        Raises:
            HolderGone: The line broke; whether the method has run is not known.
            DittoError: What the method raised.
        """
        if self._end is None:
            raise HolderGone("there is no line")
        return await self._end.ask(method, message)

    def close(self) -> None:
        """Breaks the line."""
        if self._end is not None:
            self._end.hang_up()


class _End(asyncio.Protocol):
    """One end of a line: it cuts what comes into frames."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport
        self._came = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
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
        self._transport.close()

    def _send(self, number: int, kind: int, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(_HEAD.pack(len(body), number, kind) + body)

    def _take(self, number: int, kind: int, body: bytes) -> None:
        raise NotImplementedError


class _Asking(_End):
    """The end that asks."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    async def ask(self, method: str, message: bytes) -> bytes:
        if self.broken:
            raise HolderGone("the line is broken")
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send(number, _ASKED, b"%s\n%s" % (method.encode(), message))
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def connection_lost(self, error: Exception | None) -> None:
        self.broken = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(HolderGone("the line broke"))

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
        except Exception as error:  # who waits must hear of it, whatever Ditto stumbled on
            log.exception("a message was not answered", extra={"method": method})
            said = InternalError(f"{method} failed: {type(error).__name__}; the log says more")
            self._send(number, _FAILED, pickle.dumps(said))
        else:
            self._send(number, _ANSWERED, answer)


def _make_own(folder: Path) -> None:
    """Makes the folder, open to this user alone.

    Raises:
        PermissionError: It is there, and somebody else's, or others can open it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not its user's alone")
