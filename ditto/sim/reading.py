"""Reading a prompt: what is to be done, with which text, by which schema, and what others have answered before.

A skill reads at most the first 16 000 and the last 4 000 characters of a prompt: a simulated model must stay cheap.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ditto.sim.asked import Asked, Body, Turn

_HEAD, _TAIL = 16_000, 4_000
_MEND = re.compile(
    r"does not (satisfy|match|validate|fit|conform)|not valid|is invalid|answer again|try again|corrected", re.I
)
_EARLIER = re.compile(
    r"\n\n?[^\n]*\b(?:already answered|earlier|previous|others? (?:assistants|models|answers|have)"
    r"|replied|has said)\b[^\n]*\n+"
    r"(?=(?:\[1\]|1[.)]|#1) )",
    re.I,
)
_FORM = re.compile(r"^(?:please )?(?:answer|reply|respond)\b[^:\n?]{0,60}:\s*(?=\S)", re.I)
_NUMBERED = re.compile(r"(?:^|\n)\s*(?:\[(\d+)\]|(\d+)[.)]|#(\d+)) ")
_TASK_END = re.compile(r"[:?？：]|\n|[.!。！](?=\s|$)")
_SENTENCE = re.compile(r"[^\n.!?。！？]+(?:[.!?](?=\S)[^\n.!?。！？]*)*(?:[.!?]+[\"'”’)]*(?=\s|$)|[。！？]+)?")
_SALUTATION = re.compile(r"^(?:hi|hello|hey|dear)\b[^,.!?:]{0,30},\s+(?=\S)", re.I)
_HEADER = re.compile(r"^(?:subject|from|to|cc|date|sent|re|fwd?)\s*:.*$", re.I | re.M)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|best|best regards|kind regards|regards|cheers|thanks"
    r"|thank you|sincerely|yours|many thanks|greetings)\b[^.?!]{0,40}[,.!]?$",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a prompt asks for.

    Attributes:
        instruction: Its first sentence, or the last where that holds the question.
        material: The text it is about; blank where there is none.
        schema: What the reply has to satisfy; None for text.
        earlier: Others' answers, oldest first.
        reasked: An earlier reply to this has been sent back.
        text: Both, as they stood in the prompt.
    """

    instruction: str
    material: str
    schema: Body | None = None
    earlier: tuple[str, ...] = ()
    reasked: bool = False
    text: str


def read(asked: Asked) -> Task:
    """Returns what the request asks for."""
    text, reasked = _question(asked.turns)
    schema = asked.schema
    text, written = _without_schema(text)
    if schema is None:
        schema = written or _without_schema(asked.system)[1]
    text, earlier = _without_earlier(text)
    text = text.strip() if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}".strip()
    instruction, material = divided(text)
    return Task(instruction=instruction, material=material, schema=schema, earlier=earlier, reasked=reasked, text=text)


def divided(text: str) -> tuple[str, str]:
    """Returns the instruction and the material of a prompt; the last line is the instruction where it asks.

    What only says how to answer ("Answer yes or no:") is left out.
    """
    text = _FORM.sub("", text.strip())
    end = _TASK_END.search(text)
    if end is None:
        return text, ""
    first, rest = text[: end.end()].strip(), text[end.end() :].strip()
    last = text.rsplit("\n", 1)[-1].strip() if "\n" in text else [text, *sentences(text)][-1]
    if not first.endswith(("?", "？", ":", "：")) and last.endswith(("?", "？")) and last != first:
        return last, text[: -len(last)].strip()
    return first, _unquoted(rest)


def sentences(text: str) -> list[str]:
    """Returns the sentences of a text as they stand there, without bullets; a line end ends a sentence too."""
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return [re.sub(r"^(?:[-*•]|\d+[.)])\s+", "", item) for item in found if re.search(r"\w", item)]


def statements(text: str) -> list[str]:
    """Returns the sentences of a text without its headers, greetings and signatures."""
    text = _HEADER.sub("", text)
    kept = [_SALUTATION.sub("", item) for item in sentences(text) if not _GREETING.fullmatch(item) and len(item) > 3]
    signed = [item for item in kept if len(item.split()) > 1 or not item.istitle()]
    return signed or kept or sentences(text)


def words(text: str) -> list[str]:
    """Returns the words of a text in small letters."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.lower())


def _question(turns: tuple[Turn, ...]) -> tuple[str, bool]:
    asked = [turn.text for turn in turns if turn.role == "user"]
    replied = any(turn.role == "assistant" for turn in turns)
    reasked = False
    while replied and len(asked) > 1 and _MEND.search(asked[-1][:400]):
        asked.pop()
        reasked = True
    return (asked[-1] if asked else ""), reasked


def _without_schema(text: str) -> tuple[str, Body | None]:
    at = text.rfind("JSON Schema")
    if at < 0:
        return text, None
    opening = text.find("{", at)
    if opening < 0:
        return text, None
    try:
        schema, end = json.JSONDecoder().raw_decode(text, opening)
    except (ValueError, RecursionError):
        return text, None
    if not isinstance(schema, dict):
        return text, None
    start = max(text.rfind("\n\n", 0, at), 0)
    after = text[end:].strip("` \n")
    return f"{text[:start]}\n\n{after}".strip(), schema


def _without_earlier(text: str) -> tuple[str, tuple[str, ...]]:
    found = _EARLIER.search(text)
    if found is None:
        return text, ()
    listed = text[found.end() :]
    expected = 1
    cuts: list[tuple[int, int]] = []
    for match in _NUMBERED.finditer(listed):
        if int(next(group for group in match.groups() if group)) == expected:
            cuts.append((match.start(), match.end()))
            expected += 1
    ends = [start for start, _ in cuts[1:]] + [len(listed)]
    answers = [listed[begin:end].strip() for (_, begin), end in zip(cuts, ends, strict=True)]
    if answers:
        answers[-1] = re.split(r"\n\n(?=(?:Build|Improve|Using|Now|Based|Write|Give)\b)", answers[-1])[0].strip()
    return text[: found.start()].strip(), tuple(answer for answer in answers if answer)


def _unquoted(text: str) -> str:
    if len(text) > 1 and (text[0], text[-1]) in {('"', '"'), ("“", "”"), ("«", "»"), ("'", "'")}:
        return text[1:-1].strip()
    return text
