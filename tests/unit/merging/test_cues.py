"""Cues: what a question asks for is seen in letters of any case, whatever else stands in the text."""

from __future__ import annotations

import re

import pytest

from ditto.domain.merging import amounts, booleans, expectation, labels, lists, options
from ditto.domain.merging.cues import Cue, Hints

MODULES = (amounts, booleans, expectation, labels, lists, options)
CUES = {
    f"{module.__name__.rsplit('.', 1)[-1]}{name}": cue
    for module in MODULES
    for name, cue in vars(module).items()
    if isinstance(cue, Cue)
}
QUESTIONS = (
    "How many apples are left?",
    "what is 3 + 4?",
    "In what year was it? On which day?",
    "Explain why.",
    "Is it true or false?",
    "Which two of these? Select all that apply, as JSON.",
    "List all the planets in order.",
    "Solve $x^2 = 4$ for all x.",
    "What is the best way, and what can I do?",
    "What does this code print? [PYTHON]",
    "Write a function in Python.",
    "What percent is the ratio?",
    "Wie viele Äpfel sind das?",
    "Сколько это будет?",
    "Quand est-ce arrivé ?",
    "多少?",
    "",
)


def test_there_are_cues_to_look_at() -> None:
    assert len(CUES) > 10


@pytest.mark.parametrize("cue", CUES.values(), ids=CUES)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_cue_is_seen_in_capitals_and_beside_other_scripts(cue: Cue, question: str) -> None:
    seen = re.search(cue.pattern, question, re.IGNORECASE | re.DOTALL) is not None

    assert cue.is_in(question) is seen
    assert cue.is_in(question.upper()) is seen
    assert cue.is_in(f"{question}\u2003") is seen


@pytest.mark.parametrize("cue", CUES.values(), ids=CUES)
def test_a_cue_is_written_so_that_small_letters_are_enough(cue: Cue) -> None:
    written = re.sub(r"\\.", "", cue.pattern)

    assert written == written.lower()
    assert not {"ı", "ſ"} & set(written)


def test_every_question_has_a_cue_that_sees_it() -> None:
    unseen = [question for question in QUESTIONS if not any(cue.is_in(question) for cue in CUES.values())]

    assert unseen == [""]


@pytest.mark.parametrize("text", ["Sorry, I cannot.", "SORRY", "无可奉告", "Désolé, je ne PEUX pas"])
def test_a_hint_is_seen_in_any_case_and_script(text: str) -> None:
    assert Hints("sorry", "peux", "无").are_in(text)


def test_a_text_without_a_hint_has_none() -> None:
    assert not Hints("sorry", "peux", "无").are_in("The answer is 391.")
