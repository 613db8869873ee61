"""How jobs live: the service that the doors share, the holders of jobs, the callers of models, the keeper.

Ray reads `RAY_AUTH_MODE` when it is imported, and a driver that names a cluster by its address does not look for the
token that this user's clusters ask for. So it is said here, before anything below imports Ray.
"""

import os
from pathlib import Path

if (Path.home() / ".ray" / "auth_token").is_file():
    os.environ.setdefault("RAY_AUTH_MODE", "token")
