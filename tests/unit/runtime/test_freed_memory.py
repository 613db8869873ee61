"""A process that has handled large bodies is small again afterwards."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HANDLES_LARGE_BODIES = """
import re
from pathlib import Path
from ditto.runtime.freed_memory import give_back

def own_mib():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

give_back()
before = own_mib()
largest = bytearray(b"x") * 2**24
del largest
bodies, kept = [], []
for _ in range(40):
    bodies.append(bytearray(b"x") * 2**21)
    kept.append(bytearray(b"x") * 2**16)
bodies.clear()
print(own_mib() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other ways")
def test_large_bodies_leave_a_process_as_small_as_it_was():
    ran = subprocess.run([sys.executable, "-c", HANDLES_LARGE_BODIES], capture_output=True, text=True, check=True)

    assert int(ran.stdout) < 20
