"""Python looks for garbage in circles less often, and not in what is loaded: there is next to none in this process.

By itself (3.11) it looks after every 700 new objects, which calls and jobs under way have in a moment, and now and then
through all that has been loaded, while everything else waits for 50 ms.
"""

from __future__ import annotations

import gc

_NEW_OBJECTS = 5_000


def look_rarely() -> None:
    """Has Python look for garbage in what is new from now on, when there is much of it."""
    gc.set_threshold(_NEW_OBJECTS)
    gc.freeze()
