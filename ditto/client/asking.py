"""A question with Python's names and seconds, made into the request of the wire contract and checked like one."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from ditto.domain.request import Request, parse

Strategy = Literal["consensus", "cooperative"]
Place = Literal["auto", "dedicated", "shared"]
OnDisconnect = Literal["continue", "cancel"]
Answer = Literal["number", "choice", "boolean", "date", "text", "list", "math", "code", "json"] | list[str]


class Confident(TypedDict):
    """Settle once the confidence is at least this, 0 to 1."""

    confident: float


Settle = Literal["all", "decided"] | Confident


class ChatMessage(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


# fmt: off
def request(
    *, prompt: str | None, messages: list[ChatMessage] | None, models: list[str] | None, ensemble: str | None,
    strategy: Strategy | None, schema: dict[str, Any] | None, answer: Answer | None, temperature: float | None,
    top_p: float | None, max_tokens: int | None, stop: list[str] | None, seed: int | None, system: str | None,
    samples: int | None, weights: dict[str, float] | None, settle: Settle | None, judge: str | None,
    min_responses: int | None, max_retries: int | None,
    timeout_s: float | None, grace_s: float | None, deadline_s: float | None, metadata: dict[str, Any] | None,
    placement: Place | None, on_disconnect: OnDisconnect | None = None, idempotency_key: str | None,
) -> Request:
    """Returns the request that these arguments make; None is not given.

    Raises:
        BadRequest: `details` lists every wrong argument under its name on the wire.
    """
    body: dict[str, Any] = {
        "prompt": prompt, "messages": messages, "models": models, "ensemble": ensemble, "strategy": strategy,
        "schema": schema, "answer": answer, "temperature": temperature, "topP": top_p, "maxTokens": max_tokens,
        "stop": stop, "seed": seed, "system": system, "samples": samples, "weights": weights,
        "settle": settle, "judge": judge,
        "minResponses": min_responses, "maxRetries": max_retries, "timeout": _ms(timeout_s), "grace": _ms(grace_s),
        "deadline": _ms(deadline_s), "metadata": metadata, "placement": placement, "onDisconnect": on_disconnect,
        "idempotencyKey": idempotency_key,
    }
    return parse({name: value for name, value in body.items() if value is not None})
# fmt: on


def _ms(seconds: float | None) -> float | None:
    """Returns milliseconds; what is no number is left for the request's own checks to refuse."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return seconds
    return round(seconds * 1000, 2)
