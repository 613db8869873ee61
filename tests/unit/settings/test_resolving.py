"""From a request to what its job is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ditto.domain.request import parse
from ditto.domain.spec import Confident, Message, SettleRule, StrategyName
from ditto.errors import BadRequest
from ditto.settings import from_args
from ditto.settings.resolving import resolve
from tests.unit.domain.jobs import NOON

SETTINGS = from_args(
    {
        "ensembles": {"pair": {"models": ["openai/a", "anthropic/b"], "strategy": "cooperative"}},
        "providers": {"closed": {"base_url": "http://m/v1", "models": ["one", "two"]}},
    },
    source="x",
)


def resolved(**body):
    return resolve(parse({"prompt": "Why?", **body}), SETTINGS, NOON)


def wrong(**body):
    with pytest.raises(BadRequest) as refused:
        resolved(**body)
    return refused.value.details


def test_without_models_the_default_ensemble_is_asked():
    assert [call.name for call in resolved().calls] == [
        "sim/terse",
        "sim/wordy",
        "sim/careful",
        "sim/friendly",
        "sim/contrary",
    ]


def test_an_ensemble_brings_its_models_and_its_strategy():
    spec = resolved(ensemble="pair")
    assert [call.model for call in spec.calls] == ["openai/a", "anthropic/b"]
    assert spec.strategy is StrategyName.COOPERATIVE
    assert resolved(ensemble="pair", strategy="consensus").strategy is StrategyName.CONSENSUS


def test_repeated_models_and_samples_are_seats_of_their_own_with_seeds_of_their_own():
    calls = resolved(models=["sim/terse", "sim/wordy", "sim/terse"], samples=2, seed=7).calls
    assert [(call.name, call.seed) for call in calls] == [
        ("sim/terse", 7),
        ("sim/terse#2", 8),
        ("sim/wordy", 7),
        ("sim/wordy#2", 8),
        ("sim/terse#3", 9),
        ("sim/terse#4", 10),
    ]


def test_weights_go_by_the_models_base_name():
    calls = resolved(models=["sim/terse", "sim/terse"], weights={"sim/terse": 0.5}).calls
    assert [call.weight for call in calls] == [0.5, 0.5]
    assert wrong(weights={"sim/shy": 1})[0]["path"] == "weights.sim/shy"


def test_milliseconds_become_seconds_and_the_deadline_a_moment():
    spec = resolved(timeout=1500, grace=250, deadline=60_000)
    assert (spec.timeout_s, spec.grace_s, spec.deadline_at) == (1.5, 0.25, NOON + timedelta(seconds=60))


def test_system_messages_are_told_apart_from_the_turns():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Why?"},
    ]
    spec = resolve(parse({"messages": messages}), SETTINGS, NOON)
    assert spec.system == "Be brief."
    assert spec.messages[0] == Message(role="user", content="Hi")
    assert spec.question == "Why?"


def test_every_unknown_model_is_named_with_the_nearest():
    details = wrong(models=["opnai/gpt", "sim/ters", "closed/three"])
    assert [detail["path"] for detail in details] == ["models.0", "models.1", "models.2"]
    assert "openai/gpt" in details[0]["message"]
    assert "sim/terse" in details[1]["message"]
    assert "closed/" in details[2]["message"]


def test_an_unknown_ensemble_is_named_with_the_nearest():
    assert wrong(ensemble="pairs") == [{"path": "ensemble", "message": "there is no ensemble 'pairs'; nearest: pair"}]


def test_more_responses_than_calls_cannot_be_asked_for():
    assert wrong(models=["sim/terse"], minResponses=2)[0]["path"] == "minResponses"


def test_a_job_makes_at_most_a_thousand_calls():
    assert len(resolved(models=["sim/terse"] * 500, samples=2).calls) == 1000
    (detail,) = wrong(models=["sim/terse"] * 501, samples=2)
    assert detail["path"] == "samples"
    assert "1000 calls" in detail["message"]


def test_an_empty_schema_is_text():
    assert resolved(schema={}).schema is None


def test_a_settle_rule_and_a_judge_are_what_the_job_is_asked():
    assert resolved().settle is SettleRule.ALL
    assert resolved(settle="decided").settle is SettleRule.DECIDED
    assert resolved(settle={"confident": 0.9}).settle == Confident(confident=0.9)
    assert resolved(judge="openai/gpt").judge == "openai/gpt"


def test_an_unknown_judge_is_named_with_the_nearest():
    (detail,) = wrong(judge="sim/carefull")
    assert detail["path"] == "judge"
    assert "sim/careful" in detail["message"]


def test_a_cooperative_job_has_no_vote_to_settle_early_or_to_judge():
    details = wrong(ensemble="pair", settle="decided", judge="sim/careful")
    assert [detail["path"] for detail in details] == ["settle", "judge"]
    assert resolved(ensemble="pair", settle="all").strategy is StrategyName.COOPERATIVE
