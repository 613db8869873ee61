"""Whom a fault strikes: somebody of the wanted kind who has work in hand, and how to see that the work goes on."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import httpx

from tests.chaos.cases import Case
from tests.chaos.cluster import Actor, Role
from tests.chaos.journal import Store
from tests.chaos.models import RequestLog
from tests.chaos.processes import marked
from tests.chaos.service import SecondNode, Service

YOUNG_S = 0.15
"""A job gets so old before it makes a victim: its calls have begun."""

Progress = Callable[[float], Awaitable[float | None]]
"""Returns the Unix time after the given one at which the work went on, None while that is not so."""


class Kind(StrEnum):
    """What is struck."""

    ACTOR = "actor"
    HOST = "host"
    CALLER = "caller"
    KEEPER = "keeper"
    REPLICA = "replica"
    INGRESS = "ingress"
    NODE = "node"
    EVERYTHING = "everything"
    DATABASE = "database"


class Action(StrEnum):
    """How: SIGKILL, or SIGSTOP and after a while SIGCONT."""

    KILL = "kill"
    FREEZE = "freeze"


class Hold(StrEnum):
    """What a victim has in hand of the calls under way."""

    JOBS = "the calls of its jobs"
    CALLS = "the calls that it makes"
    ALL = "all there are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """Who is struck.

    Attributes:
        names: Of the actors that hold jobs or make calls.
        jobs: The jobs whose work shows when it goes on again; none where a client's door shows it.
    """

    name: str
    pids: tuple[int, ...]
    hold: Hold
    names: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    progress: Progress


class Victims:
    """Finds victims in a service.

    Args:
        cases: Every case so far, by its number.
    """

    def __init__(
        self,
        service: Service,
        store: Store,
        requests: RequestLog,
        cases: Mapping[int, Case],
        chance: random.Random,
    ) -> None:
        self._service = service
        self._store = store
        self._requests = requests
        self._cases = cases
        self._chance = chance

    def open_jobs(self) -> list[str]:
        """Returns the jobs that have not ended and are not quite new."""
        return [job.job_id for job in self._store.open_jobs() if job.age_s > YOUNG_S]

    def find(self, kind: Kind, action: Action) -> Victim | None:
        """Returns somebody of this kind with work in hand, None where there is nobody now."""
        opened = self.open_jobs()
        actors = self._service.cluster.actors()
        if not opened:
            return None
        match kind:
            case Kind.ACTOR:
                return self._holder([actor for actor in actors if actor.role is Role.OWN])
            case Kind.HOST:
                return self._holder([actor for actor in actors if actor.role is Role.HOST])
            case Kind.CALLER:
                callers = [actor for actor in actors if actor.role is Role.CALLER]
                return self._caller(self._chance.sample(callers, 1), action) if callers else None
            case Kind.KEEPER:
                keepers = [actor for actor in actors if actor.role is Role.KEEPER]
                progress = self._replaced if action is Action.KILL else None
                return self._bystander(keepers, "keeper", progress)
            case Kind.REPLICA:
                return self._bystander([actor for actor in actors if actor.role is Role.REPLICA], "replica")
            case Kind.INGRESS:
                return self._ingress(actors)
            case _:
                raise ValueError(f"{kind} is no single process")

    def everything(self) -> Victim | None:
        """Returns the whole service, None while it has no work."""
        opened = self.open_jobs()
        if not opened:
            return None
        return Victim(name="everything", pids=(), hold=Hold.ALL, jobs=tuple(opened), progress=self._next_event(opened))

    def node(self, node: SecondNode, action: Action) -> Victim | None:
        """Returns the second node, None while no caller with work lives there."""
        actors = [actor for actor in self._service.cluster.actors() if actor.node == node.id]
        victim = self._caller([actor for actor in actors if actor.role is Role.CALLER], action)
        if victim is None:
            return None
        pids = node.raylet() if action is Action.KILL else node.processes()
        return replace(victim, name="node", pids=tuple(pids))

    def _holder(self, actors: list[Actor]) -> Victim | None:
        """Returns one of these holders of jobs; its job's next event shows that somebody goes on."""
        opened = [job for job in self._store.open_jobs() if job.age_s > YOUNG_S]
        busy = [actor for actor in actors if any(job.holder == actor.name for job in opened)]
        if not busy:
            return None
        chosen = self._chance.choice(busy)
        jobs = [job.job_id for job in opened if job.holder == chosen.name]
        return Victim(
            name=chosen.name,
            pids=(chosen.pid,),
            hold=Hold.JOBS,
            names=(chosen.name,),
            jobs=tuple(jobs),
            progress=self._next_event(jobs),
        )

    def _caller(self, callers: list[Actor], action: Action) -> Victim | None:
        """Returns these callers of models; dead ones' calls are asked again, frozen ones' replies come after all."""
        names = tuple(caller.name for caller in callers)
        running = self._store.running_calls(self.open_jobs())
        jobs = sorted({job_id for job_id, _, caller in running if caller in names})
        if not jobs:
            return None
        return Victim(
            name=" ".join(names),
            pids=tuple(caller.pid for caller in callers),
            hold=Hold.CALLS,
            names=names,
            jobs=tuple(jobs),
            progress=self._asked_again(jobs) if action is Action.KILL else self._next_event(jobs),
        )

    def _ingress(self, actors: list[Actor]) -> Victim | None:
        """Returns HAProxy itself, a proxy actor of Serve's, or its controller."""
        haproxy = [process for process in marked(self._service.mark) if "/haproxy " in process.title]
        if haproxy and self._chance.random() < 0.5:
            chosen = self._chance.choice(haproxy)
            return self._bystander([Actor(name="haproxy", role=Role.OTHER, pid=chosen.pid, node="")], "haproxy")
        served = [actor for actor in actors if actor.role in (Role.PROXY, Role.CONTROLLER)]
        return self._bystander(served, "")

    def _bystander(
        self, actors: list[Actor], name: str, progress: Callable[[Actor], Progress] | None = None
    ) -> Victim | None:
        """Returns one of these, which hold no calls: whatever is asked twice after its fall is one too many."""
        if not actors:
            return None
        chosen = self._chance.choice(actors)
        return Victim(
            name=name or str(chosen.role),
            pids=(chosen.pid,),
            hold=Hold.ALL,
            progress=self._door_open if progress is None else progress(chosen),
        )

    def _next_event(self, jobs: Sequence[str]) -> Progress:
        async def progress(at: float) -> float | None:
            return self._store.first_event_after(jobs, at)

        return progress

    def _asked_again(self, jobs: Sequence[str]) -> Progress:
        digests = {self._cases[number].digest for number in self._store.case_numbers(jobs)}

        async def progress(at: float) -> float | None:
            again = [
                request.began_at
                for request in self._requests.requests()
                if request.began_at > at and request.attempt > 1 and request.prompt in digests
            ]
            return min(again, default=None)

        return progress

    def _replaced(self, before: Actor) -> Progress:
        async def progress(at: float) -> float | None:
            actors = self._service.cluster.actors()
            return time.time() if any(a.name == before.name and a.pid != before.pid for a in actors) else None

        return progress

    async def _door_open(self, at: float) -> float | None:
        """Returns now if a new connection gets an answer from a replica."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                answered = (await client.get(f"{self._service.url}/jobs", params={"limit": 1})).status_code == 200
        except httpx.TransportError:
            return None
        return time.time() if answered else None
