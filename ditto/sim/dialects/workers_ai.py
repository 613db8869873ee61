"""Cloudflare Workers AI: its plain route, and its OpenAI-compatible one, whose errors are Cloudflare's own.

After https://developers.cloudflare.com/api/resources/ai/methods/run/,
https://developers.cloudflare.com/workers-ai/features/json-mode/ and
https://developers.cloudflare.com/workers-ai/platform/errors/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ditto.sim.asked import Asked, Body, Fault, Refused, Turn, between, flag, whole
from ditto.sim.dialects import frame
from ditto.sim.dialects.openai import OpenAI, conversation
from ditto.sim.replies import Reply

_DEFAULT_MAX_TOKENS = 256
_CODES = {400: 5006, 401: 10000, 403: 5018, 404: 5007, 408: 3007, 413: 3006, 429: 3040, 500: 5000, 503: 3043, 504: 3007}


class WorkersAI:
    """`POST /client/v4/accounts/{account}/ai/run/{model}`."""

    def authorize(self, headers: Mapping[str, str], key: str | None) -> None:
        given = headers.get("authorization", "")
        if not given or (key is not None and given != f"Bearer {key}"):
            raise Refused(Fault.NO_KEY if not given else Fault.WRONG_KEY, "Authentication error")

    def read(self, body: Body, headers: Mapping[str, str], named: str) -> Asked:
        prompt = body.get("prompt")
        if isinstance(prompt, str) and prompt and "messages" not in body:
            system: str = ""
            turns: tuple[Turn, ...] = (Turn(role="user", text=prompt),)
        elif isinstance(body.get("messages"), list):
            system, turns = conversation(body)
        else:
            why = "Error: oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt' or 'messages'"
            raise Refused(Fault.BAD_REQUEST, why)
        between(body, "temperature", 0, 5)
        between(body, "top_p", 0, 2)
        schema, json_object = _format(body.get("response_format"))
        max_tokens = whole(body, "max_tokens")
        stream = flag(body, "stream")
        if stream and (schema is not None or json_object):
            raise Refused(Fault.BAD_REQUEST, "JSON Mode does not support streaming.")
        return Asked(
            model=named,
            turns=turns,
            system=system,
            max_tokens=_DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens,
            seed=whole(body, "seed") or 0,
            stream=stream,
            schema=schema,
            json_object=json_object,
            parameters=frozenset(body),
            behaviours=body["sim"] if isinstance(body.get("sim"), str) else "",
        )

    def reply(self, asked: Asked, reply: Reply, number: int) -> Body:
        response: Any = reply.text
        if asked.schema is not None or asked.json_object:
            try:
                response = json.loads(reply.text)
            except ValueError:
                response = reply.text
        result: Body = {"response": response, "tool_calls": [], "usage": _usage(reply)}
        if reply.reasoning:
            result["reasoning_content"] = reply.reasoning
        return {"result": result, "success": True, "errors": [], "messages": []}

    def events(self, asked: Asked, reply: Reply, number: int) -> Iterator[bytes]:
        for piece in reply.pieces():
            yield frame({"response": piece, "p": "abcdefgh"})
        yield frame({"response": "", "tool_calls": [], "usage": _usage(reply)})
        yield frame(b"[DONE]")

    def error(self, refused: Refused, number: int) -> tuple[int, Body]:
        status, message, code = refused.status, refused.message, _CODES.get(refused.status, 5000)
        match refused.fault:
            case Fault.NO_MODEL:
                status, message = 400, f"AiError: No such model {refused.subject} or task ({message})"
            case Fault.CONTEXT:
                status, code = 413, 5021
                message = (
                    f"AiError: The estimated number of tokens exceeded this model context window: {refused.subject}"
                )
            case Fault.NO_KEY | Fault.WRONG_KEY:
                message = "Authentication error"
            case Fault.STATUS if status == 429:
                message = "AiError: Capacity temporarily exceeded, please try again."
            case _:
                message = f"AiError: {message}"
        error = {"message": message, "code": code}
        return status, {"errors": [error], "success": False, "result": {}, "messages": []}


class WorkersAICompatible(OpenAI):
    """`POST /client/v4/accounts/{account}/ai/v1/chat/completions`."""

    def authorize(self, headers: Mapping[str, str], key: str | None) -> None:
        WorkersAI().authorize(headers, key)

    def read(self, body: Body, headers: Mapping[str, str], named: str) -> Asked:
        asked = super().read(body, headers, named)
        return asked if asked.max_tokens is not None else replace(asked, max_tokens=_DEFAULT_MAX_TOKENS)

    def error(self, refused: Refused, number: int) -> tuple[int, Body]:
        return WorkersAI().error(refused, number)


def _format(form: Any) -> tuple[Body | None, bool]:
    if form is None:
        return None, False
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "json_object":
        return None, True
    schema = form.get("json_schema") if isinstance(form, dict) else None
    if kind != "json_schema" or not isinstance(schema, dict):
        raise Refused(Fault.BAD_REQUEST, "Error: '/response_format/type' must be 'json_object' or 'json_schema'")
    inner = schema.get("schema")
    return (inner if isinstance(inner, dict) and "name" in schema else schema), False


def _usage(reply: Reply) -> Body:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }
