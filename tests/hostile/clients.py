"""One connection as its attack says, and everything that came back on it."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from tests.hostile.attacks import Attack, Ending

PATIENCE_S = 60.0
"""For an answer that is waited for: a body that stops in the middle is given up after half of it."""
MOMENT_S = 0.2
_IDLE_S = 3.0
_SLOW_READS = 20
_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a client heard; `hung` where it waited in vain."""

    attack: Attack
    answer: bytes
    hung: bool


async def carried_out(host: str, port: int, attack: Attack) -> Heard:
    """Returns what came back; a connection that is closed or refused is an answer too."""
    try:
        reader, writer = await asyncio.open_connection(host, port, limit=_ANSWER_BYTES)
    except OSError:
        return Heard(attack=attack, answer=b"", hung=False)
    answer, hung = bytearray(), False
    try:
        with suppress(OSError):
            await _send(writer, attack)
        try:
            await _end(reader, writer, attack, answer)
        except TimeoutError:
            hung = not answer
        except OSError:
            pass
    finally:
        writer.transport.abort()  # what was not sent stays unsent
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), MOMENT_S)
    return Heard(attack=attack, answer=bytes(answer), hung=hung)


async def _send(writer: asyncio.StreamWriter, attack: Attack) -> None:
    for piece in attack.pieces:
        writer.write(piece)
        with suppress(TimeoutError):
            await asyncio.wait_for(writer.drain(), PATIENCE_S)
        if attack.pause_s:
            await asyncio.sleep(attack.pause_s)


async def _next(reader: asyncio.StreamReader, within_s: float) -> bytes:
    """Returns what comes next; nothing at the end of the connection.

    Raises:
        TimeoutError: Nothing comes: the connection is kept for another request, or there is no answer.
    """
    return await asyncio.wait_for(reader.read(65_536), within_s)


async def _end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attack: Attack, answer: bytearray) -> None:
    match attack.ending:
        case Ending.WAIT | Ending.HALF_CLOSE:
            if attack.ending is Ending.HALF_CLOSE:
                writer.write_eof()
            while (piece := await _next(reader, _IDLE_S if answer else PATIENCE_S)) and len(answer) < _ANSWER_BYTES:
                answer += piece
        case Ending.HANG_UP:
            with suppress(TimeoutError):
                answer += await asyncio.wait_for(reader.read(65_536), MOMENT_S)
        case Ending.RESET:
            own: socket.socket = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case Ending.READ_SLOWLY:
            for _ in range(_SLOW_READS):
                answer += await reader.read(16)
                await asyncio.sleep(0.02)
