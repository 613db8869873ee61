"""Ray's daemons end with the process that has begun them, and not by what is said to its group."""

from __future__ import annotations

import os
import sys

import pytest
from ray._private import services

from ditto.runtime import cluster


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they stay in the group")
def test_a_daemon_is_begun_in_a_group_of_its_own():
    with cluster._daemons_apart():
        daemon = services.ConsolePopen(["sleep", "60"])
    try:
        assert os.getpgid(daemon.pid) == daemon.pid
    finally:
        daemon.kill()
        daemon.wait()


def test_where_rays_reaper_ends_the_daemons_they_stay_in_the_group_by_which_it_finds_them(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    begun_by = services.ConsolePopen
    with cluster._daemons_apart():
        assert services.ConsolePopen is begun_by
