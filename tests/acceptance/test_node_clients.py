"""Clients in Node against the running service: one that is older than Ditto, OpenAI's, and the Vercel AI SDK."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Serving

PACKAGE = Path(__file__).with_name("node")
INSTALL_S = 280
LONG_S = 120


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with the scripts and what they import, in the versions of the lock."""
    if shutil.which("npm") is None:
        assert "CI" not in os.environ, "there is no npm"
        pytest.skip("waits for npm, which installs the clients")
    folder = tmp_path_factory.mktemp("node") / "package"
    shutil.copytree(PACKAGE, folder)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder, timeout_s=INSTALL_S)
    return folder


@pytest.mark.parametrize("script", ["one_post.mjs", "openai.mjs", "ai_sdk.mjs"])
def test_the_clients_for_node_work_unchanged(installed: Path, serving: Serving, script: str) -> None:
    reached = {"DITTO_URL": serving.url, "DITTO_SIM": serving.sim}

    printed = run("node", "--test", script, folder=installed, timeout_s=LONG_S, **reached)

    assert "fail 0" in printed
    assert "pass 0" not in printed


def run(*command: str, folder: Path, timeout_s: float, **variables: str) -> str:
    """Returns what the command prints, on both streams."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
