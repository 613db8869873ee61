"""The HTTP server of the simulated models: its routes, and how it is started and stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from ditto.sim import catalog
from ditto.sim.casting import Cast
from ditto.sim.counts import Counts
from ditto.sim.dialects import Dialect, encoded
from ditto.sim.dialects.anthropic import Anthropic
from ditto.sim.dialects.openai import OpenAI
from ditto.sim.dialects.workers_ai import WorkersAI, WorkersAICompatible
from ditto.sim.replay import load
from ditto.sim.stage import Stage

_BODY_LIMIT = 64 * 1024 * 1024
_BACKLOG = 4096
_NO_MODEL = (
    "This server plays language models, for first steps, tests and benchmarks. There is no language model behind it."
)
_ROUTES: dict[str, Dialect] = {
    "/v1/chat/completions": OpenAI(),
    "/v1/messages": Anthropic(),
    "/client/v4/accounts/{account}/ai/run/{model:.+}": WorkersAI(),
    "/client/v4/accounts/{account}/ai/v1/chat/completions": WorkersAICompatible(),
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started server.

    Attributes:
        port: The port it listens on, chosen by the system where 0 was asked for.
        url: Without a path, `http://127.0.0.1:4711`.
        counts: What it was asked so far, as `GET /sim/counts` shows it.
    """

    host: str
    port: int
    counts: Counts
    _runner: web.AppRunner

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def stop(self) -> None:
        """Stops listening and breaks off what is still being answered."""
        await self._runner.cleanup()


async def start(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    replay: Path | None = None,
    default_latency_s: float | None = None,
    stand_in: str | None = None,
    api_key: str | None = None,
    prompt_limit: int = 100_000,
    counts: Counts | None = None,
) -> Running:
    """Returns the server, listening, in the running event loop.

    Args:
        port: 0 takes a free one.
        replay: A file of recorded replies, `replay.load` says of what form.
        default_latency_s: Before the first byte of every reply; None: each persona's own. `slow` goes before both.
        stand_in: The persona that plays models of unknown names; None: they get a 404.
        api_key: The only right key; None: any will do.
        prompt_limit: How many prompts are counted one by one; the oldest are forgotten first.
        counts: What counts, instead of new counts with that limit.

    Raises:
        ValueError: The replay file is badly formed, or there is no such persona.
        OSError: The file cannot be read, or the port is taken.
    """
    if stand_in is not None:
        catalog.parse(stand_in)
    recorded = load(replay) if replay is not None else None
    cast = Cast(replay=recorded, stand_in=stand_in, latency_s=default_latency_s)
    stage = Stage(cast=cast, counts=counts or Counts(limit=prompt_limit), key=api_key)
    runner = web.AppRunner(_app(stage), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=_BACKLOG)
        await site.start()
    except BaseException:  # cancelled too: what has half started is taken down, and the error goes on
        await runner.cleanup()
        raise
    address = runner.addresses[0]
    return Running(host=host, port=address[1], counts=stage.counts, _runner=runner)


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    replay: Path | None = None,
    default_latency_s: float | None = None,
    stand_in: str | None = None,
    api_key: str | None = None,
    prompt_limit: int = 100_000,
    counts: Counts | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Serves until SIGINT or SIGTERM; the parameters are those of `start`.

    Args:
        announce: Called with the server's URL once it listens.

    Raises:
        ValueError: As `start`.
        OSError: As `start`.
    """

    async def run() -> None:
        running = await start(
            host,
            port,
            replay=replay,
            default_latency_s=default_latency_s,
            stand_in=stand_in,
            api_key=api_key,
            prompt_limit=prompt_limit,
            counts=counts,
        )
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        announce(running.url)
        await stopped.wait()
        await running.stop()

    _raise_file_limit()
    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        runner.run(run())


def _app(stage: Stage) -> web.Application:
    app = web.Application(client_max_size=_BODY_LIMIT)
    app.router.add_get("/", _index)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/sim/counts", _counts(stage))
    app.router.add_post("/sim/reset", _reset(stage))
    for route, dialect in _ROUTES.items():
        app.router.add_post(route, _ask(stage, dialect))
    app.router.add_get("/v1/models", _models(stage))
    return app


def _ask(stage: Stage, dialect: Dialect) -> _Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await stage.perform(request, dialect, request.match_info.get("model", ""))

    return handler


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encoded(body), content_type="application/json")


def _counts(stage: Stage) -> _Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return _json(stage.counts.shown())

    return handler


def _reset(stage: Stage) -> _Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        stage.counts.reset()
        return _json({"reset": True})

    return handler


def _models(stage: Stage) -> _Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        described = {name: f"Simulated, no language model: {does}" for name, does in catalog.PERSONAS.items()}
        for name in stage.cast.replay.models if stage.cast.replay is not None else ():
            described.setdefault(name, "Recorded replies, given again; no language model")
        data = [
            {"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "ditto-sim", "description": text}
            for name, text in described.items()
        ]
        return _json({"object": "list", "data": data})

    return handler


async def _healthz(_: web.Request) -> web.StreamResponse:
    return _json({"status": "ok"})


async def _index(_: web.Request) -> web.StreamResponse:
    personas = "".join(f"  {name:<10} {does}\n" for name, does in catalog.PERSONAS.items())
    behaviours = "".join(f"  {name:<12} {form.does}\n" for name, form in catalog.BEHAVIOURS.items())
    return web.Response(text=f"{_NO_MODEL}\n\nModels:\n{personas}\nBehaviours:\n{behaviours}")


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _raise_file_limit() -> None:
    """Thousands of calls at once are as many open files."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
