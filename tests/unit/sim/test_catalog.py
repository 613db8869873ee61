"""Names of simulated models say who answers and how it misbehaves; a wrong name says what would be right."""

from __future__ import annotations

import pytest

from ditto.sim.catalog import BEHAVIOURS, DEFAULT_PANEL, LATENCY_S, PERSONAS, Behaviour, acting, parse, parse_behaviours


@pytest.mark.parametrize("persona", PERSONAS)
def test_every_persona_is_a_model_without_misbehaviour(persona: str) -> None:
    model = parse(persona)

    assert (model.name, model.persona, model.behaviours) == (persona, persona, ())
    assert LATENCY_S[persona] > 0


def test_the_default_panel_is_five_different_personas() -> None:
    assert len(set(DEFAULT_PANEL)) == 5
    assert set(DEFAULT_PANEL) <= set(PERSONAS)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_asked_for(name: str) -> None:
    value = "=temperature" if name == "noparam" else ""

    (behaviour,) = parse(f"terse+{name}{value}*2").behaviours

    assert (behaviour.name, behaviour.times) == (name, 2)


@pytest.mark.parametrize(
    ("written", "behaviour"),
    [
        ("slow=2s", Behaviour(name="slow", amount=2.0, upto=2.0)),
        ("slow=150ms", Behaviour(name="slow", amount=0.15, upto=0.15)),
        ("slow=0", Behaviour(name="slow", amount=0.0, upto=0.0)),
        ("slow=50ms-3s", Behaviour(name="slow", amount=0.05, upto=3.0)),
        ("fail=503", Behaviour(name="fail", amount=503, upto=503)),
        ("fail=503*2", Behaviour(name="fail", amount=503, upto=503, times=2)),
        ("hang*1", Behaviour(name="hang", times=1)),
        ("rate=2", Behaviour(name="rate", amount=2, upto=2, times=2)),
        ("allow=50", Behaviour(name="allow", amount=50, upto=50)),
        ("retry-after=0.5", Behaviour(name="retry-after", amount=0.5, upto=0.5)),
        ("noparam=top_p", Behaviour(name="noparam", word="top_p")),
        ("html=502", Behaviour(name="html", amount=502, upto=502)),
    ],
)
def test_values_are_read_in_their_units(written: str, behaviour: Behaviour) -> None:
    assert parse_behaviours(written) == (behaviour,)


def test_plus_and_comma_both_part_behaviours() -> None:
    assert parse("terse+rate=2,retry-after=1").behaviours == parse("terse+rate=2+retry-after=1").behaviours


def test_no_text_is_no_behaviour() -> None:
    assert parse_behaviours("") == parse_behaviours(" ") == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ters", "did you mean terse?"),
        ("", "no simulated model ''"),
        ("gpt-5", "there are: terse, wordy"),
        ("terse+slwo=2s", "did you mean slow?"),
        ("terse++hang", "no behaviour ''"),
        ("terse+slow=2", "a duration is wanted, like 2s"),
        ("terse+slow=3s-1s", "from the shorter to the longer"),
        ("terse+fail=200", "a status from 400 to 599"),
        ("terse+fail=9", "a status from 400 to 599"),
        ("terse+fail=503*0", "after * a number of requests"),
        ("terse+hang=3", "hang takes no value"),
        ("terse+noparam", "noparam needs a value"),
        ("terse+long=many", "a whole number is wanted"),
        ("terse+retry-after=soon", "a number of seconds is wanted"),
    ],
)
def test_a_wrong_name_says_in_one_line_what_is_wrong_and_what_is_close(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse(name)

    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_behaviour_with_times_acts_on_the_first_requests_only() -> None:
    behaviours = parse_behaviours("fail=503*2+slow=1s")

    assert [sorted(acting(behaviours, attempt)) for attempt in (1, 2, 3)] == [
        ["fail", "slow"],
        ["fail", "slow"],
        ["slow"],
    ]


def test_of_two_of_a_kind_the_later_acts_and_refused_parameters_add_up() -> None:
    acts = acting(parse_behaviours("slow=1s+slow=2s+noparam=seed+noparam=stop"), 1)

    assert acts["slow"].amount == 2.0
    assert acts["noparam"].word.split() == ["seed", "stop"]
