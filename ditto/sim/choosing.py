"""Choosing one of the options that a prompt lists, by shared words, by arithmetic, by a fact."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ditto.sim.arithmetic import solved
from ditto.sim.asked import digest
from ditto.sim.facts import known
from ditto.sim.finding import Finding, Kind
from ditto.sim.judging import topic_holds
from ditto.sim.reading import words

_LETTERED = re.compile(r"(?:^|\n|\s)\(?([A-J])[).:]\s*(.+?)(?=\s+\(?[A-J][).:]\s|\n|$)")
_LISTED = re.compile(
    r"(?:one of(?: the following| these)?|either|choose (?:from|between)|options?(?: are)?|labels?(?: are)?"
    r"|categor(?:y|ies)(?: are)?|classes)\s*:?\s*"
    r"((?:[^\n.;:?,]{1,40}(?:,\s*(?:or |and )?|\s+or\s+|\s*/\s*|\s*\|\s*))+[^\n.;:?,]{1,40})",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Attributes:
    label: How it is named in an answer, a letter or its own text.
    """

    label: str
    text: str


def chosen(question: str) -> Finding | None:
    """Returns the option that the rest of the prompt speaks for; None where no options are listed."""
    options, rest = _options(question)
    if len(options) < 2:
        return None
    best = best_of([option.text for option in options], rest, question)
    label = options[best].label
    others = tuple(option.label for at, option in enumerate(options) if at != best)
    shown = label if label == options[best].text else f"{label} ({options[best].text})"
    return Finding(
        kind=Kind.VALUE,
        answer=label,
        lead="The best option is",
        ground=f"of the options, {shown} fits the text best",
        doubt="the options are close to each other",
        others=others,
    )


def best_of(options: list[str], text: str, tie_breaker: str) -> int:
    """Returns the index of the option that a text speaks for; where none is, the one that `tie_breaker` decides."""
    answer = solved(text)
    fact = known(text)
    wanted = [value.lower() for value in (answer[1] if answer else "", fact.answer if fact else "") if value]
    for at, option in enumerate(options):
        if any(re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.]*\d)", option.lower()) for value in wanted):
            return at
    scores = [_score(option, text) for option in options]
    if max(scores) > 0:
        return scores.index(max(scores))
    return int(digest(tie_breaker), 16) % len(options)


def _score(option: str, text: str) -> float:
    judged = topic_holds(option, text)
    if judged is not None:
        return 2.0 if judged[0] else 0.0
    there = set(words(text))
    stems = {word[:4] for word in there if len(word) > 3}
    own = [word for word in words(option) if len(word) > 2 or word.isdigit()]
    hits = sum(1.0 if word in there else 0.5 if word[:4] in stems else 0.0 for word in own)
    return hits / (len(own) ** 0.5) if own else 0.0


def _options(question: str) -> tuple[list[Option], str]:
    lettered = list(_LETTERED.finditer(question))
    if len(lettered) > 1 and [match[1] for match in lettered[:2]] == ["A", "B"]:
        options = [Option(label=match[1], text=match[2].strip()) for match in lettered]
        return options, question[: lettered[0].start()]
    listed = _LISTED.search(question)
    if listed is None:
        return [], question
    parts = re.split(r",\s*(?:or |and )?|\s+or\s+|\s*/\s*|\s*\|\s*", listed[1])
    named = [part.strip(" \"'“”‘’()`") for part in parts]
    rest = question[: listed.start()] + question[listed.end() :]
    return [Option(label=name, text=name) for name in dict.fromkeys(named) if name], rest
