"""Replies while they are written: whoever hears them gets the text so far, then the rest, whatever is lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.events import CallCompleted, CallFailed, Failure, Recorded, Reply
from ditto.domain.live import CallDelta, CallRetried
from ditto.providers.reply_text import without_thinking
from ditto.runtime.drafts import NOTHING_KNOWN, Draft, Drafts, Piece, Written, pieces
from ditto.runtime.following import News, Reader
from tests.unit.domain.jobs import NOON

WAIT_S = 5.0
ORDER = "j1/0.1/a"
OVERLOADED = Failure(type="Overloaded", message="503")


def draft(drafts: Drafts | None = None) -> Draft:
    return Draft("i", lambda: None) if drafts is None else drafts.open(ORDER)


def reader() -> Reader:
    return Reader(3, lambda: NOON)


def told(reader: Reader, written: Written) -> list[CallDelta | CallRetried]:
    found = pieces({ORDER: written}, reader.place().heard)
    return [live.event for live in reader.told(News(pieces=found))]


def ended(reader: Reader, event: CallCompleted | CallFailed) -> list[object]:
    return [each.event for each in reader.told(News(records=[Recorded(seq=4, at=NOON, event=event)]))]


def text_of(events: list[object]) -> str:
    """Returns what a reader has who does as `CallDelta` says."""
    text = ""
    for event in events:
        if isinstance(event, CallDelta):
            assert event.start in (0, len(text))
            text = text[: event.start] + event.text
    return text


@given(
    words=st.lists(st.text(alphabet="ab <>/think\n 🇵\ud83c\uddf5", max_size=9), max_size=12),
    looks=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_who_reads_along_has_the_whole_reply_in_the_end(words: list[str], looks: list[bool]) -> None:
    one, follower, heard = draft(), reader(), []
    one.begin(1, None)
    for word, look in zip(words, looks, strict=False):
        one.said(word)
        if look:
            heard += told(follower, one.written())
    whole = "".join(words).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    reply = Reply(text=without_thinking(whole.encode("utf-8", "replace").decode()))

    heard += ended(follower, CallCompleted(call="a", round=1, reply=reply))

    assert text_of(heard) in (reply.text, "")
    if any(isinstance(event, CallDelta) and event.text for event in heard):
        assert text_of(heard) == reply.text


def test_thinking_is_not_told_and_half_a_tag_is_waited_for():
    one, follower = draft(), reader()
    one.begin(1, None)
    one.said("<thi")
    assert told(follower, one.written()) == []
    one.said("nk>So: Portugal.</think>Lis")
    assert text_of(told(follower, one.written())) == "Lis"


def test_a_text_that_turns_out_to_have_been_thinking_is_taken_back():
    one, follower = draft(), reader()
    one.begin(1, None)
    one.said("Portugal, so\n")
    before = told(follower, one.written())
    one.said("</think>\nLisbon")
    assert text_of([*before, *told(follower, one.written())]) == "Lisbon"


def test_a_try_that_failed_is_told_and_its_text_begins_anew():
    one, follower = draft(), reader()
    one.begin(1, None)
    one.said("Lis")
    told(follower, one.written())
    one.begin(2, OVERLOADED)
    assert told(follower, one.written()) == [CallRetried(call="a", round=1, attempt=2, failure=OVERLOADED)]
    one.said("Lisbon")
    assert told(follower, one.written()) == [CallDelta(call="a", round=1, start=0, text="Lisbon")]


def test_who_comes_late_gets_the_text_so_far_and_how_often_it_was_tried():
    one, late = draft(), reader()
    one.begin(1, None)
    one.begin(2, OVERLOADED)
    one.said("Lisbon is")
    kinds = [event.kind for event in told(late, one.written())]
    one.said(" it")
    assert kinds == ["call.retried", "call.delta"]
    assert told(late, one.written()) == [CallDelta(call="a", round=1, start=9, text=" it")]


def test_what_is_missing_at_the_end_comes_before_the_end():
    one, follower = draft(), reader()
    one.said("Lisbon")
    told(follower, one.written())
    first, second = ended(follower, CallCompleted(call="a", round=1, reply=Reply(text="Lisbon is it.")))
    assert first == CallDelta(call="a", round=1, start=6, text=" is it.")
    assert isinstance(second, CallCompleted)
    assert follower.place().heard == {}


def test_a_reply_that_came_whole_after_all_replaces_what_was_told():
    one, follower = draft(), reader()
    one.said("Porto")
    told(follower, one.written())
    first, _ = ended(follower, CallCompleted(call="a", round=1, reply=Reply(text="Lisbon.")))
    assert first == CallDelta(call="a", round=1, start=0, text="Lisbon.")


def test_a_reply_that_came_whole_after_a_try_that_failed_is_told_whole():
    one, follower = draft(), reader()
    one.begin(1, None)
    one.said("Lisbon")
    told(follower, one.written())
    one.begin(2, OVERLOADED)
    told(follower, one.written())
    first, _ = ended(follower, CallCompleted(call="a", round=1, reply=Reply(text="Lisbon is it.")))
    assert first == CallDelta(call="a", round=1, start=0, text="Lisbon is it.")


def test_of_a_call_that_was_not_heard_only_the_end_is_told():
    follower = reader()
    assert len(ended(follower, CallCompleted(call="a", round=1, reply=Reply(text="Lisbon.")))) == 1
    assert len(ended(follower, CallFailed(call="a", round=1, failure=OVERLOADED))) == 1


def test_a_long_text_comes_in_parts_that_make_the_whole():
    one, follower = draft(), reader()
    text = "x" * 150_000
    one.said(text)
    parts = [told(follower, one.written()) for _ in range(4)]
    assert [len(part) for part in parts] == [1, 1, 1, 0]
    assert text_of([event for part in parts for event in part]) == text


def test_all_drafts_together_are_bounded_and_each_gets_its_turn():
    drafts = {f"j1/0.1/{n}": Written(edition="i:0", attempt=1, after=None, text="x" * 64_000) for n in range(40)}
    heard, rounds, found = {}, 0, [None]
    while found:
        found = pieces(drafts, heard)
        assert sum(len(piece.text) for piece in found) <= 1024 * 1024
        heard |= {piece.order_id: piece.heard for piece in found}
        rounds += bool(found)
    assert rounds == 3
    assert all(heard[key].chars == 64_000 for key in drafts)


async def test_the_first_word_is_not_waited_for_longer_than_it_takes():
    drafts = Drafts("i")
    hearing = asyncio.ensure_future(drafts.hear("host:0", {ORDER: NOTHING_KNOWN}, WAIT_S))
    await asyncio.sleep(0)
    draft(drafts).said("Lis")
    (piece,) = await asyncio.wait_for(hearing, WAIT_S)
    assert (piece.text, piece.start) == ("Lis", 0)
    assert drafts._ears == {}


async def test_a_holder_that_asks_for_more_is_answered_once():
    drafts = Drafts("i")
    first = asyncio.ensure_future(drafts.hear("host:0", {ORDER: NOTHING_KNOWN}, WAIT_S))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(drafts.hear("host:0", {ORDER: NOTHING_KNOWN, "j2/0.1/b": NOTHING_KNOWN}, WAIT_S))
    assert await asyncio.wait_for(first, WAIT_S) == []
    drafts.open("j2/0.1/b").said("Porto")
    assert [piece.order_id for piece in await asyncio.wait_for(second, WAIT_S)] == ["j2/0.1/b"]


async def test_who_asks_again_because_the_answer_was_lost_gets_it_again():
    drafts = Drafts("i")
    draft(drafts).said("Lis")
    lost = await drafts.hear("host:0", {ORDER: NOTHING_KNOWN}, 0.0)
    assert await drafts.hear("host:0", {ORDER: NOTHING_KNOWN}, 0.0) == lost


async def test_nobody_is_told_of_a_call_that_has_ended():
    drafts = Drafts("i")
    draft(drafts).said("Lis")
    drafts.close(ORDER)
    assert await drafts.hear("host:0", {ORDER: NOTHING_KNOWN}, 0.0) == []


@pytest.mark.parametrize("instance", ["i", "j"])
async def test_another_process_that_writes_the_reply_anew_is_another_edition(instance):
    follower = reader()
    first = Draft("i", lambda: None)
    first.said("Lisbon")
    told(follower, first.written())
    second = Draft(f"{instance}'", lambda: None)
    second.said("Porto")
    assert told(follower, second.written()) == [CallDelta(call="a", round=1, start=0, text="Porto")]


def test_a_piece_says_how_much_who_has_it_has():
    piece = Piece(order_id=ORDER, edition="i:0", attempt=1, after=None, start=3, text="bon")
    assert piece.heard.chars == 6
