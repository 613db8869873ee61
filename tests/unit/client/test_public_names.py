"""What `import ditto` gives, and what it costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ditto
from ditto import errors


def test_public_names_are_sorted_and_there() -> None:
    assert ditto.__all__ == sorted(ditto.__all__)
    assert len(ditto.__all__) == len(set(ditto.__all__))
    for name in ditto.__all__:
        assert hasattr(ditto, name), name


def test_a_name_is_what_a_type_checker_takes_it_for() -> None:
    imports = [
        node for node in ast.walk(ast.parse(Path(ditto.__file__).read_text())) if isinstance(node, ast.ImportFrom)
    ]
    public = [(node.module, name.name) for node in imports for name in node.names if name.name in ditto.__all__]

    assert {name for _, name in public} == {*ditto.__all__} - {"__version__"}
    for module, name in public:
        assert getattr(ditto, name) is getattr(import_module(str(module)), name)


def test_names_that_are_loaded_late_are_listed_and_any_other_is_missed() -> None:
    assert {*ditto.__all__} <= {*dir(ditto)}
    with pytest.raises(AttributeError, match="module 'ditto' has no attribute 'Nothing'"):
        ditto.Nothing  # type: ignore[attr-defined]  # noqa: B018


def test_every_error_that_a_caller_can_meet_is_public() -> None:
    met: list[type[Exception]] = [
        errors.ServiceError,
        *errors.ServiceError.__subclasses__(),
        errors.ResultInvalid,
        errors.ConfigurationError,
    ]

    for kind in met:
        assert getattr(ditto, kind.__name__) is kind


def test_importing_ditto_loads_nothing_heavy() -> None:
    loaded = _loaded_by("import ditto")

    assert not loaded & {"httpx", "pydantic"}


def test_the_client_loads_no_server_and_no_cluster() -> None:
    loaded = _loaded_by("from ditto import *")

    assert "pydantic" in loaded
    assert not loaded & {"ray", "fastapi", "starlette", "uvicorn", "numpy", "scipy", "sqlalchemy", "aiohttp"}


def _loaded_by(statement: str) -> set[str]:
    script = f"{statement}; import sys, json; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))
