"""Connections to providers: as many as there are calls, kept for later ones, through a proxy where one is set.

httpx's types are the seam, aiohttp's connections are under it: httpx's own pool examines every connection on every
request, and 300 calls at once then take seconds of CPU. Its client around the pool costs as much again, so there is
none: nothing here follows redirects, keeps cookies, or adds headers of its own. What breaks comes out as aiohttp says
it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from functools import cached_property

import aiohttp
import httpx

from ditto.providers.posting import Post

_CHUNK_BYTES = 16 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Connections(httpx.AsyncBaseTransport):
    """Sends over connections of its own.

    Args:
        environ: Read for `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. Loopback is never behind a proxy.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        names = {name.lower(): value for name, value in sorted(environ.items()) if value}
        self._proxies = {name.removesuffix("_proxy"): url for name, url in names.items() if name.endswith("_proxy")}
        self._tls = httpx.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Returns the response, its body still to be read.

        Raises:
            aiohttp.ClientError, OSError: There was none.
        """
        if self._session is None:
            self._session = self._opened()
        address, headers, data = _parts(request)
        response = await self._session.request(
            request.method,
            address,
            headers=headers,
            data=data,
            proxy=self.proxy_of(request.url) if self._proxies else None,
            allow_redirects=False,
        )
        return Received(response)

    async def aclose(self) -> None:
        """Closes every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def proxy_of(self, url: httpx.URL) -> str | None:
        """Returns the address of the proxy that leads to this one."""
        proxy = self._proxies.get(url.scheme, self._proxies.get("all"))
        if proxy is None or url.host in _LOOPBACK or self._is_direct(url.host):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _is_direct(self, host: str) -> bool:
        named = [name.strip().lstrip("*.") or "*" for name in self._proxies.get("no", "").split(",") if name.strip()]
        return any(name in ("*", host) or host.endswith(f".{name}") for name in named)

    def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            auto_decompress=False,
        )


class Received(httpx.Response):
    """A response whose body is still to be read. httpx takes its headers where somebody looks: there may be thirty."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        super().__init__(response.status, stream=_Reply(response))
        del self.headers  # of none
        self._received = response

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]  # it can be written, as what it overrides
        """All headers."""
        return httpx.Headers(self._received.raw_headers)

    @property
    def compressed(self) -> bool:
        """Whether its body is."""
        return "content-encoding" in self._received.headers

    async def pieces(self) -> AsyncIterator[bytes]:
        """Returns its body as it came: a short one mostly came whole."""
        content = self._received.content
        while not content.at_eof():
            yield await content.readany()

    async def aclose(self) -> None:
        """Gives the connection back, or closes it where the body has not been read to its end."""
        if self._received.connection is not None:
            await super().aclose()


class _Reply(httpx.AsyncByteStream):
    """A response's body as it comes; given up before its end, its connection is closed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._response.content.iter_chunked(_CHUNK_BYTES))

    async def aclose(self) -> None:
        self._response.release()
        await self._response.wait_for_close()


def _parts(request: httpx.Request) -> tuple[str, Iterable[tuple[str, str]], bytes | httpx.AsyncByteStream]:
    """Returns address, headers and body of a request as aiohttp takes them, which says a body's length by itself."""
    if isinstance(request, Post) and not request.large:
        return request.head.address, request.head.fields, request.content
    return str(request.url), request.headers.multi_items(), _body(request)


def _body(request: httpx.Request) -> bytes | httpx.AsyncByteStream:
    """Returns the body as it is at hand, or what it comes out of piece by piece."""
    if not isinstance(request, Post):
        with suppress(httpx.RequestNotRead):
            return request.content
    assert isinstance(request.stream, httpx.AsyncByteStream)
    return request.stream
