"""The keeper deals out the rate limits: each caller gets a part of each, by what it needs; all parts are one whole.

A caller reports every second while it asks anything. It is given more only of what nobody else holds: what another is
to give up counts as that one's until it has said itself that it holds less. A caller that is not heard of for `LOST_S`
is gone, or has fallen back to its first share by itself (it does so sooner, after `ditto.runtime.partaking.ALONE_S`).
A keeper that has just begun knows nobody's share: until all have reported, or are gone, it gives nobody more
than it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ditto.providers.limits.sharing import FIRST, Need, Report, Share, Told, first_share
from ditto.settings.rates import RateLimit

LOST_S = 40.0
ROTATES_S = 5.0
"""Where fewer calls at once are allowed than there are callers, they go round so often."""
_REFUSALS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    need: Need
    heard_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    number: int
    caller: str
    until: float


class Dealer:
    """All limits.

    Args:
        limits: By provider or model.
        callers: The names of the callers; what any other says is not counted.
        clock: Returns seconds that only go up.
    """

    def __init__(
        self,
        limits: Mapping[str, RateLimit],
        callers: Sequence[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._callers = sorted(callers)
        self._clock = clock
        self._began_at = clock()
        self._unheard = set(callers)
        self._holders: dict[str, dict[str, _Holder]] = {name: {} for name in limits}
        self._refusals: dict[str, _Refusal] = {}
        self._number = 0

    def deal(self, caller: str, report: Report) -> Told:
        """Returns what this caller may take from now on, and which models said 429 to others."""
        now = self._clock()
        for model, seconds in report.refused.items():
            self._note_refusal(caller, model, now + seconds)
        if caller not in self._callers:
            return Told(heard=self._number)
        self._unheard.discard(caller)
        for name in self._limits.keys() - report.needs.keys():
            self._holders[name].pop(caller, None)  # it holds what it had at first
        shares = {
            name: self._dealt(name, caller, need, now) for name, need in report.needs.items() if name in self._limits
        }
        heard = min(report.heard, self._number)  # those of an earlier keeper had other numbers
        refused = {
            model: max(0.0, refusal.until - now)
            for model, refusal in self._refusals.items()
            if refusal.number > heard and refusal.caller != caller
        }
        return Told(shares=shares, refused=refused, heard=self._number)

    def _dealt(self, name: str, caller: str, need: Need, now: float) -> Share:
        limit, holders = self._limits[name], self._holders[name]
        holders[caller] = _Holder(need=need, heard_at=now)
        demands = {each: self._demand(holders.get(each), now) for each in self._callers}
        others = [self._held(name, each, now) for each in self._callers if each != caller]
        part = min(_part(demands, caller), 1.0 - sum(share.part for share in others))
        slots = limit.calls_at_once
        if slots is not None:
            wanted = _slots(slots, demands, caller, turn=int(now / ROTATES_S))
            slots = max(0, min(wanted, slots - sum(share.slots or 0 for share in others)))
        if self._unheard and now - self._began_at < LOST_S:
            part = min(part, need.holds.part)
            slots = None if slots is None else min(slots, need.holds.slots or 0)
        first = first_share(limit, len(self._callers))
        dealt = Share(part=max(part, first.part), slots=None if slots is None else max(slots, first.slots or 0))
        holders[caller] = _Holder(need=Need(demand=need.demand, holds=_most(need.holds, dealt)), heard_at=now)
        return dealt

    def _held(self, name: str, caller: str, now: float) -> Share:
        holder = self._holders[name].get(caller)
        first = first_share(self._limits[name], len(self._callers))
        if holder is None or now - holder.heard_at > LOST_S:
            return first
        return _most(holder.need.holds, first)

    def _demand(self, holder: _Holder | None, now: float) -> float:
        if holder is None or now - holder.heard_at > LOST_S:
            return 0.0
        return holder.need.demand

    def _note_refusal(self, caller: str, model: str, until: float) -> None:
        self._number += 1
        self._refusals.pop(model, None)
        self._refusals[model] = _Refusal(number=self._number, caller=caller, until=until)
        while len(self._refusals) > _REFUSALS:
            del self._refusals[next(iter(self._refusals))]


def _part(demands: Mapping[str, float], caller: str) -> float:
    """Returns what a caller should have of the rates: its first share, and of the rest what it needs."""
    total = sum(demands.values())
    needed = demands[caller] / total if total else 0.0
    return FIRST / len(demands) + (1 - FIRST) * needed


def _slots(slots: int, demands: Mapping[str, float], caller: str, *, turn: int) -> int:
    """Returns how many of so many calls at once a caller should have; what does not divide goes round by turns."""
    total = sum(demands.values())
    if not total:
        return 0
    exact = {each: slots * demand / total for each, demand in demands.items()}
    left = slots - sum(int(each) for each in exact.values())
    wanting = [each for each, number in sorted(exact.items()) if number > int(number)]
    start = turn % len(wanting) if wanting else 0
    lucky = (wanting[start:] + wanting[:start])[:left]
    return int(exact[caller]) + (caller in lucky)


def _most(one: Share, other: Share) -> Share:
    slots = None if other.slots is None else max(one.slots or 0, other.slots)
    return Share(part=max(one.part, other.part), slots=slots)
