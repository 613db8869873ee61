"""The HTTP door on Ray Serve: the application that `serve_config.yaml` names, and `ditto serve`.

Serve's HAProxy ingress is used where its binary is there (Linux): a fifth of the time and CPU of the Python proxy.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE
from ray.serve.config import HTTPOptions
from ray.serve.exceptions import RayServeException
from ray.serve.schema import ApplicationStatus, LoggingConfig

from ditto.errors import DittoError, Unavailable
from ditto.http import unwatched
from ditto.http.app import build
from ditto.http.limits import Limits
from ditto.runtime import cluster, freed_memory, garbage
from ditto.runtime.ingress import use_haproxy
from ditto.runtime.open_ports import OpenPort, open_ports
from ditto.runtime.ports import held_port, own_ports, usable_port
from ditto.runtime.service import Service
from ditto.settings import Settings, from_args
from ditto.store.opening import look_at

NAME = "ditto"
_LOOPBACK = "127.0.0.1"
ONGOING = 10_000
"""Requests that one replica works on at once: most of them wait for models."""
_ONE_LOOP = {"RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0"}
"""On a thread of its own the application sends into a queue without an end: it grows while a reader does not read."""
_LOG = LoggingConfig(enable_access_log=False, log_level="WARNING")
"""A line for each request, written twice before it is answered, costs a twentieth of it; each job leaves one anyway.
That it is not written is not enough: below the level it is not even made."""
_LOOK_S = 1.0
"""Between Serve's looks at whether a replica is there; its own ten seconds are nine more without one."""
_A_SHARE = 0.001
"""Of a core: Ray spreads replicas that ask for it evenly over the nodes that have any, others as it happens."""
_READY_S = 10.0
_READY_PAUSE_S = 0.25
_READY_TRIES = 120


class _Door:
    """A replica: the HTTP application over the service of this cluster. It holds no job."""

    def __init__(self, settings: Settings) -> None:
        freed_memory.give_back()
        self._settings = settings

    def __serve_build_asgi_app__(self) -> Any:
        limits = Limits(body_bytes=self._settings.limits.body_bytes)
        return build(self._open, limits=limits, settings=self._settings)

    async def _open(self) -> Service:
        service = await cluster.attach(self._settings, replace=True, near=True, listens=await _listens())
        garbage.look_rarely()
        return service


async def _listens() -> str:
    """Returns the address at which Serve listens for this replica, whoever has started it and however."""
    options = await ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE).get_http_config.remote()
    return options.host or _LOOPBACK  # without one it does not listen at all


Door: Any = serve.deployment(
    name=NAME,
    max_ongoing_requests=ONGOING,
    health_check_period_s=_LOOK_S,
    ray_actor_options={"num_cpus": 0},
    logging_config=_LOG,
)(serve.ingress()(_Door))


def _door(settings: Settings) -> serve.Application:
    """Returns the application; where the journal is a file, its replicas live beside it."""
    options = {
        "num_cpus": _A_SHARE if settings.stays_near else 0,
        "resources": cluster.ON_HEAD if settings.store_is_file else {},
        "runtime_env": {"env_vars": {**_ONE_LOOP, **unwatched.LAYERS}},
    }
    application: serve.Application = Door.options(
        num_replicas=settings.runtime.replicas, ray_actor_options=options
    ).bind(settings)
    return application


def app(args: dict[str, Any]) -> serve.Application:
    """Returns the application for `serve run serve_config.yaml`; `args` are Ditto's settings.

    Raises:
        ConfigurationError: One line that names the path of everything that is wrong.
    """
    settings = from_args(args, source="serve_config.yaml", prefix="applications.0.args.")
    return _door(settings)


def run(
    settings: Settings,
    *,
    host: str = _LOOPBACK,
    port: int = 8000,
    address: str | None = None,
    verbose: bool = False,
) -> None:
    """Serves HTTP until SIGINT or SIGTERM, and says on standard output where, once it takes requests.

    Args:
        port: 0 takes a free one.
        address: The Ray cluster to serve in; None: what `RAY_ADDRESS` names, else one that ends with this process.

    Raises:
        ConfigurationError: The port is taken, there is no such cluster, or other machines could ask without a key.
        Unavailable: The journal cannot be opened, or Serve does not come up.
    """
    look_at(settings.store)
    jobs_left = asyncio.run(cluster.looked_into(settings, host))
    if not verbose:
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
    with (
        tempfile.TemporaryDirectory(prefix="ditto-serve-") as folder,
        own_ports() as ports,
        held_port(host, port) as port,
    ):
        use_haproxy(Path(folder), ports)
        own = cluster.join(address, verbose=verbose)
        try:
            if own and jobs_left:
                cluster.begin_keeper(settings)  # they go on while Serve starts
            _begin(host, port)
            if own:
                cluster.begin_actors(settings)  # they start beside the replica, not after it
            _deploy(settings)
            stopped = _stop_signal()
            _wait_until_ready(host, port, stopped)
            print(f"Ditto at http://{host}:{port}, its routes at /docs; Ctrl-C stops it")
            print(f"journal {settings.store}")
            print(f"Ray     {cluster.current_address()}")
            print(f"ports   {_ports_told(open_ports())}", flush=True)
            stopped.wait()
            if own:  # in another's cluster the jobs go on without this process
                _drain(settings)
            serve.shutdown()  # type: ignore[no-untyped-call]  # Ray has no type for it
        finally:
            cluster.leave()


def _ports_told(found: list[OpenPort]) -> str:
    """Returns which ports other machines reach, and how many only this one does."""
    reached = [f"{each.address}:{each.port} ({each.process})" for each in found if not each.is_local]
    local = len({each.port for each in found if each.is_local})
    return f"{local} on loopback; other machines reach {', '.join(reached) or 'none'}"


def _begin(host: str, port: int) -> None:
    """Returns when Serve listens.

    Raises:
        ConfigurationError: Another process has taken the port meanwhile.
        Unavailable: Serve does not come up for any other reason.
    """
    try:
        serve.start(http_options=HTTPOptions(host=host, port=port))
    except (RayError, RuntimeError) as error:
        usable_port(host, port)
        raise Unavailable(f"Ray Serve did not come up: {error}") from error


def _deploy(settings: Settings) -> None:
    """Returns when a replica is there; Serve's own way of waiting for it looks once a second.

    Raises:
        Unavailable: None comes up.
    """
    try:
        serve.run_many([serve.RunTarget(_door(settings), name=NAME)], wait_for_applications_running=False)
        while (found := serve.status().applications.get(NAME)) is not None:
            if found.status == ApplicationStatus.RUNNING:
                return
            if found.status == ApplicationStatus.DEPLOY_FAILED:
                raise Unavailable(f"Ray Serve did not come up: {found.message}")
            time.sleep(_READY_PAUSE_S)
        raise Unavailable("Ray Serve did not come up: somebody else has taken the application away")
    except (RayError, RuntimeError, RayServeException) as error:
        raise Unavailable(f"Ray Serve did not come up: {error}") from error


def _drain(settings: Settings) -> None:
    try:
        left = asyncio.run(cluster.drain(settings))
    except DittoError as error:
        said = f"how many jobs have not ended is not known: {error}; they go on after the next start"
    else:
        said = f"{left} jobs have not ended; they go on after the next start" if left else ""
    if said:
        with suppress(OSError):  # the terminal may have gone
            print(said, flush=True)


def _wait_until_ready(host: str, port: int, stopped: threading.Event) -> None:
    """Returns when jobs are taken, or when that has taken too long: `/readyz` then goes on saying why."""
    import httpx  # heavy, and not for replicas, which import this file

    reached = "127.0.0.1" if host == "0.0.0.0" else host
    for _ in range(_READY_TRIES):
        try:
            if httpx.get(f"http://{reached}:{port}/readyz", timeout=_READY_S).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # the ingress is not there yet
        if stopped.wait(_READY_PAUSE_S):
            return


def _stop_signal() -> threading.Event:
    """Returns an event that SIGINT, SIGTERM and the end of the terminal set, but for what `nohup` has had ignored.

    To be called after Ray, which sets handlers of its own.
    """
    stopped = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stopped.set())
    return stopped
