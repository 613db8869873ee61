"""What a dialect is given and gives back: the seam between Ditto and every provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from ditto.domain.spec import Message, Sampling
from ditto.errors import CallError
from ditto.settings.endpoints import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to one model.

    Attributes:
        model: The provider's own name of the model.
        messages: User's and assistant's turns; ends with a user's message.
        schema: JSON Schema whose root is an object, None for text. The prompt already tells the model to fill it;
            a dialect with a structured-output switch uses that too.
    """

    model: str
    messages: tuple[Message, ...]
    system: str | None = None
    sampling: Sampling = Sampling()
    seed: int | None = None
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A provider's reply in Ditto's words.

    Attributes:
        text: Reasoning removed. Empty only where `finish` is `content_filter`.
        finish: `stop`, `length`, `content_filter` or `other`.
    """

    text: str
    finish: str = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A request ready to be sent, and what had to be adapted or left out for this model, one sentence each."""

    request: httpx.Request
    warnings: tuple[str, ...] = ()


class DialectPort(Protocol):
    """A provider's way of speaking. Pure: it sends nothing itself."""

    def build(self, request: ModelRequest, endpoint: Endpoint, key: str | None, account: str | None, *, left_out: frozenset[str]) -> Built:
        """Returns the HTTP request; parameters named in `left_out` are not sent."""
        ...

    def read(self, body: bytes) -> ModelReply:
        """Returns the reply in the body of a successful response.

        Raises:
            CallInvalidReply: The body is not what this dialect answers, or the reply is empty.
        """
        ...

    def error(self, status: int, headers: httpx.Headers, body: bytes) -> CallError:
        """Returns the typed error for an unsuccessful response."""
        ...

    def refused_parameter(self, status: int, body: bytes) -> str | None:
        """Returns the name of the parameter that this model does not take, if that is what the response says."""
        ...
