"""The verbs over HTTP: whatever breaks, the client comes back under the same idempotency key: nothing is asked twice.

A failure that the server calls settled (`x-should-retry: false`) is final.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import EventSource

from ditto.client.backend import JobPage
from ditto.client.coming_back import Patience, Tries, keyed, limit_s
from ditto.client.job_event import JobEvent
from ditto.client.live_text import Texts
from ditto.domain.job import JobState
from ditto.domain.request import Request
from ditto.domain.view import JobView
from ditto.errors import ConfigurationError, Conflict, NotFound, ServiceError, Unavailable, service_error
from ditto.runtime.ports import is_loopback

_CONNECT_S = 5.0
_READ_S = 30.0
_WRITE_S = 120.0
_SILENCE_S = 45.0
"""Three of the server's heartbeats: an event stream that is silent for longer is dead."""
_RECONNECT_S = 0.1
_WAIT_S = 60.0
_LISTEN_S = 120.0
"""After such a silence a question is asked again under its key: the network may have lost it without a word."""
_DEADLINE_MS = 1_800_000.0
_MARGIN_S = 60.0
_INGRESS = frozenset({500, 502, 503, 504})
_NO_ROUTES = b"/-/routes for available routes"
"""So says Serve's ingress, of any path, from its own start until it has heard of its replicas."""


class HttpBackend:
    """A server at a URL.

    Args:
        url: Where the server's routes begin, `http://127.0.0.1:8000`.
        api_key: Shown with every request, to this server alone; None: none is.
        transport: What carries the requests, None for the network.
        patience: How long a server that is gone, full or draining is waited for.

    Raises:
        ConfigurationError: That is no HTTP address, or no key.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: Patience = Patience(),  # noqa: B008  # it is frozen
    ) -> None:
        self._url = url.rstrip("/")
        self._patience = patience
        self._known = False
        self._client = httpx.AsyncClient(
            base_url=_checked(self._url),
            headers={} if api_key is None else {"authorization": f"Bearer {_checked_key(api_key)}"},
            transport=transport,
            timeout=_timeout(_READ_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            trust_env=not is_loopback(httpx.URL(self._url).host),
        )

    async def ask(self, request: Request) -> JobView[Any]:
        deadline_ms = _DEADLINE_MS if request.deadline is None else request.deadline
        stays = request.on_disconnect == "cancel"  # a job that ends with its connection is not asked for again
        listen_s = deadline_ms / 1000 + _MARGIN_S
        response = await self._exchange(
            "POST",
            "/llm",
            body=keyed(request).to_wire(),
            tries=Tries(self._patience, limit_s(request)),
            read_s=listen_s if stays else min(listen_s, _LISTEN_S),
            listen_s=listen_s,
        )
        return _view(response)

    async def submit(self, request: Request) -> JobView[Any]:
        tries = Tries(self._patience, limit_s(request))
        return _view(await self._exchange("POST", "/jobs", body=keyed(request).to_wire(), tries=tries))

    async def begin(self, request: Request) -> JobView[Any]:
        return await self.submit(request)

    async def get(self, job_id: str) -> JobView[Any]:
        return _view(await self._exchange("GET", _path(job_id)))

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]:
        tries = Tries(self._patience, timeout_s)
        while True:
            left_s = tries.left_s()
            wait_s = _WAIT_S if left_s is None else min(_WAIT_S, left_s)
            params = {"wait": f"{wait_s * 1000:.0f}"}
            response = await self._exchange("GET", _path(job_id), params=params, tries=tries, read_s=wait_s + _READ_S)
            tries.succeeded()
            view = _view(response)
            if view.state.ended or wait_s == left_s:
                return view

    async def cancel(self, job_id: str) -> JobView[Any]:
        return _view(await self._exchange("POST", f"{_path(job_id)}/cancel"))

    async def retry(self, job_id: str) -> JobView[Any]:
        tries = Tries(self._patience)
        try:
            return _view(await self._exchange("POST", f"{_path(job_id)}/retry", tries=tries))
        except Conflict:
            if not tries.lost:
                raise
            view = await self.get(job_id)
            if view.state is JobState.CANCELLED:
                raise
            return view  # it runs, because the try whose answer was lost had arrived

    async def merge(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        return _view(await self._exchange("POST", f"{_path(job_id)}/merge", body=body))

    async def feedback(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        return _view(await self._exchange("POST", f"{_path(job_id)}/feedback", body=body))

    async def delete(self, job_id: str) -> None:
        tries = Tries(self._patience)
        try:
            await self._exchange("DELETE", _path(job_id), tries=tries)
        except NotFound:
            if not tries.lost:
                raise

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

    async def hold_batch(self, name: str, epoch: int | None, length_s: float) -> int:
        body = {"name": name, "epoch": epoch, "length": length_s * 1000}
        response = await self._exchange("POST", "/batches/lease", body=body)
        return int(response.json()["epoch"])

    async def events(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        tries, texts = Tries(self._patience), Texts()
        while True:
            try:
                async with self._stream(job_id, after) as response:
                    if response.status_code == 204:
                        return
                    await self._check(response)
                    tries.succeeded()
                    async for sent in EventSource(response).aiter_sse():
                        if not sent.data:  # a heartbeat
                            continue
                        event = JobEvent.of_wire(json.loads(sent.data))
                        after = after if event.seq is None else event.seq
                        for fresh in texts.fresh(event):
                            yield fresh
            except (httpx.TransportError, _Later) as failure:
                await self._until_later(tries, failure)
            else:
                await self._patience.sleep(_RECONNECT_S)

    async def close(self) -> None:
        await self._client.aclose()

    def _stream(self, job_id: str, after: int) -> Any:
        return self._client.stream(
            "GET", f"{_path(job_id)}/events", params={"after": after}, timeout=_timeout(_SILENCE_S)
        )

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        tries: Tries | None = None,
        read_s: float = _READ_S,
        listen_s: float = 0.0,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Returns the response.

        Args:
            read_s: The longest silence.
            listen_s: For so long a silence is no failure: the same is asked again.
        """
        tries = tries or Tries(self._patience)
        clock = self._patience.clock
        silent_at = clock() + listen_s
        while True:
            try:
                timeout = _timeout(max(1.0, min(read_s, silent_at - clock())) if listen_s else read_s)
                response = await self._client.request(method, path, params=params, json=body, timeout=timeout)
                await self._check(response)
                return response
            except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
                if clock() < silent_at:
                    continue
                silent = Unavailable(f"{self._url} did not answer within {max(read_s, listen_s):g} s")
                if listen_s:
                    raise silent from error
                await tries.after_loss(silent, known=self._known)
            except (httpx.TransportError, _Later) as failure:
                await self._until_later(tries, failure)

    async def _until_later(self, tries: Tries, failure: httpx.TransportError | _Later) -> None:
        """Returns when it is time for another try; raises where there is none."""
        match failure:
            case _Later(after_s=float(after_s)):
                await tries.after_refusal(failure.error, after_s)
            case _Later():
                await tries.after_loss(failure.error, known=True)
            case _:
                self._known = self._known or not isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout)
                await tries.after_loss(self._unreachable(failure), known=self._known)

    async def _check(self, response: httpx.Response) -> None:
        """Raises what the server, or the ingress in its place, says is wrong."""
        self._known = True
        if response.status_code < 400:
            return
        status, content = response.status_code, await response.aread()
        settled = response.headers.get("x-should-retry") == "false"
        told = _error(status, content)
        error = told or service_error("", status, f"the server answered with status {status}")
        if settled:
            raise error
        if told is None and (status in _INGRESS or (status == 404 and _NO_ROUTES in content)):
            raise _Later(self._unreachable(error), None)
        after = response.headers.get("retry-after", "")
        if status in (429, 503) and after.isdecimal():
            raise _Later(error, float(after))
        raise error

    def _unreachable(self, error: Exception) -> Unavailable:
        what = str(error) if isinstance(error, ServiceError) else f"{type(error).__name__}: {error}"
        return Unavailable(f"no Ditto server answers at {self._url} ({what})")


class _Later(Exception):
    """The server cannot answer now.

    Args:
        error: What is the matter.
        after_s: What it asked to wait; None: it is gone, and its ingress answered in its place.
    """

    def __init__(self, error: ServiceError, after_s: float | None) -> None:
        super().__init__(error, after_s)
        self.error = error
        self.after_s = after_s


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


def _checked_key(api_key: str) -> str:
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key or not api_key:
        raise ConfigurationError("the API key is none: it holds what no header can, or nothing")
    return api_key
