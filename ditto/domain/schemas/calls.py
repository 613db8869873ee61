"""Function calls, in whatever notation a model writes them, as `{"name": …, "arguments": {…}}`.

Read are OpenAI's `tool_calls`, objects with `name` and `arguments` or `parameters` (`input`, `args`), `[{name: {…}}]`,
`<tool_call>` tags, and calls in Python's syntax, `f(a=1)`. Nothing is ever executed: values are literals.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator

from ditto.domain.schemas.mending import mended
from ditto.domain.spec import JSON

_TAGGED = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|(?=<tool_call>)|\Z)", re.DOTALL)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)```", re.DOTALL)
_CALL = re.compile(r"[A-Za-z_][\w.]*\s*\(")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "kwargs")
_NAMES = ("name", "function", "tool", "tool_name", "function_name")
_WORDS: dict[str, JSON] = {"true": True, "false": False, "null": None, "none": None}
_LONGEST_CHARS = 20_000
_MOST_TAGS = 100


def found(text: str) -> list[JSON] | None:
    """Returns the calls that a reply makes, None where it makes none."""
    if len(text) > _LONGEST_CHARS:
        return None
    tagged = _TAGGED.findall(text)[:_MOST_TAGS]
    if tagged:
        values = [_value(each) for each in tagged]
        return of_value(values) if all(value is not None for value in values) else None
    fences = [fence.strip() for fence in _FENCE.findall(text)]
    for piece in (*fences, text.strip(), _bracketed(text)):
        if (calls := of_value(_value(piece)) or of_source(piece)) is not None:
            return calls
    return None


def shapes(text: str) -> Iterator[JSON]:
    """Yields the calls that a reply makes in every notation that a schema may ask for."""
    made = found(text)
    if made is None:
        return
    yield made
    yield {"tool_calls": made}
    yield {"calls": made}
    yield [{"name": call["name"], "parameters": call["arguments"]} for call in made]
    yield [{call["name"]: call["arguments"]} for call in made]
    if len(made) == 1:
        call = made[0]
        yield call
        yield {"name": call["name"], "parameters": call["arguments"]}
        yield {call["name"]: call["arguments"]}
        yield call["arguments"]


def of_value(value: JSON) -> list[JSON] | None:
    """Returns the calls that a decoded value is, None where it is no call or list of calls."""
    if isinstance(value, dict):
        if isinstance(value.get("tool_calls"), list):
            return of_value(value["tool_calls"])
        value = [value]
    if not isinstance(value, list) or not value:
        return None
    calls: list[JSON] = []
    for each in value:
        call = _call(each)
        if call is None:
            return None
        calls.extend(call)
    return calls


def of_source(source: str) -> list[JSON] | None:
    """Returns the calls that source in Python's syntax makes: one, a list, or one on each line."""
    if len(source) > _LONGEST_CHARS or not _CALL.search(source):
        return None
    nodes = _nodes(source.strip())
    if not nodes:
        return None
    calls = [_of_node(node) for node in nodes]
    return [call for call in calls if call] if all(calls) else None


def _call(value: JSON) -> list[JSON] | None:
    if isinstance(value, str):
        return of_source(value)
    if not isinstance(value, dict) or not value:
        return None
    if isinstance(value.get("function"), dict):
        return _call(value["function"])
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    if name is not None:
        given = [key for key in _ARGUMENTS if key in value]
        if not given:
            return None
        arguments = _object(value[given[0]])
        return None if arguments is None else [{"name": name, "arguments": arguments}]
    calls = [(key, inner if isinstance(inner, dict) else None) for key, inner in value.items()]
    if any(arguments is None or not _CALL.match(f"{key}(") for key, arguments in calls):
        return None
    return [{"name": key, "arguments": arguments} for key, arguments in calls]


def _object(value: JSON) -> dict[str, JSON] | None:
    """Returns arguments, which OpenAI writes as JSON in a text."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    decoded = _value(value.strip()) if isinstance(value, str) else value
    return decoded if isinstance(decoded, dict) else None


def _value(text: str) -> JSON:
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return next(mended(text), None) if text[:1] == "{" else None
    return _as_json(value)


def _bracketed(text: str) -> str:
    start, end = text.find("["), text.rfind("]")
    return text[start : end + 1] if 0 <= start < end else ""


def _nodes(source: str) -> list[ast.expr]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    nodes: list[ast.expr] = []
    for statement in tree.body:
        if not isinstance(statement, ast.Expr):
            return []
        value = statement.value
        nodes.extend(value.elts if isinstance(value, ast.List | ast.Tuple) else [value])
    return nodes


def _of_node(node: ast.expr) -> JSON:
    """Returns the call that an expression is, None where it is none or takes arguments without names."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        inner = _nodes(node.value.strip())
        return _of_node(inner[0]) if len(inner) == 1 and isinstance(inner[0], ast.Call) else None
    if not isinstance(node, ast.Call) or node.args or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    arguments: dict[str, JSON] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            return None
        arguments[keyword.arg] = _literal(keyword.value)
    return {"name": ast.unparse(node.func), "arguments": arguments}


def _literal(node: ast.expr) -> JSON:
    if isinstance(node, ast.Name):
        return _WORDS.get(node.id.lower(), node.id)
    try:
        return _as_json(ast.literal_eval(node))
    except (ValueError, TypeError, MemoryError, RecursionError):
        return ast.unparse(node)


def _as_json(value: object) -> JSON:
    if isinstance(value, tuple | list):
        return [_as_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_as_json(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {str(name): _as_json(item) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value)
