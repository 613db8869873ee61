"""Merging: what a panel's replies come to, as a function of the set of replies.

Answers that mean the same are one; the heaviest answer wins, and the result is a reply as a model gave it, or with a
schema the value put together field by field. `confidence` is the probability that it is right, None without ground.
"""

from __future__ import annotations

from ditto.domain.merging.merge import merge

__all__ = ["merge"]
