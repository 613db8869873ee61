"""The body of a request: its type, its size, the time it takes to arrive, and the JSON in it.

A body without a content type is refused like one of another type. Browsers send such requests, and form posts, across
origins without asking first; a page anywhere could otherwise spend the keys of a service that listens on loopback.

JSON can be small on the wire and large in memory: a list in a list in a list takes a byte each there, and eighty here.
So values are counted, and how deep they lie, before they are made; and what is large is read beside the event loop.
"""

from __future__ import annotations

import asyncio
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from ditto.domain.spec import JSON
from ditto.errors import BadRequest, RequestTimeout, TooLarge, UnsupportedMediaType
from ditto.http.heads import said
from ditto.http.limits import Limits

_USUAL_TYPE = "application/json"
_JSON_TYPE = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
_MAX_DIGITS = 15
_MAX_DEPTH = 200
_LARGE_BYTES = 2048
_BRACKET = re.compile(rb"[][{}]")
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
"""Each possessive, so that it is tried once at each place; one that does not end goes on to the end."""

T = TypeVar("T")


async def read_json(request: Request, limits: Limits) -> JSON:
    """Returns the decoded body.

    Raises:
        UnsupportedMediaType: It is declared as something else than JSON in UTF-8, or not declared at all.
        TooLarge: It is, or says that it is, above the limit; the rest of it has not been read. Or it holds too many
            values.
        RequestTimeout: It did not arrive in time.
        BadRequest: It is no JSON.
    """
    _check_type(said(request.scope, b"content-type") or "")
    body = await _read(request, limits)
    request.state.body_bytes = len(body)
    return await off_loop(request, decode, body, limits.body_values)


async def off_loop(request: Request, work: Callable[..., T], *args: object) -> T:
    """Returns what this work on the body comes to, which is done on a thread where the body is no small one.

    A schema of a few kilobytes may take a second to be checked.
    """
    if getattr(request.state, "body_bytes", 0) <= _LARGE_BYTES:
        return work(*args)
    return await asyncio.to_thread(work, *args)


def decode(body: bytes, limit_values: int) -> JSON:
    """Returns the JSON in these bytes; of a key that is there twice the last value counts.

    Raises:
        TooLarge: They hold more values than this.
        BadRequest: They are no UTF-8 or no JSON.
    """
    _check_shape(body, limit_values)
    try:
        return _DECODER.decode(body.removeprefix(BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        raise _no_json(f"byte {error.start} is no UTF-8") from None
    except RecursionError:
        raise _no_json("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _no_json(str(error)) from None
    except _NoNumber as error:
        raise _no_json(str(error)) from None
    except ValueError:
        raise _no_json("a number has too many digits") from None


def with_key(body: JSON, header: str | None) -> JSON:
    """Returns the body with the idempotency key of the header in it.

    Raises:
        BadRequest: Header and body name different keys.
    """
    if header is None or not isinstance(body, Mapping):
        return body
    given = body.get("idempotencyKey", body.get("idempotency_key"))
    if given is None:
        return {**{k: v for k, v in body.items() if k != "idempotency_key"}, "idempotencyKey": header}
    if given != header:
        message = "differs from the Idempotency-Key header"
        raise BadRequest("the request is wrong", [{"path": "idempotencyKey", "message": message}])
    return body


def _check_shape(body: bytes, limit_values: int) -> None:
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= _MAX_DEPTH and body.count(b",") <= limit_values:
        return
    bare = _TEXTS.sub(b"", body)
    values = bare.count(b"[") + bare.count(b"{") + bare.count(b",")
    if values > limit_values:
        raise TooLarge(f"the body holds more than {limit_values} values", {"limitValues": limit_values})
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > _MAX_DEPTH:
            raise _no_json("it is nested too deeply")


class _NoNumber(ValueError):
    """NaN or an infinity, which JSON does not have."""


def _refuse_constant(name: str) -> JSON:
    raise _NoNumber(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _no_json(why: str) -> BadRequest:
    return BadRequest("the body is no JSON", [{"path": "", "message": why}])


def _check_type(declared: str) -> None:
    if declared == _USUAL_TYPE:
        return
    if not declared:
        raise UnsupportedMediaType("the body has no content type: send Content-Type: application/json")
    if not _JSON_TYPE.fullmatch(declared.split(";")[0].strip()):
        raise UnsupportedMediaType("the body is not declared as JSON: send Content-Type: application/json")
    charset = _CHARSET.search(declared)
    if charset and charset[1].lower() not in _CHARSETS:
        raise UnsupportedMediaType("JSON is sent in UTF-8")


async def _read(request: Request, limits: Limits) -> bytes:
    announced = said(request.scope, b"content-length") or ""
    if announced.isdecimal() and (len(announced) > _MAX_DIGITS or int(announced) > limits.body_bytes):
        raise _too_large(limits)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                body += message.get("body", b"")
                more = bool(message.get("more_body", False))
                request.state.body_ended = not more
                if len(body) > limits.body_bytes:
                    raise _too_large(limits)
                if not more:
                    return bytes(body)
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {limits.body_s:g} s") from None


def _too_large(limits: Limits) -> TooLarge:
    return TooLarge(f"the body is above the limit of {limits.body_bytes} bytes", {"limitBytes": limits.body_bytes})
