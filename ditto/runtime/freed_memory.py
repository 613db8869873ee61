"""Freed memory goes back to the system: a process that has handled large bodies is small again afterwards.

The C library gives a large block pages of its own, which go back when it is freed. But glibc takes the size of the
largest block that was ever freed, up to 32 MiB, for the size from which on it does so: after one body of 16 MiB all
others lie among the small things, and any small thing that lives on keeps what was freed below it. Bodies of a megabyte
or sixteen, one after the other, so made a process half a gigabyte large that used twelve megabytes. A size that is set
stays as it is.

Source: mallopt(3), on M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 256 * 1024
"""From this size on a block has pages of its own; so much may lie free at the end of the others."""


def give_back() -> None:
    """Has this process give back what it frees from now on; does nothing where the C library is not glibc."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none, and needs none
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, _LARGE_BYTES)
