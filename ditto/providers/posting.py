"""JSON bodies as they go out: one way to write a request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import httpx
from pydantic_core import to_json

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "ditto",
}
_WHOLE_BYTES = 512 * 1024
_SLICE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What requests to one address have in common.

    Attributes:
        fields: The headers as aiohttp takes them, without the body's length.
    """

    url: httpx.URL
    address: str
    headers: httpx.Headers
    fields: tuple[tuple[str, str], ...]


class Post(httpx.Request):
    """A POST of bytes. What httpx knows of it is worked out where somebody looks: that costs a tenth of a call.

    Attributes:
        head: What it has in common with others.
    """

    def __init__(self, head: Head, content: bytes) -> None:
        self.method = "POST"
        self.url = head.url
        self.extensions = {}
        self.head = head
        self._content = content

    @property
    def large(self) -> bool:
        """Whether it is to be sent slice by slice."""
        return len(self._content) > _WHOLE_BYTES

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]  # it can be written, as what it overrides
        """All headers, its own length among them."""
        headers = httpx.Headers(self.head.headers)
        headers.setdefault("host", self.url.netloc.decode())
        headers["content-length"] = str(len(self._content))
        return headers

    @cached_property
    def stream(self) -> httpx.AsyncByteStream:  # type: ignore[override]  # it can be written, as what it overrides
        """The body as it is to be sent."""
        return _Slices(self._content) if self.large else httpx.ByteStream(self._content)


class _Slices(httpx.AsyncByteStream):
    """A large body: written at once, it would hold up every other call."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _SLICE_BYTES):
            yield self._content[start : start + _SLICE_BYTES]


def post(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Post:
    """Returns a POST of the body as JSON, a large one to be sent slice by slice.

    Half a surrogate pair, which UTF-8 cannot hold, goes out as `?`.
    """
    return Post(_head(url, tuple(headers.items())), _encoded(body))


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return to_json(body)
    except ValueError:  # it takes no half of a surrogate pair
        return _JSON.encode(body).encode("utf-8", "replace")


@lru_cache(maxsize=1_024)
def _head(url: str, headers: tuple[tuple[str, str], ...]) -> Head:
    """Returns what these requests have in common; working it out costs a fifth of a call."""
    parsed = httpx.URL(url)
    whole = httpx.Headers(_HEADERS)
    whole.update(dict(headers))
    return Head(url=parsed, address=str(parsed), headers=whole, fields=tuple(whole.multi_items()))
