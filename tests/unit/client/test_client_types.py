"""The types that a type checker sees; it runs over this file like over any other."""

from __future__ import annotations

from typing import Any, Literal, assert_type

from pydantic import BaseModel

from ditto import AsyncDitto, AsyncJob, Ditto, Job, JobView
from ditto.client.cluster_backend import ClusterBackend
from tests.fakes import FakeService


class Mail(BaseModel):
    urgent: bool


def test_results_have_the_type_that_was_asked_for() -> None:
    service = FakeService({"sim/alpha": '{"urgent": true}'})
    with Ditto.over(ClusterBackend(service)) as client:
        assert_type(client.ask("Hi?", models=["sim/beta"]), JobView[str])
        assert_type(client.ask("Hi?", models=["sim/alpha"], schema=Mail), JobView[Mail])
        assert_type(client.ask("Hi?", models=["sim/alpha"], schema={"type": "object"}), JobView[Any])
        assert_type(client.submit("Hi?", schema=list[Mail]), Job[list[Mail]])
        assert_type(client.submit("Hi?", schema=bool), Job[bool])
        assert_type(client.submit("Hi?"), Job[str])
        assert_type(client.job("01J", schema=Mail), Job[Mail])


async def test_results_have_the_type_that_was_asked_for_when_awaited() -> None:
    service = FakeService({"sim/alpha": '"yes"'})
    async with AsyncDitto.over(ClusterBackend(service)) as client:
        assert_type(await client.ask("Hi?", models=["sim/beta"]), JobView[str])
        view = await client.ask("Hi?", models=["sim/alpha"], schema=Literal["yes", "no"])
        assert_type(view, JobView[Literal["yes", "no"]])
        assert_type(await client.submit("Hi?", schema=int | None), AsyncJob[int | None])
