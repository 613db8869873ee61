"""What a request asks of a model, whichever dialect it came in, and the ways in which it can be refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Literal

Body = dict[str, Any]
"""A decoded JSON object."""


class Fault(StrEnum):
    """Why a request gets no reply; each dialect has its own words for each."""

    BAD_REQUEST = "bad request"
    BAD_PARAMETER = "bad parameter"
    UNSUPPORTED_PARAMETER = "unsupported parameter"
    CONTEXT = "context too long"
    NO_KEY = "no key"
    WRONG_KEY = "wrong key"
    NO_MODEL = "no model"
    NO_ROW = "no recorded reply"
    TOO_LARGE = "too large"
    STATUS = "status"


_STATUS = {
    Fault.NO_KEY: 401,
    Fault.WRONG_KEY: 401,
    Fault.NO_MODEL: 404,
    Fault.NO_ROW: 404,
    Fault.TOO_LARGE: 413,
}


class Refused(Exception):
    """The request gets an error instead of a reply.

    Attributes:
        status: Of the HTTP response.
        subject: The parameter or the model that it is about, or blank.
        retry_after_s: For the header `Retry-After`; None: no such header.
    """

    def __init__(
        self, fault: Fault, message: str, subject: str = "", status: int = 0, retry_after_s: float | None = None
    ) -> None:
        super().__init__(fault, message, subject, status, retry_after_s)
        self.fault = fault
        self.message = message
        self.subject = subject
        self.status = status or _STATUS.get(fault, 400)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request.

    Attributes:
        model: As the body named it.
        turns: At least one, the last of them the user's.
        schema: From the dialect's own switch for structured output, or of the forced tool; the reply is then bare JSON.
        json_object: Any JSON object is wanted.
        tool: The name of the tool that must be called with `schema` as its arguments, or blank.
        thinking: The request switched the model's thinking on.
        parameters: The names of the body's fields.
        behaviours: The body's field `sim`.
    """

    model: str
    turns: tuple[Turn, ...]
    system: str = ""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int = 0
    stream: bool = False
    include_usage: bool = False
    schema: Body | None = None
    json_object: bool = False
    tool: str = ""
    thinking: bool = False
    parameters: frozenset[str] = frozenset()
    behaviours: str = ""

    @property
    def prompt(self) -> str:
        """The last user's message."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def input_text(self) -> str:
        return "\n".join((self.system, *(turn.text for turn in self.turns)))


def decoded(raw: bytes) -> Body:
    """Returns the JSON object in a request's body.

    Raises:
        Refused: It is none.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(Fault.BAD_REQUEST, "We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise Refused(Fault.BAD_REQUEST, "The body of the request must be a JSON object.")
    return body


def whole(body: Mapping[str, Any], name: str, low: int = 1) -> int | None:
    """Returns a whole number from the body, None where there is none.

    Raises:
        Refused: It is of another type, or below `low`.
    """
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(Fault.BAD_PARAMETER, f"Invalid type for '{name}': expected an integer.", name)
    if value < low:
        raise Refused(Fault.BAD_PARAMETER, f"Invalid '{name}': expected a value >= {low}, but got {value}.", name)
    return value


def between(body: Mapping[str, Any], name: str, low: float, high: float) -> None:
    """Checks that a number in the body, if it is there, lies in its range.

    Raises:
        Refused: It does not.
    """
    value = body.get(name)
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Refused(Fault.BAD_PARAMETER, f"Invalid type for '{name}': expected a number.", name)
    if not low <= value <= high:
        raise Refused(
            Fault.BAD_PARAMETER, f"Invalid '{name}': expected a value from {low:g} to {high:g}, but got {value}.", name
        )


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Returns a boolean from the body, False where there is none.

    Raises:
        Refused: It is of another type.
    """
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Refused(Fault.BAD_PARAMETER, f"Invalid type for '{name}': expected a boolean.", name)
    return value


def texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Returns one text or a list of them from the body.

    Raises:
        Refused: It is neither.
    """
    value = body.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise Refused(Fault.BAD_PARAMETER, f"Invalid type for '{name}': expected a string or a list of strings.", name)


def text_of(content: Any, where: str) -> str:
    """Returns the text of a message's content: a string, or a list of parts of which the text ones count.

    Raises:
        Refused: It is neither.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "\n".join(str(part["text"]) for part in content if isinstance(part.get("text"), str))
    raise Refused(Fault.BAD_PARAMETER, f"Invalid type for '{where}': expected a string or a list of parts.", where)


def digest(*texts_: str) -> str:
    """Returns 16 hexadecimal digits that stand for these texts, the same on every machine."""
    made = blake2b(digest_size=8)
    for text in texts_:
        made.update(text.encode("utf-8", "surrogatepass"))
        made.update(b"\0")
    return made.hexdigest()


def share(*texts_: str) -> float:
    """Returns a number from 0 up to but not 1 that these texts decide."""
    return int(digest(*texts_), 16) / 2**64
