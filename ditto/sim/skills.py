"""What the simulated models can do: one list of small honest skills, tried in turn, and a plain word when none fits."""

from __future__ import annotations

import re

from ditto.sim.arithmetic import other_numbers, solved
from ditto.sim.choosing import chosen
from ditto.sim.extracting import extracted
from ditto.sim.facts import known
from ditto.sim.finding import Finding, Kind
from ditto.sim.judging import judged
from ditto.sim.reading import Task, sentences, words

_ECHO = re.compile(
    r"^(?:please )?(?:(?:say|repeat|echo)(?: back)?(?: (?:exactly|only|just|the word|this|the following))*\s*:?"
    r"|(?:reply|answer|respond) with(?: (?:exactly|only|just|the word|this|the following))+\s*:?"
    r"|(?:reply with|answer with|respond with|write):)"
    r"\s*[\"'“‘]?(.+?)[\"'”’]?[.]?\s*$",
    re.I | re.S,
)
_NO_ECHO = re.compile(r"\bor\b|\bwhether\b|^(?:if|why|how|what|who)\b", re.I)
_LETTER = re.compile(
    r"\bhow many (?:letters? )?[\"'“‘]?([^\W\d_])[\"'”’]?(?:['’]?s)? (?:are|is|has|in)\b.*?(\w+)\W*$", re.I
)
_COUNT = re.compile(r"\bhow many (words?|letters?|characters?|sentences?|lines?|numbers?|times)\b(.*)", re.I | re.S)
_GREETING = re.compile(r"^(hi|hello|hey|good (morning|evening|afternoon))\b[^?]{0,30}$", re.I)
_COMPUTE = re.compile(
    r"\b(what|how much|how many|compute|calculate|evaluate|solve|work out|result)\b|=\s*\??$|^[\s\d(+-]", re.I
)
CAN_DO = (
    "arithmetic, yes or no by cue words, choosing among options, summaries and key points in a text's own words, "
    "a few capitals, and filling a JSON Schema from a text"
)


def found(task: Task) -> Finding:
    """Returns what the first skill that fits has found."""
    for skill in (_echoed, chosen_of, extracted, _counted, judged, _computed, _fact):
        finding = skill(task)
        if finding is not None:
            return finding
    return _built_upon(task) or _offer(task)


def chosen_of(task: Task) -> Finding | None:
    return chosen(task.text)


def _computed(task: Task) -> Finding | None:
    result = solved(task.instruction)
    if result is None and (_COMPUTE.search(task.text) or len(task.text) < 60):
        result = solved(task.text)
    return _number(f"{result[0]} is", result[1], f"{result[0]} = {result[1]}") if result else None


def _number(lead: str, value: str, ground: str) -> Finding:
    return Finding(
        kind=Kind.VALUE,
        answer=value,
        lead=lead,
        ground=ground,
        doubt="it is easily miscounted",
        others=other_numbers(value),
    )


def _counted(task: Task) -> Finding | None:
    letter = _LETTER.search(task.instruction)
    if letter is not None and len(letter[2]) > 1:
        count = letter[2].lower().count(letter[1].lower())
        return _number(
            f"The number of {letter[1]} in {letter[2]} is", str(count), f"going through {letter[2]} gives {count}"
        )
    asked = _COUNT.search(task.instruction)
    if asked is None:
        return None
    what, rest = asked[1].lower().rstrip("s"), asked[2]
    quoted = re.search(r"[\"“'‘](.+?)[\"”'’]|\b(?:in|of) (?:the (?:word|sentence|phrase|text) )?(\w+)\s*\??$", rest)
    text = task.material or ((quoted[1] or quoted[2]) if quoted else "")
    if not text or what == "time":
        return None
    match what:
        case "word":
            count = len(words(text))
        case "letter":
            count = sum(character.isalpha() for character in text)
        case "character":
            count = len(text)
        case "sentence":
            count = len(sentences(text))
        case "line":
            count = len(text.splitlines())
        case _:
            count = len(re.findall(r"\d+(?:[.,]\d+)*", text))
    return _number("The count is", str(count), f"counting each {what} gives {count}")


def _fact(task: Task) -> Finding | None:
    return known(task.instruction) or known(task.text[:2000])


def _echoed(task: Task) -> Finding | None:
    wanted = _ECHO.match(task.text) if not task.earlier else None
    if wanted is not None and len(wanted[1]) <= 2000 and not _NO_ECHO.search(wanted[1]):
        return Finding(kind=Kind.SPOKEN, answer=wanted[1])
    if _GREETING.match(task.text):
        return Finding(kind=Kind.SPOKEN, answer="Hello! I am a simulated model. What can I do for you?")
    return None


def _built_upon(task: Task) -> Finding | None:
    """With no skill of its own for the question, a model keeps the latest answer and adds what others had more."""
    if not task.earlier:
        return None
    kept = sentences(task.earlier[-1])[:3]
    more = [item for answer in task.earlier[:-1] for item in sentences(answer) if item not in kept][:1]
    return Finding(kind=Kind.SPOKEN, answer=" ".join((*kept, *more)) or task.earlier[-1])


def _offer(task: Task) -> Finding:
    head = task.text[:80] + ("…" if len(task.text) > 80 else "")
    said = f"You wrote: “{head}”. " if head else ""
    return Finding(
        kind=Kind.SPOKEN,
        answer=f"{said}I am a simulated model, no language model, and have no skill for that. I can do {CAN_DO}.",
        unsure=True,
    )
