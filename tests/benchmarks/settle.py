"""How much of the waiting `settle: decided` saves in time, beside a settler that tries every completion offline.

`python -m tests.benchmarks.settle --data FOLDER [--draws N] [--json FILE] [--quick]` takes the recorded function
calls whose models have recorded latencies, draws panels of five, and lets the replies arrive at their times. Ditto's
rule is asked after each. Beside it stands the exact settler of the same rule: it stops at the first reply after which
no field of the result can change, whatever the missing calls say: any answer that was given, new ones alone or
together, none. It tries them all, by the votes' own ranking, and no wish for speed holds it back. What is compared is
the median and the 99th percentile of the time to the answer, as shares of those of waiting for all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ditto.domain.confidence.prior import comparison
from ditto.domain.merging import merge, values, voting
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import JSON, Call
from ditto.domain.strategies import settling
from ditto.domain.verdict import Ballot, Intent, Verdict
from tests.benchmarks.quality import questions, ways
from tests.benchmarks.quality.draws import draws
from tests.benchmarks.quality.questions import Question

SET = "bfcl"
AWAY = "left out"
PANEL = 5
DRAWS, QUICK_DRAWS = 20, 2


@dataclass(slots=True)
class Times:
    """When each question's answer was there, in seconds, and how many answers are not those of the whole panel."""

    at_s: list[float] = field(default_factory=list)
    changed: int = 0

    def quantiles_s(self) -> tuple[float, float]:
        median, slow = np.quantile(np.array(self.at_s), (0.5, 0.99))
        return float(median), float(slow)


def timed(rows: Sequence[Question]) -> tuple[list[str], list[Question]]:
    """Returns the models whose latency is recorded everywhere, and the questions."""
    known = [{model for model, at in (row.row.get("latency_s") or {}).items() if at is not None} for row in rows]
    everywhere = set.union(*known)
    models = [model for model in sorted(everywhere) if 2 * sum(model in each for each in known) > len(rows)]
    return models, list(rows)


def arrive(question: Question, panel: Sequence[str], sheet: SkillSheet | None, found: Mapping[str, Times]) -> None:
    """Lets the replies to one question arrive, and notes when each rule has its answer."""
    latency_s = question.row["latency_s"]
    order = sorted(panel, key=lambda model: (latency_s[model], model))
    full = merged(question, question.panel(panel), sheet)
    waiting = ["Ditto", "exact"]
    for count in range(1, len(order) + 1):
        ballots = question.panel([model for model in panel if model in order[:count]])
        missing = order[count:]
        now = merged(question, ballots, sheet)
        for rule in list(waiting):
            if not missing or _settles(rule, question, ballots, missing, now, sheet):
                waiting.remove(rule)
                found[rule].at_s.append(latency_s[order[count - 1]])
                found[rule].changed += _result(now) != _result(full)
    found["all"].at_s.append(latency_s[order[-1]])


def merged(question: Question, ballots: Sequence[Ballot], sheet: SkillSheet | None) -> Verdict | None:
    """Returns the verdict of these replies, None where there are none."""
    if not ballots:
        return None
    return merge(
        question.prompt,
        ballots,
        schema=question.schema,
        answer=None,
        review_threshold=ways.REVIEW_THRESHOLD,
        skills=sheet,
    )


def _settles(
    rule: str,
    question: Question,
    ballots: Sequence[Ballot],
    missing: Sequence[str],
    now: Verdict | None,
    sheet: SkillSheet | None,
) -> bool:
    if now is None:
        return False
    if rule == "exact":
        return exactly(now, ballots, missing, sheet)
    return settling.decided(
        question.prompt,
        ballots,
        [Call(name=model, model=model) for model in missing],
        schema=question.schema,
        answer=None,
        review_threshold=ways.REVIEW_THRESHOLD,
        min_responses=1,
        skills=sheet,
    )


def exactly(now: Verdict, ballots: Sequence[Ballot], missing: Sequence[str], sheet: SkillSheet | None) -> bool:
    """Tells whether every field that anybody has given keeps its value, or stays away, in every completion."""
    if now.intent is not Intent.ANSWER or now.kind is None:
        return False
    panel = [*ballots, *(Ballot(call=model, model=model, text="") for model in missing)]
    voters = voting.electorate(panel, now.kind, sheet)
    how = comparison(now.kind, now.options)
    seats = range(len(ballots), len(panel))
    result = leaves(now.result)
    given = [leaves(ballot.value) for ballot in ballots]
    for place in {place for each in (result, *given) for place in each}:
        keys = {at: each.get(place, AWAY) for at, each in enumerate(given)}
        leader = result.get(place, AWAY)
        if any(voting.sole_winner(each, voters, how) != leader for each in completions(keys, seats)):
            return False
    return True


def leaves(value: JSON, place: str = "") -> dict[str, Hashable]:
    """Returns the parts of a structure that are voted on by themselves, by their place."""
    parts: dict[str, Hashable] = {}
    if isinstance(value, dict) and value:
        for name, part in value.items():
            parts |= leaves(part, f"{place}/{name}")
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for at, part in enumerate(value):
            parts |= leaves(part, f"{place}/{at}")
    else:
        parts[place] = values.key(value)
    return parts


def completions(keys: Mapping[int, Hashable], seats: Sequence[int]) -> Iterator[dict[int, Hashable]]:
    """Yields all that the missing seats may come to: each an answer that is there, a new one, or none."""
    if not seats:
        yield dict(keys)
        return
    seat, *rest = seats
    there = sorted(set(keys.values()), key=str, reverse=True)
    for key in (*there, f"new {len(there)}"):
        yield from completions({**keys, seat: key}, rest)
    yield from completions(keys, rest)


def _result(verdict: Verdict | None) -> Hashable:
    return None if verdict is None else values.key(verdict.result)


def measure(data: Path, count: int) -> dict[str, dict[str, Any]]:
    """Returns for the cold merge and for learned skills what each rule came to."""
    models, rows = timed(questions.load(data, SET))
    found = {way: {rule: Times() for rule in ("all", "exact", "Ditto")} for way in ("cold", "learned skills")}
    for draw in draws(models, len(rows), PANEL, name=SET, count=count):
        earlier = [merged(rows[at], rows[at].panel(draw.panel), None) for at in draw.history]
        sheets = {"cold": None, "learned skills": ways.learned(earlier, draw.panel)}
        for at in draw.scored:
            latency_s = rows[at].row.get("latency_s") or {}
            if all(latency_s.get(model) is not None for model in draw.panel):
                for way, sheet in sheets.items():
                    arrive(rows[at], draw.panel, sheet, found[way])
    return {way: {rule: _figures(times, rules["all"]) for rule, times in rules.items()} for way, rules in found.items()}


def _figures(times: Times, everything: Times) -> dict[str, Any]:
    median, slow = times.quantiles_s()
    whole_median, whole_slow = everything.quantiles_s()
    return {
        "questions": len(times.at_s),
        "median_s": round(median, 3),
        "p99_s": round(slow, 3),
        "median_share": round(median / whole_median, 4),
        "p99_share": round(slow / whole_slow, 4),
        "changed": times.changed,
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.settle", description="What settling early saves")
    parser.add_argument("--data", type=Path, required=True, help="the folder of recorded answers")
    parser.add_argument("--draws", type=int, default=DRAWS, help="panels")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DRAWS} panels")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same figures")
    options = parser.parse_args()
    found = measure(options.data, QUICK_DRAWS if options.quick else options.draws)
    table = Table("", "rule", "median", "99th", "answers", "changed", title="Time to the answer, as a share of all")
    for way, rules in found.items():
        for rule, each in rules.items():
            shares = (f"{each['median_share']:.3f}", f"{each['p99_share']:.3f}")
            table.add_row(way, rule, *shares, str(each["questions"]), str(each["changed"]))
    Console().print(table)
    for way, rules in found.items():
        ratios = [rules["Ditto"][f"{share}_share"] / rules["exact"][f"{share}_share"] for share in ("median", "p99")]
        print(f"{way}: Ditto over exact {ratios[0]:.3f} in the median, {ratios[1]:.3f} at the 99th percentile")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
