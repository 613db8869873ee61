"""The two pages for a browser, the playground and the routes: each brings all it needs and asks no other host."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from starlette.responses import Response

_POLICY = (
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def playground_page() -> Response:
    """Returns the page on which a question is asked, and the models are watched while they answer."""
    return _page("playground.html")


def docs_page() -> Response:
    """Returns the readable form of the OpenAPI document."""
    return _page("docs.html")


def _page(name: str) -> Response:
    return Response(_html(name), media_type="text/html", headers={"content-security-policy": _POLICY})


@cache
def _html(name: str) -> bytes:
    return files("ditto.http").joinpath(name).read_bytes()
