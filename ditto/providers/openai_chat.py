"""The chat-completions dialect: OpenAI's own, and that of every provider with a compatible endpoint.

Google, Mistral, Groq, Together, DeepSeek, OpenRouter, Ollama and vLLM speak it too, each a little differently. What a
provider calls otherwise or lacks stands in its settings; what a family of models does not take stands here.

Source: developers.openai.com/api/reference/resources/chat, and the providers' own pages on compatibility.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

from ditto.domain.spec import Message
from ditto.errors import CallError, CallInvalidReply, CallOverloaded
from ditto.providers import failures
from ditto.providers.bodies import as_count, as_list, as_object, as_text, reply_object
from ditto.providers.chat_stream import ChatAssembly
from ditto.providers.port import Built, ModelReply, ModelRequest
from ditto.providers.posting import post
from ditto.providers.reply_text import checked, joined
from ditto.providers.schema_subsets import OPENAI_STRICT, fitted
from ditto.settings.endpoints import Endpoint

SCHEMA_SWITCH = "response_format"
STREAM: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
"""A model that refuses one of the two is asked for the whole reply: without the second most do not count tokens."""
_PARAMETERS = (
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed", "random_seed", "system",
    "stream", "stream_options",
)  # fmt: skip
_TAKES_NO = (
    (re.compile(r"o\d"), frozenset({"temperature", "top_p"})),
    (re.compile(r"o[34]"), frozenset({"stop"})),
    (re.compile(r"gpt-5(?!\.|.*chat)"), frozenset({"temperature", "top_p", "stop"})),
    (re.compile(r"deepseek-reasoner"), frozenset({"temperature", "top_p"})),
)
"""By the start of a model's name. GPT-5.1 and later take a temperature as long as they do not reason."""
_COUNTS_COMPLETION = re.compile(r"o\d|gpt-[5-9]")
_FINISH = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
}
_INTERRUPTED = frozenset({"error", "insufficient_system_resource"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})


class OpenAIChat:
    """`POST {base_url}/chat/completions`."""

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
        """Returns the HTTP request; parameters named in `left_out` are not sent, or in another way."""
        base_url = endpoint.base_url.rstrip("/").replace("{account}", account or "")
        body, warnings, dispensable = chat_body(request, endpoint, left_out)
        streams = stream and not STREAM.keys() & left_out
        switch = {name: value for name, value in STREAM.items() if streams and name not in endpoint.lacks}
        authorization = {"authorization": f"Bearer {key}"} if key else {}
        return Built(
            request=post(f"{base_url}/chat/completions", {**authorization, **endpoint.headers}, {**body, **switch}),
            warnings=warnings,
            dispensable=dispensable | switch.keys(),
            assembly=ChatAssembly() if streams else None,
        )

    def read(self, body: bytes, request: ModelRequest) -> ModelReply:
        """Returns the reply in the body of a successful response."""
        return read_completion(reply_object(body), body)

    def refusal(self, status: int, body: bytes) -> ModelReply | None:
        """Returns the reply that a content filter's 400 or 403 stands for."""
        if status not in (400, 403):
            return None
        words = failures.said(body)
        flagged = "flagged" in words.words and ("moderation" in words.words or "usage policy" in words.words)
        if not flagged and not _FILTERED & set(words.code.split()):
            return None
        return ModelReply(text=words.message, finish="content_filter")

    def error(self, status: int, headers: httpx.Headers, body: bytes) -> CallError:
        """Returns the typed error for an unsuccessful response."""
        return failures.typed(status, headers, failures.said(body))

    def refused_parameter(self, status: int, body: bytes) -> str | None:
        """Returns the name of the parameter that this model does not take, if the response says so."""
        return failures.refused(status, failures.said(body), parameters=_PARAMETERS, schema=SCHEMA_SWITCH)


@dataclass(slots=True)
class _Draft:
    """A body on its way: what is put in unless the model lacks it."""

    lacks: frozenset[str]
    renames: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    dispensable: set[str] = field(default_factory=set)

    def put(self, word: str, name: str, value: object) -> None:
        """Puts one parameter in if it is wanted; `word` is what Ditto calls it, `name` the dialect."""
        name = self.renames.get(name, name)
        if value is None or value == []:
            return
        if name in self.lacks:
            self.warnings.append(f"takes no {word}: not sent")
        else:
            self.body[name] = value
            self.dispensable.add(name)


def chat_body(
    request: ModelRequest, endpoint: Endpoint, left_out: frozenset[str]
) -> tuple[dict[str, Any], tuple[str, ...], frozenset[str]]:
    """Returns the body of a chat completion, its warnings, and which of its parameters are dispensable."""
    model = request.model.rsplit("/", 1)[-1]
    draft = _Draft(lacks=_takes_no(model).union(left_out, endpoint.lacks), renames=endpoint.renames)
    draft.body = {"model": request.model, "messages": _turns(request, draft)}
    sampling = request.sampling
    draft.put("temperature", "temperature", sampling.temperature)
    draft.put("top_p", "top_p", sampling.top_p)
    if sampling.max_tokens is not None:
        draft.put("max_tokens", _limit_name(model, draft.lacks), sampling.max_tokens)
    draft.put("stop", "stop", list(sampling.stop))
    draft.put("seed", "seed", request.seed)
    draft.put("structured output", SCHEMA_SWITCH, _response_format(request, endpoint))
    return draft.body, tuple(draft.warnings), frozenset(draft.dispensable)


@lru_cache(maxsize=1_024)
def _takes_no(model: str) -> frozenset[str]:
    return frozenset(name for pattern, names in _TAKES_NO if pattern.match(model) for name in names)


def messages_with_system(request: ModelRequest) -> list[dict[str, str]]:
    """Returns the conversation, its system message first."""
    turns = [{"role": message.role, "content": message.content} for message in request.messages]
    return [{"role": "system", "content": request.system}, *turns] if request.system else turns


def messages_without_system(request: ModelRequest) -> list[dict[str, str]]:
    """Returns the conversation, what its system messages say at the head of the user's first one."""
    said = [request.system or "", *(message.content for message in request.messages if message.role == "system")]
    turns = [message for message in request.messages if message.role != "system"]
    first = next(place for place, message in enumerate(turns) if message.role == "user")
    headed = "\n\n".join(filter(None, [*said, turns[first].content]))
    turns[first] = Message(role="user", content=headed)
    return [{"role": message.role, "content": message.content} for message in turns]


def read_completion(decoded: dict[str, Any], body: bytes) -> ModelReply:
    """Returns the reply in a chat completion.

    Raises:
        CallError: It is an error, was interrupted, or has no text.
    """
    if decoded.get("error") or decoded.get("errors"):
        raise failures.typed_from_body(failures.said(body))
    choice = as_object(next(iter(as_list(decoded.get("choices"))), None))
    message = as_object(choice.get("message"))
    if choice.get("error"):
        raise failures.typed_from_body(failures.said_by_object(choice))
    if not message:
        raise CallInvalidReply("the response has no message")
    reason = as_text(choice.get("finish_reason")).lower() or "stop"
    if reason in _INTERRUPTED:
        raise CallOverloaded(f"the provider broke the reply off: {reason}")
    finish = _FINISH.get(reason, "other")
    text, refusal = joined(message.get("content")), as_text(message.get("refusal"))
    if refusal and not text.strip():
        text, finish = refusal, "content_filter"
    usage = as_object(decoded.get("usage"))
    return ModelReply(
        text=checked(text, finish),
        finish=finish,
        input_tokens=as_count(usage.get("prompt_tokens")),
        output_tokens=as_count(usage.get("completion_tokens")),
    )


def _turns(request: ModelRequest, draft: _Draft) -> list[dict[str, str]]:
    if not request.system:
        return messages_with_system(request)
    if "system" in draft.lacks:
        draft.warnings.append("takes no system message: put before the question")
        return messages_without_system(request)
    draft.dispensable.add("system")
    return messages_with_system(request)


def _limit_name(model: str, lacks: frozenset[str]) -> str:
    """Returns the name for the token limit: the model's usual one, the other where that has been refused."""
    names = ["max_tokens", "max_completion_tokens"]
    if _COUNTS_COMPLETION.match(model):
        names.reverse()
    return next((name for name in names if name not in lacks), names[0])


def _response_format(request: ModelRequest, endpoint: Endpoint) -> dict[str, Any] | None:
    if request.schema is None or endpoint.structured_output == "none":
        return None
    if endpoint.structured_output == "json_object":
        return {"type": "json_object"}
    strict = fitted(request.schema, OPENAI_STRICT)
    schema = request.schema if strict is None else strict
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": strict is not None, "schema": schema}}
