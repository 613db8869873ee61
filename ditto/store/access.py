"""Who may use the service: tenants, their keys, and what they have used of it. Part of the journal's contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ditto.domain.access_keys import AccessKey
from ditto.domain.tenants import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a tenant's metered jobs have used on one day."""

    calls: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everybody who may use the service: the keys, the oldest first, and what the tenants are allowed."""

    keys: tuple[AccessKey, ...]
    allowances: Mapping[str, Allowance]


class Access(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def register(self) -> Register:
        """Returns every key, revoked ones too, and every tenant that has an allowance of its own.

        Raises:
            JournalUnreadable: A later version has written an allowance.
        """
        ...

    async def add(self, key: AccessKey) -> None:
        """Keeps a new key."""
        ...

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Has a key open nothing any more; returns False where there is no such key."""
        ...

    async def allow(self, tenant: str, allowance: Allowance) -> None:
        """Keeps what a tenant may do, in place of what it was allowed before."""
        ...

    async def running(self, tenant: str) -> int:
        """Returns how many jobs of a tenant have not ended."""
        ...

    async def used(self, tenant: str, at: datetime) -> Usage:
        """Returns what a tenant's metered jobs have used on the day of that moment (UTC)."""
        ...
