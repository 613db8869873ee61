"""Anthropic's messages.

After https://docs.claude.com/en/api/messages, https://docs.claude.com/en/api/errors and
https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ditto.sim.asked import Asked, Body, Fault, Refused, Turn, between, flag, text_of, texts, whole
from ditto.sim.dialects import frame
from ditto.sim.dialects.schemas import check_anthropic
from ditto.sim.replies import Reply

_PARAMETERS = """
    model messages max_tokens cache_control container context_management diagnostics inference_geo mcp_servers
    metadata output_config output_format prefill service_tier speed stop_sequences stream system temperature
    thinking tool_choice tools top_k top_p sim
"""
_KNOWN = frozenset(_PARAMETERS.split())
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_LEAST_THINKING = 1024


class Anthropic:
    """`POST /v1/messages`."""

    def authorize(self, headers: Mapping[str, str], key: str | None) -> None:
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if not given:
            raise Refused(Fault.NO_KEY, "x-api-key header is required")
        if key is not None and given != key:
            raise Refused(Fault.WRONG_KEY, "invalid x-api-key")

    def read(self, body: Body, headers: Mapping[str, str], named: str) -> Asked:
        if not headers.get("anthropic-version"):
            raise Refused(Fault.BAD_REQUEST, "anthropic-version: header is required")
        for name in ("model", "messages", "max_tokens"):
            if body.get(name) is None:
                raise Refused(Fault.BAD_REQUEST, f"{name}: Field required", name)
        for name in sorted(set(body) - _KNOWN):
            raise Refused(Fault.BAD_REQUEST, f"{name}: Extra inputs are not permitted", name)
        if not isinstance(body["model"], str) or not body["model"]:
            raise Refused(Fault.BAD_REQUEST, "model: String should have at least 1 character", "model")
        between(body, "temperature", 0, 1)
        between(body, "top_p", 0, 1)
        max_tokens = whole(body, "max_tokens")
        tool, arguments = _forced_tool(body)
        schema = _schema(body)
        return Asked(
            model=body["model"],
            turns=_turns(body["messages"]),
            system=text_of(body.get("system", ""), "system"),
            max_tokens=max_tokens,
            stop=texts(body, "stop_sequences"),
            stream=flag(body, "stream"),
            schema=arguments if tool else schema,
            tool=tool,
            thinking=_thinking(body, max_tokens or 1),
            parameters=frozenset(body),
            behaviours=body["sim"] if isinstance(body.get("sim"), str) else "",
        )

    def reply(self, asked: Asked, reply: Reply, number: int) -> Body:
        content: list[Body] = []
        if reply.reasoning:
            content.append({"type": "thinking", "thinking": reply.reasoning, "signature": "c2ltdWxhdGVk"})
        arguments = _arguments(asked, reply)
        if arguments is not None:
            content.append({"type": "tool_use", "id": f"toolu_{number:024d}", "name": asked.tool, "input": arguments})
        elif reply.text:
            content.append({"type": "text", "text": reply.text})
        reason = _stop_reason(reply, called=arguments is not None)
        return _head(asked, reply, number) | {
            "content": content,
            "stop_reason": reason,
            "stop_sequence": reply.stopped_by or None,
        }

    def events(self, asked: Asked, reply: Reply, number: int) -> Iterator[bytes]:
        start = _head(asked, reply, number) | {"content": [], "stop_reason": None, "stop_sequence": None}
        start["usage"] = start["usage"] | {"output_tokens": 1}
        yield _event({"type": "message_start", "message": start})
        yield _event({"type": "ping"})
        at = 0
        if reply.reasoning:
            yield _event(_block(at, {"type": "thinking", "thinking": "", "signature": ""}))
            yield _event(_delta(at, {"type": "thinking_delta", "thinking": reply.reasoning}))
            yield _event(_delta(at, {"type": "signature_delta", "signature": "c2ltdWxhdGVk"}))
            yield _event({"type": "content_block_stop", "index": at})
            at += 1
        called = _arguments(asked, reply) is not None
        if reply.text:
            tool = {"type": "tool_use", "id": f"toolu_{number:024d}", "name": asked.tool, "input": {}}
            yield _event(_block(at, tool if called else {"type": "text", "text": ""}))
            for piece in reply.pieces():
                part = (
                    {"type": "input_json_delta", "partial_json": piece}
                    if called
                    else {"type": "text_delta", "text": piece}
                )
                yield _event(_delta(at, part))
            yield _event({"type": "content_block_stop", "index": at})
        ended = {"stop_reason": _stop_reason(reply, called=called), "stop_sequence": reply.stopped_by or None}
        usage = {"output_tokens": reply.output_tokens}
        yield _event({"type": "message_delta", "delta": ended, "usage": usage})
        yield _event({"type": "message_stop"})

    def error(self, refused: Refused, number: int) -> tuple[int, Body]:
        status, message = refused.status, refused.message
        kind = _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        match refused.fault:
            case Fault.NO_MODEL:
                message = f"model: {refused.subject} ({message})"
            case Fault.BAD_PARAMETER:
                message = f"{refused.subject}: {message}"
            case Fault.UNSUPPORTED_PARAMETER:
                message = f"`{refused.subject}` is deprecated for this model."
            case Fault.CONTEXT:
                message = f"prompt is too long: {refused.subject} maximum"
        error = {"type": kind, "message": message}
        return status, {"type": "error", "error": error, "request_id": f"req_{number:024d}"}


def _turns(messages: Any) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not messages:
        raise Refused(Fault.BAD_REQUEST, "messages: at least one message is required", "messages")
    turns: list[Turn] = []
    for at, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            why = f"messages.{at}.role: Input should be 'user' or 'assistant' (system is a parameter)"
            raise Refused(Fault.BAD_REQUEST, why, "messages")
        text = text_of(message.get("content"), f"messages.{at}.content")
        if not text.strip():
            raise Refused(Fault.BAD_REQUEST, "messages: text content blocks must be non-empty", "messages")
        turns.append(Turn(role="user" if role == "user" else "assistant", text=text))
    if turns[-1].role == "assistant":
        why = "This model does not support assistant message prefill. The conversation must end with a user message."
        raise Refused(Fault.BAD_REQUEST, why, "messages")
    return tuple(turns)


def _schema(body: Body) -> Body | None:
    config = body.get("output_config")
    form = config.get("format") if isinstance(config, dict) else body.get("output_format")
    if form is None:
        return None
    if not isinstance(form, dict) or form.get("type") != "json_schema" or not isinstance(form.get("schema"), dict):
        raise Refused(Fault.BAD_REQUEST, "output_config.format: Input should have type 'json_schema' and a schema")
    schema: Body = form["schema"]
    check_anthropic(schema)
    return schema


def _forced_tool(body: Body) -> tuple[str, Body | None]:
    choice, tools = body.get("tool_choice"), body.get("tools")
    listed = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    kind = choice.get("type") if isinstance(choice, dict) else "auto"
    if kind not in ("tool", "any"):
        return "", None
    for tool in listed:
        if kind == "any" or (isinstance(choice, dict) and tool.get("name") == choice.get("name")):
            return str(tool.get("name")), tool.get("input_schema") or {"type": "object"}
    raise Refused(Fault.BAD_REQUEST, "tool_choice: Tool not found in provided tools", "tool_choice")


def _thinking(body: Body, max_tokens: int) -> bool:
    form = body.get("thinking")
    kind = form.get("type") if isinstance(form, dict) else "disabled"
    if kind != "enabled" or not isinstance(form, dict):
        return kind == "adaptive"
    budget = whole(form, "budget_tokens", low=_LEAST_THINKING)
    if budget is None:
        raise Refused(Fault.BAD_REQUEST, "thinking.enabled.budget_tokens: Field required", "thinking")
    if budget >= max_tokens:
        raise Refused(Fault.BAD_REQUEST, "`max_tokens` must be greater than `thinking.budget_tokens`.", "max_tokens")
    if body.get("temperature") not in (None, 1):
        raise Refused(Fault.BAD_REQUEST, "`temperature` may only be set to 1 when thinking is enabled.", "temperature")
    return True


def _arguments(asked: Asked, reply: Reply) -> Body | None:
    """What the forced tool is called with; None where the model says something else."""
    if not asked.tool:
        return None
    try:
        value = json.loads(reply.text)
    except ValueError:
        return {} if reply.finish == "length" else None
    return value if isinstance(value, dict) else None


def _stop_reason(reply: Reply, *, called: bool) -> str:
    match reply.finish:
        case "length":
            return "max_tokens"
        case "content_filter":
            return "refusal"
        case _:
            return "tool_use" if called else "stop_sequence" if reply.stopped_by else "end_turn"


def _head(asked: Asked, reply: Reply, number: int) -> Body:
    usage = {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": reply.output_tokens,
        "service_tier": "standard",
    }
    return {"id": f"msg_{number:024d}", "type": "message", "role": "assistant", "model": asked.model, "usage": usage}


def _event(data: Body) -> bytes:
    return frame(data, event=data["type"])


def _block(at: int, block: Body) -> Body:
    return {"type": "content_block_start", "index": at, "content_block": block}


def _delta(at: int, delta: Body) -> Body:
    return {"type": "content_block_delta", "index": at, "delta": delta}
