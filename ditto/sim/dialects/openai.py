"""OpenAI's chat completions, as most providers speak them.

After https://platform.openai.com/docs/api-reference/chat and https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ditto.sim.asked import Asked, Body, Fault, Refused, Turn, between, flag, text_of, texts, whole
from ditto.sim.dialects import frame
from ditto.sim.dialects.schemas import check_strict
from ditto.sim.replies import Reply

_PARAMETERS = """
    messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens
    max_tokens metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed
    service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user
    verbosity web_search_options sim
"""
KNOWN = frozenset(_PARAMETERS.split())
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_CREATED = 1_750_000_000
_TYPES = {
    401: "invalid_request_error",
    403: "permission_error",
    429: "requests",
    500: "server_error",
    503: "server_error",
}
_CODES = {
    Fault.NO_KEY: None,
    Fault.WRONG_KEY: "invalid_api_key",
    Fault.NO_MODEL: "model_not_found",
    Fault.NO_ROW: "recorded_reply_not_found",
    Fault.CONTEXT: "context_length_exceeded",
    Fault.BAD_PARAMETER: "invalid_value",
    Fault.UNSUPPORTED_PARAMETER: "unsupported_parameter",
}


class OpenAI:
    """`POST /v1/chat/completions`."""

    def authorize(self, headers: Mapping[str, str], key: str | None) -> None:
        if key is None:
            return
        given = headers.get("authorization", "")
        if not given:
            raise Refused(
                Fault.NO_KEY, "You didn't provide an API key. You need to provide it in an Authorization header."
            )
        if given != f"Bearer {key}":
            raise Refused(Fault.WRONG_KEY, "Incorrect API key provided: ***.")

    def read(self, body: Body, headers: Mapping[str, str], named: str) -> Asked:
        unknown = sorted(set(body) - KNOWN)
        if unknown:
            raise Refused(
                Fault.BAD_REQUEST, f"Unrecognized request argument supplied: {', '.join(unknown)}", unknown[0]
            )
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise Refused(Fault.BAD_REQUEST, "you must provide a model parameter")
        between(body, "temperature", 0, 2)
        between(body, "top_p", 0, 1)
        between(body, "presence_penalty", -2, 2)
        between(body, "frequency_penalty", -2, 2)
        if whole(body, "n") not in (None, 1):
            raise Refused(Fault.BAD_PARAMETER, "A simulated model gives one choice: 'n' must be 1.", "n")
        system, turns = conversation(body)
        schema, json_object = response_format(body, system, turns)
        tool, arguments = _forced_tool(body)
        options = body.get("stream_options") or {}
        longest = whole(body, "max_completion_tokens")
        return Asked(
            model=model,
            turns=turns,
            system=system,
            max_tokens=longest if longest is not None else whole(body, "max_tokens"),
            stop=texts(body, "stop"),
            seed=whole(body, "seed", low=-(2**63)) or 0,
            stream=flag(body, "stream"),
            include_usage=isinstance(options, dict) and flag(options, "include_usage"),
            schema=arguments if tool else schema,
            json_object=json_object,
            tool=tool,
            parameters=frozenset(body),
            behaviours=body["sim"] if isinstance(body.get("sim"), str) else "",
        )

    def reply(self, asked: Asked, reply: Reply, number: int) -> Body:
        message: Body = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        finish: str = reply.finish
        if asked.tool and reply.text:
            message["content"] = None
            message["tool_calls"] = [_tool_call(asked.tool, reply.text, number)]
            finish = "tool_calls" if finish == "stop" else finish
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        return _head(asked, number, "chat.completion") | {"choices": [choice], "usage": _usage(reply)}

    def events(self, asked: Asked, reply: Reply, number: int) -> Iterator[bytes]:
        head = _head(asked, number, "chat.completion.chunk")
        if asked.include_usage:
            head["usage"] = None

        def chunk(delta: Body, finish: str | None = None) -> bytes:
            return frame(head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

        yield chunk({"role": "assistant", "content": "" if not asked.tool else None, "refusal": None})
        if reply.reasoning:
            yield chunk({"reasoning_content": reply.reasoning})
        finish: str = reply.finish
        if asked.tool:
            opening = _tool_call(asked.tool, "", number)
            yield chunk({"tool_calls": [{"index": 0} | opening]})
            finish = "tool_calls" if finish == "stop" else finish
        for piece in reply.pieces():
            if asked.tool:
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
            else:
                yield chunk({"content": piece})
        yield chunk({}, finish)
        if asked.include_usage:
            yield frame(head | {"choices": [], "usage": _usage(reply)})
        yield frame(b"[DONE]")

    def error(self, refused: Refused, number: int) -> tuple[int, Body]:
        status = refused.status
        kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        code = _CODES.get(refused.fault)
        if refused.fault is Fault.STATUS:
            code = {429: "rate_limit_exceeded", 401: "invalid_api_key", 404: "model_not_found"}.get(status)
        about = {Fault.NO_MODEL: "model", Fault.NO_ROW: "model", Fault.CONTEXT: "messages"}
        subject = about.get(refused.fault, refused.subject) or None
        return status, {"error": {"message": refused.message, "type": kind, "param": subject, "code": code}}


def conversation(body: Body) -> tuple[str, tuple[Turn, ...]]:
    """Returns the system message and the turns of a list of messages.

    Raises:
        Refused: The list is missing, empty or badly formed.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise Refused(Fault.BAD_PARAMETER, "Invalid type for 'messages': expected an array of objects.", "messages")
    if not messages:
        raise Refused(
            Fault.BAD_PARAMETER, "Invalid 'messages': empty array. Expected an array with at least 1.", "messages"
        )
    system: list[str] = []
    turns: list[Turn] = []
    for at, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in _ROLES:
            where = f"messages[{at}].role"
            raise Refused(
                Fault.BAD_PARAMETER, f"Invalid value for '{where}'. Supported: {', '.join(sorted(_ROLES))}.", where
            )
        content = message.get("content")
        if content is None and role == "assistant":
            content = ""
        text = text_of(content, f"messages[{at}].content")
        if role in ("system", "developer"):
            system.append(text)
        else:
            turns.append(Turn(role="assistant" if role == "assistant" else "user", text=text))
    return "\n".join(system), tuple(turns)


def response_format(body: Body, system: str, turns: tuple[Turn, ...]) -> tuple[Body | None, bool]:
    """Returns the schema that the reply must satisfy, and whether any JSON object will do.

    Raises:
        Refused: The form is unknown, or a strict schema is outside of what OpenAI takes.
    """
    form = body.get("response_format")
    if form is None:
        return None, False
    kind = form.get("type") if isinstance(form, dict) else None
    match kind:
        case "text":
            return None, False
        case "json_object":
            if "json" not in (system + "".join(turn.text for turn in turns)).lower():
                message = (
                    "'messages' must contain the word 'json' in some form, to use 'json_object' as 'response_format'."
                )
                raise Refused(Fault.BAD_REQUEST, message, "messages")
            return None, True
        case "json_schema":
            return _schema(form.get("json_schema")), False
    message = f"Invalid value: {kind!r}. Supported values are: 'json_object', 'json_schema', and 'text'."
    raise Refused(Fault.BAD_PARAMETER, message, "response_format.type")


def _schema(given: Any) -> Body | None:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        message = "Missing required parameter: 'response_format.json_schema.name'."
        raise Refused(Fault.BAD_REQUEST, message, "response_format.json_schema.name")
    schema = given.get("schema")
    if schema is None:
        return None
    if not isinstance(schema, dict):
        raise Refused(Fault.BAD_PARAMETER, "Invalid type for the schema: expected an object.", "response_format")
    if given.get("strict"):
        check_strict(schema, given["name"])
    return schema


def _forced_tool(body: Body) -> tuple[str, Body | None]:
    choice, tools = body.get("tool_choice"), body.get("tools")
    functions = (
        [tool.get("function", {}) for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    )
    if isinstance(choice, dict):
        wanted = (choice.get("function") or {}).get("name")
    elif choice == "required" and functions:
        wanted = functions[0].get("name")
    else:
        return "", None
    for function in functions:
        if function.get("name") == wanted:
            return str(wanted), function.get("parameters") or {"type": "object"}
    raise Refused(Fault.BAD_PARAMETER, "Tool choice names a function that is not in 'tools'.", "tool_choice")


def _tool_call(name: str, arguments: str, number: int) -> Body:
    return {"id": f"call_{number:024d}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _head(asked: Asked, number: int, kind: str) -> Body:
    return {
        "id": f"chatcmpl-{number:024d}",
        "object": kind,
        "created": _CREATED + number,
        "model": asked.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    }


def _usage(reply: Reply) -> Body:
    thinking = reply.reasoning_tokens
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
        "completion_tokens_details": {"reasoning_tokens": thinking},
    }
