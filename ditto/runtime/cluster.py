"""Joining a Ray cluster, or starting one in this process, and finding or starting Ditto's actors in it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import ray
from ray._private import services
from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
from ray.exceptions import RayError

from ditto import settings as configuration
from ditto.errors import ConfigurationError, DittoError, HolderGone, StoreError, Unavailable
from ditto.runtime.actors import homes
from ditto.runtime.actors.beginning import ON_HEAD
from ditto.runtime.actors.directory import Actors, cluster_settings, on_head, replace_other_version
from ditto.runtime.actors.names import KEEPER, caller_names, new_id, shared_names
from ditto.runtime.actors.refs import NAMESPACE
from ditto.runtime.actors.simulated_models import sim_url
from ditto.runtime.admission import Admission
from ditto.runtime.doorkeeper import Doorkeeper
from ditto.runtime.placement import Placer, Spares, Standing, job_actors
from ditto.runtime.ports import is_loopback
from ditto.runtime.retiring import left
from ditto.runtime.roles import JOB
from ditto.runtime.runner import utc_now
from ditto.runtime.service import Service
from ditto.runtime.shares import Shares
from ditto.settings import Settings
from ditto.settings.stores import Store
from ditto.store import opening
from ditto.store.port import Journal
from ditto.tally import Counted, Tally

__all__ = [
    "LOCAL",
    "ON_HEAD",
    "attach",
    "begin_actors",
    "begin_keeper",
    "current_address",
    "drain",
    "join",
    "join_running",
    "leave",
    "looked_into",
    "open_journal",
]

log = logging.getLogger("ditto.cluster")

LOCAL = "local"
_READY_S = 5.0
_HEARD_S = 1.0
_COUNT_S = 2.0
_DRAIN_MARGIN_S = 15.0
_OF_A_NEW_CLUSTER = {
    "RAY_worker_niceness": "0",
    "RAY_task_events_max_num_task_in_gcs": "5000",
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
}
_ANY_LEASE = timedelta(days=1)
"""After so long every lease has run out."""
_PRESTARTED = 4
"""Worker processes that Ray starts by itself: the first actors find theirs running."""


def join(address: str | None = None, *, verbose: bool = False) -> bool:
    """Connects this process to a Ray cluster; does nothing if it is connected.

    In a new cluster the workers have this process's own priority: they are what is served, no work in the background,
    and at Ray's niceness of 15 whatever else the machine does leaves them a thirtieth of a core. And Ray keeps the
    last 5000 messages between them, not 100,000 at 2 KB each: without a dashboard hardly anybody looks at them. Serve
    looks twice a second whether all is as it should be, not ten times, which takes a twentieth of a core.

    Returns:
        Whether the cluster is a new one, which ends with this process.

    Args:
        address: Ray's address, `auto` for the one that runs on this machine, `local` for a new one that ends with
            this process. None: what `RAY_ADDRESS` names, else `local`.

    Raises:
        ConfigurationError: There is no cluster at that address.
    """
    if ray.is_initialized():
        return False
    address = address or os.environ.get("RAY_ADDRESS") or LOCAL
    new = address == LOCAL
    quiet: dict[str, Any] = {} if verbose else {"logging_level": logging.ERROR, "log_to_driver": False}
    if not verbose:
        logging.getLogger("ray").setLevel(logging.ERROR)
    if not new:
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)  # Ray itself does so for `auto` alone
    if new:
        for name, value in _OF_A_NEW_CLUSTER.items():
            os.environ.setdefault(name, value)
    cpus = max(_PRESTARTED, os.cpu_count() or 1)
    started: dict[str, Any] = {"include_dashboard": False, "num_cpus": cpus} if new else {}
    try:
        with _interrupts_held_back(), _daemons_apart():
            ray.init(address=address, namespace=NAMESPACE, configure_logging=verbose, **quiet, **started)
    except ConnectionError as error:
        raise ConfigurationError(f"there is no Ray cluster at {address}: {error}") from error
    return new


def current_address() -> str:
    """Returns the address at which other processes join this process's cluster."""
    address: str = ray.get_runtime_context().gcs_address
    return address


def leave() -> None:
    """Disconnects this process; a cluster that it started ends, with every process of it."""
    ray.shutdown()


@contextmanager
def _daemons_apart() -> Iterator[None]:
    """Has Ray begin its daemons outside of this process's group.

    What is said to the whole group (by a shell, or at the end of a terminal) is for this process to obey: it drains,
    and ends them afterwards. Were they to end at once with what they hold, it would wait for them in vain. That is for
    Linux, which ends them when this process is killed; elsewhere Ray's reaper does so, and it finds them by the group.
    """
    if sys.platform != "linux":
        yield
        return
    begins: Any = services
    popen = begins.ConsolePopen
    begins.ConsolePopen = partial(popen, process_group=0)
    try:
        yield
    finally:
        begins.ConsolePopen = popen


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hears Ctrl-C at the end of the block: a cluster that has half started leaves processes behind.

    Raises:
        KeyboardInterrupt: At the end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python tells only its main thread
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt


def join_running(*, verbose: bool = False) -> None:
    """Connects this process to the cluster that `RAY_ADDRESS` names or that runs on this machine, else to a new one."""
    if ray.is_initialized() or os.environ.get("RAY_ADDRESS"):
        join(verbose=verbose)
        return
    try:
        join("auto", verbose=verbose)
    except ConfigurationError:
        join(LOCAL, verbose=verbose)


async def attach(
    settings: Settings | None = None,
    *,
    address: str | None = None,
    running: bool = False,
    warm: bool = False,
    replace: bool = False,
    near: bool = False,
    listens: str = "127.0.0.1",
    verbose: bool = False,
) -> Service:
    """Returns the service of the cluster at `address`, its actors started where they are not there.

    Args:
        settings: None: those of the cluster's actors, or where there are none, as `settings.load` finds them.
        running: Without an address, the cluster that runs on this machine is joined, if there is one.
        warm: Begins one job's own actor and the simulated models at once, and no keeper: for a process that asks one
            question.
        replace: Actors of another version of Ditto are drained and replaced; else they are an error.
        near: Gives jobs to the hosts of this node, where the settings say so: for one of many processes, on each node.
        listens: The address of this machine at which the service can be asked.

    Raises:
        ConfigurationError: The settings are wrong, there is no such cluster, it runs another version of Ditto, the
            journal is a file on another node, or other machines could ask without a key.
        Unavailable: The journal cannot be opened.
    """
    own = not ray.is_initialized()
    if running and address is None:
        await asyncio.to_thread(join_running, verbose=verbose)
    else:
        await asyncio.to_thread(join, address, verbose=verbose)
    try:
        if replace:
            await replace_other_version()
        found = await cluster_settings()
        settings = settings or found or configuration.load()
        if found is not None:
            settings = settings.where_unsaid(hosts=found.runtime.hosts, callers=found.runtime.callers)
        elif warm:
            settings = settings.where_unsaid(hosts=1, callers=1)  # one question needs no more
        if settings.store_is_file and not on_head():
            raise ConfigurationError(f"the journal {settings.store} is a file of the cluster's head node: work there")
        await asyncio.to_thread(opening.look_at, settings.store)
        journal = open_journal(settings.store)
        doorkeeper = _doorkeeper(journal, settings, listens)
        await doorkeeper.check(listens)
    except BaseException:  # raised on; only a cluster that this call began must not stay
        if own:
            await asyncio.to_thread(leave)
        raise
    actors = Actors(settings)
    spares = Spares(actors)
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(caller.status()) for caller in actors.callers()]
    if warm:
        name = f"{JOB}{new_id()}"
        tasks.append(asyncio.ensure_future(actors.create_host(name).status()))
        tasks.append(asyncio.ensure_future(sim_url()))
        spares.offer(name)
        if settings.rate_limits and settings.runtime.callers > 1:
            tasks.append(asyncio.ensure_future(actors.keeper().standing(Standing(), 0.0)))  # it deals the limits out
    else:
        spares.start()
        await spares.heard(_HEARD_S)

    async def check() -> None:
        await _check(journal, actors)

    async def count() -> list[Counted]:
        return await _counted(actors)

    async def closing() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await spares.close()
        actors.hang_up()
        await journal.close()
        if own:
            await asyncio.to_thread(leave)

    hosts = shared_names(settings)
    placer = Placer(
        actors,
        spares,
        hosts=hosts,
        near=homes.here(hosts) if near and settings.stays_near else (),
        dedicated_jobs=settings.limits.dedicated_jobs,
        new_id=new_id,
    )
    return Service(
        settings=settings,
        journal=journal,
        placer=placer,
        check=check,
        count=count,
        closing=closing,
        doorkeeper=doorkeeper,
        admission=Admission(journal.access, Shares(actors.keeper().share), utc_now),
        new_id=new_id,
    )


def begin_keeper(settings: Settings) -> None:
    """Begins the keeper of a new cluster, which gives orphans to hosts; else the first process that needs it does."""
    Actors(settings).begin_keeper()


def begin_actors(settings: Settings) -> None:
    """Begins what a new cluster's service needs to be ready; what cannot be begun just now its first replica begins."""
    actors = Actors(settings)
    try:
        actors.begin_keeper()
        actors.begin_callers()
    except (HolderGone, RayError) as error:
        log.warning("not begun ahead", extra={"reason": type(error).__name__})


async def looked_into(settings: Settings, listens: str) -> bool:
    """Returns whether the journal has jobs that have not ended, where a service may listen at this address.

    Raises:
        ConfigurationError: Other machines could ask without a key; or the journal is none.
        Unavailable: The journal cannot be opened.
    """
    journal = open_journal(settings.store)
    try:
        await _doorkeeper(journal, settings, listens).check(listens)
        now = utc_now()
        return bool(await journal.orphans(now + _ANY_LEASE, now))
    finally:
        await journal.close()


def _doorkeeper(journal: Journal, settings: Settings, listens: str) -> Doorkeeper:
    return Doorkeeper(journal.access, local=is_loopback(listens), allowances=settings.tenants)


async def drain(settings: Settings) -> int:
    """Has this cluster's service take no new jobs and waits for those that run, as long as the settings say.

    Returns:
        How many jobs had not ended; they go on after the next start.

    Raises:
        Unavailable: That cannot be said.
    """
    actors = Actors(settings)
    try:
        async with asyncio.timeout(settings.runtime.drain_s + _DRAIN_MARGIN_S):
            return await actors.keeper().drain(settings.runtime.drain_s)
    except (DittoError, TimeoutError) as error:  # there is nobody who could wait; the journal knows what is left
        log.warning("the keeper does not drain", extra={"reason": str(error)})
    journal = await asyncio.to_thread(open_journal, settings.store)
    try:
        return await left(journal, [*job_actors(actors), *shared_names(settings)])
    except StoreError as error:
        raise Unavailable(str(error)) from error
    finally:
        await journal.close()


async def _check(journal: Journal, actors: Actors) -> None:
    """Raises `Unavailable` with the reason where a job could not be accepted or its models not be asked."""
    try:
        async with asyncio.timeout(_READY_S):
            await journal.check()
    except TimeoutError as error:
        raise Unavailable("the store does not answer") from error
    except StoreError as error:
        raise Unavailable(str(error)) from error
    try:
        async with asyncio.timeout(_READY_S):
            await asyncio.gather(*(caller.status() for caller in actors.callers()))
            standing = await actors.keeper().standing(Standing(), 0.0)
            if standing.draining:
                raise Unavailable("the service is draining: it stops or is being replaced")
            if not standing.spares:
                await actors.host(shared_names(actors.settings)[0]).status()
    except HolderGone as error:
        raise Unavailable(f"not all actors are there yet: {error}") from error
    except TimeoutError as error:
        raise Unavailable("the callers of models or the holders of jobs do not answer yet") from error


async def _counted(actors: Actors) -> list[Counted]:
    """Returns what the keeper, the shared hosts and the callers have counted."""

    async def host(name: str) -> Tally:
        return (await actors.host(name).status()).counted

    async def told(name: str, counting: Awaitable[Tally]) -> Counted:
        try:
            async with asyncio.timeout(_COUNT_S):
                return Counted(actor=name, tally=await counting)
        except (DittoError, TimeoutError) as error:
            log.warning("actor not counted", extra={"actor": name, "reason": str(error)})
            return Counted(actor=name, tally=None)

    counting: dict[str, Awaitable[Tally]] = {KEEPER: actors.keeper().counted()}
    counting.update({name: host(name) for name in shared_names(actors.settings)})
    names = caller_names(actors.settings)
    counting.update({name: caller.counted() for name, caller in zip(names, actors.callers(), strict=True)})
    return await asyncio.gather(*(told(name, work) for name, work in counting.items()))


def open_journal(store: Store) -> Journal:
    """Returns the journal that the settings name.

    Raises:
        ConfigurationError: It is no journal of Ditto's, or damaged.
        Unavailable: It cannot be opened; the message says why.
    """
    try:
        return opening.open_journal(store)
    except StoreError as error:
        raise Unavailable(str(error)) from error
