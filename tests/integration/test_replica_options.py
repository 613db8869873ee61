"""How Serve is told to run a replica."""

from __future__ import annotations

import pytest


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_replica_sends_on_the_loop_that_knows_whether_there_is_room():
    """Serve takes what an application on another thread sends into a queue without an end."""
    from ditto.serve import app

    options = app({})._bound_deployment.ray_actor_options
    assert options["runtime_env"]["env_vars"]["RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"] == "0"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_replica_writes_no_line_for_each_request():
    """Serve would write two, to its file and to the standard error, while the client waits."""
    from ditto.serve import app

    logging = app({})._bound_deployment.logging_config
    assert (logging["enable_access_log"], logging["log_level"]) == (False, "WARNING")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_replica_is_told_to_leave_hang_ups_to_the_handlers_by_the_names_that_serve_knows():
    from ray.serve._private import constants

    from ditto.http import unwatched
    from ditto.serve import app

    told = app({})._bound_deployment.ray_actor_options["runtime_env"]["env_vars"]
    [(name, path)] = unwatched.LAYERS.items()
    assert told[name] == path
    assert hasattr(constants, name)
    assert constants.SERVE_HTTP_REQUEST_DISCONNECT_DISABLED_HEADER == "x-request-disconnect-disabled"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
@pytest.mark.parametrize(
    ("store", "near", "cores"),
    [("postgresql://u:p@h/d", True, 0.001), ("postgresql://u:p@h/d", False, 0), ("/j.db", True, 0)],
    ids=["near hosts", "any hosts", "a file"],
)
def test_replicas_are_spread_over_the_nodes_where_each_is_to_give_jobs_to_its_own(store, near, cores):
    from ditto.serve import app

    options = app({"store": store, "runtime": {"near": near}})._bound_deployment.ray_actor_options
    assert options["num_cpus"] == cores
