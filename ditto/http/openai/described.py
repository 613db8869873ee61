"""OpenAI's routes as the OpenAPI document tells them: what each takes, what it answers, and an example of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from ditto.domain.spec import JSON
from ditto.errors import service_error
from ditto.http import examples, openapi
from ditto.http.openai import extras
from ditto.http.openai.chat_request import ChatRequest
from ditto.http.openai.errors import openai_error
from ditto.http.openai.responses_request import ResponsesRequest
from ditto.http.openai.shapes import ChatCompletion, ModelList, ModelObject, ModelResponse, OpenAIError

_KEY = {
    **openapi.KEY,
    "description": "The same key and the same request is the same job; and a hang-up does not cancel it.",
}
_JOB_HEADER = {"x-ditto-job-id": {"description": "The job's id.", "schema": {"type": "string"}}}
_ANSWER = examples.JOB["result"]
_JOB_ID = examples.JOB["jobId"]
_MODEL: dict[str, Any] = {
    "id": "default",
    "object": "model",
    "created": 0,
    "owned_by": "ditto",
    "ditto": {"models": ["sim/alpha", "sim/beta"], "strategy": "consensus"},
}
_COMPLETION: dict[str, Any] = {
    "id": f"chatcmpl-{_JOB_ID}",
    "object": "chat.completion",
    "created": 1751362200,
    "model": "default",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": _ANSWER, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 42, "completion_tokens": 14, "total_tokens": 56},
    "ditto": examples.JOB,
}
_RESPONSE: dict[str, Any] = {
    "id": f"resp_{_JOB_ID}",
    "object": "response",
    "created_at": 1751362200,
    "status": "completed",
    "completed_at": 1751362200,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "model": "default",
    "output": [
        {
            "type": "message",
            "id": f"msg_{_JOB_ID}",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": _ANSWER, "annotations": [], "logprobs": []}],
        }
    ],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": None,
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "usage": {
        "input_tokens": 42,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 14,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 56,
    },
    "user": None,
    "metadata": {},
    "ditto": examples.JOB,
}
_CHUNK = (
    f'data: {{"id":"chatcmpl-{_JOB_ID}","object":"chat.completion.chunk","created":1751362200,"model":"default",'
    f'"choices":[{{"index":0,"delta":{{"content":"{_ANSWER}"}},"logprobs":null,"finish_reason":null}}]}}\n\n'
)
_DELTA = (
    "event: response.output_text.delta\n"
    f'data: {{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_{_JOB_ID}","output_index":0,'
    f'"content_index":0,"delta":"{_ANSWER}","logprobs":[]}}\n\n'
)
_QUESTION = "Is this email urgent? 'Please answer before noon.'"
_CHAT_REQUESTS: dict[str, Any] = {
    "plain": {"value": {"model": "default", "messages": [{"role": "user", "content": _QUESTION}]}},
    "first reply first": {
        "value": {
            "model": "ditto/consensus:sim/terse,sim/wordy",
            "messages": [{"role": "user", "content": _QUESTION}],
            "stream": True,
            "ditto": {"stream": "first"},
        }
    },
}
_RESPONSES_REQUESTS: dict[str, Any] = {"plain": {"value": {"model": "default", "input": _QUESTION}}}


_FIELDS = {
    "model": "An ensemble, one model, or `ditto/<strategy>:<model>,<model>`; `GET /v1/models` lists the named ones.",
    "messages": "The conversation, in text; the last message is a user's.",
    "input": "The question, or the conversation in text; the last message is a user's.",
    "instructions": "The system prompt, before those of the input.",
    "stream": "Whether the answer is streamed: once it is decided, unless `ditto.stream` says otherwise.",
    "stream_options": "`include_usage`: the tokens come in a last chunk of their own.",
    "response_format": "Text, any JSON object, or what a JSON Schema says; the answer is held to it.",
    "text": "`format`: text, any JSON object, or what a JSON Schema says; the answer is held to it.",
    "stop": "Passed on to the providers.",
    "max_tokens": "Passed on to the providers.",
    "max_completion_tokens": "Passed on to the providers; the same limit as `max_tokens`.",
    "max_output_tokens": "Passed on to the providers.",
    "temperature": "Passed on to the providers.",
    "top_p": "Passed on to the providers.",
    "seed": "Passed on to the providers; the second call of one model gets `seed` + 1, and so on.",
    "user": "Kept as `user` in the job's metadata.",
    "metadata": "Kept with the job, searchable.",
    "ditto": "What OpenAI's contract has no words for. `stream`: `first` shows the reply that begins first as it comes "
    "and says at the end whether the panel agreed. The other fields are those of `POST /llm`.",
}


_STREAMS = {"required": ["stream"], "properties": {"stream": {"const": True}}}
_FIRST = {"type": "object", "required": ["stream"], "properties": {"stream": {"const": "first"}}}
_OF_STREAMS = [
    {"if": {"required": ["ditto"], "properties": {"ditto": _FIRST}}, "then": _STREAMS},
    {"if": {"required": ["stream_options"], "properties": {"stream_options": {"type": "object"}}}, "then": _STREAMS},
]
"""Which fields are for streams only."""


def schemas() -> dict[str, Any]:
    """Returns the shapes of requests, and of what they refer to, by name."""
    kinds: tuple[type[BaseModel], ...] = (ChatRequest, ResponsesRequest)
    found: dict[str, Any] = {}
    for kind in kinds:
        whole = kind.model_json_schema(ref_template=openapi.REFS)
        whole["properties"]["ditto"] = extras.shape(examples.FIELDS)
        for name, words in _FIELDS.items():
            if name in whole["properties"]:
                whole["properties"][name]["description"] = words
        whole["allOf"] = _OF_STREAMS if kind is ChatRequest else _OF_STREAMS[:1]
        found |= {**whole.pop("$defs", {}), kind.__name__: whole}
    return found


def _answer(description: str, model: type[BaseModel], example: JSON, stream: str | None = None) -> dict[str, Any]:
    """Returns a successful answer, in JSON or, where it can be one, as a stream."""
    answer = openapi.success(description, model, example)
    if stream is not None:
        answer["headers"] = _JOB_HEADER
        answer["content"]["text/event-stream"] = {"schema": openapi.EVENT_SHAPE, "example": stream}
    return answer


def _failures(statuses: Iterable[int]) -> dict[int | str, dict[str, Any]]:
    failures: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        told = examples.ERRORS[status]["error"]
        error = service_error(told["type"], status, told["message"], told["details"], told.get("jobId"))
        if status == 400:
            error.details = [{"path": "n", "message": "is not supported: only 1 is taken"}]
        if status == 404:
            error = service_error("NotFound", 404, "there is no model 'x'", [{"path": "model", "message": "unknown"}])
        meaning = "There is no such model." if status == 404 else openapi.MEANINGS[status]
        failures[status] = openapi.failure(status, meaning, OpenAIError, openai_error(error, ""))
    return failures


def _body(kind: type[BaseModel], shown: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"$ref": openapi.REFS.format(model=kind.__name__)}, "examples": shown}


_FAILS = sorted((*openapi.BODY_FAILS, 401, 404, 409, 502, 504))
_NAME = {
    "name": "model",
    "in": "path",
    "required": True,
    "description": "The model's name; slashes in it may stand as they are.",
    "schema": {"type": "string"},
    "example": "default",
}

CHAT = openapi.operation(
    "createChatCompletion",
    "Ask as OpenAI's chat completions do",
    "openai",
    answers={
        200: _answer("The merged answer; with `stream` as chunks.", ChatCompletion, _COMPLETION, _CHUNK),
        **_failures(_FAILS),
    },
    parameters=[_KEY],
    body=_body(ChatRequest, _CHAT_REQUESTS),
)
RESPONSES = openapi.operation(
    "createResponse",
    "Ask as OpenAI's responses do",
    "openai",
    answers={
        200: _answer("The merged answer; with `stream` as events.", ModelResponse, _RESPONSE, _DELTA),
        **_failures(_FAILS),
    },
    parameters=[_KEY],
    body=_body(ResponsesRequest, _RESPONSES_REQUESTS),
)
MODELS = openapi.operation(
    "listModels",
    "Who can be asked",
    "openai",
    answers={
        200: _answer("Ensembles and models.", ModelList, {"object": "list", "data": [_MODEL]}),
        **_failures((400, 401, 429, 500, 503)),
    },
)
MODEL = openapi.operation(
    "getModel",
    "One that can be asked",
    "openai",
    answers={200: _answer("The model.", ModelObject, _MODEL), **_failures((400, 401, 403, 404, 429, 500, 503))},
    parameters=[_NAME],
)

OPERATIONS = (CHAT, RESPONSES, MODELS, MODEL)
