"""The verbs over HTTP: a lost connection is tried again under the same idempotency key, so nothing is asked twice."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import EventSource

from ditto.client.backend import JobPage
from ditto.client.job_event import JobEvent
from ditto.domain.job import JobState
from ditto.domain.request import Request
from ditto.domain.view import JobView
from ditto.errors import ConfigurationError, ServiceError, Unavailable, service_error

_CONNECT_S = 5.0
_READ_S = 30.0
_WRITE_S = 120.0
_SILENCE_S = 45.0
"""Three of the server's heartbeats: an event stream that is silent for longer is dead."""
_WAIT_S = 60.0
_DEADLINE_MS = 1_800_000.0
_MARGIN_S = 60.0
PAUSES_S = (0.1, 0.4, 1.6)
"""Between the tries after a lost connection."""
_INGRESS = frozenset({500, 502, 503, 504})


class HttpBackend:
    """A server at a URL.

    Args:
        url: Where the server's routes begin, `http://127.0.0.1:8000`.
        transport: What carries the requests, None for the network.
        pauses_s: Between the tries after a lost connection.

    Raises:
        ConfigurationError: That is no HTTP address.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._url = url.rstrip("/")
        self._pauses_s = pauses_s
        self._client = httpx.AsyncClient(
            base_url=_checked(self._url),
            transport=transport,
            timeout=_timeout(_READ_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            trust_env=not _is_loopback(httpx.URL(self._url).host),
        )

    async def ask(self, request: Request) -> JobView[Any]:
        deadline_ms = _DEADLINE_MS if request.deadline is None else request.deadline
        return _view(await self._post("/llm", request, deadline_ms / 1000 + _MARGIN_S))

    async def submit(self, request: Request) -> JobView[Any]:
        return _view(await self._post("/jobs", request, _READ_S))

    async def get(self, job_id: str) -> JobView[Any]:
        return _view(await self._exchange("GET", _path(job_id)))

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]:
        loop = asyncio.get_running_loop()
        ends_at = None if timeout_s is None else loop.time() + timeout_s
        while True:
            left_s = _WAIT_S if ends_at is None else min(_WAIT_S, max(0.0, ends_at - loop.time()))
            params = {"wait": f"{left_s * 1000:.0f}"}
            view = _view(await self._exchange("GET", _path(job_id), params=params, read_s=left_s + _READ_S))
            if view.state.ended or (ends_at is not None and loop.time() >= ends_at):
                return view

    async def cancel(self, job_id: str) -> JobView[Any]:
        return _view(await self._exchange("POST", f"{_path(job_id)}/cancel"))

    async def list(
        self,
        *,
        state: JobState | None,
        needs_review: bool | None,
        metadata: Mapping[str, str],
        limit: int,
        cursor: str | None,
    ) -> JobPage:
        params = {f"metadata.{key}": value for key, value in metadata.items()} | {"limit": str(limit)}
        if state is not None:
            params["state"] = str(state)
        if needs_review is not None:
            params["needsReview"] = "true" if needs_review else "false"
        if cursor is not None:
            params["cursor"] = cursor
        response = await self._exchange("GET", "/jobs", params=params)
        return JobPage.model_validate_json(response.content)

    async def events(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        failures = 0
        while True:
            try:
                async with self._stream(job_id, after) as response:
                    if response.status_code == 204:
                        return
                    await _raise_for_error(response)
                    failures = 0
                    async for sent in EventSource(response).aiter_sse():
                        if not sent.data:  # a heartbeat
                            continue
                        event = JobEvent.of_wire(json.loads(sent.data))
                        after = event.seq
                        yield event
            except (httpx.TransportError, _Lost) as error:
                failures += 1
                if failures > len(self._pauses_s):
                    raise self._unreachable(error) from error
            await asyncio.sleep(self._pauses_s[max(0, failures - 1)])

    async def close(self) -> None:
        await self._client.aclose()

    def _stream(self, job_id: str, after: int) -> Any:
        return self._client.stream(
            "GET", f"{_path(job_id)}/events", params={"after": after}, timeout=_timeout(_SILENCE_S)
        )

    async def _post(self, path: str, request: Request, read_s: float) -> httpx.Response:
        key = request.idempotency_key or uuid.uuid4().hex
        body = {**request.to_wire(), "idempotencyKey": key}
        return await self._exchange("POST", path, read_s=read_s, body=body)

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        read_s: float = _READ_S,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        for pause_s in (*self._pauses_s, None):
            try:
                response = await self._client.request(method, path, params=params, json=body, timeout=_timeout(read_s))
                await _raise_for_error(response)
                return response
            except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
                raise Unavailable(f"{self._url} did not answer within {read_s:g} s") from error
            except (httpx.TransportError, _Lost) as error:
                if pause_s is None:
                    raise self._unreachable(error) from error
            await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    def _unreachable(self, error: Exception) -> Unavailable:
        return Unavailable(f"no Ditto server answers at {self._url} ({type(error).__name__}: {error})")


class _Lost(Exception):
    """The ingress answered in the place of a server that has gone away."""


async def _raise_for_error(response: httpx.Response) -> None:
    if response.status_code < 400:
        return
    content = await response.aread()
    error = _error(response.status_code, content)
    if error is not None:
        raise error
    if response.status_code in _INGRESS:
        raise _Lost(f"status {response.status_code}")
    raise service_error("", response.status_code, f"the server answered with status {response.status_code}")


def _error(status: int, content: bytes) -> ServiceError | None:
    """Returns the contract's error in this body, None where it holds none."""
    try:
        error = json.loads(content)["error"]
        return service_error(error["type"], status, error["message"], error.get("details"), error.get("jobId"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _view(response: httpx.Response) -> JobView[Any]:
    return JobView[Any].model_validate_json(response.content)


def _path(job_id: str) -> str:
    return f"/jobs/{quote(job_id, safe='')}"


def _timeout(read_s: float) -> httpx.Timeout:
    return httpx.Timeout(connect=_CONNECT_S, read=read_s, write=_WRITE_S, pool=None)


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{url!r} is no address of a server: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError(f"{url!r} is no address of a server: it begins with http:// or https://")
    return url


def _is_loopback(host: str) -> bool:
    """Tells whether a proxy of the environment has no business with this host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
