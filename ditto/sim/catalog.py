"""The names of the simulated models: who there is, and how a misbehaviour is asked for by name.

Grammar::

    model      = persona *( separator behaviour )
    separator  = "+" | ","
    behaviour  = name [ "=" value ] [ "*" times ]

`terse`, `terse+slow=2s`, `careful+fail=503*2` (the first two requests for a prompt fail, the third is answered),
`terse+rate=2,retry-after=1`, `wordy+slow=50ms-3s+hang*1`. Every behaviour takes `*times`: then it acts on the first
so many requests for the same model and prompt only. Of two behaviours that exclude each other the one that stands
earlier in `BEHAVIOURS` acts; of one given twice, the later (except `noparam`, which adds up). The same
`name=value` list may be sent with a request, as the header `x-sim` or as the body's field `sim`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto

PERSONAS: dict[str, str] = {
    "terse": "gives the answer and nothing else",
    "wordy": "explains first, then says what the answer is",
    "careful": "works in listed steps and marks its answer",
    "friendly": "answers in a warm full sentence",
    "contrary": "is sure of something else, until it sees what others have answered",
    "hasty": "answers at once, and slips now and then",
    "json": "answers in fenced JSON with its reasoning",
    "thinker": "thinks aloud in a <think> block before it answers",
    "slow": "answers like careful, after two seconds",
    "shy": "politely refuses everything",
}
"""Each persona, in one line."""

DEFAULT_PANEL: tuple[str, str, str, str, str] = ("terse", "wordy", "careful", "friendly", "contrary")
"""Five personas: on a question that the skills can answer four agree, each in its own words, and one dissents."""

LATENCY_S: dict[str, float] = {
    "terse": 0.03,
    "wordy": 0.09,
    "careful": 0.12,
    "friendly": 0.06,
    "contrary": 0.05,
    "hasty": 0.02,
    "json": 0.08,
    "thinker": 0.12,
    "slow": 2.0,
    "shy": 0.04,
}
"""About how long each persona takes to its first byte; the prompt decides between this and two thirds of it."""


class Value(Enum):
    """What may stand behind a behaviour's `=`."""

    NOTHING = auto()
    DURATION = auto()
    SECONDS = auto()
    STATUS = auto()
    COUNT = auto()
    WORD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a behaviour is written, and what it does.

    Attributes:
        default: What the value is where none is given; None: a value must be given.
    """

    does: str
    value: Value = Value.NOTHING
    default: float | None = 0.0


BEHAVIOURS: dict[str, Form] = {
    "dead": Form(does="closes the connection at once, without a word"),
    "hang": Form(does="never answers"),
    "slow": Form(
        does="waits before the first byte: 2s, 150ms, or between two: 50ms-3s", value=Value.DURATION, default=2.0
    ),
    "rate": Form(
        does="answers 429 with Retry-After to the first N requests, or to all", value=Value.COUNT, default=0.0
    ),
    "allow": Form(
        does="takes N requests a second, evenly; one too many gets 429 and closes it to all for Retry-After",
        value=Value.COUNT,
        default=10.0,
    ),
    "retry-after": Form(
        does="the seconds in Retry-After, of `rate`, `allow` or any `fail`", value=Value.SECONDS, default=1.0
    ),
    "fail": Form(does="answers this status in the provider's own shape", value=Value.STATUS, default=500.0),
    "nokey": Form(does="says that the key is wrong (401)"),
    "nomodel": Form(does="says that there is no such model (404)"),
    "noparam": Form(does="refuses the named parameter if it is sent (400)", value=Value.WORD, default=None),
    "context": Form(does="refuses prompts above N tokens as too long (400), or all", value=Value.COUNT, default=0.0),
    "html": Form(does="answers an HTML page, with status 200 or the one given", value=Value.STATUS, default=200.0),
    "garbage": Form(does="answers bytes that are no JSON"),
    "endless": Form(does="begins a reply whose body never ends"),
    "reset": Form(does="resets the connection in the middle of the reply"),
    "drip": Form(
        does="sends the reply a few bytes at a time, with this pause between", value=Value.DURATION, default=0.25
    ),
    "empty": Form(does="replies with no text"),
    "filter": Form(does="ends with the content filter"),
    "refuse": Form(does="refuses politely"),
    "clarify": Form(does="asks back"),
    "badjson": Form(does="fills a schema wrongly, until it is asked again"),
    "wrong": Form(does="gives a well-formed wrong answer: the N-th one", value=Value.COUNT, default=1.0),
    "long": Form(does="replies with N words", value=Value.COUNT, default=1000.0),
    "cut": Form(does="breaks off in the middle, finish reason length"),
    "think": Form(does="puts a <think> block before the answer"),
    "reasoning": Form(does="gives its reasoning in a field of its own"),
}
"""Each behaviour: its value and what it does. Where two exclude each other the earlier line acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One behaviour as asked for.

    Attributes:
        amount: Seconds, status or count, by its form; the lower end of a range.
        upto: The upper end of a range, else equal to `amount`.
        word: The value where it is a word.
        times: On how many first requests it acts; None: on all.
    """

    name: str
    amount: float = 0.0
    upto: float = 0.0
    word: str = ""
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimModel:
    """A simulated model: a persona and how it misbehaves."""

    name: str
    persona: str
    behaviours: tuple[Behaviour, ...] = ()


def parse(name: str) -> SimModel:
    """Returns the model of this name, without any `sim/` before it.

    Raises:
        ValueError: In one line: what is wrong, and what is close to it.
    """
    persona, *rest = re.split(r"[+,]", name, maxsplit=1)
    if persona not in PERSONAS:
        raise ValueError(
            f"no simulated model {persona!r}{_close(persona, PERSONAS)} (there are: {', '.join(PERSONAS)})"
        )
    return SimModel(name=name, persona=persona, behaviours=parse_behaviours(rest[0]) if rest else ())


def parse_behaviours(text: str) -> tuple[Behaviour, ...]:
    """Returns the behaviours in a list such as `slow=2s+fail=503*2`; none for a blank text.

    Raises:
        ValueError: In one line: what is wrong, and what is close to it.
    """
    if not text.strip():
        return ()
    return tuple(_behaviour(part.strip()) for part in re.split(r"[+,]", text))


def acting(behaviours: Iterable[Behaviour], attempt: int) -> dict[str, Behaviour]:
    """Returns what acts on the `attempt`-th request (from 1), by name; of one given twice, the later.

    The words of several `noparam` are joined by blanks.
    """
    found: dict[str, Behaviour] = {}
    for behaviour in behaviours:
        if behaviour.times is not None and attempt > behaviour.times:
            continue
        earlier = found.get(behaviour.name)
        if behaviour.name == "noparam" and earlier is not None:
            behaviour = Behaviour(name="noparam", word=f"{earlier.word} {behaviour.word}")
        found[behaviour.name] = behaviour
    return found


def _behaviour(part: str) -> Behaviour:
    written, star, times = part.partition("*")
    name, equals, value = written.partition("=")
    form = BEHAVIOURS.get(name)
    if form is None:
        raise ValueError(f"no behaviour {name!r}{_close(name, BEHAVIOURS)} (there are: {', '.join(BEHAVIOURS)})")
    if star and not (times.isdecimal() and int(times) > 0):
        raise ValueError(f"{part}: after * a number of requests is wanted, like {name}*2")
    limit = int(times) if star else None
    if form.value is Value.NOTHING and equals:
        raise ValueError(f"{part}: {name} takes no value")
    if not equals:
        if form.default is None:
            raise ValueError(f"{part}: {name} needs a value, like {name}=temperature")
        return Behaviour(name=name, amount=form.default, upto=form.default, times=limit)
    if form.value is Value.WORD:
        if not re.fullmatch(r"[A-Za-z_][\w.]*", value):
            raise ValueError(f"{part}: the name of a parameter is wanted, like {name}=temperature")
        return Behaviour(name=name, word=value, times=limit)
    low, high = _amounts(part, value, form.value)
    if name == "rate":
        return Behaviour(name=name, amount=low, upto=high, times=int(low) if limit is None else limit)
    return Behaviour(name=name, amount=low, upto=high, times=limit)


def _amounts(part: str, value: str, kind: Value) -> tuple[float, float]:
    match kind:
        case Value.DURATION:
            low, dash, high = value.partition("-")
            from_s = _duration_s(part, low)
            to_s = _duration_s(part, high) if dash else from_s
            if to_s < from_s:
                raise ValueError(f"{part}: a range goes from the shorter to the longer, like 50ms-3s")
            return from_s, to_s
        case Value.SECONDS:
            if not re.fullmatch(r"\d+(\.\d+)?", value):
                raise ValueError(f"{part}: a number of seconds is wanted, like 1 or 0.5")
            return float(value), float(value)
        case Value.STATUS:
            if not re.fullmatch(r"200|[45]\d\d", value) or (value == "200" and not part.startswith("html")):
                raise ValueError(f"{part}: a status from 400 to 599 is wanted, like 503")
            return float(value), float(value)
        case _:
            if not (value.isascii() and value.isdecimal()):
                raise ValueError(f"{part}: a whole number is wanted, like 2")
            return float(value), float(value)


def _duration_s(part: str, text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text)
    if found is None or (found[2] == "" and float(found[1]) != 0):
        raise ValueError(f"{part}: a duration is wanted, like 2s, 150ms or 1m")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 0.0}[found[2]]


def _close(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f", did you mean {' or '.join(near)}?" if near else ""
