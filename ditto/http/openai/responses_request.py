"""`POST /v1/responses`: what a request says, field by field, and what is asked of Ditto then.

Source: developers.openai.com/api/reference/resources/responses.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ditto.domain.request import MaxTokens, Temperature, TopP
from ditto.domain.spec import JSON
from ditto.http.openai.asked import Asked, compose
from ditto.http.openai.formats import ResponseFormat
from ditto.http.openai.models import Models
from ditto.http.openai.only import Only
from ditto.http.openai.text_or import TextOr
from ditto.http.openai.turns import Turn, conversation


class TextOptions(BaseModel):
    """What form the text is to have."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: ResponseFormat | None = None
    verbosity: Annotated[JSON, Only("medium")] = None


class Item(Turn):
    """A message of the input; `id` and `status` are those of an answer that is sent back."""

    type: Literal["message"] | None = None
    id: str | None = None
    status: str | None = None
    phase: Annotated[JSON, Only()] = None


def _items(given: JSON) -> JSON:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    for place, item in enumerate(given if isinstance(given, list) else ()):
        kind = item.get("type", "message") if isinstance(item, dict) else None
        if isinstance(kind, str) and kind != "message":
            raise ValueError(f"item {place}: {kind} is not supported: only messages are")
    return given


class ResponsesRequest(BaseModel):
    """A response that is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str
    input: Annotated[list[Item], Field(min_length=1), TextOr(_items)]
    instructions: str | None = None
    stream: bool | None = None
    text: TextOptions | None = None
    max_output_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    ditto: dict[str, Any] | None = None

    tools: Annotated[JSON, Only([])] = None
    tool_choice: Annotated[JSON, Only("none", "auto")] = None
    parallel_tool_calls: Annotated[JSON, Only(True, False)] = None
    max_tool_calls: Annotated[JSON, Only()] = None
    include: Annotated[JSON, Only([])] = None
    top_logprobs: Annotated[JSON, Only(0)] = None
    reasoning: Annotated[JSON, Only({}, {"effort": None}, {"effort": None, "summary": None})] = None
    truncation: Annotated[JSON, Only("disabled")] = None
    background: Annotated[JSON, Only(False)] = None
    background_options: Annotated[JSON, Only()] = None
    store: Annotated[JSON, Only(False)] = None
    stream_options: Annotated[JSON, Only({}, {"include_obfuscation": False})] = None
    previous_response_id: Annotated[JSON, Only()] = None
    conversation: Annotated[JSON, Only()] = None
    context_management: Annotated[JSON, Only([])] = None
    prompt: Annotated[JSON, Only()] = None
    image: Annotated[JSON, Only()] = None
    moderation: Annotated[JSON, Only()] = None
    access_programs: Annotated[JSON, Only()] = None
    service_tier: Annotated[JSON, Only("auto", "default")] = None
    safety_identifier: Annotated[JSON, Only()] = None
    prompt_cache_key: Annotated[JSON, Only()] = None
    prompt_cache_options: Annotated[JSON, Only()] = None
    prompt_cache_retention: Annotated[JSON, Only()] = None

    def asked(self, models: Models, key: str | None) -> Asked:
        """Returns what is asked of Ditto.

        Args:
            key: The idempotency key of the header.

        Raises:
            NotFound: There is no such model.
            BadRequest: `details` lists every wrong field with its path.
        """
        form = None if self.text is None else self.text.format
        fields = {
            "messages": conversation(self.input, self.instructions),
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_output_tokens,
            "schema": None if form is None else form.wanted,
        }
        return compose(
            models.panel(self.model),
            fields,
            user=self.user,
            metadata=self.metadata,
            streams=bool(self.stream),
            own=self.ditto,
            key=key,
        )
