"""Anthropic's Messages dialect.

Source: platform.claude.com/docs/en/api/messages, …/api/errors, …/build-with-claude/structured-outputs.
"""

from __future__ import annotations

import re
from typing import Any

import httpx

from ditto.errors import CallError, CallInvalidReply
from ditto.providers import failures
from ditto.providers.anthropic_stream import MessageAssembly
from ditto.providers.bodies import as_count, as_list, as_object, as_text, reply_object
from ditto.providers.port import Built, ModelReply, ModelRequest
from ditto.providers.posting import post
from ditto.providers.reply_text import checked, joined
from ditto.providers.schema_subsets import ANTHROPIC, fitted
from ditto.settings.endpoints import Endpoint

_VERSION = "2023-06-01"
_SCHEMA_SWITCH = "output_config"
_PARAMETERS = ("temperature", "top_p", "max_tokens", "stop_sequences", "system", "stream")
_NO_SAMPLING = re.compile(r"claude-opus-4-[7-9]|claude-opus-[5-9]")
_MAX_TOKENS = 16_384
_MAX_TOKENS_OF_EVERY_MODEL = 4_096
"""A limit must be sent. The first is for whoever has set none; the second is what the oldest models still take."""
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


class AnthropicMessages:
    """`POST {base_url}/messages`."""

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
        body, warnings = _body(request, left_out)
        headers = {"anthropic-version": _VERSION, **({"x-api-key": key} if key else {}), **endpoint.headers}
        switch = {"stream": True} if stream and "stream" not in left_out else {}
        return Built(
            request=post(f"{endpoint.base_url.rstrip('/')}/messages", headers, {**body, **switch}),
            warnings=tuple(warnings),
            dispensable=_dispensable(body) | switch.keys(),
            assembly=MessageAssembly() if switch else None,
        )

    def read(self, body: bytes, request: ModelRequest) -> ModelReply:
        """Returns the reply in the body of a successful response; blocks of thinking are no part of it."""
        decoded = reply_object(body)
        if decoded.get("type") == "error" or decoded.get("error"):
            raise failures.typed_from_body(failures.said(body))
        if not isinstance(decoded.get("content"), list):
            raise CallInvalidReply("the response has no content")
        finish = _FINISH.get(as_text(decoded.get("stop_reason")), "other")
        usage = as_object(decoded.get("usage"))
        cached = ("cache_creation_input_tokens", "cache_read_input_tokens")
        read = as_count(usage.get("input_tokens"))
        return ModelReply(
            text=checked(joined(as_list(decoded["content"])), finish),
            finish=finish,
            input_tokens=None if read is None else read + sum(as_count(usage.get(name)) or 0 for name in cached),
            output_tokens=as_count(usage.get("output_tokens")),
        )

    def refusal(self, status: int, body: bytes) -> ModelReply | None:
        """Returns None: a refusal comes with status 200 and `stop_reason` `refusal`."""
        return None

    def error(self, status: int, headers: httpx.Headers, body: bytes) -> CallError:
        """Returns the typed error for an unsuccessful response."""
        return failures.typed(status, headers, failures.said(body))

    def refused_parameter(self, status: int, body: bytes) -> str | None:
        """Returns the name of the parameter that this model does not take, if the response says so."""
        return failures.refused(status, failures.said(body), parameters=_PARAMETERS, schema=_SCHEMA_SWITCH)


def _body(request: ModelRequest, left_out: frozenset[str]) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    said = [request.system or "", *(message.content for message in request.messages if message.role == "system")]
    turns = [message for message in request.messages if message.role != "system" and message.content.strip()]
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": _limit(request, left_out, warnings),
        "messages": [{"role": message.role, "content": message.content} for message in turns],
    }
    if any(said):
        body["system"] = "\n\n".join(filter(None, said))
    for name, value in _sampling(request, warnings).items():
        if name in left_out or (name != "stop_sequences" and _NO_SAMPLING.match(request.model)):
            warnings.append(f"takes no {name.removesuffix('_sequences')}: not sent")
        else:
            body[name] = value
    if request.seed is not None:
        warnings.append("takes no seed: not sent")
    if request.schema is not None:
        schema = None if _SCHEMA_SWITCH in left_out else fitted(request.schema, ANTHROPIC)
        if schema is None:
            warnings.append("takes no structured output for this schema: not sent")
        else:
            body[_SCHEMA_SWITCH] = {"format": {"type": "json_schema", "schema": schema}}
    return body, warnings


def _dispensable(body: dict[str, Any]) -> frozenset[str]:
    names = {"temperature", "top_p", "stop_sequences", _SCHEMA_SWITCH} & set(body)
    return frozenset(names | ({"max_tokens"} if body["max_tokens"] > _MAX_TOKENS_OF_EVERY_MODEL else set()))


def _sampling(request: ModelRequest, warnings: list[str]) -> dict[str, Any]:
    sampling = request.sampling
    wanted: dict[str, Any] = {}
    if sampling.temperature is not None:
        wanted["temperature"] = min(sampling.temperature, 1.0)
        if sampling.temperature > 1:
            warnings.append(f"takes a temperature up to 1: 1 sent instead of {sampling.temperature:g}")
    if sampling.top_p is not None:
        wanted["top_p"] = sampling.top_p
    if sampling.stop:
        wanted["stop_sequences"] = list(sampling.stop)
    return wanted


def _limit(request: ModelRequest, left_out: frozenset[str], warnings: list[str]) -> int:
    wanted = request.sampling.max_tokens
    if "max_tokens" not in left_out:
        return _MAX_TOKENS if wanted is None else wanted
    if wanted is not None:
        warnings.append(f"takes no max_tokens of {wanted}: {min(wanted, _MAX_TOKENS_OF_EVERY_MODEL)} sent")
    return min(wanted or _MAX_TOKENS, _MAX_TOKENS_OF_EVERY_MODEL)
