"""The classes of which a run is built: the product's own, or in their place one with a safeguard taken out."""

from __future__ import annotations

from dataclasses import dataclass

from ditto.runtime.caller import Caller
from ditto.runtime.host import Host
from ditto.runtime.keeper import Keeper
from ditto.runtime.service import Service
from tests.simulation.stores import FoldedJournal, StoreLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is simulated."""

    host: type[Host] = Host
    caller: type[Caller] = Caller
    keeper: type[Keeper] = Keeper
    service: type[Service] = Service
    journal: type[FoldedJournal] = FoldedJournal
    store_line: type[StoreLine] = StoreLine
