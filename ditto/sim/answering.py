"""From what is asked to what is said: the skills find, the persona and the content behaviours turn it into a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from ditto.sim import comparing, manners, skills
from ditto.sim.asked import Asked, Body, digest, share
from ditto.sim.catalog import Behaviour
from ditto.sim.finding import Finding, Kind
from ditto.sim.reading import Task, read
from ditto.sim.replies import Reply, limited
from ditto.sim.schema_filling import completed, filled
from ditto.sim.slips import broken, falsified, shortened

_SLIPS = 0.2
_FILLER = "the quick brown fox jumps over the lazy dog and then it rests in the shade of an old tree"


def answered(asked: Asked, persona: str, acting: Mapping[str, Behaviour], recorded: str | None = None) -> Reply:
    """Returns the reply to a request, the same for the same request.

    Args:
        acting: The behaviours, by name; those that concern the connection are not looked at.
        recorded: A reply to give word for word, unless a behaviour changes what is said.
    """
    key = digest(persona, asked.prompt, str(asked.seed))
    reply = _instead(acting, persona, key)
    if reply is None:
        reply = _recorded(recorded) if recorded is not None else _of_its_own(asked, persona, acting, key)
    return limited(_changed(reply, acting), asked)


def _recorded(text: str) -> Reply:
    return Reply(text=text)


def _instead(acting: Mapping[str, Behaviour], persona: str, key: str) -> Reply | None:
    if "empty" in acting:
        return Reply(text="")
    if "filter" in acting:
        return Reply(text="", finish="content_filter")
    if "refuse" in acting or persona == "shy":
        return Reply(text=manners.refused(key))
    if "clarify" in acting:
        return Reply(text=manners.asked_back(key))
    if "long" in acting:
        filler = _FILLER.split()
        return Reply(text=" ".join(filler[at % len(filler)] for at in range(int(acting["long"].amount))))
    return None


def _of_its_own(asked: Asked, persona: str, acting: Mapping[str, Behaviour], key: str) -> Reply:
    case = comparing.case(asked.prompt)
    return _thought(asked, persona, acting, key) if case is None else _judged(asked, case, persona, acting, key)


def _judged(asked: Asked, case: comparing.Case, persona: str, acting: Mapping[str, Behaviour], key: str) -> Reply:
    """The persona as a judge; `badjson` is a verdict without its choice."""
    finding = skills.found(read(comparing.alone(asked, case)))
    slips = persona == "hasty" and share("slip", key) < _SLIPS
    value = comparing.compared(case, finding, contrary=persona == "contrary" or "wrong" in acting or slips)
    if "badjson" in acting:
        del value["best"]
    text = _json(value) if asked.schema is not None else manners.handed_over(persona, value, key)
    return _aloud(text, finding, asked, persona)


def _thought(asked: Asked, persona: str, acting: Mapping[str, Behaviour], key: str) -> Reply:
    task = read(asked)
    honest = skills.found(task)
    finding = _leaning(honest, task, persona, acting, key)
    if task.schema is not None:
        text = _filled(asked, task, task.schema, (honest, finding), persona, acting, key)
    elif asked.json_object:
        text = _json({"answer": finding.answer})
    else:
        convinced = persona == "contrary" and bool(task.earlier)
        text = manners.worded("careful" if convinced else persona, finding, key)
    return _aloud(text, finding, asked, persona)


def _aloud(text: str, finding: Finding, asked: Asked, persona: str) -> Reply:
    """The reply with what the persona thinks before it, where it does."""
    thoughts = manners.thoughts(finding)
    if persona == "thinker" and not asked.thinking:
        text = f"<think>\n{thoughts}\n</think>\n\n{text}"
    return Reply(text=text, reasoning=thoughts if asked.thinking else "")


def _filled(
    asked: Asked,
    task: Task,
    schema: Body,
    findings: tuple[Finding, Finding],
    persona: str,
    acting: Mapping[str, Behaviour],
    key: str,
) -> str:
    """The schema filled as this persona does; `findings` are the honest one and the one it leans to."""
    honest = completed(filled(schema, task.text, findings[0]), task.earlier)
    value = honest
    if findings[1] is not findings[0]:
        value = filled(schema, task.text, findings[1])
    if value == honest:
        if "wrong" in acting:
            value = falsified(schema, value, digest(asked.prompt, str(acting["wrong"].amount)))
        elif persona == "contrary" and not task.earlier:
            value = falsified(schema, value, key)
        elif persona == "hasty" and share("slip", key) < _SLIPS:
            value = shortened(schema, value, key)
    if "badjson" in acting and not task.reasked:
        value = broken(schema, value)
    return _json(value) if asked.schema is not None else manners.handed_over(persona, value, key)


def _leaning(finding: Finding, task: Task, persona: str, acting: Mapping[str, Behaviour], key: str) -> Finding:
    """The finding as this persona sees it: contrary ones and slips take another answer."""
    if "wrong" in acting:
        return _another(finding, int(acting["wrong"].amount) - 1)
    if persona == "contrary" and not task.earlier:
        return _another(finding, 0)
    if persona == "hasty" and task.schema is None and share("slip", key) < _SLIPS:
        return _another(finding, 1)
    return finding


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _another(finding: Finding, which: int) -> Finding:
    if finding.kind in (Kind.PASSAGE, Kind.POINTS):
        turned = tuple(reversed(finding.passages))
        return replace(finding, answer=turned[0], passages=turned)
    if not finding.others or finding.unsure:
        return finding
    answer = finding.others[which % len(finding.others)]
    return replace(finding, answer=answer, ground=finding.doubt, doubt=finding.ground)


def _changed(reply: Reply, acting: Mapping[str, Behaviour]) -> Reply:
    if "cut" in acting:
        reply = replace(reply, text=reply.text[: max(len(reply.text) // 2, 1)], finish="length")
    if "think" in acting:
        reply = replace(reply, text=f"<think>\nLet me see what this is about.\n</think>\n\n{reply.text}")
    if "reasoning" in acting and not reply.reasoning:
        reply = replace(reply, reasoning="Let me see what this is about.")
    return reply
