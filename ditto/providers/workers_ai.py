"""Cloudflare Workers AI: its own route, and the one that is compatible with chat completions.

The own route (`/run/@cf/…`) is the one that every model has, and the default. The compatible one
(`/v1/chat/completions`) is used where the address names it (a `base_url` that ends in `/v1`), for models whose own
route speaks OpenAI's Responses instead, and for requests with stop sequences, which the own route has no word for.
Newer models answer on the own route, too, with a chat completion inside `result`; either is read wherever it comes
from.

Workers AI stops at 256 tokens unless it is told otherwise, and on its own route does not say that it did. So a limit
is always sent, and a reply that uses it up counts as cut off. With a schema it does not stream.

Source: developers.cloudflare.com/workers-ai (REST API, JSON Mode, OpenAI compatibility, errors).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx

from ditto.errors import CallError, CallFailed, CallInvalidReply, CallModelNotFound, CallOverloaded
from ditto.providers import failures
from ditto.providers.bodies import as_count, as_list, as_object, decoded, reply_object
from ditto.providers.openai_chat import SCHEMA_SWITCH, OpenAIChat, chat_body, read_completion
from ditto.providers.port import Built, ModelReply, ModelRequest
from ditto.providers.posting import post
from ditto.providers.reply_text import checked, joined
from ditto.providers.workers_ai_stream import RunAssembly
from ditto.settings.endpoints import Endpoint

_COMPATIBLE_ONLY = re.compile(r"@cf/openai/gpt-oss-")
_MAX_TOKENS = 2_048
_UNAVAILABLE = frozenset({3007, 3008, 3040})
_USED_UP = frozenset({3036, 4006})
_NO_MODEL = frozenset({3042, 5007})


class WorkersAI:
    """`POST {base_url}/run/{model}` or `POST {base_url}/v1/chat/completions`."""

    def __init__(self) -> None:
        self._compatible = OpenAIChat()

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
        base_url = endpoint.base_url.rstrip("/").replace("{account}", quote(account or "", safe=""))
        native = base_url.removesuffix("/v1")
        if request.sampling.max_tokens is None and "max_tokens" not in left_out:
            request = replace(request, sampling=replace(request.sampling, max_tokens=_MAX_TOKENS))
        stops = request.sampling.stop and "stop" not in left_out
        if native != base_url or stops or _COMPATIBLE_ONLY.match(request.model):
            compatible = endpoint.model_copy(update={"base_url": f"{native}/v1"})
            return self._compatible.build(
                request, compatible, key, account, left_out=left_out, stream=stream and request.schema is None
            )
        body, warnings, dispensable = _native_body(request, endpoint, left_out)
        switch = {"stream": True} if stream and SCHEMA_SWITCH not in body and "stream" not in left_out else {}
        authorization = {"authorization": f"Bearer {key}"} if key else {}
        url = f"{native}/run/{quote(request.model, safe='@/')}"
        return Built(
            request=post(url, {**authorization, **endpoint.headers}, {**body, **switch}),
            warnings=warnings,
            dispensable=dispensable | switch.keys(),
            assembly=RunAssembly() if switch else None,
        )

    def read(self, body: bytes, request: ModelRequest) -> ModelReply:
        """Returns the reply in the body of a successful response of either route."""
        whole = reply_object(body)
        if whole.get("success") is False or as_list(whole.get("errors")):
            raise _typed(502, httpx.Headers(), body)
        result = whole.get("result", whole)
        if isinstance(result, dict) and "choices" in result:
            return read_completion(result, body)
        if not isinstance(result, dict) or "response" not in result:
            raise CallInvalidReply("the response has no reply in it")
        usage = as_object(result.get("usage"))
        used = as_count(usage.get("completion_tokens"))
        finish = "length" if used is not None and used >= _limit(request) else "stop"
        return ModelReply(
            text=checked(_text(result["response"]), finish),
            finish=finish,
            input_tokens=as_count(usage.get("prompt_tokens")),
            output_tokens=used,
        )

    def refusal(self, status: int, body: bytes) -> ModelReply | None:
        """Returns None: Workers AI has no content filter of its own."""
        return None

    def error(self, status: int, headers: httpx.Headers, body: bytes) -> CallError:
        """Returns the typed error for an unsuccessful response, by Cloudflare's own code where there is one."""
        return _typed(status, headers, body)

    def refused_parameter(self, status: int, body: bytes) -> str | None:
        """Returns the name of the parameter that this model does not take, if the response says so."""
        return self._compatible.refused_parameter(status, body)


def _native_body(
    request: ModelRequest, endpoint: Endpoint, left_out: frozenset[str]
) -> tuple[dict[str, Any], tuple[str, ...], frozenset[str]]:
    body, warnings, dispensable = chat_body(request, endpoint, left_out)
    del body["model"]
    if SCHEMA_SWITCH in body and body[SCHEMA_SWITCH]["type"] == "json_schema":
        body[SCHEMA_SWITCH] = {"type": "json_schema", "json_schema": request.schema}
    return body, warnings, dispensable


def _limit(request: ModelRequest) -> int:
    return request.sampling.max_tokens or _MAX_TOKENS


def _text(response: object) -> str:
    """Returns the reply's text; with a schema, Workers AI gives the value itself."""
    if isinstance(response, str) or response is None:
        return joined(response)
    return json.dumps(response, ensure_ascii=False)


def _typed(status: int, headers: httpx.Headers, body: bytes) -> CallError:
    words = failures.said(body)
    inner = as_object(next(iter(as_list(as_object(decoded(body)).get("errors"))), None))
    error = failures.typed(status, headers, words)
    code = as_count(inner.get("code"))
    if code in _USED_UP:
        return CallFailed(f"the account's quota is used up: {error.message}")
    if code in _UNAVAILABLE:
        return CallOverloaded(error.message, error.retry_after_s)
    return CallModelNotFound(error.message) if code in _NO_MODEL else error
