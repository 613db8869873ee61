"""Whether an answer may be given to a hostile request, and whether it says more than it should."""

from __future__ import annotations

import re
from pathlib import Path

from tests.hostile.clients import Heard

_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
_TOLD_TOO_MUCH = (
    b"Traceback (most",
    b'File "',
    b"site-packages",
    b"root:x:0",
    b'.py"',
    b".py'",
    b".py:",
)
_INJECTED = re.compile(rb"^x-injected", re.MULTILINE | re.IGNORECASE)
"""As a line of its own: lists of jobs hold what others have asked, and JSON has no bare line feed."""
_SETTLED = (b"502", b"504")
_SHOWN_BYTES = 200


def statuses(answer: bytes) -> list[str]:
    """Returns the statuses of the answers on one connection."""
    return [found.decode() for found in _STATUS.findall(answer)]


def complaints(heard: Heard, hidden: tuple[str, ...]) -> list[str]:
    """Returns what is wrong with what a client heard.

    Args:
        hidden: Paths of the service's machine, which no answer names.
    """
    end = heard.answer[-_SHOWN_BYTES:]
    wrong = [f"answered {status}: …{end!r}" for status in statuses(heard.answer) if _is_wrong(status, heard.answer)]
    if _INJECTED.search(heard.answer):
        wrong.append("has a header that the client made up")
    told = [word.decode() for word in _TOLD_TOO_MUCH if word in _without_echo(heard)]
    told += [path for path in hidden if path.encode() in heard.answer]
    wrong += [f"says {word!r}" for word in told]
    if heard.hung:
        wrong.append("no answer came")
    return wrong


def paths_of(*folders: Path) -> tuple[str, ...]:
    """Returns the paths that are to stay hidden: these, the home folder's and Python's own."""
    return tuple(str(path) for path in (*folders, Path.home() / ".", Path("/tmp/ray")) if len(str(path)) > 5)


def _is_wrong(status: str, answer: bytes) -> bool:
    """Every answer of 500 and above is, but that of a full service, and a job's that its models failed."""
    if status < "500":
        return False
    if status == "503":
        return b"retry-after:" not in answer.lower()
    return not (status.encode() in _SETTLED and b"x-should-retry: false" in answer.lower())


def _without_echo(heard: Heard) -> bytes:
    """Returns the answer without what the client itself has said, which an error may repeat."""
    sent = b"".join(heard.attack.pieces)
    return b"" if any(word in sent for word in _TOLD_TOO_MUCH) else heard.answer
