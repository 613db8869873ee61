"""How Serve is told to run a replica."""

from __future__ import annotations

import pytest


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_replica_sends_on_the_loop_that_knows_whether_there_is_room():
    """Serve takes what an application on another thread sends into a queue without an end."""
    from ditto.serve import app

    options = app({})._bound_deployment.ray_actor_options
    assert options["runtime_env"]["env_vars"] == {"RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_replica_writes_no_line_for_each_request():
    """Serve would write two, to its file and to the standard error, while the client waits."""
    from ditto.serve import app

    assert app({})._bound_deployment.logging_config["enable_access_log"] is False
