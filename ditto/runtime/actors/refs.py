"""Actors by name: each method is a call to one, and one that cannot be reached raises `HolderGone`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from ditto.errors import DittoError, HolderGone, InternalError
from ditto.runtime.actors.channels import channel_to
from ditto.runtime.actors.packing import packed, unpacked
from ditto.runtime.asking import Asking
from ditto.runtime.local_channels import LocalChannel

if TYPE_CHECKING:  # who calls one kind of actor has no need of what is sent to the others
    from ditto.domain.job import Job
    from ditto.domain.spec import JobSpec
    from ditto.providers.limits.sharing import Report, Told
    from ditto.runtime.asking import Asked, Heard
    from ditto.runtime.drafts import Known, Piece
    from ditto.runtime.following import News, Place
    from ditto.runtime.host import HostStatus
    from ditto.runtime.orders import Batch, Order, Seen
    from ditto.runtime.placement import Standing
    from ditto.runtime.shares import Share
    from ditto.store.port import Claim, JobRow
    from ditto.tally import Tally

NAMESPACE = "ditto"

Begin = Callable[[], ActorHandle[Any]]
"""Begins an actor where it is not there, and returns it."""

log = logging.getLogger("ditto.actors")


class _Ref:
    """An actor by name; finds it again after it was replaced.

    Args:
        begin: Without it, an actor that is not there is gone.
    """

    def __init__(self, name: str, begin: Begin | None = None) -> None:
        self._name = name
        self._begin = begin
        self._handle: ActorHandle[Any] | None = None
        self._channel: LocalChannel | None = None

    async def ping(self) -> None:
        """Returns when the actor has answered."""
        await self._call("ping")

    def begin(self) -> None:
        """Has the actor begun where it is not there; does not wait for it.

        Raises:
            HolderGone: Ray cannot begin it just now.
        """
        try:
            if self._handle is None:
                self._handle = self._find()
        except (RayError, ValueError) as error:
            raise HolderGone(f"actor {self._name} cannot be begun: {type(error).__name__}") from error

    async def reach(self) -> None:
        """Opens the channel to the actor, where it is on this node: then its first message does not wait for that."""
        await self._open_channel()

    def hang_up(self) -> None:
        """Breaks the channel to the actor, where there is one."""
        if self._channel is not None:
            self._channel.close()

    async def _call(self, method: str, *args: Any) -> Any:
        try:
            if self._handle is None:
                self._handle = self._find()
            return await getattr(self._handle, method).remote(*args)
        except RayTaskError as error:
            if isinstance(error.cause, DittoError):
                raise error.cause from None
            log.exception("actor failed", extra={"actor": self._name, "method": method})
            raise InternalError(f"{self._name} failed: {type(error.cause).__name__}; the log says more") from error
        except (RayError, ValueError) as error:
            self._handle = None
            raise HolderGone(f"actor {self._name} cannot be reached: {type(error).__name__}") from error

    async def _packed(self, method: str, *args: Any) -> Any:
        """Calls a method of the warm path, over a channel where the actor is on this node."""
        message = packed(*args)
        channel = await self._open_channel()
        answer = await (self._call(method, message) if channel is None else channel.ask(method, message))
        [result] = unpacked(answer)
        return result

    async def _open_channel(self) -> LocalChannel | None:
        """Returns the channel to the actor where it is on this node."""
        if self._channel is None:
            self._channel = channel_to(self._name)
        return self._channel if self._channel is not None and await self._channel.open() else None

    def _find(self) -> ActorHandle[Any]:
        return ray.get_actor(self._name, namespace=NAMESPACE) if self._begin is None else self._begin()


class HostRef(_Ref):
    """A holder of jobs."""

    def __init__(self, name: str, new_id: Callable[[], str], begin: Begin | None = None) -> None:
        super().__init__(name, begin)
        self._asking = Asking(self, new_id)

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float) -> Job:
        if await self._open_channel() is not None:
            return await self.accept_one(job_id, spec, claim, wait_s)  # such a message is not worth gathering
        return await self._asking.accept(job_id, spec, claim, wait_s)

    async def accept_one(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float) -> Job:
        job: Job = await self._packed("accept", job_id, spec, claim, wait_s)
        return job

    async def accept_all(self, line: str, asked: list[Asked], wait_s: float) -> int:
        epoch: int = await self._packed("accept_all", line, asked, wait_s)
        return epoch

    async def came(self, line: str, seen: int, wait_s: float) -> Heard:
        heard: Heard = await self._packed("came", line, seen, wait_s)
        return heard

    async def adopt(self, job_id: str) -> None:
        await self._call("adopt", job_id)

    async def take_up(self, rows: list[JobRow]) -> None:
        await self._call("take_up", rows)

    async def retry(self, job_id: str) -> Job:
        job: Job = await self._call("retry", job_id)
        return job

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        job: Job = await self._packed("wait", job_id, timeout_s)
        return job

    async def follow(self, job_id: str, place: Place, wait_s: float) -> News:
        news: News = await self._packed("follow", job_id, place, wait_s)
        return news

    async def cancel(self, job_id: str) -> Job:
        job: Job = await self._call("cancel", job_id)
        return job

    async def status(self) -> HostStatus:
        status: HostStatus = await self._call("status")
        return status

    async def drain(self) -> None:
        await self._call("drain")

    async def close(self) -> None:
        await self._call("close")


class CallerRef(_Ref):
    """A caller of models."""

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        instance: str = await self._packed("call_models", holder, epoch, orders, cancelled)
        return instance

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        batch: Batch = await self._packed("poll", holder, epoch, seen, journalled, wait_s)
        return batch

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        pieces: list[Piece] = await self._packed("hear", holder, heard, wait_s)
        return pieces

    async def status(self) -> dict[str, int]:
        status: dict[str, int] = await self._call("status")
        return status

    async def counted(self) -> Tally:
        counted: Tally = await self._call("counted")
        return counted


class KeeperRef(_Ref):
    """The keeper."""

    async def version(self) -> str:
        version: str = await self._call("version")
        return version

    async def standing(self, known: Standing, wait_s: float) -> Standing:
        standing: Standing = await self._call("standing", known, wait_s)
        return standing

    async def drain(self, grace_s: float) -> int:
        left: int = await self._call("drain", grace_s)
        return left

    async def deal(self, caller: str, report: Report) -> Told:
        told: Told = await self._call("deal", caller, report)
        return told

    async def taken(self, name: str) -> None:
        await self._call("taken", name)

    async def share(self, name: str, limit: int, wanted: int) -> Share:
        share: Share = await self._call("share", name, limit, wanted)
        return share

    async def ended(self, name: str, counted: Tally) -> None:
        await self._call("ended", name, counted)

    async def counted(self) -> Tally:
        counted: Tally = await self._call("counted")
        return counted
