"""Properties are about values: how long an example takes on a busy machine is of no matter."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
