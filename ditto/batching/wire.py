"""Calls to a running service over HTTP; whatever goes wrong becomes an error of the wire contract."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from ditto.domain.spec import JSON
from ditto.errors import BadRequest, ServiceError, Unavailable, service_error

_CONNECT_S = 10.0
_READ_S = 90.0
"""Longer than any time that the service is asked to wait before it answers."""


class Wire:
    """One connection pool to one service.

    Args:
        url: Where its routes begin, `http://127.0.0.1:8000`.
        connections: How many calls may be open at once.
        transport: What the calls go through; None: the network.

    Raises:
        BadRequest: The URL is none.
    """

    def __init__(self, url: str, connections: int = 100, transport: httpx.AsyncBaseTransport | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadRequest(
                "the request is wrong", [{"path": "url", "message": "must begin with http:// or https://"}]
            )
        self.url = url.rstrip("/")
        self.client = httpx.AsyncClient(
            timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S, pool=None),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.client.aclose()

    async def get(self, path: str, params: Mapping[str, str | int | float | bool] | None = None) -> JSON:
        """Returns the decoded answer.

        Raises:
            Unavailable: The service cannot be reached, or what answers there is no Ditto.
            ServiceError: What the service says.
        """
        return await self._call("GET", path, params=params)

    async def post(self, path: str, body: Mapping[str, JSON]) -> JSON:
        """Returns the decoded answer. Raises as `get` does."""
        return await self._call("POST", path, json=body)

    def unreachable(self, error: httpx.HTTPError) -> Unavailable:
        """Returns what to say when no answer came."""
        reason = str(error) or type(error).__name__
        return Unavailable(f"the service at {self.url} cannot be reached: {reason}")

    async def _call(self, method: str, path: str, **sent: Any) -> JSON:
        try:
            response = await self.client.request(method, f"{self.url}{path}", **sent)
        except httpx.InvalidURL as error:
            raise BadRequest("the request is wrong", [{"path": "url", "message": str(error)}]) from error
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error
        if response.is_success:
            return _decoded(response, self.url)
        raise failure(response, self.url)


def failure(response: httpx.Response, url: str) -> ServiceError:
    """Returns the error that this answer tells; one without the contract's shape is the ingress's or a stranger's."""
    try:
        told = response.json()["error"]
        return service_error(
            str(told["type"]), response.status_code, str(told["message"]), told.get("details"), told.get("jobId")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unavailable(f"what answers at {url} is no Ditto, or not ready: HTTP {response.status_code}")


def _decoded(response: httpx.Response, url: str) -> JSON:
    try:
        return response.json()
    except ValueError:
        raise Unavailable(f"what answers at {url} is no Ditto: the reply is no JSON") from None
