"""A job as the command line tells it: the result, and every fact there is about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ditto.cli import verdict
from ditto.cli.doors import wire
from ditto.client.cluster_backend import ClusterBackend
from ditto.domain import view
from ditto.domain.events import Failure
from ditto.domain.request import parse
from ditto.domain.view import JobView
from tests.fakes import FakeService, Held


async def _job(service: FakeService, **asked: object) -> JobView[Any]:
    backend = ClusterBackend(service)
    job = await backend.submit(parse({"prompt": "Is it? Yes or no.", **asked}))
    return await backend.wait(job.job_id, None)


def _facts(job: JobView[Any]) -> dict[str, str]:
    return dict(verdict.facts(job))


async def test_support_dissent_and_confidence_are_told() -> None:
    job = await _job(FakeService({"sim/alpha": "Yes.", "sim/beta": "Yes.", "sim/gamma": "No."}))

    facts = _facts(job)

    assert facts["answer"] == "yes"
    assert facts["agreement"] == "67 %"
    assert facts["support"] == "sim/alpha, sim/beta"
    assert "sim/gamma" in facts["dissent"]
    assert "%" in facts["confidence"]
    assert facts["job"] == job.job_id


async def test_a_failed_model_is_told_with_its_reason() -> None:
    job = await _job(FakeService({"sim/alpha": Failure(type="Timeout", message="no answer\nat all")}))

    assert _facts(job)["failed"] == "sim/alpha: Timeout: no answer at all"


async def test_a_failed_job_tells_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    job = await _job(FakeService({"sim/alpha": Failure(type="Timeout", message="late")}), models=["sim/alpha"])

    verdict.show(job)

    out = capsys.readouterr().out
    assert out.startswith("error       JobError: ")
    assert "sim/alpha: Timeout: late" in out


async def test_no_confidence_is_said_to_be_none() -> None:
    job = await _job(FakeService(), strategy="cooperative")

    assert _facts(job)["confidence"] == "none: nothing here could be voted on"


async def test_a_cancelled_job_says_so() -> None:
    service = FakeService({"sim/alpha": Held()})
    backend = ClusterBackend(service)
    job = await backend.submit(parse({"prompt": "x", "models": ["sim/alpha"]}))

    cancelled = await backend.cancel(job.job_id)

    assert _facts(cancelled)["state"] == "cancelled"


async def test_a_typed_result_is_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    schema = {"type": "object", "properties": {"größe": {"type": "integer"}}, "required": ["größe"]}
    service = FakeService(dict.fromkeys(("sim/alpha", "sim/beta", "sim/gamma"), '{"größe": 3}'))

    verdict.show(await _job(service, schema=schema))

    assert capsys.readouterr().out.startswith('{\n  "größe": 3\n}\n\n')


async def test_dissent_about_a_typed_result_is_told_field_by_field() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    service = FakeService(
        {"sim/alpha": '{"a": 1, "b": 2}', "sim/beta": '{"a": 1, "b": 2}', "sim/gamma": '{"a": 1, "b": 3}'}
    )

    told = [fact for label, fact in verdict.facts(await _job(service, schema=schema)) if label == "dissent"]

    assert told == ["/b: 3 (sim/gamma; 33 %)"]


async def test_json_is_what_the_wire_shows() -> None:
    service = FakeService({"sim/alpha": "Yes.", "sim/beta": Failure(type="Timeout", message="late")})
    job = await _job(service, metadata={"some_key": {"inner_key": 1}}, models=["sim/alpha", "sim/beta"])

    assert json.dumps(wire(job)) == json.dumps(view.render(await service.get(job.job_id)))


async def test_simulated_models_are_known_as_such() -> None:
    assert verdict.is_simulated((await _job(FakeService())).progress)
    assert not verdict.is_simulated(["openai/gpt-x", "simple/model"])


async def test_the_judges_word_is_told_apart_from_the_vote() -> None:
    word = '{"best": 1, "reason": "It is short.", "confidence": 0.8}'
    replies = {"sim/alpha": "It is 41.", "sim/beta": "It is 42.", "sim/judge": word}
    job = await _job(FakeService(replies), models=["sim/alpha", "sim/beta"], judge="sim/judge", answer="number")

    facts = _facts(job)

    assert job.structured is not None
    assert facts["judge"] == f"sim/judge chose {job.structured.chosen_model}: It is short."
    assert facts["confidence"] == "80 %, with a judge"


async def test_a_judge_without_a_reason_is_told_all_the_same() -> None:
    replies = {"sim/alpha": "It is 41.", "sim/beta": "It is 42.", "sim/judge": '{"best": 1}'}
    job = await _job(FakeService(replies), models=["sim/alpha", "sim/beta"], judge="sim/judge", answer="number")

    assert job.structured is not None
    assert _facts(job)["judge"] == f"sim/judge chose {job.structured.chosen_model}"


async def test_who_was_not_waited_for_is_saved_and_not_failed() -> None:
    replies = {"sim/alpha": "42", "sim/beta": "42", "sim/gamma": Held(), "sim/delta": Held()}
    job = await _job(FakeService(replies), models=list(replies), settle={"confident": 0.5}, answer="number")

    facts = _facts(job)

    assert facts["saved"] == "sim/gamma, sim/delta: not waited for: the confidence had reached 0.5"
    assert "failed" not in facts
