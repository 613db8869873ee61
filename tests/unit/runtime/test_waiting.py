"""The room in which accepted jobs wait for their turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ditto.runtime.waiting import WaitingRoom

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_jobs_that_have_had_their_turn_leave_nothing_behind():
    room = WaitingRoom()
    room.add("patient", NOON)
    for number in range(10_000):
        room.add(f"j{number}", NOON + timedelta(seconds=number))
        room.call_out(f"j{number}")
        room.leave(f"j{number}")
    assert len(room._deadlines) < 1000
    assert room.overdue(NOON) == ["patient"]
