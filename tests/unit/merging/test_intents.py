"""Refusals and questions back show in how a reply opens."""

from __future__ import annotations

import pytest

from ditto.domain.merging import intents
from ditto.domain.verdict import Intent


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that.",
        "I’m really sorry, but I cannot help you.",
        "I am not able to provide instructions on that.",
        "It is not appropriate or ethical to encourage this.",
        "As an AI language model, I cannot provide medical advice.",
        "I must decline.",
        "Lo siento, pero no puedo ayudar con eso.",
        "Es tut mir leid, dabei kann ich nicht helfen.",
        "抱歉，我无法回答这个问题。",
    ],
)
def test_a_refusal_shows_in_the_opening(text: str) -> None:
    assert intents.of(text, "stop") is Intent.REFUSAL


@pytest.mark.parametrize(
    "text",
    [
        "Paris is the capital of France.",
        "The store cannot provide a refund after 30 days, so the answer is no.",
        "As an AI, I don't have personal opinions. However, the film won eleven Oscars.",
        "To cancel, open the settings. If that fails, write: 'I am unable to help you further' and close it.",
        "42",
        "🙂",
    ],
)
def test_an_answer_is_no_refusal(text: str) -> None:
    assert intents.of(text, "stop") is Intent.ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "Could you please clarify which one you mean?",
        "What do you mean by that?",
        "I need more information. Please share the file.",
    ],
)
def test_asking_back_is_seen(text: str) -> None:
    assert intents.of(text, "stop") is Intent.CLARIFICATION


@pytest.mark.parametrize("text", ["", "   ", "...", "\n"])
def test_nothing_readable_is_unknown(text: str) -> None:
    assert intents.of(text, "stop") is Intent.UNKNOWN
