"""What the handlers of all routes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from ditto.http.hang_up import Background
from ditto.http.limits import Limits
from ditto.http.openai.models import Models
from ditto.runtime.service import ServicePort


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The service behind the routes, as a tenant sees it, and how they treat their clients.

    Attributes:
        origins: Whose pages may use the service, besides its own.
    """

    service: ServicePort
    limits: Limits
    background: Background
    models: Models
    origins: frozenset[str] = frozenset()

    def seen(self, service: ServicePort) -> Door:
        """Returns the door as the tenant sees it whose view of the service this is."""
        return Door(
            service=service, limits=self.limits, background=self.background, models=self.models, origins=self.origins
        )


def door_of(connection: HTTPConnection) -> Door:
    """Returns the door that this request or WebSocket came through.

    Raises:
        ServiceError: It was not let in.
    """
    state = connection.scope.get("state", {})
    if (refused := state.get("refused")) is not None:
        raise refused
    return cast(Door, state.get("door") or connection.app.state.door)
