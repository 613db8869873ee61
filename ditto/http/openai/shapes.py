"""The shapes of what OpenAI's routes answer, for the OpenAPI document; a test holds the real answers against them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from ditto.domain.spec import StrategyName
from ditto.http.shapes import JobResponse, WrongField


class ChatMessage(BaseModel):
    """The answer: text, or with a schema its value as JSON."""

    role: Literal["assistant"]
    content: str
    refusal: None


class ChatChoice(BaseModel):
    """The one choice."""

    index: Literal[0]
    message: ChatMessage
    logprobs: None
    finish_reason: Literal["stop", "length", "content_filter"]


class ChatUsage(BaseModel):
    """The tokens of all calls together."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """A chat completion; `ditto` is the job. `usage` is null where no provider has counted."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None
    ditto: JobResponse


class OutputText(BaseModel):
    """The answer: text, or with a schema its value as JSON."""

    type: Literal["output_text"]
    text: str
    annotations: list[Any]
    logprobs: list[Any]


class OutputMessage(BaseModel):
    """The one item of the output."""

    type: Literal["message"]
    id: str
    status: Literal["completed", "incomplete"]
    role: Literal["assistant"]
    content: list[OutputText]


class ResponseUsage(BaseModel):
    """The tokens of all calls together; what is cached and reasoned is not counted apart, and shown as 0."""

    input_tokens: int
    input_tokens_details: dict[str, int]
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int


class ModelResponse(BaseModel):
    """A response; `ditto` is the job. `usage` is null where no provider has counted."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete"]
    completed_at: int | None
    error: None
    incomplete_details: dict[str, str] | None
    instructions: str | None
    max_output_tokens: int | None
    model: str
    output: list[OutputMessage]
    parallel_tool_calls: bool
    previous_response_id: None
    reasoning: None
    store: Literal[False]
    temperature: float | None
    text: dict[str, Any]
    tool_choice: Literal["auto"]
    tools: list[Any]
    top_p: float | None
    truncation: Literal["disabled"]
    usage: ResponseUsage | None
    user: str | None
    metadata: dict[str, Any]
    ditto: JobResponse


class ModelPanel(BaseModel):
    """Who is asked, and how the answers are combined."""

    models: list[str]
    strategy: StrategyName


class ModelObject(BaseModel):
    """A model: an ensemble, a panel or one configured model. `created` is 0: the settings tell no moment."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    ditto: ModelPanel


class ModelList(BaseModel):
    """All models that the settings name."""

    object: Literal["list"]
    data: list[ModelObject]


class OwnError(BaseModel):
    """What Ditto says of an error on its own routes."""

    type: str
    details: list[WrongField] | dict[str, Any] | None
    jobId: str | None


class OpenAIErrorContent(BaseModel):
    """What happened to what; `param` is the first wrong field."""

    message: str
    type: Literal["invalid_request_error", "rate_limit_error", "server_error"]
    param: str | None
    code: str
    ditto: OwnError


class OpenAIError(BaseModel):
    """An error as OpenAI's clients read it."""

    error: OpenAIErrorContent
