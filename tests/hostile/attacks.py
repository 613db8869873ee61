"""What one hostile client does: the bytes it sends, how fast, and how it ends; each kind is one function of chance."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from tests.hostile.bodies import KEYS, schema, value, wrong_body


class Ending(StrEnum):
    """What a client does once it has sent its bytes."""

    WAIT = "waits for the answer"
    HALF_CLOSE = "says that nothing more comes, and waits"
    HANG_UP = "hangs up after a moment"
    RESET = "resets the connection"
    READ_SLOWLY = "reads a byte now and then, and hangs up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One connection's part.

    Attributes:
        pause_s: Between its pieces.
    """

    kind: str
    pieces: tuple[bytes, ...]
    ending: Ending = Ending.WAIT
    pause_s: float = 0.0


Kind = Callable[[Random, str], Attack]
HOST = b"Host: ditto\r\n"
JSON = b"Content-Type: application/json\r\n"
CLOSE = b"Connection: close\r\n"
POSTS = ("/llm", "/jobs", "/v1/chat/completions", "/v1/responses", "/jobs/{id}/merge", "/jobs/{id}/feedback")
GETS = (
    "/jobs",
    "/jobs/{id}",
    "/jobs/{id}/events",
    "/jobs/{id}/ws",
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs",
    "/v1/models",
)
ODD = (
    "\x00",
    "\r\n",
    "\t",
    "é",
    "\U0001f600",
    "%00",
    "%0d%0ax-injected:1",
    "../",
    "\\",
    "{{7*7}}",
    "${jndi:x}",
    "' OR 1=1--",
)


def post(path: str, body: bytes, headers: bytes = JSON) -> bytes:
    """Returns a whole request."""
    line = f"POST {path} HTTP/1.1\r\n".encode()
    return line + HOST + CLOSE + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def get(path: str, headers: bytes = b"") -> bytes:
    """Returns a whole request."""
    return f"GET {path} HTTP/1.1\r\n".encode("utf-8", "replace") + HOST + CLOSE + headers + b"\r\n"


def fuzzed_body(chance: Random, job: str) -> Attack:
    path = chance.choice(POSTS).format(id=job)
    return Attack(kind="body", pieces=(post(path, wrong_body(chance)),))


def typed_body(chance: Random, job: str) -> Attack:
    """A schema that is hard to judge by, for a model that will answer something."""
    body: dict[str, Any] = {
        "prompt": "a" * 50 + "! " + chance.choice(ODD),
        "models": ["sim/terse"],
        "schema": schema(chance),
    }
    if chance.random() < 0.3:
        text = {"format": {"type": "json_schema", "name": "x", "schema": body["schema"]}}
        body = {"model": "sim/terse", "input": body["prompt"], "text": text}
        return Attack(kind="schema", pieces=(post("/v1/responses", json.dumps(body).encode()),))
    return Attack(kind="schema", pieces=(post("/jobs", json.dumps(body).encode()),))


def wrong_fields(chance: Random, job: str) -> Attack:
    body = {name: value(chance) for name in chance.sample(KEYS, chance.randint(1, 8))}
    path = chance.choice(POSTS).format(id=job)
    return Attack(kind="fields", pieces=(post(path, json.dumps(body).encode("utf-8", "surrogatepass")),))


def deep(chance: Random, job: str) -> Attack:
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ('{"allOf":[', "]}"), ('{"properties":{"a":', "}}")))
    depth = chance.choice((90, 110, 190, 210, 1_000, 20_000, 1_000_000))
    inner = opening * depth + ("1" + closing * depth if chance.random() < 0.7 else "")
    place = chance.choice(("schema", "metadata", "weights", "messages", "settle"))
    return Attack(kind="deep", pieces=(post(chance.choice(POSTS[:4]), f'{{"prompt":"x","{place}":{inner}}}'.encode()),))


def wide(chance: Random, job: str) -> Attack:
    many = chance.choice((10_000, 99_000, 101_000, 2_000_000))
    unit = chance.choice((b"1", b"[]", b'""', b"{}"))
    body = b'{"prompt":"x","metadata":{"a":[' + b",".join([unit] * many) + b"]}}"
    return Attack(kind="wide", pieces=(post("/jobs", body),))


def strange_headers(chance: Random, job: str) -> Attack:
    body = b'{"prompt":"hi","models":["sim/terse"]}'
    line = chance.choice(
        (
            JSON + b"X-Long: " + b"a" * chance.choice((8_000, 20_000, 200_000)) + b"\r\n",
            JSON + b"".join(b"X-%d: 1\r\n" % n for n in range(chance.choice((50, 150, 5_000)))),
            JSON
            + b"Idempotency-Key: "
            + chance.choice((b"\xff\xfe", b"a" * 300, b"", b"a\x00b", b"\xc3\xa9"))
            + b"\r\n",
            b"Content-Type: "
            + chance.choice((b"text/plain", b"application/json; charset=utf-7", b"a" * 5_000))
            + b"\r\n",
            JSON + b"Content-Encoding: gzip\r\n",
            JSON + b"Expect: " + chance.choice((b"100-continue", b"cookies")) + b"\r\n",
            JSON + b"Host: evil.example\r\n",
            JSON + b" folded: yes\r\n",
            JSON + b"Bad Name: x\r\n",
            JSON + b"X-Nul: a\x00b\r\n",
            JSON + b"X-Bare: a\rb\r\n",
            JSON + b"Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n",
            JSON + b"Authorization: Bearer " + chance.randbytes(40).hex().encode() + b"\r\n",
            JSON + b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: evil\r\nX-Original-URL: /metrics\r\n",
        )
    )
    if b"gzip" in line:
        body = gzip.compress(b'{"prompt":"' + b"a" * 3_000_000 + b'"}')
    return Attack(kind="headers", pieces=(post("/jobs", body, line),))


def strange_paths(chance: Random, job: str) -> Attack:
    path = chance.choice(
        (
            "/../../../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/jobs/" + chance.choice(ODD),
            "/jobs/" + "a" * chance.choice((64, 65, 7_000, 60_000)),
            "/jobs/%c0%ae%c0%ae/%ff",
            "//jobs//" + job,
            "/jobs/" + job + "/" + chance.choice(ODD),
            "/jobs?"
            + chance.choice(("limit=1e9", "limit=-1", "cursor=%00", "cursor=zzzz", "state=x", "a&a&a", "wait=1")),
            "/jobs?metadata." + "a" * 3_000 + "=" + "%F0%9F" * 100,
            "/jobs/" + job + "?wait=" + chance.choice(("nan", "inf", "-1", "1e308", "0x10", "٣")),
            "/jobs/" + job + "/events?after=" + chance.choice(("-1", "99999999999999999999", "1.5", "x")),
            "http://127.0.0.1:6379/jobs",
            "/v1/models/"
            + chance.choice(("../" * 20, "%2F" * 50, "a" * 5_000, "ditto/consensus:" + "sim/terse," * 900)),
            "*",
            "/docs/../jobs",
            "/openapi.json;jsessionid=1",
        )
    )
    last = f"Last-Event-ID: {chance.choice(('-1', '9' * 40, 'abc', ''))}\r\n".encode()
    return Attack(kind="paths", pieces=(get(path, last if chance.random() < 0.2 else b""),))


def strange_methods(chance: Random, job: str) -> Attack:
    methods = (
        b"TRACE",
        b"CONNECT",
        b"OPTIONS",
        b"PUT",
        b"PATCH",
        b"HEAD",
        b"FOO",
        b"get",
        b"DELETE",
        b"PROPFIND",
        b"A" * 5_000,
    )
    path = chance.choice(GETS + POSTS).format(id=job).encode()
    version = chance.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"http/1.1", b""))
    return Attack(
        kind="methods",
        pieces=(chance.choice(methods) + b" " + path + b" " + version + b"\r\n" + HOST + CLOSE + b"\r\n",),
    )


def smuggled(chance: Random, job: str) -> Attack:
    inner = b"GET /jobs/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    body = b"0\r\n\r\n" + inner
    framing = chance.choice(
        (
            b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body),
            b"Content-Length: 4\r\nContent-Length: %d\r\n" % len(body),
            b"Content-Length: +%d\r\n" % len(body),
            b"Content-Length: -1\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"Content-Length: %d, %d\r\n" % (len(body), len(body)),
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n" % len(body),
            b"Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n" % len(body),
            b"Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n",
            b"X: y\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(body),
            b"Transfer-Encoding: chunked\r\n",
        )
    )
    if chance.random() < 0.3:
        body = chance.choice(
            (
                b"FFFFFFFFFFFFFFFFF\r\nx",
                b"5;ext=" + b"a" * 9_000 + b"\r\nhello\r\n0\r\n\r\n",
                b"-1\r\n\r\n",
                b"5\nhello\n0\n\n",
            )
        )
    return Attack(kind="smuggling", pieces=(b"POST /llm HTTP/1.1\r\n" + HOST + JSON + framing + b"\r\n" + body,))


def slow_writer(chance: Random, job: str) -> Attack:
    whole = post(chance.choice(POSTS[:4]), b'{"prompt":"hi","models":["sim/terse"]}' + b" " * 20)
    size = chance.choice((3, 9, 40))
    pieces = tuple(whole[at : at + size] for at in range(0, len(whole), size))
    kept = pieces[: chance.randint(1, len(pieces))]
    ending = Ending.WAIT if kept == pieces else Ending.HANG_UP
    return Attack(kind="slow writer", pieces=kept, pause_s=chance.choice((0.001, 0.01)), ending=ending)


def slow_reader(chance: Random, job: str) -> Attack:
    path = chance.choice(("/openapi.json", "/docs", "/metrics", f"/jobs/{job}/events", "/jobs?limit=200"))
    return Attack(kind="slow reader", pieces=(get(path),), ending=Ending.READ_SLOWLY)


def cut_off(chance: Random, job: str) -> Attack:
    body = json.dumps(
        {"prompt": "hi", "models": ["sim/terse"], "onDisconnect": chance.choice(("cancel", "continue"))}
    ).encode()
    whole = post(chance.choice(("/llm", "/v1/chat/completions")), body)
    kept = whole if chance.random() < 0.5 else whole[: chance.randint(1, len(whole))]
    ending = chance.choice((Ending.HALF_CLOSE, Ending.HANG_UP, Ending.RESET))
    return Attack(kind="cut off", pieces=(kept,), ending=ending)


def websocket(chance: Random, job: str) -> Attack:
    origin = chance.choice((b"", b"Origin: http://evil.example\r\n", b"Origin: http://[\r\n", b"Origin: null\r\n"))
    version = chance.choice((b"13", b"13", b"13", b"8", b"x"))
    shake = (
        f"GET /jobs/{job}/ws HTTP/1.1\r\n".encode() + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n" + origin
        + b"Sec-WebSocket-Key: " + chance.choice((b"dGhlIHNhbXBsZSBub25jZQ==", b"short", b"")) + b"\r\n"
        + b"Sec-WebSocket-Version: " + version + b"\r\n\r\n"
    )  # fmt: skip
    frame = chance.choice(
        (
            b"\x81\x05hello",
            b"\xf1\x85" + bytes(4) + b"hello",
            b"\x81\xff" + struct.pack(">Q", 2**62) + bytes(4),
            b"\x81\x82" + bytes(4) + b"\xff\xfe",
            b"\x89\xfe\x01\x00" + bytes(4) + bytes(256),
            b"\x81\xfe\x20\x00" + bytes(4) + b"[" * 8192,
            b"\x82\x81" + bytes(4) + b"x",
            b"\x88\x80" + bytes(4),
            chance.randbytes(200),
        )
    )
    return Attack(kind="websocket", pieces=(shake, frame), pause_s=0.05, ending=Ending.HANG_UP)


def garbage(chance: Random, job: str) -> Attack:
    sent = chance.choice(
        (
            b"",
            b"\r\n" * 500,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(200),
            b"GET /\r\n",
            b"GET /healthz HTTP/1.1\n\n",
            b"GET /healthz HTTP/1.1\r\n\r\n",
            chance.randbytes(chance.choice((1, 100, 10_000))),
            b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n" + b"GET /jobs HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
        )
    )
    return Attack(kind="garbage", pieces=(sent,), ending=chance.choice((Ending.HALF_CLOSE, Ending.HANG_UP)))


KINDS: tuple[tuple[Kind, int], ...] = (
    (fuzzed_body, 22),
    (wrong_fields, 12),
    (typed_body, 12),
    (deep, 6),
    (wide, 2),
    (strange_headers, 10),
    (strange_paths, 12),
    (strange_methods, 6),
    (smuggled, 8),
    (slow_writer, 4),
    (slow_reader, 3),
    (cut_off, 5),
    (websocket, 5),
    (garbage, 5),
)


def attack(seed: int, number: int, job: str) -> Attack:
    """Returns the attack of this number; the same for the same seed.

    Args:
        job: The id of a job that has ended.
    """
    chance = Random(f"{seed}:{number}")
    kinds, shares = zip(*KINDS, strict=True)
    kind: Kind = chance.choices(kinds, shares)[0]
    return kind(chance, job)
