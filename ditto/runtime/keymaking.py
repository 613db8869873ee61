"""Making a key: its secret is told once and kept nowhere."""

from __future__ import annotations

import secrets
from datetime import datetime

from ditto.domain.access_keys import AccessKey, digest_of, written
from ditto.store.access import Access

_ID_BYTES = 6
_SECRET_BYTES = 32


async def make_key(access: Access, *, tenant: str, label: str, now: datetime) -> tuple[AccessKey, str]:
    """Returns what is kept of a new key, and the key itself.

    Args:
        now: Aware UTC.

    Raises:
        StoreUnavailable: It could not be kept.
    """
    key_id = secrets.token_hex(_ID_BYTES)
    shown = written(key_id, secrets.token_urlsafe(_SECRET_BYTES))
    key = AccessKey(id=key_id, tenant=tenant, digest=digest_of(shown), label=label, created_at=now)
    await access.add(key)
    return key, shown
