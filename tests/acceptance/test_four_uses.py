"""Real uses, each through all three doors with the same result: HTTP, the handle from Python, a batch."""

from __future__ import annotations

import datetime
import json
import subprocess
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel, model_validator

import ditto
from ditto.client.sync_client import Ditto
from tests.acceptance.conftest import DITTO, Serving

EMAIL = (
    "Hi Dana,\n\nThe March invoice is attached. The total went up because of the new storage plan. "
    "Could you approve it by Friday? If anything looks off, call me on Thursday.\n\nBest,\nOmar"
)
ORDER = (
    "Read this order.\n\nOrder PO-2291 from Harbor Books, placed on 3 March 2026, currency EUR, priority express.\n"
    "2 x Blue pens at 3.50\n1 x Desk lamp at 24.00\n10 x Notebook at 1.20\nTotal: 43.00"
)


class Priority(Enum):
    STANDARD = "standard"
    EXPRESS = "express"


class Item(BaseModel):
    description: str
    quantity: int
    unit_price: float


class Order(BaseModel):
    order_number: str
    date: datetime.date
    currency: Literal["EUR", "USD", "GBP"]
    priority: Priority
    total: float
    items: list[Item]


class StrictOrder(Order):
    @model_validator(mode="after")
    def _is_small(self) -> StrictOrder:
        if self.total > 10:
            raise ValueError("orders above 10 need a signature")
        return self


USES: dict[str, dict[str, Any]] = {
    "summary": {"prompt": f"Summarize this email: {EMAIL}"},
    "urgent": {"prompt": f"Is this email urgent? {EMAIL}"},
    "cooperative": {
        "prompt": f"Extract key points, then summarize: {EMAIL}",
        "strategy": "cooperative",
        "models": ["sim/terse", "sim/careful", "sim/wordy"],
    },
    "many scripts": {"prompt": "Summarize this: Привет, 世界! 👩‍🚀 すべて順調です。 Γειά σου κόσμε."},
    "order": {"prompt": ORDER, "schema": Order.model_json_schema()},
}


@pytest.fixture(scope="module")
def by_http(serving: Serving) -> dict[str, dict[str, Any]]:
    return {
        name: httpx.post(f"{serving.url}/llm", json=body, timeout=60).raise_for_status().json()
        for name, body in USES.items()
    }


@pytest.fixture(scope="module")
def attached(serving: Serving):
    with ditto.connect(serving.ray) as service:
        yield service


@pytest.fixture(scope="module")
def by_handle(attached: Ditto) -> dict[str, dict[str, Any]]:
    found = {}
    for name, body in USES.items():
        submitted = attached.submit(**body)
        found[name] = attached.job(submitted.id).wait(60).model_dump(mode="json", by_alias=True)
    return found


@pytest.fixture(scope="module")
def by_batch(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("batch")
    rows, answers = folder / "in.jsonl", folder / "out.jsonl"
    rows.write_text("".join(json.dumps({"id": name, **body}) + "\n" for name, body in USES.items()))
    command = [DITTO, "batch", str(rows), str(answers)]
    environ = {**serving.environ, "RAY_ADDRESS": serving.ray}
    subprocess.run(command, env=environ, cwd=folder, check=True, timeout=120, capture_output=True)
    return {row["id"]: row for row in map(json.loads, Path(answers).read_text().splitlines())}


@pytest.mark.parametrize("use", USES)
def test_every_door_gives_the_same_result(by_http, by_handle, by_batch, use):
    results = [door[use]["result"] for door in (by_http, by_handle, by_batch)]
    assert results[0] == results[1] == results[2]
    of_http, of_handle, row = by_http[use]["structured"], by_handle[use]["structured"], by_batch[use]
    for field in ("answer", "confidence", "needsReview", "dissent"):
        assert of_http[field] == of_handle[field] == row[field], field
    for field in ("summary", "intent", "supportingModels", "chosenModel", "agreement", "fields"):
        assert of_http[field] == of_handle[field], field


def test_a_summary_is_one_models_reply_with_no_made_up_confidence(by_http):
    answer = by_http["summary"]
    assert answer["result"] == answer["responses"][answer["structured"]["chosenModel"]]
    assert "March invoice" in answer["structured"]["summary"]
    assert answer["structured"]["confidence"] is None
    assert len(answer["responses"]) == 5
    assert 0 < answer["timings"]["slowest"] <= answer["timings"]["total"]


def test_other_scripts_and_emoji_come_through_unharmed(by_http):
    assert "Привет, 世界! 👩‍🚀" in by_http["many scripts"]["result"]


def test_a_yes_or_no_question_has_its_answer_and_its_dissent(by_http):
    verdict = by_http["urgent"]["structured"]
    assert verdict["answer"] == "yes"
    assert verdict["agreement"] == 0.8
    assert verdict["dissent"] == [{"answer": "no", "models": ["sim/contrary"], "share": 0.2}]
    assert 0.5 < verdict["confidence"] < 1


def test_a_cooperative_answer_is_the_last_models_own(by_http):
    answer = by_http["cooperative"]
    assert answer["structured"]["chosenModel"] == "sim/wordy"
    assert answer["result"] == answer["responses"]["sim/wordy"]
    assert answer["structured"]["confidence"] is None


def test_an_order_is_read_field_by_field(by_http):
    answer = by_http["order"]
    assert answer["result"]["order_number"] == "PO-2291"
    assert answer["result"]["date"] == "2026-03-03"
    assert [item["quantity"] for item in answer["result"]["items"]] == [2, 1, 10]
    fields = answer["structured"]["fields"]
    assert len(fields["/total"]["supportingModels"]) == 5
    dissenting = [path for path, field in fields.items() if field["dissent"]]
    assert len(dissenting) == 1
    assert [dissent["models"] for dissent in fields[dissenting[0]]["dissent"]] == [["sim/contrary"]]
    assert fields[dissenting[0]]["confidence"] < fields["/total"]["confidence"]


def test_python_gets_an_instance_of_its_own_class(attached):
    job = attached.ask(ORDER, schema=Order)
    assert isinstance(job.result, Order)
    assert job.result.date == datetime.date(2026, 3, 3)
    assert job.result.priority is Priority.EXPRESS
    assert job.result.items[2] == Item(description="Notebook", quantity=10, unit_price=1.2)


def test_python_gets_a_typed_error_when_its_own_validators_refuse_the_merged_object(attached):
    with pytest.raises(ditto.ResultInvalid, match="need a signature") as refused:
        attached.ask(ORDER, schema=StrictOrder)
    assert attached.get(refused.value.job_id).state == "complete"


def test_python_takes_any_type_that_pydantic_knows(attached):
    assert attached.ask(f"Is this email urgent? {EMAIL}", schema=bool).result is True
    kind = attached.ask("Which priority has this? priority express", schema=Literal["standard", "express"])
    assert kind.result == "express"
    items = attached.ask(ORDER, schema=list[Item]).result
    assert [item.quantity for item in items] == [2, 1, 10]


def test_bad_input_from_python_lists_the_wrong_fields(attached):
    with pytest.raises(ditto.BadRequest) as refused:
        attached.ask(" ", models=[], temperature=3)
    assert [wrong["path"] for wrong in refused.value.details] == ["prompt", "models", "temperature"]
    with pytest.raises(ditto.BadRequest, match="unknown model 'opnai/gpt'; nearest: openai/gpt"):
        attached.ask("Hello?", models=["opnai/gpt"])
