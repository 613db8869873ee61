"""Yes or no by cue words: is this urgent, is it spam, is it positive, is 91 prime, does it mention Monday."""

from __future__ import annotations

import re

from ditto.sim.arithmetic import evaluated, solved
from ditto.sim.cues import topic_of, weighed
from ditto.sim.facts import confirmed
from ditto.sim.finding import Finding, Kind
from ditto.sim.reading import Task, words

_ASKS = re.compile(
    r"^(?:is|are|was|were|am|does|do|did|can|could|should|has|have|had|will|would|must|may|isn't|aren't|doesn't|don't)\b"
    r"|\byes or no\b|\byes/no\b|\btrue or false\b|\bwhether\b",
    re.I,
)
_STOPPED = """
    is are was were am does do did can could should has have had will would must may the a an this that these those it
    its of in on at to for and or not with by from yes no true false text email message review sentence letter mail
    following mention mentions mentioned contain contains say says word about be any there answer reply only please
"""
_STOP = frozenset(_STOPPED.split())
_COMPARISON = re.compile(
    r"(-?\d[\d.,]*)\s*(?:is\s+)?(greater|larger|bigger|more|higher|less|smaller|lower|fewer|equal|>=|<=|>|<|=)"
    r"\s*(?:than|to)?\s*(?:or equal to\s*)?(-?\d[\d.,]*)",
    re.I,
)


def judged(task: Task) -> Finding | None:
    """Returns yes or no with the words it rests on; None where the instruction asks no such thing."""
    if not _ASKS.search(task.instruction.strip()):
        return None
    return (
        _of_fact(task.instruction)
        or _of_numbers(task.instruction)
        or _of_topic(task.instruction, task.material)
        or _of_mention(task)
    )


def is_asked(instruction: str) -> bool:
    """Returns whether an instruction can be answered by yes or no."""
    return _ASKS.search(instruction.strip()) is not None


def topic_holds(words_: str, text: str) -> tuple[bool, str] | None:
    """Returns whether the topic that these words name holds for a text, and why; None where they name none."""
    topic = topic_of(words_)
    return weighed(topic, text) if topic is not None else None


def _answer(holds: bool, ground: str, doubt: str) -> Finding:
    answer, other = ("yes", "no") if holds else ("no", "yes")
    return Finding(kind=Kind.YES_NO, answer=answer, ground=ground, doubt=doubt, others=(other,))


def _of_fact(instruction: str) -> Finding | None:
    known = confirmed(instruction)
    return _answer(known[0], known[1][0].lower() + known[1][1:], "the two are easily confused") if known else None


def _of_topic(instruction: str, material: str) -> Finding | None:
    topic = topic_of(instruction)
    if topic is None:
        return None
    if not material:
        answer = "Which text do you mean? Please send it along with the question."
        return Finding(kind=Kind.SPOKEN, answer=answer, unsure=True)
    holds, quoted = weighed(topic, material)
    nothing, something = f"nothing in it {topic.effect}", f"a part of it {topic.effect}"
    if holds:
        return _answer(True, f"it says {quoted}, which {topic.effect}", nothing)
    return _answer(False, f"it says {quoted}" if quoted else nothing, something)


def _of_numbers(instruction: str) -> Finding | None:
    compared = _COMPARISON.search(instruction)
    if compared is not None:
        left, right = (float(compared[group].strip(".,").replace(",", "")) for group in (1, 3))
        word = compared[2].lower()
        above = word in {"greater", "larger", "bigger", "more", "higher", ">", ">="}
        below = word in {"less", "smaller", "lower", "fewer", "<", "<="}
        equal_counts = word in {"equal", "=", ">=", "<="} or "or equal" in instruction
        holds = (above and left > right) or (below and left < right) or (equal_counts and left == right)
        order = "is greater than" if left > right else "is less than" if left < right else "equals"
        return _answer(holds, f"{left:g} {order} {right:g}", "the two are easily confused")
    prime = re.search(r"(\d{1,12})\s+(?:a\s+|an\s+)?(prime|even|odd)", instruction, re.I)
    if prime is not None:
        return _of_number(int(prime[1]), prime[2].lower())
    return _of_equation(instruction)


def _of_equation(instruction: str) -> Finding | None:
    equation = re.search(r"(.+?)(?:=|\bequal to\b|\bequals?\b)\s*(-?\d[\d.,]*)", instruction, re.I)
    found = solved(equation[1]) if equation is not None else None
    if equation is None or found is None:
        return None
    value = evaluated(equation[2].strip(".,"))
    return _answer(value == found[1], f"{found[0]} is {found[1]}", "it comes out differently")


def _of_number(number: int, property_: str) -> Finding:
    if property_ != "prime":
        holds = (number % 2 == 0) == (property_ == "even")
        return _answer(holds, f"{number} divided by 2 leaves {number % 2}", "one can count it the other way")
    divisor = next((d for d in range(2, min(int(number**0.5), 1_000_000) + 1) if number % d == 0), None)
    if number < 2 or divisor is not None:
        why = f"{number} is {divisor} times {number // divisor}" if divisor else f"{number} is below 2"
        return _answer(False, why, "no small number divides it")
    return _answer(True, f"no number from 2 to its root divides {number}", "it looks divisible")


def _of_mention(task: Task) -> Finding:
    wanted = [word for word in words(task.instruction) if word not in _STOP]
    if not task.material or not wanted:
        return Finding(kind=Kind.SPOKEN, answer="I cannot tell that. Which text should I look at?", unsure=True)
    there = set(words(task.material))
    stems = {word[:5] for word in there}
    hits = [word for word in wanted if word in there or word[:5] in stems]
    holds = 2 * len(hits) >= len(wanted)
    found = ", ".join(f"“{word}”" for word in hits[:4])
    missing = ", ".join(f"“{word}”" for word in wanted if word not in hits[:4])
    if holds:
        return _answer(True, f"the text speaks of {found}", "that is not what it is about")
    return _answer(False, f"the text does not speak of {missing}", "one can read it between the lines")
