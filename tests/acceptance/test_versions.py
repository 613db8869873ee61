"""A cluster that runs one version meets another: they never work together, and the newer service replaces the older."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import httpx
import pytest

import ditto
from ditto.version import VERSION
from tests.acceptance.conftest import DITTO
from tests.acceptance.heads import PYTHON, Head
from tests.acceptance.processes import process, said

OTHER = "0.0.9"
SUBMIT = """
import sys, ditto, ray
ray.init(sys.argv[1], namespace="ditto", runtime_env={"env_vars": {"PYTHONPATH": sys.argv[2]}}, log_to_driver=False)
with ditto.connect(sys.argv[1]) as service:
    job = service.submit("What is 9 * 9?", models=["sim/terse", "sim/wordy+slow=25s"], placement="shared")
    while service.job(job.id).state().progress["sim/terse"] != "answered":
        pass
    print(job.id)
"""
CONNECT = """
import sys, ditto
with ditto.connect(sys.argv[1]) as service:
    print(service.ask("What is 6 * 7?", models=["sim/terse"]).result)
"""

NAMES = """
import sys, ray
ray.init(sys.argv[1], namespace="ditto", log_to_driver=False)
print(*(actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)))
"""


@pytest.fixture
def other_version(tmp_path: Path) -> Path:
    """A folder in which the package says that it is another version."""
    folder = tmp_path / "other"
    shutil.copytree(Path(ditto.__file__).parent, folder / "ditto")
    said_version = folder / "ditto" / "version.py"
    said_version.write_text(said_version.read_text().replace(VERSION, OTHER))
    return folder


def test_the_newer_service_drains_and_replaces_the_older_and_its_jobs_go_on(head: Head, other_version: Path) -> None:
    httpx.post(f"{head.sim}/sim/reset")
    where = str(other_version)
    submitted = head.run(PYTHON, "-c", SUBMIT, head.address, where, PYTHONPATH=where, RAY_AUTH_MODE="token")
    assert submitted.returncode == 0, submitted.stderr
    job = submitted.stdout.split()[-1]

    refused = head.run(PYTHON, "-c", CONNECT, head.address)
    assert refused.returncode != 0
    assert f"the cluster runs Ditto {OTHER}, this process {VERSION}" in refused.stderr

    log = head.home / "serve.log"
    environ = {**head.environ, "DITTO_RUNTIME__DRAIN_S": "1", "RAY_AUTH_MODE": "token"}
    with process(DITTO, "serve", "--port", "0", "--address", head.address, environ=environ, log=log) as running:
        url = said(r"Ditto at (http://[\d.:]+)", log, running)[1]
        ended = httpx.get(f"{url}/jobs/{job}", params={"wait": 60_000}, timeout=90).json()
        events = httpx.get(f"{url}/jobs/{job}/events").text
        until_s = time.monotonic() + 60
        while others := others_left(head):
            assert time.monotonic() < until_s, others
            time.sleep(0.5)
    assert (ended["state"], ended["structured"]["answer"]) == ("complete", 81)
    assert "event: job.adopted" in events
    counts = httpx.get(f"{head.sim}/sim/counts").json()["models"]
    assert counts["terse"]["started"] == 1

    late = head.run(PYTHON, "-c", CONNECT, head.address, PYTHONPATH=where)
    assert late.returncode != 0
    assert f"the cluster runs Ditto {VERSION}, this process {OTHER}" in late.stderr


def others_left(head: Head) -> list[str]:
    """Returns the names of hosts and callers where there are more than one version has."""
    listed = head.run(PYTHON, "-c", NAMES, head.address, RAY_AUTH_MODE="token")
    assert listed.returncode == 0, listed.stderr
    names = [name for name in listed.stdout.split() if name.startswith(("host:", "caller:"))]
    return names if len(names) > 2 else []
