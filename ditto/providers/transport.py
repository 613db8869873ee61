"""How a request is sent: one exchange with a limit on its time and its size, and every error in our own words.

No error says that a request was not sent: one that broke a connection may have been on its way. It says what was seen.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import httpx

from ditto.errors import CallBadRequest, CallError, CallInvalidReply, CallTimeout, CallTooLarge, CallUnreachable
from ditto.providers.connections import Received
from ditto.providers.incoming import Incoming

REPLY_LIMIT_BYTES = 8 * 1024 * 1024
_AFTER_S = 1.0
"""So long a stream may still take to end after its last event: then its connection can be used again."""
_STREAM = "text/event-stream"
_BROKEN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, OSError)

_HAPPENED: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    ((aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError), "its certificate is not trusted"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "no secure connection could be made"),
    (
        (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError, httpx.ProxyError),
        "the proxy does not let this through",
    ),
    (socket.gaierror, "there is no such host"),
    (ConnectionRefusedError, "the connection was refused"),
    (
        (ConnectionResetError, BrokenPipeError, aiohttp.ServerDisconnectedError),
        "the connection was cut before the reply",
    ),
    ((aiohttp.ClientPayloadError, httpx.ReadError, httpx.RemoteProtocolError), "the reply broke off"),
    (aiohttp.ClientResponseError, "the answer is no HTTP"),
    ((aiohttp.ClientConnectorError, httpx.ConnectError), "no connection could be made"),
    (aiohttp.ClientOSError, "the connection was cut before the reply"),
)
"""What the user is told of a lower-level error, or of the system's error inside it; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response; its body is decompressed, one that was streamed is put together."""

    response: httpx.Response
    body: bytes

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers


class Sender:
    """Sends requests over a transport, and lets none of its errors out.

    Args:
        limit_bytes: Of one response's body, decompressed.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, limit_bytes: int) -> None:
        self._transport = transport
        self._limit_bytes = limit_bytes

    async def send(self, request: httpx.Request, *, timeout_s: float, incoming: Incoming | None = None) -> Answer:
        """Returns the whole answer; the connection is closed if this is cancelled.

        Args:
            timeout_s: From the first look for an address to the last byte.
            incoming: Takes the answer where it comes as a stream; without it none was asked for.

        Raises:
            CallTimeout: It took longer.
            CallUnreachable: There was no connection, or it broke.
            CallTooLarge: The body is above the limit.
            CallInvalidReply: The body's compression is damaged.
            CallBadRequest: The address is none.
        """
        try:
            async with asyncio.timeout(timeout_s) as scope:
                return await self._exchange(request, incoming)
        except _BROKEN as error:
            if isinstance(error, TimeoutError) and scope.expired():
                raise CallTimeout(f"no answer in {timeout_s * 1000:.0f} ms") from None
            raise _call_error(error, request.url) from error

    async def aclose(self) -> None:
        """Closes the transport."""
        await self._transport.aclose()

    async def _exchange(self, request: httpx.Request, incoming: Incoming | None) -> Answer:
        response = await self._transport.handle_async_request(request)
        try:
            if incoming is not None and _streams(response):
                await _take(response.aiter_bytes(), incoming)
                return Answer(response=response, body=incoming.body())
            pieces, size_bytes = [], 0
            async for piece in _decompressed(response):
                pieces.append(piece)
                size_bytes += len(piece)
                if size_bytes > self._limit_bytes:
                    raise CallTooLarge(f"the response is larger than {self._limit_bytes} bytes")
            return Answer(response=response, body=b"".join(pieces))
        finally:
            await response.aclose()


def _decompressed(response: httpx.Response) -> AsyncIterator[bytes]:
    """Returns the body's pieces. Most replies are not compressed: they need none of what httpx does to each piece."""
    if isinstance(response, Received) and not response.compressed:
        return response.pieces()
    return response.aiter_bytes()


def _streams(response: httpx.Response) -> bool:
    """Tells whether it is a stream of events: a provider that cannot stream answers as it always does."""
    return 200 <= response.status_code < 300 and response.headers.get("content-type", "").lower().startswith(_STREAM)


async def _take(chunks: AsyncIterator[bytes], incoming: Incoming) -> None:
    """Reads a stream up to its last event; that it breaks after the reply's end does no harm."""
    try:
        async for chunk in chunks:
            incoming.feed(chunk)
            if incoming.over:
                break
        with suppress(TimeoutError):
            async with asyncio.timeout(_AFTER_S):
                async for _ in chunks:
                    pass
    except _BROKEN:
        if not incoming.complete:
            raise


def _call_error(error: BaseException, url: httpx.URL) -> CallError:
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ is not None else error
    where = url.netloc.decode("ascii", "replace").rpartition("@")[2]
    if isinstance(error, httpx.DecodingError):
        return CallInvalidReply(f"{where}: the response's compression is damaged")
    if isinstance(cause, httpx.InvalidURL | httpx.UnsupportedProtocol | aiohttp.InvalidURL):
        return CallBadRequest(f"{where}: this is no address")
    return CallUnreachable(f"{where}: {_what_happened(cause)}")


def _what_happened(cause: BaseException) -> str:
    inner = getattr(cause, "os_error", None)
    fitting = (words for kinds, words in _HAPPENED if isinstance(cause, kinds) or isinstance(inner, kinds))
    return next(fitting, f"the connection failed ({type(cause).__name__})")
