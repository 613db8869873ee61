"""Playing the judge: of numbered replies to a question, the one that agrees most with what the model finds itself.

Where it has no skill for the question the first reply will do, and it says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ditto.sim.asked import Asked, Body, Turn
from ditto.sim.finding import Finding, Kind

_QUESTION = re.compile(r"^The question:\n\n<<<([0-9a-f]{6,32})\n(.*?)\n\1>>>$", re.M | re.S)
_NAMED = re.compile(r"\banswer(?: is|:)\W*(yes|no)\b", re.I)
_YES_OR_NO = re.compile(r"\b(yes|no)\b", re.I)
_SURE, _UNSURE = 0.9, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a judge has to decide: the question, and the replies in the order of their numbers from 1."""

    question: str
    replies: tuple[str, ...]


def case(prompt: str) -> Case | None:
    """Returns what a judge is asked to compare, None where the prompt asks for no judge."""
    question = _QUESTION.search(prompt)
    if question is None:
        return None
    mark = question[1]
    listed = re.compile(rf"^\[(\d+)\]\n<<<{mark}\n(.*?)\n{mark}>>>$", re.M | re.S)
    found = [match[2] for match in listed.finditer(prompt, question.end())]
    return Case(question=question[2], replies=tuple(found)) if found else None


def alone(asked: Asked, case: Case) -> Asked:
    """Returns the request as if the judge had been asked the question itself."""
    return replace(asked, turns=(Turn(role="user", text=case.question),), system="", schema=None, json_object=False)


def compared(case: Case, finding: Finding, *, contrary: bool) -> Body:
    """Returns the verdict: the number of the best reply, why, and how sure the model is.

    Args:
        finding: What the model's own skills find for the question.
        contrary: It names another reply than it should.
    """
    marks = [_agreement(finding, reply) for reply in case.replies]
    best = marks.index(max(marks)) + 1
    sure = max(marks) > 0
    if contrary and len(marks) > 1:
        other = marks.index(min(marks)) + 1
        other = other if other != best else best % len(marks) + 1
        return {"reason": f"I see it differently: reply {other} it is.", "best": other, "confidence": _SURE}
    if not sure:
        reason = "I have no skill of my own for this question, so the first reply will do."
        return {"reason": reason, "best": best, "confidence": _UNSURE}
    ground = finding.ground or finding.answer[:200]
    reason = f"Reply {best} agrees with what I find myself: {ground.rstrip('.')}."
    return {"reason": reason, "best": best, "confidence": _SURE}


def _agreement(finding: Finding, reply: str) -> int:
    match finding.kind:
        case Kind.YES_NO:
            said = _NAMED.search(reply) or _YES_OR_NO.search(reply)
            return int(said is not None and said[1].lower() == finding.answer.lower())
        case Kind.PASSAGE | Kind.POINTS:
            return sum(passage in reply for passage in finding.passages)
        case Kind.SPOKEN if finding.unsure:
            return 0
        case _:
            return int(re.search(rf"(?<!\w){re.escape(finding.answer)}(?!\w)", reply, re.I) is not None)
