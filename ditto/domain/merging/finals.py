r"""Where a reply marks its final answer: a JSON `answer`, `\boxed{}`, `####`, "the answer is …", a bold last line.

Where a reply commits several times, its first commitment counts: models that run on answer other questions after it.
Only a reply that takes its word back in between ("wait", "correction") is held to its last one.
"""

from __future__ import annotations

import json
import re

from ditto.domain.spec import JSON

_FIELD = re.compile(r"""["'](?:final[_ ]?answer|answer)["']\s*:\s*""", re.IGNORECASE)
_AFTER_FIELD = re.compile(r"""\s*(?:,\s*["'}]|\}|```|\Z)""")
_DAMAGED = re.compile(r"""(.*?)\s*(?:\}\s*)?(?:```|\Z)""", re.DOTALL)
_PYTHON_STRING = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BOXES = 8
_BOX_CHARS = 2000
_HASHES = re.compile(r"^####\s*(.+)$", re.MULTILINE)
_SAYS = re.compile(
    r"\b(?:answer|choice|option)"
    r"(?:(?: \w+){0,4}? (?:is|are|would be|must be|should be|was)(?: that)?\b[ \t]*[:=]?|[ \t]*(?:\*\*|__)?[ \t]*:)"
    r"[ \t]*(?:\*\*|__)?\s*(?=(?P<said>[^\n]+))",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"\b(?:wait|actually|correction|scratch that|on second thought|I made (?:a|an) (?:\w+ )?(?:mistake|error)"
    r"|let me (?:re|double))",
    re.IGNORECASE,
)
_BOLD = re.compile(r"(?:\*\*|__)(?=\S)([^*_\n]+?)(?<=\S)(?:\*\*|__)")
_SENTENCE_END = re.compile(r"(?<=[^\d\s][.!?])\s|(?<=\d[.!?])\s+(?=[A-Z])|。|\*\*|__")


def of(text: str) -> list[JSON]:
    """Returns the answers that a reply marks as final, the most trusted mark first; nothing where it marks none."""
    found: list[JSON] = []
    if '"' in text or "'" in text:
        found.extend(_fields(text))
    if "\\" in text:
        found.extend(_boxed(text))
    hashes = _HASHES.findall(text)
    if hashes:
        found.append(hashes[-1].strip())
    said = _said(text)
    if said is not None:
        found.append(said)
    if "**" in text or "__" in text:
        last = text.rstrip().rsplit("\n", 1)[-1]
        bold = _BOLD.findall(last)
        if bold:
            found.append(bold[-1].strip())
    return found


def _fields(text: str) -> list[JSON]:
    matches = list(_FIELD.finditer(text))
    return [_field(text, matches[-1].end())] if matches and "{" in text[: matches[-1].start()] else []


def _field(text: str, start: int) -> JSON:
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    else:
        if _AFTER_FIELD.match(text, end):
            return value
    quoted = _PYTHON_STRING.match(text, start)
    if quoted and _AFTER_FIELD.match(text, quoted.end()):
        return quoted[1]
    damaged = _DAMAGED.match(text, start)
    rest = damaged[1].strip().rstrip(",") if damaged else ""
    if len(rest) >= 2 and rest[0] == rest[-1] and rest[0] in "\"'":
        rest = rest[1:-1]
    return rest


def _boxed(text: str) -> list[JSON]:
    """Returns what the last box that is closed holds; of boxes in boxes only so many are tried."""
    for start in reversed([match.end() for match in _BOXED.finditer(text)][-_BOXES:]):
        depth, position = 1, start
        while position < min(len(text), start + _BOX_CHARS) and depth:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
        if not depth:
            return [text[start : position - 1].strip()]
    return []


def _said(text: str) -> str | None:
    matches = list(_SAYS.finditer(text))
    if not matches:
        return None
    chosen = matches[0]
    if len(matches) > 1 and _TAKES_BACK.search(text, chosen.end(), matches[-1].start()):
        chosen = matches[-1]
    said = _SENTENCE_END.split(chosen["said"].strip(), maxsplit=1)[0]
    return said.strip().rstrip(".") or None
