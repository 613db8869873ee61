"""Chat messages as OpenAI's clients send them, and as Ditto takes them: text by system, user and assistant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ditto.domain.spec import JSON
from ditto.http.openai.only import Only
from ditto.http.openai.text_or import TextOr

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_TEXTS = frozenset({"text", "input_text", "output_text"})
_JOINT = "\n"


class Part(BaseModel):
    """A part of a message's content: text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: Literal["text", "input_text", "output_text"]
    text: str
    annotations: Annotated[JSON, Only([])] = None
    logprobs: Annotated[JSON, Only([])] = None

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("type"), str) and given["type"] not in _TEXTS:
            raise ValueError(f"{given['type']} is not supported: only text is")
        return given


def _parts(content: JSON) -> JSON:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, list) and content:
        return content
    raise ValueError("must be a text, or a list of parts of type text")


class Turn(BaseModel):
    """One message of a conversation.

    What an answer of OpenAI's contract has beside its text is taken where it is empty, so that an answer can be sent
    back as the turn that it was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[list[Part], Field(min_length=1), TextOr(_parts)]
    name: Annotated[JSON, Only()] = None
    refusal: Annotated[JSON, Only()] = None
    annotations: Annotated[JSON, Only([])] = None
    audio: Annotated[JSON, Only()] = None
    tool_calls: Annotated[JSON, Only([])] = None
    function_call: Annotated[JSON, Only()] = None

    @model_validator(mode="before")
    @classmethod
    def _is_said_by_somebody(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("role") in ("tool", "function"):
            raise ValueError(f"messages of role {given['role']} are not supported: tools are not")
        return given

    @model_validator(mode="after")
    def _says_something(self) -> Turn:
        if not self.text:
            raise ValueError("its content is empty")
        return self

    @property
    def text(self) -> str:
        """The content as one text."""
        return _JOINT.join(part.text for part in self.content)


def conversation(turns: Sequence[Turn], instructions: str | None = None) -> list[dict[str, str]]:
    """Returns the messages for Ditto's own request, the instructions first."""
    said = [{"role": _ROLES[turn.role], "content": turn.text} for turn in turns]
    return [{"role": "system", "content": instructions}, *said] if instructions else said
