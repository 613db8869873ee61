"""What the process of an actor loads, which is most of its start: what its own kind needs, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from importlib import import_module

def loaded():
    return sorted(sys.modules)

seen = {}
for kind in ("simulated_models", "model_callers", "holders", "directory"):
    import_module(f"ditto.runtime.actors.{kind}")
    seen[kind] = loaded()
from ditto.domain.strategies import load_merging
load_merging()
seen["merging"] = loaded()
print(json.dumps(seen))
"""
"""From the smallest to the largest, so that one process shows them all."""
COMMAND_LINE = {"rich", "click", "pygments", "typer"}
SERVER = {"fastapi", "starlette", "ray.serve"}
MERGING = {"numpy", "rapidfuzz", "ditto.domain.merging"}
JOURNAL = {"sqlalchemy", "sqlite3", "ditto.store.journal"}
POSTGRES = {"psycopg", "sqlalchemy.dialects.postgresql", "ditto.store.postgres"}
DIALECTS = {"httpx", "aiohttp", "ditto.providers.models"}
CLIENT = {"ditto.client", "ditto.domain.request"}
NOBODYS = COMMAND_LINE | SERVER | MERGING | POSTGRES | DIALECTS | CLIENT


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    return {kind: set(modules) for kind, modules in json.loads(run.stdout).items()}


@pytest.mark.parametrize("kind", ["simulated_models", "model_callers"])
def test_who_holds_no_jobs_loads_neither_journal_nor_merging(loaded: dict[str, set[str]], kind: str) -> None:
    assert loaded[kind] & (NOBODYS | JOURNAL | {"ditto.runtime.host"}) == set()


@pytest.mark.parametrize("kind", ["holders", "directory"])
def test_who_holds_jobs_or_looks_after_them_begins_without_merging(loaded: dict[str, set[str]], kind: str) -> None:
    assert loaded[kind] & NOBODYS == set()


def test_a_spare_that_waits_has_loaded_all_that_the_first_job_will_need(loaded: dict[str, set[str]]) -> None:
    assert loaded["merging"] >= MERGING | {
        "ditto.domain.merging.merge",
        "ditto.domain.merging.intents",
        "ditto.domain.merging.summary",
        "ditto.domain.strategies.settling",
    }
