"""The model server that all systems ask: chat completions after a given time, far from a limit of its own.

`python -m tests.benchmarks.speed.mock` listens on a free port of loopback and says where. A model's name ends in the
milliseconds that it takes, `a-50`. It reads no more of a request than that, and what it answers was made before.
"""

from __future__ import annotations

import asyncio
import json
import re
from functools import lru_cache
from typing import cast

import uvloop

TEXTS = (
    "391",
    "The answer is 391.",
    "17 * 23 = 391, so the answer is 391.",
    "Let me multiply: 17 * 20 = 340 and 17 * 3 = 51, which makes 391.",
)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model": ?"([^"]*?(\d+)-(\d+))"')


@lru_cache(maxsize=10_000)
def answer(name: bytes, number: int) -> bytes:
    """Returns the whole response of a model."""
    message = {"role": "assistant", "content": TEXTS[number % len(TEXTS)]}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": name.decode(),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 14, "completion_tokens": 9, "total_tokens": 23},
    }
    body = json.dumps(completion).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


class Answering(asyncio.Protocol):
    """One connection, which carries one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        model = _MODEL.search(body)
        assert model is not None, body
        response = answer(model[1], int(model[2]))
        if (ms := int(model[3])) == 0:
            self._transport.write(response)
        else:
            self._loop.call_later(ms / 1000, self._write, response)

    def _write(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


async def main() -> None:
    """Serves until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    print(f"models at http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
