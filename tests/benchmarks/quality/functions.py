"""Function calls: the JSON Schema that a user would send for the offered functions, and what of a list is right."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
_KEPT = ("description", "enum", "items", "properties", "required")
_MOST_ORDERS = 720


@lru_cache(maxsize=1)
def judge(data: Path) -> ModuleType:
    """Returns the recorded sets' own checker."""
    spec = importlib.util.spec_from_file_location("bfcl_check", data / "bfcl_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(offered: dict[str, Any] | list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the schema of a list of calls of the offered functions."""
    listed = offered if isinstance(offered, list) else [offered]
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": function["name"]}, "arguments": _translated(function["parameters"])},
            "required": ["name", "arguments"],
        }
        for function in listed
    ]
    return {"type": "array", "items": calls[0] if len(calls) == 1 else {"anyOf": calls}}


def _translated(parameter: dict[str, Any]) -> dict[str, Any]:
    """Returns JSON Schema for a parameter's description in the sets' own types."""
    made: dict[str, Any] = {key: parameter[key] for key in _KEPT if key in parameter}
    kind = parameter.get("type")
    if kind is not None and kind != "any":
        made["type"] = _TYPES.get(kind, kind)
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _translated(each) for name, each in made["properties"].items()}
    if isinstance(made.get("items"), dict):
        made["items"] = _translated(made["items"])
    return made


def all_right(data: Path, result: object, row: dict[str, Any]) -> bool:
    """Tells whether a merged list of calls is right as a whole."""
    checker = judge(data)
    calls = _calls(result)
    return calls is not None and bool(checker.check([{**call} for call in calls], row["functions"], row["gold"]))


def right_fields(data: Path, result: object, row: dict[str, Any]) -> dict[str, bool]:
    """Returns for each argument and name in a merged list of calls whether it is right, by its JSON pointer.

    Calls are matched to the wanted ones by name, then so that most is right. A call that nobody wants is wrong in all
    its parts.
    """
    calls = _calls(result)
    if calls is None:
        return {}
    wanted = _wanted(data, row)
    best: dict[str, bool] = {}
    most = -1
    for order in _orders(len(calls), len(wanted)):
        fields: dict[str, bool] = {}
        for number, call in enumerate(calls):
            fields.update(_judged(data, number, call, wanted[order[number]] if order[number] >= 0 else None, row))
        if sum(fields.values()) > most:
            best, most = fields, sum(fields.values())
    return best


def _orders(calls: int, wanted: int) -> Iterator[Sequence[int]]:
    places = [*range(wanted), *([-1] * max(0, calls - wanted))]
    yield from itertools.islice(itertools.permutations(places, calls), _MOST_ORDERS)


def _wanted(data: Path, row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Returns the wanted calls, their names as offered; in parallel calls gold numbers them."""
    checker = judge(data)
    listed = row["functions"] if isinstance(row["functions"], list) else [row["functions"]]
    offered = {checker.norm_name(function["name"]) for function in listed}
    only = listed[0]["name"] if len(listed) == 1 else None
    made = []
    for gold in row["gold"]:
        ((name, arguments),) = gold.items()
        plain = name if checker.norm_name(name) in offered else checker.re.sub(r"[_ ]\d+$", "", name)
        made.append((only or plain, arguments))
    return made


def _judged(
    data: Path, number: int, call: dict[str, Any], gold: tuple[str, dict[str, Any]] | None, row: dict[str, Any]
) -> dict[str, bool]:
    checker = judge(data)
    same = gold is not None and checker.norm_name(call["name"]) == checker.norm_name(gold[0])
    fields = {f"/{number}/name": same}
    listed = row["functions"] if isinstance(row["functions"], list) else [row["functions"]]
    found = next((f for f in listed if checker.norm_name(f["name"]) == checker.norm_name(call["name"])), listed[0])
    parameters = found["parameters"]["properties"]
    for name, value in call["arguments"].items():
        allowed = gold[1].get(name) if gold is not None and same else None
        known = allowed is not None and name in parameters
        fields[f"/{number}/arguments/{name}"] = known and checker.value_ok(value, parameters[name], allowed)
    if gold is not None and same:
        for name, allowed in gold[1].items():
            if name not in call["arguments"] and "" not in allowed:
                fields[f"/{number}/arguments/{name}"] = False
    return fields


def _calls(result: object) -> list[dict[str, Any]] | None:
    if not isinstance(result, list):
        return None
    made = []
    for call in result:
        if not isinstance(call, dict) or not isinstance(call.get("arguments"), dict) or "name" not in call:
            return None
        made.append({"name": str(call["name"]), "arguments": call["arguments"]})
    return made
