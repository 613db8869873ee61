"""Which models OpenAI's clients are shown."""

from __future__ import annotations

import httpx
import pytest

from ditto.domain.tenants import Allowance
from ditto.http.openai.models import Models
from ditto.settings import from_args
from ditto.sim import catalog
from tests.unit.http.conftest import SETTINGS


async def test_ensembles_and_the_models_of_the_settings_are_listed(door: httpx.AsyncClient) -> None:
    response = await door.get("/v1/models")

    listed = {model["id"]: model for model in response.json()["data"]}
    assert response.json()["object"] == "list"
    assert listed["trio"] == {
        "id": "trio",
        "object": "model",
        "created": 0,
        "owned_by": "ditto",
        "ditto": {"models": ["sim/alpha", "sim/beta", "sim/gamma"], "strategy": "consensus"},
    }
    assert listed["in turn"]["ditto"]["strategy"] == "cooperative"
    assert listed["sim/alpha"]["owned_by"] == "sim"
    assert listed["sim/alpha"]["ditto"]["models"] == ["sim/alpha"]
    assert {f"sim/{persona}" for persona in catalog.PERSONAS} <= set(listed)


@pytest.mark.parametrize(
    "name", ["trio", "in%20turn", "sim/alpha", "sim%2Falpha", "openai/gpt-x", "ditto/consensus:sim/alpha,@cf/meta/x"]
)
async def test_each_that_can_be_asked_can_be_retrieved(door: httpx.AsyncClient, name: str) -> None:
    response = await door.get(f"/v1/models/{name}")

    assert response.status_code == 200
    assert response.json()["id"] == name.replace("%20", " ").replace("%2F", "/")


async def test_one_that_cannot_be_asked_is_not_found(door: httpx.AsyncClient) -> None:
    response = await door.get("/v1/models/gpt-x")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


def test_every_model_that_is_listed_can_be_asked() -> None:
    models = Models(SETTINGS)

    for listed in models.listed(Allowance()):
        assert models.panel(listed.name) == listed


def test_an_ensemble_counts_before_a_model_of_the_same_name() -> None:
    settings = from_args({"ensembles": {"sim/terse": {"models": ["sim/wordy"]}}}, source="the test")

    assert Models(settings).panel("sim/terse").models == ("sim/wordy",)
    assert [panel.name for panel in Models(settings).listed(Allowance())].count("sim/terse") == 1


def test_models_of_a_provider_that_lists_its_own_are_shown() -> None:
    lab = {"base_url": "https://models.example.com/v1", "models": ["a", "b"]}
    settings = from_args({"providers": {"lab": lab}}, source="the test")

    assert {"lab/a", "lab/b"} <= {panel.name for panel in Models(settings).listed(Allowance())}
