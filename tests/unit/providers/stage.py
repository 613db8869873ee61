"""A provider on a stage: it answers from a list, and only sleeping and answering move its clock."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from ditto.domain.events import Failure, Reply
from ditto.domain.spec import Message
from ditto.providers.limits.gates import Gates
from ditto.providers.models import Models
from ditto.providers.port import ModelRequest
from ditto.settings.endpoints import KNOWN, Endpoint

KEY = "sk-MARKER-0123456789abcdef"
QUESTION = ModelRequest(model="gpt-x", messages=(Message(role="user", content="Capital of Portugal, please?"),))
COMPLETION = {"choices": [{"message": {"content": "Lisbon."}, "finish_reason": "stop"}]}


class Stage:
    """A provider that answers from a list, and a clock that only sleeping and answering move."""

    def __init__(self, *answers: Any, takes_s: float = 0.0, luck: float = 0.0) -> None:
        self.answers = list(answers)
        self.takes_s = takes_s
        self.luck = luck
        self.now_s = 1_000.0
        self.slept_s: list[float] = []
        self.limited: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.now_s += self.takes_s
        self.requests.append(request)
        self.bodies.append(json.loads(request.content))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds

    def later(self, seconds: float, call: Callable[[], None]) -> asyncio.Handle:
        """Has the clock move on when nothing else is to be done."""

        def then() -> None:
            self.now_s += seconds
            call()

        return asyncio.get_running_loop().call_soon(then)

    def models(self, environ: dict[str, str] | None = None, **endpoints: Endpoint) -> Models:
        return Models(
            {**KNOWN, **endpoints},
            {"OPENAI_API_KEY": KEY} if environ is None else environ,
            transport=httpx.MockTransport(self.answer),
            gates=Gates(clock=lambda: self.now_s, later=self.later),
            limited=lambda provider, name, seconds: self.limited.append((provider, name)),
            sleep=self.sleep,
            random=lambda: self.luck,
            clock=lambda: self.now_s,
        )

    async def ask(
        self, request: ModelRequest = QUESTION, *, timeout_s: float = 300.0, max_retries: int = 2, **more: Any
    ) -> Reply | Failure:
        models = self.models(**more)
        return await models.ask("openai", "openai/gpt-x", request, timeout_s=timeout_s, max_retries=max_retries)


def failing(status: int, message: str = "no", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message}}, headers=headers)


def refusing(param: str) -> httpx.Response:
    return httpx.Response(400, json={"error": {"message": f"Unsupported parameter: '{param}'", "param": param}})
