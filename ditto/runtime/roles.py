"""How an actor's name tells what it is there for."""

from __future__ import annotations

JOB = "job:"
"""A job's own actor is named by it; any other holder is shared."""
HOST = "host:"
CALLER = "caller:"
KEEPER = "keeper"
