"""How each persona words a finding: the same answer, in as many ways as there are personas."""

from __future__ import annotations

import json

from ditto.sim.asked import share
from ditto.sim.extracting import in_order
from ditto.sim.finding import Finding, Kind

_OPENINGS = (
    "Let me think this through.",
    "There are a few things to consider here.",
    "Let us look at this step by step.",
)
_WARM = ("Sure!", "Happy to help!", "Of course!")
_REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I'm sorry, but I am not able to assist with this request.",
    "I cannot help with that, I'm afraid.",
)
_QUESTIONS_BACK = (
    "Could you tell me a little more about what you need?",
    "Before I answer: which part of this do you mean exactly?",
)


def worded(persona: str, finding: Finding, key: str) -> str:
    """Returns the finding in a persona's words; `key` decides between its ways of saying it."""
    match finding.kind:
        case Kind.VALUE:
            return _value(persona, finding, key)
        case Kind.YES_NO:
            return _yes_no(persona, finding, key)
        case Kind.PASSAGE:
            return _passage(persona, finding, key)
        case Kind.POINTS:
            return _points(persona, finding)
        case Kind.SPOKEN:
            return _fenced({"answer": finding.answer}) if persona == "json" else finding.answer


def handed_over(persona: str, value: object, key: str) -> str:
    """Returns a filled schema as a persona hands it over where only the prompt has asked for JSON."""
    match persona:
        case "wordy":
            return f"Here is what I have found in the text:\n\n{_fenced(value)}\n\nLet me know if anything is missing."
        case "friendly":
            return f"{_one_of(_WARM, key)}\n\n{_fenced(value)}"
        case "json":
            return _fenced(value)
        case "careful" | "slow" | "thinker":
            return json.dumps(value, ensure_ascii=False, indent=2)
        case _:
            return json.dumps(value, ensure_ascii=False)


def refused(key: str) -> str:
    return _one_of(_REFUSALS, key)


def asked_back(key: str) -> str:
    return _one_of(_QUESTIONS_BACK, key)


def thoughts(finding: Finding) -> str:
    """Returns what a persona thinks before it answers."""
    about = finding.ground or finding.answer[:200]
    return f"What is asked here? {_capital(about.rstrip('.'))}. That should do."


def _value(persona: str, finding: Finding, key: str) -> str:
    sentence = f"{finding.lead} {finding.answer}"
    match persona:
        case "wordy":
            return f"{_one_of(_OPENINGS, key)} {_capital(finding.ground)}. The answer is {finding.answer}."
        case "careful" | "slow":
            return f"- {_capital(finding.ground)}\n- I went over it twice.\n\n**Answer: {finding.answer}**"
        case "friendly":
            return f"{_one_of(_WARM, key)} {sentence}. 🙂"
        case "contrary":
            return f"I see it differently: {sentence}."
        case "json":
            return _fenced({"reasoning": finding.ground, "answer": finding.answer})
        case "thinker":
            return f"{sentence}."
        case _:
            return finding.answer


def _yes_no(persona: str, finding: Finding, key: str) -> str:
    answer = _capital(finding.answer)
    match persona:
        case "wordy":
            return f"{_one_of(_OPENINGS, key)} {_capital(finding.ground)}. So the answer is {finding.answer}."
        case "careful" | "slow":
            return f"- {_capital(finding.ground)}\n\n**Answer: {answer}**"
        case "friendly":
            return f"{answer}, {finding.ground}. 🙂"
        case "contrary":
            return f"{answer}. I see it differently: {finding.ground}."
        case "json":
            return _fenced({"reasoning": finding.ground, "answer": finding.answer})
        case "thinker":
            return f"{answer}: {finding.ground}."
        case _:
            return f"{answer}."


def _passage(persona: str, finding: Finding, key: str) -> str:
    match persona:
        case "wordy":
            return f"In short, the text says this: {_joined(in_order(finding, 3))}"
        case "careful" | "slow" | "thinker":
            return "\n".join(f"- {item}" for item in in_order(finding, 3))
        case "friendly":
            return f"{_one_of(_WARM, key)} {_joined(in_order(finding, 2))} 🙂"
        case "json":
            return _fenced({"summary": _joined(in_order(finding, 2))})
        case "terse" | "hasty":
            return _joined(in_order(finding, 1))
        case _:
            return _joined(in_order(finding, 2))


def _points(persona: str, finding: Finding) -> str:
    points = in_order(finding, {"terse": 2, "hasty": 2}.get(persona, 3))
    if persona == "json":
        return _fenced({"points": points, "summary": finding.passages[0]})
    listed = [f"{_mark(persona, number)} {point}" for number, point in enumerate(points, start=1)]
    more = [item for item in finding.passages if item != finding.answer]
    length = 1 if persona in ("wordy", "careful", "thinker", "slow") else 0
    summary = _joined([finding.answer, *more[:length]])
    return "\n".join(("Key points:", *listed, "", f"Summary: {summary}"))


def _mark(persona: str, number: int) -> str:
    return {"careful": f"{number}.", "slow": f"{number}.", "friendly": "•"}.get(persona, "-")


def _joined(items: list[str]) -> str:
    return " ".join(item if item.endswith((".", "!", "?", "。", "！", "？")) else f"{item}." for item in items)


def _fenced(value: object) -> str:
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _one_of(ways: tuple[str, ...], key: str) -> str:
    return ways[int(share("way", key) * len(ways))]
