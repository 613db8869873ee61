"""Proves which way a request goes, and that whatever breaks on it is said in words of our own."""

import json
import ssl
from socket import gaierror

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey

from ditto.errors import CallBadRequest, CallError, CallInvalidReply, CallUnreachable
from ditto.providers.connections import Connections
from ditto.providers.posting import post
from ditto.providers.transport import Sender

KEY = ConnectionKey("h", 443, True, True, None, None, None)

ENVIRON = {
    "HTTPS_PROXY": "http://proxy.example:3128",
    "http_proxy": "lower.example:80",
    "HTTP_PROXY": "http://upper.example:80",
    "NO_PROXY": "inner.example, .corp.example,*.lab.example",
}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.openai.com/v1", "http://proxy.example:3128"),
        ("http://api.openai.com/v1", "http://lower.example:80"),
        ("https://inner.example/v1", None),
        ("https://gpu.inner.example/v1", None),
        ("https://gpu.corp.example/v1", None),
        ("https://gpu.lab.example/v1", None),
        ("https://notinner.example/v1", "http://proxy.example:3128"),
        ("http://127.0.0.1:11434/v1", None),
        ("http://localhost:8000/v1", None),
        ("http://[::1]:8000/v1", None),
    ],
)
def test_the_environments_proxy_is_used_for_whatever_is_not_excepted(url: str, proxy: str | None) -> None:
    assert Connections(ENVIRON).proxy_of(httpx.URL(url)) == proxy


def test_without_a_proxy_every_request_goes_straight() -> None:
    assert Connections({}).proxy_of(httpx.URL("https://api.openai.com/v1")) is None


def test_a_proxy_for_all_and_an_exception_for_all() -> None:
    url = httpx.URL("https://api.openai.com/v1")

    assert Connections({"ALL_PROXY": "http://p.example:1"}).proxy_of(url) == "http://p.example:1"
    assert Connections({"ALL_PROXY": "http://p.example:1", "NO_PROXY": "*"}).proxy_of(url) is None


async def error_for(lower: Exception) -> CallError:
    def fail(request: httpx.Request) -> httpx.Response:
        raise lower

    sender = Sender(httpx.MockTransport(fail), 1_000)
    with pytest.raises(CallError) as caught:
        await sender.send(httpx.Request("POST", "https://user:secret@api.example/v1"), timeout_s=9)
    return caught.value


@pytest.mark.parametrize(
    ("lower", "words"),
    [
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("x")), "not trusted"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "x")), "no secure connection"),
        (aiohttp.ClientConnectorDNSError(KEY, gaierror(-2, "x")), "no such host"),
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "x")), "refused"),
        (aiohttp.ClientConnectorError(KEY, OSError(113, "x")), "no connection could be made"),
        (aiohttp.ClientProxyConnectionError(KEY, ConnectionRefusedError(111, "x")), "the proxy"),
        (aiohttp.ServerDisconnectedError(), "cut before the reply"),
        (aiohttp.ClientConnectionResetError("x"), "cut before the reply"),
        (aiohttp.ClientOSError(104, "x"), "cut before the reply"),
        (aiohttp.ClientPayloadError("x"), "broke off"),
        (aiohttp.ClientResponseError(None, ()), "no HTTP"),  # type: ignore[arg-type]  # it is not looked at
        (aiohttp.SocketTimeoutError("x"), "the connection failed"),
        (aiohttp.ClientError("x"), "the connection failed"),
        (httpx.RemoteProtocolError("x"), "broke off"),
        (httpx.ConnectTimeout("x"), "the connection failed"),
        (TimeoutError(110, "x"), "the connection failed"),
        (OSError(24, "x"), "the connection failed"),
    ],
)
async def test_no_error_of_a_lower_layer_gets_out(lower: Exception, words: str) -> None:
    error = await error_for(lower)

    assert type(error) is CallUnreachable
    assert words in error.message
    assert "secret" not in error.message


async def test_a_damaged_body_and_a_bad_address_are_not_tried_again() -> None:
    assert type(await error_for(httpx.DecodingError("x"))) is CallInvalidReply
    assert type(await error_for(aiohttp.InvalidURL("x"))) is CallBadRequest
    assert type(await error_for(httpx.UnsupportedProtocol("x"))) is CallBadRequest


@pytest.mark.parametrize("characters", [3, 600_000])
async def test_any_transport_finds_all_of_a_request_in_it(characters: int) -> None:
    body = {"prompt": "é" * characters}

    request = post("https://api.example/v1", {"authorization": "Bearer k"}, body)

    assert json.loads(b"".join([piece async for piece in request.stream])) == body
    assert request.headers["content-length"] == str(len(request.content))
    assert (request.headers["host"], request.headers["authorization"]) == ("api.example", "Bearer k")
    assert request.url == "https://api.example/v1"


def test_headers_that_an_endpoint_is_to_be_told_are_the_only_ones_of_their_names() -> None:
    told = {"Host": "gateway.internal", "User-Agent": "me"}

    request = post("https://api.example/v1", told, {"a": "b"})

    assert {name: request.headers.get_list(name) for name in told} == {name: [value] for name, value in told.items()}
