"""A batch on a cluster, as the one file that `ray submit cluster.yaml ditto/submit.py IN OUT` copies to the head.

It runs there with the head's Python, which has Ditto installed, and takes what `ditto batch` takes. It joins the
cluster that runs there, unless the arguments name another service.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and (Path(__file__).parent / "http").is_dir():
    sys.path.pop(0)  # started where it stands: Python would take this package's folders for modules of its own

from ditto.cli import main

if __name__ == "__main__":
    given = sys.argv[1:]
    named = any(argument.startswith(("--address", "--url")) for argument in given)
    main(["batch", *given] if named else ["batch", "--address", "auto", *given])
