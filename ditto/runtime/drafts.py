"""Replies that are being written: their text so far, passed on from the caller to a job's holder and to who follows.

Each of the three says how far it has got and is given what it lacks, so a message that is lost, comes twice or comes
late does no harm. A text that turns out to begin anew (a further try, thinking that was not known as such) is another
edition of the draft; whoever knows an earlier one gets it from its beginning.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ditto.domain.events import Failure
from ditto.providers.reply_text import without_thinking

_PIECE_CHARS = 64 * 1024
_ALL_CHARS = 1024 * 1024
_TAG_BEGUN = re.compile(r"</?[a-z]{0,8}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft as it stands.

    Attributes:
        edition: Another one for each new beginning, wherever it is made.
        attempt: The number of the request that is under way, from 1.
        after: Why the one before failed, None for the first.
    """

    edition: str
    attempt: int
    after: Failure | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How much of a draft somebody has."""

    edition: str
    attempt: int
    chars: int


NOTHING_KNOWN = Known(edition="", attempt=1, chars=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What somebody lacks of a draft: the text behind `start`, 0 where he has none of this edition."""

    order_id: str
    edition: str
    attempt: int
    after: Failure | None
    start: int
    text: str

    @property
    def heard(self) -> Known:
        """How much whoever has got this piece has."""
        return Known(edition=self.edition, attempt=self.attempt, chars=self.start + len(self.text))


def pieces(drafts: Mapping[str, Written], heard: Mapping[str, Known]) -> list[Piece]:
    """Returns what is new in these drafts, by order; of much only the first part."""
    found, left = [], _ALL_CHARS
    for order_id, draft in drafts.items():
        known = heard.get(order_id, NOTHING_KNOWN)
        start = known.chars if known.edition == draft.edition else 0
        text = draft.text[start : start + min(left, _PIECE_CHARS)]
        left -= len(text)
        if text or draft.attempt != known.attempt or start < known.chars:
            found.append(
                Piece(
                    order_id=order_id,
                    edition=draft.edition,
                    attempt=draft.attempt,
                    after=draft.after,
                    start=start,
                    text=text,
                )
            )
    return found


class Draft:
    """One reply as it comes from the provider. Implements `Hearer`.

    Args:
        changed: Called each time there may be something new.
    """

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        self._name = name
        self._changed = changed
        self._editions = 0
        self._attempt = 1
        self._after: Failure | None = None
        self._said: list[str] = []
        self._shown = ""
        self._fresh = True

    def begin(self, attempt: int, after: Failure | None) -> None:
        """Notes that a request goes out."""
        if after is not None:
            self._attempt, self._after = attempt, after
        if self._said:
            self._said, self._shown = [], ""
            self._editions += 1
        self._fresh = True
        self._changed()

    def said(self, text: str) -> None:
        """Notes that the reply goes on."""
        self._said.append(text)
        self._fresh = False
        self._changed()

    def written(self) -> Written:
        """Returns the draft; its text is worked out now, not each time that a word has come."""
        if not self._fresh:
            self._said = ["".join(self._said)]
            shown = _visible(self._said[0])
            if not shown.startswith(self._shown):
                self._editions += 1
            self._shown, self._fresh = shown, True
        return Written(
            edition=f"{self._name}:{self._editions}", attempt=self._attempt, after=self._after, text=self._shown
        )


class Drafts:
    """The replies that one caller is being given, and who listens to them.

    Args:
        instance: The caller's process.
    """

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._drafts: dict[str, Draft] = {}
        self._ears: dict[str, dict[asyncio.Event, None]] = {}  # in order: a set would wake them by their addresses
        self._listening: dict[str, asyncio.Event] = {}

    def open(self, order_id: str) -> Draft:
        """Returns a new draft of what is ordered."""
        draft = Draft(self._instance, lambda: self._wake(order_id))
        self._drafts[order_id] = draft
        return draft

    def close(self, order_id: str) -> None:
        """Forgets a draft: its call has ended."""
        self._drafts.pop(order_id, None)

    async def hear(self, holder: str, heard: Mapping[str, Known], wait_s: float) -> list[Piece]:
        """Returns what the holder lacks of these orders' drafts, waiting for some of it up to `wait_s`.

        When the same holder asks again, its earlier question is answered at once.
        """
        ear = asyncio.Event()
        earlier = self._listening.get(holder)
        if earlier is not None:
            earlier.set()
        self._listening[holder] = ear
        for order_id in heard:
            self._ears.setdefault(order_id, {})[ear] = None
        try:
            found = self._pieces(heard)
            async with asyncio.timeout(wait_s):
                while not found and self._listening.get(holder) is ear:
                    await ear.wait()
                    ear.clear()
                    found = self._pieces(heard)
        except TimeoutError:
            return []
        else:
            return found
        finally:
            self._leave(holder, heard, ear)

    def _pieces(self, heard: Mapping[str, Known]) -> list[Piece]:
        return pieces({key: self._drafts[key].written() for key in heard if key in self._drafts}, heard)

    def _leave(self, holder: str, heard: Mapping[str, Known], ear: asyncio.Event) -> None:
        if self._listening.get(holder) is ear:
            del self._listening[holder]
        for order_id in heard:
            self._ears[order_id].pop(ear, None)
            if not self._ears[order_id]:
                del self._ears[order_id]

    def _wake(self, order_id: str) -> None:
        for ear in self._ears.get(order_id, ()):
            ear.set()


def _visible(text: str) -> str:
    """Returns what can be shown of an unfinished reply: neither thinking nor half a tag or half a character."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if whole and "\ud800" <= whole[-1] <= "\udbff":
        whole = whole[:-1]
    whole = whole.encode("utf-8", "replace").decode()
    begun = _TAG_BEGUN.search(whole)
    return without_thinking(whole if begun is None else whole[: begun.start()])
