"""The load: so many connections, each of which asks again as soon as it has its answer, over plain sockets.

A request is bytes that were made before, and of an answer no more is read than its status and its length. So one
process makes far more requests than any of the systems takes; `python -m tests.benchmarks.speed` shows how many.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STATUS = b"HTTP/1.1 200"
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a load.

    Attributes:
        latencies_s: Of the answers that came in the measured time, sorted.
        failed: Answers in that time that were none: another status, a connection that was cut.
    """

    latencies_s: list[float]
    failed: int
    elapsed_s: float

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.elapsed_s

    def quantile_s(self, share: float) -> float:
        """Returns the latency below which this share of the answers came."""
        return self.latencies_s[min(len(self.latencies_s) - 1, int(share * len(self.latencies_s)))]


@dataclass(slots=True)
class _Noted:
    latencies_s: list[float] = field(default_factory=list)
    failed: int = 0


def request(url: str, path: str, body: bytes) -> bytes:
    """Returns the bytes of a POST."""
    head = f"POST {path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class _Asking(asyncio.Protocol):
    """One connection; `answered` is called with an answer's status line, and returns whether to ask again."""

    def __init__(self, asked: bytes, answered: Callable[[bool, float], bool]) -> None:
        self._asked = asked
        self._answered = answered
        self._received = b""
        self._sent_s = 0.0
        self.over = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = _LENGTH.search(head)
        if length is not None and len(body) < int(length[1]):
            return
        self._received = b""
        again = self._answered(head.startswith(_STATUS), time.perf_counter() - self._sent_s)
        if again and length is not None:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _ask(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(self._asked)


async def load(
    url: str, asked: bytes, *, at_once: int, warm_s: float, measured_s: float, between: Callable[[], None]
) -> Loaded:
    """Returns what came of `at_once` connections that ask for `warm_s` and then, measured, for `measured_s`.

    Args:
        between: Called at the beginning and at the end of the measured time.
    """
    noted = _Noted()
    began_s = time.perf_counter()
    from_s, until_s = began_s + warm_s, began_s + warm_s + measured_s

    def answered(good: bool, latency_s: float) -> bool:
        now_s = time.perf_counter()
        if from_s <= now_s <= until_s:
            if good:
                noted.latencies_s.append(latency_s)
            else:
                noted.failed += 1
        return now_s < until_s

    async def keep_asking() -> None:
        while time.perf_counter() < until_s:
            await _connection(url, asked, answered)

    tasks = [asyncio.create_task(keep_asking()) for _ in range(at_once)]
    await asyncio.sleep(warm_s)
    between()
    await asyncio.sleep(measured_s)
    between()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*tasks)
    return Loaded(latencies_s=sorted(noted.latencies_s), failed=noted.failed, elapsed_s=measured_s)


async def burst(url: str, asked: bytes, *, at_once: int) -> Loaded:
    """Returns what came of so many requests at the same moment."""
    noted = _Noted()

    def answered(good: bool, latency_s: float) -> bool:
        if good:
            noted.latencies_s.append(latency_s)
        else:
            noted.failed += 1
        return False

    began_s = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(_connection(url, asked, answered) for _ in range(at_once)))
    elapsed_s = time.perf_counter() - began_s
    return Loaded(latencies_s=sorted(noted.latencies_s), failed=at_once - len(noted.latencies_s), elapsed_s=elapsed_s)


async def _connection(url: str, asked: bytes, answered: Callable[[bool, float], bool]) -> None:
    where = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, asking = await loop.create_connection(lambda: _Asking(asked, answered), where.hostname, where.port)
    await asking.over
