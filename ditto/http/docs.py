"""The readable form of the OpenAPI document: one page that brings all it needs and asks no other host."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from starlette.responses import Response

_POLICY = (
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_page() -> Response:
    """Returns the page."""
    return Response(_html(), media_type="text/html", headers={"content-security-policy": _POLICY})


@cache
def _html() -> bytes:
    return files("ditto.http").joinpath("docs.html").read_bytes()
