"""`POST /v1/chat/completions`: what a request says, field by field, and what is asked of Ditto then.

Source: developers.openai.com/api/reference/resources/chat.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ditto.domain.request import WHOLE, MaxTokens, Temperature, TopP
from ditto.domain.spec import JSON
from ditto.http.openai.asked import Asked, compose
from ditto.http.openai.formats import ChatFormat
from ditto.http.openai.models import Models
from ditto.http.openai.only import Only
from ditto.http.openai.text_or import TextOr
from ditto.http.openai.turns import Turn, conversation


class StreamOptions(BaseModel):
    """What a stream is to show beside the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    include_usage: bool | None = None
    include_obfuscation: Annotated[JSON, Only(False)] = None


def _several(stop: JSON) -> JSON:
    return [stop] if isinstance(stop, str) else stop


class ChatRequest(BaseModel):
    """A chat completion that is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str
    messages: Annotated[list[Turn], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ChatFormat | None = None
    stop: Annotated[list[str], Field(max_length=4), TextOr(_several)] | None = None
    max_tokens: MaxTokens | None = None
    max_completion_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    seed: Annotated[int, WHOLE] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    ditto: dict[str, Any] | None = None

    n: Annotated[JSON, Only(1)] = None
    tools: Annotated[JSON, Only([])] = None
    tool_choice: Annotated[JSON, Only("none", "auto")] = None
    parallel_tool_calls: Annotated[JSON, Only(True, False)] = None
    functions: Annotated[JSON, Only([])] = None
    function_call: Annotated[JSON, Only("none", "auto")] = None
    logprobs: Annotated[JSON, Only(False)] = None
    top_logprobs: Annotated[JSON, Only(0)] = None
    logit_bias: Annotated[JSON, Only({})] = None
    frequency_penalty: Annotated[JSON, Only(0)] = None
    presence_penalty: Annotated[JSON, Only(0)] = None
    modalities: Annotated[JSON, Only(["text"])] = None
    audio: Annotated[JSON, Only()] = None
    prediction: Annotated[JSON, Only()] = None
    reasoning_effort: Annotated[JSON, Only()] = None
    verbosity: Annotated[JSON, Only("medium")] = None
    web_search_options: Annotated[JSON, Only()] = None
    moderation: Annotated[JSON, Only()] = None
    store: Annotated[JSON, Only(False)] = None
    service_tier: Annotated[JSON, Only("auto", "default")] = None
    safety_identifier: Annotated[JSON, Only()] = None
    prompt_cache_key: Annotated[JSON, Only()] = None
    prompt_cache_options: Annotated[JSON, Only()] = None
    prompt_cache_retention: Annotated[JSON, Only()] = None

    @model_validator(mode="after")
    def _fields_agree(self) -> ChatRequest:
        limits = {limit for limit in (self.max_tokens, self.max_completion_tokens) if limit is not None}
        if len(limits) > 1:
            raise ValueError("max_tokens and max_completion_tokens are one limit: give it once")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options are for stream: true")
        return self

    def asked(self, models: Models, key: str | None) -> Asked:
        """Returns what is asked of Ditto.

        Args:
            key: The idempotency key of the header.

        Raises:
            NotFound: There is no such model.
            BadRequest: `details` lists every wrong field with its path.
        """
        fields = {
            "messages": conversation(self.messages),
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens,
            "stop": self.stop,
            "seed": self.seed,
            "schema": None if self.response_format is None else self.response_format.wanted,
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
