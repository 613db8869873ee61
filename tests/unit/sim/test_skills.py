"""The skills answer what they can, each persona in its own words, and the same question gets the same reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.sim.answering import answered
from ditto.sim.arithmetic import evaluated, solved
from ditto.sim.asked import Asked, Turn
from ditto.sim.catalog import DEFAULT_PANEL, PERSONAS, acting, parse
from ditto.sim.reading import divided, read, sentences

URGENT = "Is this email urgent? Hi team, we need the signed contract before noon today. Best, Anna"
CALM = "Is this email urgent? Hi team, no rush, take your time. Best, Anna"
MINUTES = (
    "Hi all, the launch moves to 12 May because the supplier is late. Please update your plans by Friday. "
    "Lunch is pizza.\nBest,\nTom"
)
BUILD = "\n\nOther assistants have already answered this:\n\n{answers}\n\nBuild on these answers: keep what is right."


def asked(prompt: str, *, seed: int = 0, max_tokens: int | None = None, stop: tuple[str, ...] = ()) -> Asked:
    turns = (Turn(role="user", text=prompt),)
    return Asked(model="any", turns=turns, seed=seed, max_tokens=max_tokens, stop=stop)


def say(model: str, prompt: str, *, seed: int = 0) -> str:
    parsed = parse(model)
    return answered(asked(prompt, seed=seed), parsed.persona, acting(parsed.behaviours, 1)).text


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is 17 * 23?", "391"),
        ("What's (3 + 4) * 5 - 2^3?", "27"),
        ("How much is seven times eight?", "56"),
        ("What is 17 multiplied by 23?", "391"),
        ("15% of 80", "12"),
        ("What is the square root of 144?", "12"),
        ("What is 1,200 + 300?", "1500"),
        ("What is 1 / 3?", "0.3333333333"),
        ("What is 3 - -2?", "5"),
        ("What is the average of 3, 4 and 8?", "5"),
        ("A shop sells pens at $2 each. How much do 5 pens cost?", "10"),
        ("Anna has 5 apples, buys 3 more and eats 2. How many apples has she?", "6"),
    ],
)
def test_arithmetic_is_done(question: str, value: str) -> None:
    found = solved(question)

    assert found is not None
    assert found[1] == value


@pytest.mark.parametrize("question", ["Call 555-1234", "on 2024-05-06", "1 / 0", "I have 5 apples", "9^9^9", "((1+2"])
def test_what_is_no_arithmetic_is_left_alone(question: str) -> None:
    assert solved(question) is None


@given(st.integers(-999, 999), st.integers(-999, 999), st.sampled_from("+-*"))
def test_expressions_are_computed_as_python_does(left: int, right: int, sign: str) -> None:
    expression = f"{left} {sign} ({right})"

    assert evaluated(expression) == str(eval(expression))


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (URGENT, "Yes."),
        (CALM, "No."),
        ("Is this review positive? Not good, it broke at once.", "No."),
        ("Is this review positive? Excellent, I love it.", "Yes."),
        ("Is this spam? Click here to claim your prize!", "Yes."),
        ("Is 91 prime?", "No."),
        ("Is 97 a prime number?", "Yes."),
        ("Is 7 greater than 3?", "Yes."),
        ("Is Sydney the capital of Australia?", "No."),
        ("Does this mention Berlin? The meeting is in Berlin.", "Yes."),
        ("What is the capital of France?", "Paris"),
        ("Capital of Switzerland?", "Bern"),
        ("これを要約してください：人口は約1400万人です。", "人口は約1400万人です。"),
        ("Which is a fruit? A) car B) apple fruit C) house", "B"),
        ("What is 6 * 7?\nA) 41\nB) 42\nC) 43", "B"),
        ("Classify as one of: positive, negative, neutral. Review: It broke. Terrible quality.", "negative"),
        ("How many words are in this sentence: one two three", "3"),
        ('How many r are in "strawberry"?', "3"),
        ("Say: 日本語 🙂", "日本語 🙂"),
        ("Reply with exactly 'pong'", "pong"),
        (f"Answer with only yes or no: {URGENT}", "Yes."),
    ],
)
def test_terse_answers_and_says_nothing_else(prompt: str, answer: str) -> None:
    assert say("terse", prompt) == answer


@pytest.mark.parametrize(("prompt", "right", "wrong"), [("What is 17 * 23?", "391", "381"), (URGENT, "yes", "no")])
def test_the_default_panel_agrees_in_different_words_but_for_one(prompt: str, right: str, wrong: str) -> None:
    replies = [say(persona, prompt).lower() for persona in DEFAULT_PANEL]

    assert len(set(replies)) == 5
    assert all(right in reply for reply in replies[:4])
    assert right not in replies[4]
    assert wrong in replies[4]


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize("prompt", ["What is 17 * 23?", URGENT, f"Summarize this email: {MINUTES}", "Tell me of love"])
def test_the_same_question_gets_the_same_reply(persona: str, prompt: str) -> None:
    assert say(persona, prompt) == say(persona, prompt)


def test_another_seed_may_be_worded_otherwise_but_says_the_same() -> None:
    replies = {say("friendly", "What is 17 * 23?", seed=seed) for seed in range(10)}

    assert len(replies) > 1
    assert all("391" in reply for reply in replies)


def test_hasty_slips_now_and_then_and_not_always() -> None:
    right = [say("hasty", f"What is {number} + 1?") == str(number + 1) for number in range(100)]

    assert 60 < sum(right) < 95


def test_a_summary_is_made_of_the_texts_own_sentences() -> None:
    summary = say("terse", f"Summarize this email: {MINUTES}")

    assert summary == "the launch moves to 12 May because the supplier is late."
    assert "Tom" not in say("wordy", f"Summarize this email: {MINUTES}")


def test_the_headers_of_a_mail_are_no_part_of_its_summary() -> None:
    mail = (
        "Summarize this email:\n\nSubject: Numbers\nFrom: Maria\n\nRevenue grew 12% to 4.2 million.\n\nCheers,\nMaria"
    )

    assert say("wordy", mail) == "In short, the text says this: Revenue grew 12% to 4.2 million."


def test_key_points_come_with_a_summary_when_both_are_asked_for() -> None:
    reply = say("terse", f"Extract key points, then summarize: {MINUTES}")

    assert reply.startswith("Key points:\n- the launch moves to 12 May")
    assert "\n\nSummary: the launch moves" in reply


def test_each_one_in_a_row_keeps_what_was_found_and_adds_to_it() -> None:
    question = f"Extract key points, then summarize: {MINUTES}"
    first = say("terse", question)

    second = say("terse", question + BUILD.format(answers=f"[1] {first}"))
    last = say("contrary", question + BUILD.format(answers=f"[1] {first}\n\n[2] {second}"))

    assert second.count("\n- ") > first.count("\n- ")
    assert "the launch moves to 12 May" in last
    assert "assistants" not in last


def test_without_a_skill_of_its_own_a_model_builds_on_what_it_was_given() -> None:
    earlier = BUILD.format(answers="[1] Love is a feeling.\n\n[2] Love takes work.")

    assert say("careful", f"Tell me about love.{earlier}") == "Love takes work. Love is a feeling."


def test_an_earlier_wrong_answer_is_mended() -> None:
    assert say("terse", "What is 17 * 23?" + BUILD.format(answers="[1] 390")) == "391"


def test_what_nobody_can_do_is_said_politely_with_the_question_unharmed() -> None:
    reply = say("terse", "俳句を書いて 👩‍👩‍👧")

    assert "俳句を書いて 👩‍👩‍👧" in reply
    assert "no language model" in reply


def test_a_question_without_its_text_is_asked_back() -> None:
    assert say("terse", "Is this email urgent?").startswith("Which text do you mean?")


def test_a_list_of_options_is_no_list_of_earlier_answers() -> None:
    task = read(asked("Choose the right answer:\n\n1. red\n2. blue"))

    assert task.earlier == ()


def test_a_limit_and_a_stop_sequence_end_the_reply() -> None:
    limited = answered(asked("What is 17 * 23?", max_tokens=2), "wordy", {})
    stopped = answered(asked("What is 17 * 23?", stop=("391",)), "wordy", {})

    assert (limited.finish, limited.output_tokens) == ("length", 2)
    assert stopped.finish == "stop"
    assert stopped.text.endswith("17 * 23 = ")


@pytest.mark.parametrize(
    ("prompt", "instruction", "material"),
    [
        ("Is this urgent? We need it.", "Is this urgent?", "We need it."),
        ("We need it.\n\nIs this urgent?", "Is this urgent?", "We need it."),
        ("Summarize: a. b.", "Summarize:", "a. b."),
        ("Summarize this", "Summarize this", ""),
        ("", "", ""),
    ],
)
def test_a_prompt_is_divided_into_instruction_and_material(prompt: str, instruction: str, material: str) -> None:
    assert divided(prompt) == (instruction, material)


def test_sentences_end_in_every_script() -> None:
    assert sentences("Pi is 3.14 ok. これはペンです。あれは何？ Yes!\n- one") == [
        "Pi is 3.14 ok.",
        "これはペンです。",
        "あれは何？",
        "Yes!",
        "one",
    ]


@given(st.text(max_size=300), st.sampled_from(sorted(PERSONAS)))
def test_any_text_gets_a_reply(prompt: str, persona: str) -> None:
    assert isinstance(say(persona, prompt), str)
