"""JSON bodies as they go out: one way to write a request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any

import httpx

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "ditto",
}
_WHOLE_BYTES = 512 * 1024
_SLICE_BYTES = 64 * 1024


def post(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> httpx.Request:
    """Returns a POST of the body as JSON, a large one to be sent slice by slice.

    Half a surrogate pair, which UTF-8 cannot hold, goes out as `?`.
    """
    content = _JSON.encode(body).encode("utf-8", "replace")
    whole = {**_HEADERS, **headers, "content-length": str(len(content))}
    if len(content) > _WHOLE_BYTES:
        return httpx.Request("POST", _parsed(url), headers=whole, stream=_Slices(content))
    request = httpx.Request("POST", _parsed(url), headers=whole, stream=httpx.ByteStream(content))
    request.read()  # so that it has `content`, which is cheaper than `content=`: that would look for its headers
    return request


@lru_cache(maxsize=1_024)
def _parsed(url: str) -> httpx.URL:
    """Returns the address; parsing it costs a fifth of a call."""
    return httpx.URL(url)


class _Slices(httpx.AsyncByteStream):
    """A large body: written at once, it would hold up every other call."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _SLICE_BYTES):
            yield self._content[start : start + _SLICE_BYTES]
