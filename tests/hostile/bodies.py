"""Bodies and schemas that are wrong, hard or huge."""

from __future__ import annotations

import json
from random import Random
from typing import Any

KEYS = (
    *(
        "prompt",
        "messages",
        "models",
        "ensemble",
        "strategy",
        "temperature",
        "topP",
        "top_p",
        "maxTokens",
        "stop",
        "seed",
    ),
    *(
        "system",
        "maxRetries",
        "timeout",
        "grace",
        "deadline",
        "metadata",
        "schema",
        "minResponses",
        "settle",
        "weights",
    ),
    *("answer", "judge", "samples", "placement", "onDisconnect", "idempotencyKey", "model", "input", "stream", "tools"),
    *("n", "response_format", "text", "ditto", "correct", "__proto__", "constructor", "", "\x00", "é" * 50),
)
_GOOD = {"prompt": "What is 6 * 7?", "models": ["sim/terse"], "metadata": {"a": [1, {"b": "é"}]}, "temperature": 0.5}
_BACKTRACKS = ("(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a|a)*b", "(.*)*x", r"^(a|aa)+$", "(x+x+)+y", r"(\w+\s?)*$")


def value(chance: Random, depth: int = 0) -> Any:
    """Returns any JSON value, and some that are none."""
    plain: tuple[Any, ...] = (
        *(None, True, False, 0, -1, 1, 2.5, 1e308, -1e-320, 2**53 + 1, 10**400, float("nan"), float("inf")),
        *(
            "",
            " ",
            "x",
            "sim/terse",
            "sim/terse#2",
            "\x00",
            "\ud800",
            "\u202e",
            "é" * 1_000,
            "A" * 100_000,
            "consensus",
        ),
        *("http://127.0.0.1:1/", "file:///etc/passwd", "{{7*7}}", "'; DROP TABLE jobs; --", "../../etc/passwd", "all"),
    )
    if depth > 3 or chance.random() < 0.6:
        return chance.choice(plain)
    if chance.random() < 0.5:
        return [value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return {chance.choice(KEYS): value(chance, depth + 1) for _ in range(chance.randint(0, 4))}


def wrong_body(chance: Random) -> bytes:
    """Returns a request that something was done to."""
    good = json.dumps(_GOOD).encode()
    match chance.randrange(9):
        case 0:
            broken = bytearray(good)
            for _ in range(chance.randint(1, 8)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            return bytes(broken)
        case 1:
            return good[: chance.randrange(len(good))]
        case 2:
            return good.decode().encode(chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))
        case 3:
            return chance.randbytes(chance.choice((1, 100, 100_000)))
        case 4:
            number = chance.choice(("NaN", "-Infinity", "1e999", "9" * 5_000, "-0", "01", "0x1", "1_000"))
            return good.replace(b"0.5", number.encode())
        case 5:
            return (
                b'{"prompt":"'
                + chance.choice((b"\\ud800", b"\\u0000", b"\xff", b"\xed\xa0\x80", b"\n", b"\\x"))
                + b'"}'
            )
        case 6:
            return b'{"prompt":"' + b"a" * chance.choice((1_000_000, 16_000_000, 17_000_000)) + b'"}'
        case 7:
            return json.dumps(value(chance)).encode("utf-8", "surrogatepass")
        case _:
            return good[:-1] + b',"prompt":1,"topP":1,"top_p":1,"unknown":[]}'


def schema(chance: Random) -> dict[str, Any]:
    """Returns a schema that takes long to judge by, or leads somewhere, or is none."""
    pattern = chance.choice(_BACKTRACKS)
    doubled = {f"p{n}": {"allOf": [{"$ref": f"#/$defs/p{n + 1}"}] * 2} for n in range(chance.choice((8, 20, 45)))}
    found: dict[str, Any] = chance.choice(
        (
            {"type": "string", "pattern": pattern},
            {"type": "object", "patternProperties": {pattern: {"type": "string"}}, "additionalProperties": True},
            {
                "type": "object",
                "properties": {"answer": {"type": "string", "pattern": pattern}},
                "required": ["answer"],
            },
            {"type": "object", "patternProperties": {pattern: True}, "unevaluatedProperties": {"pattern": pattern}},
            {"type": "string", "pattern": "(?:a?){900}" * chance.choice((1, 10, 800))},
            {"type": "string", "pattern": "(" * chance.choice((100, 9_000, 200_000))},
            {"type": "string", "pattern": "|".join(f"w{n}" for n in range(chance.choice((100, 1_500, 50_000))))},
            {"type": "string", "pattern": r"^(?=.*\d)(?!x).*\1$"},
            {
                "$ref": chance.choice(
                    ("http://127.0.0.1:9/x", "file:///etc/passwd", "#/nowhere", "#", "//evil.example/x")
                )
            },
            {"properties": {"a": {"$dynamicRef": "https://evil.example/x"}}},
            {"$id": "http://[", "items": {"$id": "\x00"}},
            {"$ref": "#/$defs/p0", "$defs": doubled},
            {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}},
            {"enum": [list(range(n)) for n in range(120)]},
            {"properties": {f"f{n}": {"type": "string"} for n in range(chance.choice((500, 3_000, 30_000)))}},
            {"anyOf": [{"type": "object", "properties": {f"k{n}": {"const": n}}} for n in range(1_000)]},
            {"$schema": "http://json-schema.org/draft-04/schema#", "items": {"$ref": "#"}, "pattern": pattern},
            {"type": chance.choice(("nonsense", [], ["string", "string"], 1)), "minLength": -1},
            {"multipleOf": 1e-320, "type": "number"},
            {"format": "regex", "type": "string"},
        )
    )
    return found
