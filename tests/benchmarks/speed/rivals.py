"""What Ditto is measured beside: handlers that ask all models and keep nothing, and a DBOS workflow that keeps replies.

`python -m tests.benchmarks.speed.rivals aiohttp|httpx|dbos MODELS FOLDER` listens on a free port of loopback and says
where. All take `{"prompt", "models"}` and answer with every reply, without merging them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import uvicorn
import uvloop
from aiohttp import web
from fastapi import FastAPI

DATABASE = "dbos.sqlite"
Ask = Callable[[str, str], Awaitable[str]]
"""Asks one model."""


def _body(model: str, prompt: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


def _text(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


@contextlib.asynccontextmanager
async def _aiohttp_models(models: str) -> AsyncIterator[Ask]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(model: str, prompt: str) -> str:
            async with session.post(f"{models}/v1/chat/completions", json=_body(model, prompt)) as answer:
                answer.raise_for_status()
                return _text(await answer.json())

        yield ask


async def _serve_aiohttp(answered: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> None:
    """Serves `POST /llm` by aiohttp's own server until the process is ended."""

    async def handle(request: web.Request) -> web.Response:
        return web.json_response(await answered(await request.json()))

    app = web.Application()
    app.router.add_post("/llm", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    host, port = runner.addresses[0]
    print(f"at http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


async def serve_aiohttp(models: str, folder: Path) -> None:
    """A handler on aiohttp, server and client: what can be had where nothing is kept."""
    async with _aiohttp_models(models) as ask:

        async def answered(body: dict[str, Any]) -> dict[str, Any]:
            names = body["models"]
            replies = await asyncio.gather(*(ask(name, body["prompt"]) for name in names))
            return {"responses": dict(zip(names, replies, strict=True))}

        await _serve_aiohttp(answered)


async def serve_httpx(models: str, folder: Path) -> None:
    """A FastAPI handler on httpx with its default limits: what most people write."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=60) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan)

    async def ask(model: str, prompt: str) -> str:
        answer = await app.state.client.post(f"{models}/v1/chat/completions", json=_body(model, prompt))
        answer.raise_for_status()
        return _text(answer.json())

    @app.post("/llm")
    async def llm(body: dict[str, Any]) -> dict[str, Any]:
        names = body["models"]
        replies = await asyncio.gather(*(ask(name, body["prompt"]) for name in names))
        return {"responses": dict(zip(names, replies, strict=True))}

    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(f"at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listener])


async def serve_dbos(models: str, folder: Path) -> None:
    """A DBOS workflow on SQLite, a step for each model, all at once, behind aiohttp's server."""
    from dbos import DBOS, DBOSConfig

    async with _aiohttp_models(models) as ask_model:

        @DBOS.step()
        async def ask(model: str, prompt: str) -> str:
            return await ask_model(model, prompt)

        @DBOS.workflow()
        async def together(names: list[str], prompt: str) -> dict[str, str]:
            replies = await asyncio.gather(*(ask(name, prompt) for name in names))
            return dict(zip(names, replies, strict=True))

        async def answered(body: dict[str, Any]) -> dict[str, Any]:
            handle = await DBOS.start_workflow_async(together, body["models"], body["prompt"])
            return {"responses": await handle.get_result()}

        config: DBOSConfig = {
            "name": "speed",
            "system_database_url": f"sqlite:///{folder / DATABASE}",
            "log_level": "ERROR",
        }
        DBOS(config=config)
        DBOS.launch()
        await _serve_aiohttp(answered)


SERVED = {"aiohttp": serve_aiohttp, "httpx": serve_httpx, "dbos": serve_dbos}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=SERVED)
    parser.add_argument("models")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    uvloop.run(SERVED[options.name](options.models, options.folder))


if __name__ == "__main__":
    main()
