"""What a dialect is given and gives back: the seam between Ditto and every provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ditto.domain.events import Failure
from ditto.domain.spec import Message, Sampling
from ditto.errors import CallError
from ditto.settings.endpoints import Endpoint

if TYPE_CHECKING:
    import httpx  # heavy, and a holder of jobs imports this file too


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
    sampling: Sampling = field(default_factory=Sampling)
    seed: int | None = None
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose call it is, for its turn where a provider limits how much it is asked.

    Attributes:
        job: The job's id, blank where it is nobody's.
        key: What it comes under: calls under different keys take turns.
        within_s: How long the job has left: a call's own time runs only from its turn on, so this ends its wait.
        waits: Told when it begins to wait for its turn, and when it has it.
    """

    job: str = ""
    key: str = ""
    within_s: float = float("inf")
    waits: Callable[[bool], None] = lambda now: None


NOBODYS = Whose()


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


class Hearer(Protocol):
    """Who listens while a reply is written."""

    def begin(self, attempt: int, after: Failure | None) -> None:
        """Notes that a request goes out: what earlier ones have said is void.

        Args:
            attempt: Its number, from 1.
            after: Why the last one is tried again, None where it is the first.
        """
        ...

    def said(self, text: str) -> None:
        """Notes that the reply goes on with this text; of thinking in it nothing is taken out."""
        ...


class Assembly(Protocol):
    """A streamed response put together, event by event.

    Attributes:
        complete: The reply has come to its end, though the stream may go on.
        over: Nothing that counts follows any more.
    """

    complete: bool
    over: bool

    def take(self, event: dict[str, Any]) -> str:
        """Takes one event's decoded data and returns what it adds to the reply's text."""
        ...

    def body(self) -> bytes:
        """Returns the body that the same response would have had whole, for `DialectPort.read`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A request ready to be sent.

    Attributes:
        assembly: What puts the response together where it was asked for as a stream, None where it was not.
        warnings: What had to be adapted or left out for this model, to be read after its name:
            `takes no temperature: not sent`.
        dispensable: The parameters in it that can be left out or sent in another way, by the provider's names.
    """

    request: httpx.Request
    warnings: tuple[str, ...] = ()
    dispensable: frozenset[str] = frozenset()
    assembly: Assembly | None = None


class DialectPort(Protocol):
    """A provider's way of speaking. Pure: it sends nothing itself, and knows no clock."""

    def build(
        self,
        request: ModelRequest,
        endpoint: Endpoint,
        key: str | None,
        account: str | None,
        *,
        left_out: frozenset[str],
        stream: bool,
    ) -> Built:
        """Returns the HTTP request; parameters named in `left_out` are not sent, or in another way.

        Args:
            stream: Whether the reply is wanted piece by piece, where this model can do so.
        """
        ...

    def read(self, body: bytes, request: ModelRequest) -> ModelReply:
        """Returns the reply in the body of a successful response to `request`.

        Raises:
            CallInvalidReply: The body is not what this dialect answers, or the reply is empty.
            CallTruncated: The token limit was reached before the reply had any text.
            CallError: The body is an error in spite of the status; typed as `error` would.
        """
        ...

    def refusal(self, status: int, body: bytes) -> ModelReply | None:
        """Returns the reply that an unsuccessful response stands for: a content filter's refusal is an answer."""
        ...

    def error(self, status: int, headers: httpx.Headers, body: bytes) -> CallError:
        """Returns the typed error for an unsuccessful response.

        The message has the provider's own words in full: whoever shows it takes out keys and prompts.
        """
        ...

    def refused_parameter(self, status: int, body: bytes) -> str | None:
        """Returns the provider's name of the parameter that this model does not take, if the response says so."""
        ...
