"""Connections to providers: as many as there are calls, kept for later ones, through a proxy where one is set.

httpx's types are the seam, aiohttp's connections are under it: httpx's own pool examines every connection on every
request, and 300 calls at once then take seconds of CPU. Its client around the pool costs as much again, so there is
none: nothing here follows redirects, keeps cookies, or adds headers of its own. What breaks comes out as aiohttp says
it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import aiohttp
import httpx

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
        response = await self._session.request(
            request.method,
            str(request.url),
            headers=request.headers.multi_items(),
            data=_body(request),
            proxy=self.proxy_of(request.url),
            allow_redirects=False,
        )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Reply(response))

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


class _Reply(httpx.AsyncByteStream):
    """A response's body as it comes; given up before its end, its connection is closed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._response.content.iter_chunked(_CHUNK_BYTES))

    async def aclose(self) -> None:
        self._response.release()
        await self._response.wait_for_close()


def _body(request: httpx.Request) -> bytes | httpx.AsyncByteStream:
    """Returns a request's body, or what it comes out of piece by piece."""
    try:
        return request.content
    except httpx.RequestNotRead:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return request.stream
