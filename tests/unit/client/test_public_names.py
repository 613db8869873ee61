"""What `import ditto` gives, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import ditto
from ditto import errors


def test_public_names_are_sorted_and_there() -> None:
    assert ditto.__all__ == sorted(ditto.__all__)
    assert len(ditto.__all__) == len(set(ditto.__all__))
    for name in ditto.__all__:
        assert hasattr(ditto, name), name


def test_every_error_that_a_caller_can_meet_is_public() -> None:
    met: list[type[Exception]] = [
        errors.ServiceError,
        *errors.ServiceError.__subclasses__(),
        errors.ResultInvalid,
        errors.ConfigurationError,
    ]

    for kind in met:
        assert getattr(ditto, kind.__name__) is kind


def test_importing_ditto_loads_no_server_and_no_cluster() -> None:
    script = "import sys, json, ditto; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    loaded = set(json.loads(run.stdout))
    assert not loaded & {"ray", "fastapi", "starlette", "uvicorn", "numpy", "scipy", "sqlalchemy", "aiohttp"}
