"""The command line: `ditto run`, `serve`, `sim`, `batch`, `jobs`, `job` and so on.

Exit codes: 0 done, 1 a job failed or a service could not be reached, 2 wrong usage, 130 stopped by Ctrl-C.
Ray and all else that is heavy is loaded by the command that needs it, not by `ditto --help`.
"""

from __future__ import annotations

from ditto.cli.app import main

__all__ = ["main"]
