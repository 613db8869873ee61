"""Proves over real sockets that asking is bounded in time and size, scales, and leaves no connection behind."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ditto.domain.events import Failure, Reply
from ditto.domain.spec import Message
from ditto.providers.models import Models
from ditto.providers.port import ModelRequest
from ditto.settings.endpoints import Dialect, Endpoint

QUESTION = ModelRequest(model="m", messages=(Message(role="user", content="Capital of Portugal?"),))
COMPLETION = {"choices": [{"message": {"content": "Lisbon."}, "finish_reason": "stop"}]}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Provider:
    """A server on a free loopback port that answers every route with one handler."""

    def __init__(self, handler: Handler) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/{path:.*}", handler)
        self.server = TestServer(app)

    async def __aenter__(self) -> str:
        await self.server.start_server()
        return str(self.server.make_url(""))

    async def __aexit__(self, *exc: object) -> None:
        await self.server.close()


@pytest.fixture
async def asker() -> AsyncIterator["Asker"]:
    asker = Asker()
    yield asker
    await asker.aclose()


class Asker:
    """Asks whatever stands at an address."""

    def __init__(self) -> None:
        self.opened: list[Models] = []

    def models(self, base_url: str, *, dialect: Dialect = "openai", environ: dict[str, str] | None = None) -> Models:
        endpoint = Endpoint(dialect=dialect, base_url=base_url)
        models = Models({"here": endpoint}, environ or {}, reply_limit_bytes=256 * 1024)
        self.opened.append(models)
        return models

    async def ask(self, base_url: str, *, timeout_s: float = 10.0, max_retries: int = 0) -> Reply | Failure:
        return await ask(self.models(base_url), timeout_s=timeout_s, max_retries=max_retries)

    async def aclose(self) -> None:
        for models in self.opened:
            await models.aclose()


async def ask(
    models: Models, *, request: ModelRequest = QUESTION, timeout_s: float = 10.0, max_retries: int = 0
) -> Reply | Failure:
    return await models.ask("here", "here/m", request, timeout_s=timeout_s, max_retries=max_retries)


async def lisbon(request: web.Request) -> web.StreamResponse:
    await request.read()
    return web.json_response(COMPLETION)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("dialect", "path", "body"),
    [
        ("openai", "/chat/completions", COMPLETION),
        ("anthropic", "/messages", {"content": [{"type": "text", "text": "Lisbon."}], "stop_reason": "end_turn"}),
        ("workers-ai", "/run/m", {"result": {"response": "Lisbon."}, "success": True, "errors": []}),
    ],
)
async def test_each_dialect_is_asked_and_answers(
    asker: Asker, dialect: Dialect, path: str, body: dict[str, object]
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response(body)

    async with Provider(answer) as base_url:
        reply = await ask(asker.models(base_url, dialect=dialect))

    assert isinstance(reply, Reply)
    assert (reply.text, asked) == ("Lisbon.", [path])


async def test_a_compressed_reply_is_read(asker: Asker) -> None:
    async def compressed(request: web.Request) -> web.StreamResponse:
        assert request.headers["accept-encoding"] == "gzip, deflate"
        response = web.json_response(COMPLETION)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with Provider(compressed) as base_url:
        reply = await asker.ask(base_url)

    assert isinstance(reply, Reply)
    assert reply.text == "Lisbon."


async def test_nobody_listening_is_unreachable(asker: Asker) -> None:
    port = free_port()

    failure = await asker.ask(f"http://127.0.0.1:{port}", max_retries=1)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("Unreachable", 2)
    assert failure.message == f"127.0.0.1:{port}: the connection was refused"


async def test_a_host_that_does_not_exist_is_unreachable(asker: Asker) -> None:
    failure = await asker.ask("http://nowhere.invalid/v1")

    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("Unreachable", "nowhere.invalid: there is no such host")


async def test_a_connection_that_is_reset_is_unreachable_and_tried_again(asker: Asker) -> None:
    asked = 0

    async def reset_once(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await request.read()
        if asked == 1:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(COMPLETION)

    async with Provider(reset_once) as base_url:
        reply = await asker.ask(base_url, max_retries=1)
        asked = 0
        failure = await asker.ask(base_url, max_retries=0)

    assert isinstance(reply, Reply)
    assert reply.attempts == 2
    assert isinstance(failure, Failure)
    assert failure.type == "Unreachable"
    assert failure.message.endswith("the connection was cut before the reply")


async def test_a_connection_that_is_reset_by_the_system_is_unreachable(asker: Asker) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lingers_not = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers_not)
        writer.close()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    async with server:
        failure = await asker.ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert isinstance(failure, Failure)
    assert failure.type == "Unreachable"
    assert failure.message.endswith("the connection was cut before the reply")


async def test_a_reply_that_breaks_off_is_unreachable(asker: Asker) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices"')
        assert request.transport is not None
        request.transport.close()
        return response

    async with Provider(half) as base_url:
        failure = await asker.ask(base_url)

    assert isinstance(failure, Failure)
    assert failure.type == "Unreachable"
    assert failure.message.endswith("the reply broke off")


async def test_what_does_not_speak_http_is_unreachable(asker: Asker) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    async with server:
        failure = await asker.ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert isinstance(failure, Failure)
    assert failure.type == "Unreachable"


async def test_a_plain_server_behind_an_https_address_is_unreachable(asker: Asker) -> None:
    async with Provider(lisbon) as base_url:
        failure = await asker.ask(base_url.replace("http://", "https://"))

    assert isinstance(failure, Failure)
    assert failure.type == "Unreachable"
    assert failure.message.endswith("no secure connection could be made")


async def test_damaged_compression_is_an_invalid_reply(asker: Asker) -> None:
    async def damaged(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"this is no gzip", headers={"content-encoding": "gzip"})

    async with Provider(damaged) as base_url:
        failure = await asker.ask(base_url)

    assert isinstance(failure, Failure)
    assert failure.type == "InvalidReply"


async def test_a_provider_that_hangs_before_the_first_byte_times_out(asker: Asker) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.json_response(COMPLETION)

    async with Provider(hang) as base_url:
        began = time.monotonic()
        failure = await asker.ask(base_url, timeout_s=0.2, max_retries=5)
        took_s = time.monotonic() - began

    assert isinstance(failure, Failure)
    assert (failure.type, failure.message, failure.attempts) == ("Timeout", "no answer in 200 ms", 1)
    assert took_s < 2


async def test_a_reply_that_drips_forever_times_out(asker: Asker) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    async with Provider(drip) as base_url:
        failure = await asker.ask(base_url, timeout_s=0.3)

    assert isinstance(failure, Failure)
    assert failure.type == "Timeout"


async def test_an_endless_reply_is_cut_at_the_limit_and_its_connection_closed(asker: Asker) -> None:
    gone = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        finally:
            gone.set()

    async with Provider(endless) as base_url:
        failure = await asker.ask(base_url, max_retries=3)
        await asyncio.wait_for(gone.wait(), 5)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("TooLarge", 1)


@pytest.mark.parametrize("begun", [False, True])
async def test_cancellation_closes_the_connection(asker: Asker, begun: bool) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if begun:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n ")
            await writer.drain()
        asked.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with server:
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        task = asyncio.create_task(asker.ask(base_url, timeout_s=60))
        await asked.wait()
        await asyncio.sleep(0.05)

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 5)


async def test_three_hundred_calls_wait_at_once(asker: Asker) -> None:
    waiting, all_here = 0, asyncio.Event()

    async def answer_when_all_are_here(request: web.Request) -> web.StreamResponse:
        nonlocal waiting
        waiting += 1
        if waiting == 300:
            all_here.set()
        await all_here.wait()
        return web.json_response(COMPLETION)

    async with Provider(answer_when_all_are_here) as base_url:
        models = asker.models(base_url)
        replies = await asyncio.gather(*(ask(models, timeout_s=20) for _ in range(300)))

    assert [type(reply) for reply in replies] == [Reply] * 300


async def test_connections_are_kept_for_later_calls(asker: Asker) -> None:
    peers: set[object] = set()

    async def note(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response(COMPLETION)

    async with Provider(note) as base_url:
        models = asker.models(base_url)
        for _ in range(5):
            await ask(models)

    assert len(peers) == 1


async def test_no_cookie_is_kept_and_no_redirect_followed(asker: Asker) -> None:
    seen: list[tuple[str, str | None]] = []

    async def redirect(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.headers.get("cookie")))
        return web.Response(status=307, headers={"location": "/elsewhere", "set-cookie": "a=b"})

    async with Provider(redirect) as base_url:
        models = asker.models(base_url)
        failure = await ask(models)
        await ask(models)

    assert isinstance(failure, Failure)
    assert failure.type == "BadRequest"
    assert seen == [("/chat/completions", None), ("/chat/completions", None)]


async def test_a_megabyte_of_prompt_arrives_whole(asker: Asker) -> None:
    lengths: list[int] = []

    async def measure(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        lengths.append(len(body["messages"][0]["content"]))
        assert request.content_length is not None
        return web.json_response(COMPLETION)

    request = ModelRequest(model="m", messages=(Message(role="user", content="é" * 1_000_000),))
    async with Provider(measure) as base_url:
        reply = await ask(asker.models(base_url), request=request)

    assert isinstance(reply, Reply)
    assert lengths == [1_000_000]


async def test_the_environments_proxy_is_asked_in_the_providers_place(asker: Asker) -> None:
    asked: list[tuple[str, ...]] = []

    async def proxy(request: web.Request) -> web.StreamResponse:
        asked.append((request.raw_path, request.headers["host"], request.headers["proxy-authorization"]))
        return web.json_response(COMPLETION)

    async with Provider(proxy) as url:
        models = asker.models("http://models.example/v1", environ={"HTTP_PROXY": url.replace("//", "//me:it@")})
        reply = await ask(models)

    assert isinstance(reply, Reply)
    assert asked == [("http://models.example/v1/chat/completions", "models.example", "Basic bWU6aXQ=")]


async def test_a_closed_asker_can_be_closed_again() -> None:
    models = Models({}, {})

    await models.aclose()
    await models.aclose()
