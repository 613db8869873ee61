"""Where a journal's file may be: on a file system of this machine.

SQLite's log needs memory that all its processes share and locks that hold; a network file system gives neither, and
loses jobs without a word. Which file system holds a path is read from the kernel's table of mounts; where there is no
such table (macOS), nothing is refused.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from ditto.errors import ConfigurationError

MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = re.compile(
    r"9p|afp|acfs|afs|auristorfs|beegfs|ceph|cifs|coda|davfs|drvfs|fhgfs|gfs2?|glusterfs|gpfs|lustre|mfs|ncpfs?|nfs4?|ocfs2"
    r"|orangefs|panfs|pvfs2|smb[23]?|smbfs"
    r"|fuse\.(ceph.*|davfs2|gcsfuse|glusterfs|gvfsd-fuse|juicefs|moosefs|mount.s3|objectivefs|rclone|s3fs|seaweedfs|sshfs)"
)
_FIELDS_BEFORE_TYPE = re.compile(r"^(?:\S+ ){4}(?P<point>\S+) .*? - (?P<type>\S+) ")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def check_place(path: Path) -> None:
    """Returns where a journal may be in this file, which need not exist yet.

    Raises:
        ConfigurationError: It is on a network file system.
    """
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return  # no such table here
    kind = file_system(path.resolve(), mounts)
    if kind is not None and _NETWORK.fullmatch(kind):
        raise ConfigurationError(
            f"{path} is on a network file system ({kind}), where SQLite loses data: "
            "take a local disk, or a PostgreSQL database"
        )


def file_system(path: PurePath, mounts: str) -> str | None:
    """Returns the type of the file system that holds this path, None where the table does not say.

    Args:
        path: Absolute, without links.
        mounts: As `/proc/self/mountinfo` has it; of two mounts at one point the later one hides the other.
    """
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = _FIELDS_BEFORE_TYPE.match(line)
        if fields is None:
            continue
        point = PurePath(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields["point"]))
        if path.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = (len(point.parts), fields["type"])
    return None if found is None else found[1]
