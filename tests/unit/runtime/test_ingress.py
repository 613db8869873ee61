"""HAProxy is run as this service needs it: it dies with who began it, and hears every client that hangs up."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ditto.runtime.ingress import use_haproxy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Ray brings HAProxy for Linux alone")


def test_haproxy_is_run_without_splice_and_with_what_serve_gives_it(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})

    use_haproxy(tmp_path, range(20000, 20050))

    command = os.environ["RAY_SERVE_HAPROXY_BINARY_PATH"]
    assert " -dS " in (tmp_path / "haproxy").read_text()
    told = subprocess.run([command, "-v"], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.startswith("HAProxy version")


def test_what_the_user_has_set_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"RAY_SERVE_ENABLE_HA_PROXY": "0"})

    use_haproxy(tmp_path, range(20000, 20050))

    assert os.environ["RAY_SERVE_ENABLE_HA_PROXY"] == "0"


def test_haproxy_listens_on_loopback_where_serve_names_no_address(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    use_haproxy(tmp_path, range(20000, 20050))
    written = "frontend a\n    bind :9101\nlisten b\n  bind *:8404\nfrontend c\n    bind 0.0.0.0:8000\n"
    (tmp_path / "haproxy.cfg").write_text(written)
    command = [os.environ["RAY_SERVE_HAPROXY_BINARY_PATH"], "-v", "-f", str(tmp_path / "haproxy.cfg")]

    subprocess.run(command, capture_output=True, timeout=60, check=True)

    places = [line.split()[1] for line in (tmp_path / "haproxy.cfg").read_text().splitlines() if "bind" in line]
    assert places == ["127.0.0.1:9101", "127.0.0.1:8404", "0.0.0.0:8000"]
