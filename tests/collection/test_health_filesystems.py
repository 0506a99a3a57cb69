import os
import stat
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
filesystems = import_health("filesystems")

TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw,discard
28 27 0:25 / /run rw,nosuid - tmpfs tmpfs rw,size=4k
29 27 8:1 / /boot ro,relatime shared:5 master:1 - ext4 /dev/sda1 rw
30 27 8:2 /etc/hosts /mnt/a\040b rw,relatime - ext4 /dev/sda2 rw
31 27 7:3 / /snap/core/1 ro,nodev - squashfs /dev/loop3 ro
32 27 7:4 / /mnt/image rw - ext4 /dev/loop4 rw
33 27 11:0 / /media/cd ro - iso9660 /dev/sr0 ro
34 27 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/a
35 27 0:51 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
36 27 0:52 / /srv/nas\134x rw - nfs4 nas:/export rw,vers=4.2
37 27 0:53 /sub1 /home rw - btrfs /dev/sdb1 rw,subvol=/sub1
38 27 0:54 /sub2 /opt/long rw - btrfs /dev/sdb1 rw,subvol=/sub2
39 27 0:55 / /mnt/windows rw - fuseblk /dev/sdc1 rw
"""


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def chosen(table: bytes) -> list:
    return filesystems.choose_mounts(filesystems.read_mountinfo(table))


def test_it_keeps_one_row_per_device_at_the_shortest_mount_point():
    assert [(mount.mount, mount.device) for mount in chosen(TABLE)] == [
        (b"/", b"/dev/sda2"),
        (b"/boot", b"/dev/sda1"),
        (b"/home", b"/dev/sdb1"),
        (b"/mnt/windows", b"/dev/sdc1"),
        (b"/srv/nas\\x", b"nas:/export"),
    ]


def test_it_tells_a_read_only_mount_and_a_read_only_file_system():
    mounts = {mount.mount: mount for mount in chosen(TABLE)}
    assert (mounts[b"/boot"].read_only, mounts[b"/"].read_only) == (True, False)
    assert chosen(b"27 1 8:2 / / rw,relatime - ext4 /dev/sda2 ro,errors=remount-ro")[0].read_only


def test_the_root_of_a_container_counts_though_it_is_layered():
    assert [mount.mount for mount in chosen(b"27 1 0:60 / / rw - overlay overlay rw,lowerdir=/a")] == [b"/"]


def test_the_later_of_two_mounts_on_one_point_is_the_one_that_is_seen():
    table = b"40 27 8:5 / /data rw - xfs /dev/sda5 rw\n41 40 8:6 / /data rw - xfs /dev/sda6 rw\n"
    assert [mount.device for mount in chosen(table)] == [b"/dev/sda6"]


@pytest.mark.parametrize("table", [b"", b"\0\0\0", b"nonsense", b"1 2 3 4 5 6 - ext4"])
def test_a_table_of_no_known_shape_is_unreadable(table):
    with pytest.raises(answer.Unavailable) as caught:
        filesystems.read_mountinfo(table)
    assert caught.value.reason == "unreadable"


@given(st.binary(max_size=400))
def test_no_bytes_in_the_table_end_in_a_traceback(table):
    try:
        mounts = filesystems.read_mountinfo(table)
    except answer.Unavailable:
        return
    filesystems.choose_mounts(mounts)


def test_the_figures_are_those_of_the_file_system(computer):
    computer.write("/proc/self/mountinfo", "27 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    (row,) = filesystems.observe_filesystems(computer.request())
    size = os.statvfs(computer.root)
    assert row["total_bytes"] == size.f_blocks * size.f_frsize
    assert 0 < row["available_bytes"] < row["total_bytes"]
    assert row["inodes_total"] == size.f_files
    assert {key: row[key] for key in ("device", "mount", "type", "read_only")} == {
        "device": "/dev/sda2",
        "mount": "/",
        "type": "ext4",
        "read_only": False,
    }


def test_nothing_mounted_is_absent(computer):
    computer.write("/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n")
    with pytest.raises(answer.Absent):
        filesystems.observe_filesystems(computer.request())


def test_a_missing_mount_table_is_unavailable(computer):
    with pytest.raises(answer.Unavailable) as caught:
        filesystems.observe_filesystems(computer.request())
    assert caught.value.reason == "failed"


def test_a_dead_file_server_costs_only_its_own_row(computer, monkeypatch):
    computer.write("/proc/self/mountinfo", TABLE)
    for folder in ("boot", "home", "mnt/windows", "srv/nas\\x"):
        (computer.root / folder).mkdir(parents=True)
    real = os.statvfs

    def hang_on_the_server(path: bytes) -> os.statvfs_result:
        if b"nas" in path:
            time.sleep(5)
        return real(path)

    monkeypatch.setattr(os, "statvfs", hang_on_the_server)
    started = time.monotonic()
    told = filesystems.observe_filesystems(computer.request(seconds=0.5))
    assert time.monotonic() - started < 3
    rows = {row["mount"]: row for row in told.data}
    assert rows["/srv/nas\\x"]["total_bytes"] is None
    assert rows["/"]["total_bytes"] > 0
    assert "/srv/nas" in told.detail


def test_a_mount_point_that_names_control_characters_is_shown_harmless(computer):
    name = b"/mnt/\033]0;x\007\xff"
    computer.write("/proc/self/mountinfo", b"27 1 8:2 / " + name + b" rw - ext4 /dev/sda2 rw\n")
    (computer.root / os.fsdecode(name.lstrip(b"/"))).mkdir(parents=True)
    (row,) = filesystems.observe_filesystems(computer.request())
    assert row["mount"].isprintable()
    assert row["total_bytes"] > 0


def test_a_private_view_of_another_user_is_passed_over(computer, monkeypatch):
    table = b"27 1 8:2 / / rw - ext4 /dev/sda2 rw\n28 27 0:9 / /home/a/x rw - fuse.sshfs a@b: rw\n"
    computer.write("/proc/self/mountinfo", table)
    real = os.statvfs

    def refuse(path: bytes) -> os.statvfs_result:
        if path.endswith(b"x"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "statvfs", refuse)
    assert [row["mount"] for row in filesystems.observe_filesystems(computer.request())] == ["/"]


def test_this_computer_has_a_root_with_a_size():
    request = answer.Request(deadline=time.monotonic() + 10, now=0.0, since=0.0)
    rows = filesystems.observe_filesystems(request)
    rows = getattr(rows, "data", rows)
    assert stat.S_ISDIR(os.stat("/").st_mode)
    assert next(row for row in rows if row["mount"] == "/")["total_bytes"] > 0
