"""Proves which way a request goes: straight, or through the environment's proxy."""

import httpx
import pytest

from ditto.providers.transport import Connections

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
