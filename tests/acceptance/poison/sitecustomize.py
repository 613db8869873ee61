"""Has each worker process of Ray's die as it merges a reply that says POISON: Python imports this at its start."""

import os
from pathlib import Path

if b"default_worker.py" in Path("/proc/self/cmdline").read_bytes():
    from ditto.domain import strategies

    merged = strategies.verdict

    def verdict(job):
        if any("POISON" in answered.reply.text for _, answered in job.usable()):
            os._exit(1)
        return merged(job)

    strategies.verdict = verdict
