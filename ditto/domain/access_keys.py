"""The keys by which a request says whose it is: what of them is kept, and whether one that is shown is right.

A key is `ditto_<id>_<secret>`. Only the id and a hash are kept: the secret is 256 random bits, which nobody finds by
trying, so that a plain SHA-256 is enough and costs a request next to nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

_PREFIX = "ditto"
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """What is kept of a key.

    Attributes:
        id: The part of the key by which it is found, listed and revoked; no secret.
        digest: SHA-256 of the whole key, in hex.
        label: What its maker calls it.
        revoked_at: None while it opens.
    """

    id: str
    tenant: str
    digest: str
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


def written(key_id: str, secret: str) -> str:
    """Returns the whole key, as its user is told it once."""
    return f"{_PREFIX}_{key_id}_{secret}"


def digest_of(shown: str) -> str:
    """Returns what is kept of a whole key."""
    return hashlib.sha256(shown.encode()).hexdigest()


def id_in(shown: str) -> str:
    """Returns the id in what was shown as a key, empty where it is none."""
    parts = shown.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == _PREFIX and len(shown) <= _LONGEST else ""


def opens(key: AccessKey | None, shown: str) -> bool:
    """Tells whether what was shown is this key and it is not revoked; as long for a wrong one as for a right one."""
    kept = digest_of("") if key is None else key.digest
    right = hmac.compare_digest(kept, digest_of(shown))
    return right and key is not None and key.revoked_at is None
