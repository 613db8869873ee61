"""What a service needs to know who asks and how often, where it is built by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ditto.domain.tenants import Allowance
from ditto.runtime.admission import Admission
from ditto.runtime.doorkeeper import Doorkeeper
from ditto.runtime.runner import utc_now
from ditto.runtime.shares import Share, Shares, Windows


def admitting(
    access: Any,
    *,
    allowances: Mapping[str, Allowance] | None = None,
    windows: Windows | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> dict[str, Any]:
    """Returns a service's `doorkeeper` and `admission`; only this machine can ask.

    Args:
        windows: The keeper's.
    """
    counted = windows or Windows()

    async def ask(name: str, limit: int, wanted: int) -> Share:
        return counted.share(name, limit, wanted)

    return {
        "doorkeeper": Doorkeeper(access, local=True, allowances={} if allowances is None else allowances),
        "admission": Admission(access, Shares(ask), clock),
    }
