"""The actors of this cluster, found by name, listed and ended; and the keeper, which looks after them."""

from __future__ import annotations

import logging
import os
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError
from ray.util import list_named_actors

from ditto.errors import ConfigurationError
from ditto.providers.limits.sharing import Report, Told
from ditto.runtime.actors.beginning import actor, begin, check_version, create
from ditto.runtime.actors.channels import forget_channel
from ditto.runtime.actors.holders import host_ref, open_journal
from ditto.runtime.actors.homes import HEAD
from ditto.runtime.actors.logs import log_lines
from ditto.runtime.actors.model_callers import caller_ref
from ditto.runtime.actors.names import KEEPER, caller_names, new_id, shared_names
from ditto.runtime.actors.refs import NAMESPACE, CallerRef, HostRef, KeeperRef
from ditto.runtime.dealing import Dealer
from ditto.runtime.keeper import Keeper
from ditto.runtime.placement import Standing
from ditto.runtime.roles import JOB
from ditto.runtime.shares import Share
from ditto.settings import Settings
from ditto.tally import Tally
from ditto.version import VERSION

_KNOWN = 1000
"""Holders whose handle a process keeps: looking one up asks Ray's head and blocks for it."""

log = logging.getLogger("ditto.actors")


class _KeeperActor:
    """Looks after the other actors; off the warm path."""

    def __init__(self, settings: Settings, version: str) -> None:
        check_version(version)
        log_lines()
        self._settings = settings
        self._keeper = Keeper(
            directory=Actors(settings),
            journal=open_journal(settings),
            runtime=settings.runtime,
            hosts=shared_names(settings),
            callers=caller_names(settings),
            dedicated_jobs=settings.limits.dedicated_jobs,
            new_id=new_id,
        )
        self._dealer = Dealer(settings.rate_limits, caller_names(settings))
        self._start = begin(self._keeper.start)

    async def version(self) -> str:
        return VERSION

    async def standing(self, known: Standing, wait_s: float) -> Standing:
        return await self._keeper.standing(known, wait_s)

    async def drain(self, grace_s: float) -> int:
        return await self._keeper.drain(grace_s)

    async def deal(self, caller: str, report: Report) -> Told:
        return self._dealer.deal(caller, report)

    async def taken(self, name: str) -> None:
        await self._keeper.taken(name)

    async def share(self, name: str, limit: int, wanted: int) -> Share:
        return await self._keeper.share(name, limit, wanted)

    async def ended(self, name: str, counted: Tally) -> None:
        await self._keeper.ended(name, counted)

    async def counted(self) -> Tally:
        return await self._keeper.counted()

    async def settings(self) -> Settings:
        return self._settings

    async def pid(self) -> int:
        return os.getpid()


KeeperActor = actor(_KeeperActor)


def keeper_ref(settings: Settings) -> KeeperRef:
    """Returns the keeper, which is begun when it is called and not there."""
    return KeeperRef(KEEPER, lambda: _begun_keeper(settings))


def _begun_keeper(settings: Settings) -> ActorHandle[Any]:
    return create(KeeperActor, KEEPER, settings, VERSION, with_journal=settings.store_is_file)


class Actors:
    """The directory of this cluster's actors."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._keeper = keeper_ref(settings)
        self._created: dict[str, HostRef] = {}
        self._found: dict[str, HostRef] = {}
        self._pinged: dict[str, HostRef] = {}

    def host(self, name: str) -> HostRef:
        if name in self._created:
            return self._created[name]
        while len(self._found) >= _KNOWN:
            self._found.pop(next(iter(self._found))).hang_up()
        return self._found.setdefault(name, HostRef(name, new_id))

    def create_host(self, name: str) -> HostRef:
        ref = self._created.get(name) or host_ref(name, self.settings)
        ref.begin()
        (self._found if name.startswith(JOB) else self._created)[name] = ref
        return ref

    def keeper(self) -> KeeperRef:
        return self._keeper

    def begin_keeper(self) -> None:
        """Begins the keeper without waiting for it, where it is not there."""
        _begun_keeper(self.settings)

    def begin_callers(self) -> None:
        """Begins the callers of models without waiting for them, where they are not there."""
        for caller in self.callers():
            caller.begin()

    def callers(self) -> list[CallerRef]:
        return [caller_ref(name, self.settings) for name in caller_names(self.settings)]

    def kill(self, name: str) -> None:
        try:
            ray.kill(ray.get_actor(name, namespace=NAMESPACE))
        except ValueError:
            return  # it has gone by itself
        forget_channel(name)

    async def ping(self, name: str) -> None:
        while len(self._pinged) >= _KNOWN:
            del self._pinged[next(iter(self._pinged))]
        await self._pinged.setdefault(name, HostRef(name, new_id)).ping()

    def restart(self, name: str) -> None:
        try:
            ray.kill(ray.get_actor(name, namespace=NAMESPACE), no_restart=False)
        except ValueError:
            return  # it has gone by itself

    def hang_up(self) -> None:
        """Breaks the channels to all holders of jobs."""
        for ref in (*self._created.values(), *self._found.values()):
            ref.hang_up()

    def names(self) -> list[str]:
        named = list_named_actors(all_namespaces=True)
        return [str(actor["name"]) for actor in named if actor["namespace"] == NAMESPACE]


async def cluster_settings() -> Settings | None:
    """Returns the settings that the actors of this cluster were started with, None where there are none.

    Raises:
        ConfigurationError: They run another version of Ditto.
    """
    try:
        keeper = ray.get_actor(KEEPER, namespace=NAMESPACE)
        version: str = await keeper.version.remote()
        if version != VERSION:
            raise ConfigurationError(f"the cluster runs Ditto {version}, this process {VERSION}: install that one here")
        settings: Settings = await keeper.settings.remote()
    except (ValueError, RayActorError):
        return None
    return settings


async def replace_other_version() -> None:
    """Ends a keeper of another version; the one that comes in its place drains what that version has left."""
    try:
        keeper = ray.get_actor(KEEPER, namespace=NAMESPACE)
        version: str = await keeper.version.remote()
    except (ValueError, RayError):
        return
    if version != VERSION:
        log.info("another version's keeper ended", extra={"version": version})
        ray.kill(keeper)


def on_head() -> bool:
    """Tells whether this process runs on the head node, where the journal's file is."""
    here = ray.get_runtime_context().get_node_id()
    nodes = ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no type for it
    return any(node["NodeID"] == here and HEAD in node["Resources"] for node in nodes if node["Alive"])
