"""Asks a model, and tries again where that helps: a question goes in, a reply or a failure comes out.

One deadline covers everything: tries, pauses, and the second try without a parameter that the model refused. Only
transient errors are tried again. A wait that would end after the deadline is not begun: the error that asked for it
is the result. What a model has refused once, and then answered without, it is not sent again.

A reply is asked for as a stream where somebody hears it being written. A model that does not stream, and one whose
stream broke off, is asked for the whole reply: to be heard is never worth a failure.

Each try has its turn first (`ditto/providers/limits`). What a call waits for a turn is not the model's time: it counts
neither against the deadline nor in `elapsed_s`, and is bounded by what the job has left.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count

import httpx

from ditto.domain.events import Failure, Reply
from ditto.errors import (
    CallAuthenticationFailed,
    CallBadRequest,
    CallError,
    CallMissingKey,
    CallModelNotFound,
    CallRateLimited,
    CallTimeout,
    PermanentCallError,
    TransientCallError,
)
from ditto.providers.anthropic_messages import AnthropicMessages
from ditto.providers.connections import Connections
from ditto.providers.incoming import Incoming
from ditto.providers.limits.gates import Gates, Turn
from ditto.providers.openai_chat import SCHEMA_SWITCH, OpenAIChat
from ditto.providers.port import NOBODYS, Built, DialectPort, Hearer, ModelReply, ModelRequest, Whose
from ditto.providers.redaction import redacted
from ditto.providers.transport import REPLY_LIMIT_BYTES, Answer, Sender
from ditto.providers.workers_ai import WorkersAI
from ditto.settings.endpoints import Dialect, Endpoint

DIALECTS: Mapping[Dialect, DialectPort] = {
    "openai": OpenAIChat(),
    "anthropic": AnthropicMessages(),
    "workers-ai": WorkersAI(),
}
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0
_NOT_REMEMBERED = frozenset({SCHEMA_SWITCH, "output_config", "max_tokens", "max_completion_tokens"})
"""Refusals of these are about one request's schema or number, not about the model."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """One call under way.

    Attributes:
        deadline: The end of its own time, which a wait for a turn moves.
        key, account: None where the endpoint names no variable for them.
        until: The end of its job.
    """

    name: str
    provider: str
    request: ModelRequest
    deadline: float
    endpoint: Endpoint
    dialect: DialectPort
    key: str | None
    account: str | None
    left_out: frozenset[str]
    hearer: Hearer | None
    whose: Whose
    until: float
    broke_off: bool = False
    attempts: int = 0
    waited_s: float = 0.0
    last: CallError | None = None


class Models:
    """Every configured model, over one set of connections.

    Args:
        endpoints: By the prefix of a model's name.
        environ: Where the keys are looked for, at each call.
        transport: Sends requests; by default new connections of its own.
        gates: Where each request waits for its turn; by default nothing is limited but by the provider.
        limited: Called with the provider and the name of a model that says that it is asked too much, and with the
            seconds that this try and the pause after it take.
        sleep: Waits for seconds.
        random: Returns a number from 0 up to 1.
        clock: Returns seconds that only go up.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        environ: Mapping[str, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        reply_limit_bytes: int = REPLY_LIMIT_BYTES,
        gates: Gates | None = None,
        limited: Callable[[str, str, float], None] = lambda provider, name, seconds: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoints = endpoints
        self._environ = environ
        self._sender = Sender(Connections(environ) if transport is None else transport, reply_limit_bytes)
        self._limit_bytes = reply_limit_bytes
        self._gates = Gates(clock=clock) if gates is None else gates
        self._limited = limited
        self._sleep = sleep
        self._random = random
        self._clock = clock
        self._refused: dict[tuple[str, str], frozenset[str]] = {}

    async def ask(
        self,
        provider: str,
        name: str,
        request: ModelRequest,
        *,
        timeout_s: float,
        max_retries: int,
        hearer: Hearer | None = None,
        whose: Whose = NOBODYS,
    ) -> Reply | Failure:
        """Returns the model's reply, or why there is none. Raises nothing but cancellation.

        Args:
            provider: The key of the endpoint.
            name: The model's full name, for warnings and messages.
            timeout_s: For everything together but its waiting for turns.
            max_retries: Further tries after a transient error; a refused parameter's does not count.
            hearer: Told the reply's text while it is written; None: nobody is.
        """
        started = self._clock()
        run: _Run | None = None
        try:
            run = self._run(provider, name, request, whose, started, timeout_s, hearer)
            reply, warnings = await self._with_retries(run, max_retries)
        except CallError as error:
            failure = _failure(error, run, timeout_s)
        except Exception as error:  # noqa: BLE001  a mistake of ours fails one call, and may hold a prompt or a key
            _log.error("asking a model went wrong", extra={"model": name, "error": type(error).__name__})
            failure = Failure(type="Failed", message=f"asking {name} went wrong: {type(error).__name__}")
        else:
            return Reply(
                text=reply.text,
                finish=reply.finish,
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
                attempts=run.attempts,
                elapsed_s=self._clock() - started - run.waited_s,
                warnings=tuple(f"{name} {warning}" for warning in warnings),
            )
        attempts, waited_s = (run.attempts, run.waited_s) if run is not None else (0, 0.0)
        shown = self._shown(failure, provider, request)
        return replace(shown, attempts=attempts, elapsed_s=self._clock() - started - waited_s)

    async def aclose(self) -> None:
        """Closes the connections; calls under way fail."""
        await self._sender.aclose()

    def _run(
        self,
        provider: str,
        name: str,
        request: ModelRequest,
        whose: Whose,
        started: float,
        timeout_s: float,
        hearer: Hearer | None,
    ) -> _Run:
        endpoint = self._endpoints.get(provider)
        if endpoint is None:
            raise CallModelNotFound(f"no provider is configured for {name}")
        if endpoint.models is not None and request.model not in endpoint.models:
            raise CallModelNotFound(f"{name} is not among the models configured for {provider}")
        if not request.messages or request.messages[-1].role != "user":
            raise CallBadRequest("the conversation does not end with a user's message")
        return _Run(
            name=name,
            provider=provider,
            request=request,
            deadline=started + timeout_s,
            endpoint=endpoint,
            dialect=DIALECTS[endpoint.dialect],
            key=self._variable(name, endpoint.key_env, needed=not endpoint.key_optional),
            account=self._variable(name, endpoint.account_env, needed=True),
            left_out=self._refused.get((provider, request.model), frozenset()),
            hearer=hearer,
            whose=whose,
            until=started + whose.within_s,
        )

    def _variable(self, name: str, variable: str | None, *, needed: bool) -> str | None:
        if variable is None:
            return None
        value = self._environ.get(variable, "").strip()
        if not value and needed:
            raise CallMissingKey(f"{name} needs a key: looked for {variable} in the environment")
        if not (value.isascii() and value.isprintable()):
            raise CallAuthenticationFailed(f"what {variable} holds is no key: it has characters that no key has")
        return value or None

    async def _with_retries(self, run: _Run, max_retries: int) -> tuple[ModelReply, tuple[str, ...]]:
        for tries in count(1):
            began = self._clock() - run.waited_s
            try:
                return await self._adapting(run)
            except TransientCallError as error:
                run.last = error
                pause_s = self._pause_s(error, tries)
                last = tries > max_retries or self._clock() + pause_s >= run.deadline
                if isinstance(error, CallRateLimited):
                    spent_s = self._clock() - run.waited_s - began
                    self._limited(run.provider, run.name, spent_s + (0.0 if last else pause_s))
                if last:
                    raise
            await self._sleep(pause_s)
        raise AssertionError("unreachable")

    def _pause_s(self, error: TransientCallError, tries: int) -> float:
        """Returns the provider's own wait, or none, and then some: exponential, with full jitter."""
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (tries - 1))
        return (error.retry_after_s or 0.0) + self._random() * longest

    async def _adapting(self, run: _Run) -> tuple[ModelReply, tuple[str, ...]]:
        """Returns the reply to the question without the parameters that the model refuses, one at a time."""
        while True:
            stream = run.hearer is not None and not run.broke_off
            built = run.dialect.build(
                run.request, run.endpoint, run.key, run.account, left_out=run.left_out, stream=stream
            )
            with await self._turn(run) as turn:
                answer = await self._sent(run, built)
                try:
                    reply = self._read(run, answer)
                except PermanentCallError as error:
                    refused = run.dialect.refused_parameter(answer.status, answer.body)
                    if refused is None and isinstance(error, CallBadRequest):
                        refused = "stream"  # if it was asked for: no provider says that it streams otherwise, or not
                    if refused is None or refused in run.left_out or refused not in built.dispensable:
                        raise
                    run.left_out |= {refused}
                    continue
                turn.counted(reply.input_tokens, reply.output_tokens)
            if lasting := run.left_out - _NOT_REMEMBERED:
                self._refused[run.provider, run.request.model] = lasting
            return reply, built.warnings

    async def _turn(self, run: _Run) -> Turn:
        """Returns when it is this call's turn; its own time begins, or goes on, then."""
        asked_at = self._clock()
        run.whose.waits(True)
        turn = await self._gates.turn(
            run.provider,
            run.name,
            run.whose,
            until=run.until,
            question_tokens=_about_tokens(run.request),
            answer_limit=run.request.sampling.max_tokens,
            again=isinstance(run.last, CallRateLimited),
        )
        waited_s = self._clock() - asked_at
        run.deadline += waited_s
        run.waited_s += waited_s
        run.whose.waits(False)
        return turn

    async def _sent(self, run: _Run, built: Built) -> Answer:
        remaining_s = min(run.deadline, run.until) - self._clock()
        if remaining_s <= 0:
            raise CallTimeout("no time is left")
        run.attempts += 1
        if run.hearer is None:
            return await self._sender.send(built.request, timeout_s=remaining_s)
        after = None if run.last is None else Failure(type=run.last.type, message=run.last.message)
        run.hearer.begin(run.attempts, None if after is None else self._shown(after, run.provider, run.request))
        if built.assembly is None:
            return await self._sender.send(built.request, timeout_s=remaining_s)
        incoming = Incoming(built.assembly, run.hearer.said, self._limit_bytes)
        try:
            return await self._sender.send(built.request, timeout_s=remaining_s, incoming=incoming)
        finally:
            run.broke_off = incoming.begun and not incoming.complete

    def _read(self, run: _Run, answer: Answer) -> ModelReply:
        if 200 <= answer.status < 300:
            return run.dialect.read(answer.body, run.request)
        refusal = run.dialect.refusal(answer.status, answer.body)
        if refusal is not None:
            return refusal
        error = run.dialect.error(answer.status, answer.headers, answer.body)
        if isinstance(error, CallAuthenticationFailed):
            looked_for = run.endpoint.key_env or "no variable: none is configured"
            raise CallAuthenticationFailed(f"the key was looked for in {looked_for}; {error.message}")
        raise error

    def _shown(self, failure: Failure, provider: str, request: ModelRequest) -> Failure:
        """Returns the failure without keys and prompts in its message."""
        message = redacted(failure.message, secrets=self._secrets(provider), prompts=_prompts(request))
        return replace(failure, message=message)

    def _secrets(self, provider: str) -> list[str]:
        endpoint = self._endpoints.get(provider)
        if endpoint is None:
            return []
        return [*filter(None, [self._environ.get(endpoint.key_env or "", "").strip()]), *endpoint.headers.values()]


def _failure(error: CallError, run: _Run | None, timeout_s: float) -> Failure:
    if not isinstance(error, CallTimeout):
        return Failure(type=error.type, message=error.message)
    before = f"; before that: {run.last.message}" if run is not None and run.last is not None else ""
    return Failure(type=error.type, message=f"no answer in {timeout_s * 1000:.0f} ms{before}")


def _about_tokens(request: ModelRequest) -> float:
    """Returns about how many tokens a question has: four characters each."""
    return sum(len(message.content) for message in request.messages) / 4


def _prompts(request: ModelRequest) -> list[str]:
    return [request.system or "", *(message.content for message in request.messages)]
