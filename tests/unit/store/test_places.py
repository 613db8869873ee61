"""A journal's file is refused where a network file system holds it, by the kernel's own table of mounts."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from ditto.errors import ConfigurationError
from ditto.store import places

MOUNTS = """\
22 28 0:20 / /proc rw,nosuid shared:12 - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
95 28 0:44 / /srv/shared rw,relatime shared:50 master:3 - nfs4 files:/export rw,vers=4.2
96 95 8:17 / /srv/shared/disk rw,relatime - xfs /dev/sdb1 rw
97 28 0:45 / /mnt/my\\040share rw,relatime shared:51 - cifs //files/share rw
98 28 0:46 / /home/ann/remote rw,nosuid - fuse.sshfs ann@host: rw
99 28 0:47 / /twice rw - ext4 /dev/sdc1 rw
100 28 0:48 / /twice rw - ceph mon:/ rw
101 28 0:49 / /data rw - overlay overlay rw
102 28 0:50 / /bucket rw - fuse.s3fs s3fs rw
103 28 0:51 / /windows rw - 9p drvfs rw
104 28 0:52 / /usb rw - fuseblk /dev/sdd1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/ditto/journal.db", "ext4"),
        ("/srv/shared/ditto/journal.db", "nfs4"),
        ("/srv/shared/disk/journal.db", "xfs"),
        ("/srv/sharedness/journal.db", "ext4"),
        ("/mnt/my share/journal.db", "cifs"),
        ("/twice/journal.db", "ceph"),
    ],
)
def test_the_mount_that_is_nearest_and_newest_holds_a_path(path, kind):
    assert places.file_system(PurePath(path), MOUNTS) == kind


def test_a_table_without_the_path_says_nothing():
    assert places.file_system(PurePath("/a/b"), "") is None
    assert places.file_system(PurePath("/a/b"), "not a table\n") is None


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    (tmp_path / "mountinfo").write_text(MOUNTS)
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "mountinfo")


@pytest.mark.parametrize(
    "folder", ["/srv/shared", "/mnt/my share", "/home/ann/remote", "/twice", "/bucket", "/windows"]
)
def test_a_network_file_system_is_refused_by_name(mounts, folder):
    with pytest.raises(ConfigurationError, match=f"{folder}/journal.db is on a network file system"):
        places.check_place(Path(folder, "journal.db"))


@pytest.mark.parametrize("folder", ["/var/lib/ditto", "/srv/shared/disk", "/data", "/usb"])
def test_a_disk_of_this_machine_is_taken(mounts, folder):
    places.check_place(Path(folder, "journal.db"))


def test_a_machine_without_such_a_table_refuses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "nothing")
    places.check_place(Path("/srv/shared/journal.db"))
