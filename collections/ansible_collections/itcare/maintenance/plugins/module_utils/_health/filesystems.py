# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Free space and inodes of the file systems that hold this computer's data."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Request,
    Told,
    Unavailable,
    clean_text,
    read_file,
    why_not_read,
)

# Kernel interfaces and memory: full or empty says nothing about the computer's health.
_PSEUDO = frozenset(
    {
        "anon_inodefs",
        "autofs",
        "bdev",
        "binder",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "cpuset",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nfsd",
        "nsfs",
        "pipefs",
        "proc",
        "pstore",
        "ramfs",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "smackfs",
        "sockfs",
        "sysfs",
        "tmpfs",
        "tracefs",
        "usbfs",
    }
)
# Images that are full by nature, and layers over file systems that are counted themselves.
_IMAGES = frozenset(
    {"squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs", "overlay", "overlayfs", "aufs", "unionfs", "ecryptfs"}
)
# Views that programs offer through FUSE.
_FUSE_VIEWS = frozenset(
    {"gvfsd-fuse", "portal", "lxcfs", "snapfuse", "squashfuse", "rofiles-fuse", "jetbrains", "appimage"}
)
_MOST_ROWS = 200
_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo; `device_number` is `major:minor`."""

    device: bytes
    device_number: bytes
    mount: bytes
    type: str
    read_only: bool


def observe_filesystems(request: Request) -> object:
    """One row per device, at its shortest mount point.

    A mount that does not answer (a dead file server) gets a row whose numbers are null; the others are complete.
    """
    try:
        table = read_file(request.path("proc/self/mountinfo"), 4_000_000)
    except OSError as error:
        raise why_not_read(error) from error
    mounts = choose_mounts(read_mountinfo(table))
    if not mounts:
        raise Absent("none", "no file system of this computer is mounted here")
    rows, silent = _measure(mounts[:_MOST_ROWS], request)
    remarks = [f"no answer from {', '.join(silent)}"] if silent else []
    if len(mounts) > _MOST_ROWS:
        remarks.append(f"{len(mounts) - _MOST_ROWS} more are left out")
    return Told(rows, "; ".join(remarks)) if remarks else rows


def read_mountinfo(table: bytes) -> list[Mount]:
    """The mounts of proc(5) mountinfo, in order. Raises Unavailable("unreadable") when no line has its shape."""
    mounts = []
    for line in table.splitlines():
        fields = line.split(b" ")
        try:
            dash = fields.index(b"-", 6)
            type_, source, options = fields[dash + 1], fields[dash + 2], fields[dash + 3]
        except (ValueError, IndexError):
            continue
        read_only = b"ro" in fields[5].split(b",") or b"ro" in options.split(b",")
        mounts.append(
            Mount(_unescape(source), fields[2], _unescape(fields[4]), type_.decode("utf-8", "replace"), read_only)
        )
    if not mounts:
        raise Unavailable("unreadable", "the mount table has no line of the known shape")
    return mounts


def _unescape(text: bytes) -> bytes:
    return _OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), text)


def choose_mounts(mounts: list[Mount]) -> list[Mount]:
    """The mounts to judge: no pseudo file system, image or loop device, one per device, sorted by mount point."""
    visible = {mount.mount: mount for mount in mounts}  # the later of two mounts on one point hides the earlier
    chosen: dict[object, Mount] = {}
    for mount in sorted(visible.values(), key=lambda one: (len(one.mount), one.mount)):
        if _is_judged(mount):
            # btrfs gives each subvolume a number of its own, but the same device name
            by_name = mount.device.startswith(b"/dev/") and mount.device != b"/dev/root"
            chosen.setdefault(mount.device if by_name else (mount.device, mount.device_number), mount)
    return sorted(chosen.values(), key=lambda one: one.mount)


def _is_judged(mount: Mount) -> bool:
    if mount.device.startswith((b"/dev/loop", b"/dev/zram", b"/dev/ram")):
        return False
    if mount.mount == b"/" and mount.type in {"overlay", "overlayfs"}:
        return True  # the root of a container, the only file system it has
    kind, _dot, program = mount.type.partition(".")
    if kind == "fuse" and program:
        return program not in _FUSE_VIEWS
    return mount.type not in _PSEUDO and mount.type not in _IMAGES


def _measure(mounts: list[Mount], request: Request) -> tuple[list[dict], list[str]]:
    """The rows, and the mount points that did not answer. One thread a mount: the calls block, and hang apart."""
    found: dict[bytes, os.statvfs_result | OSError] = {}

    def ask(mount: bytes) -> None:
        try:
            found[mount] = os.statvfs(os.path.join(os.fsencode(request.root), mount.lstrip(b"/")))
        except OSError as error:
            found[mount] = error

    threads = [threading.Thread(target=ask, args=(mount.mount,), daemon=True) for mount in mounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, request.deadline - time.monotonic()))
    answered = dict(found)
    rows = []
    silent = []
    for mount in mounts:
        answer = answered.get(mount.mount)
        if isinstance(answer, PermissionError) and mount.type.startswith("fuse."):
            continue  # another user's private view, closed even to root
        if answer is None or isinstance(answer, OSError):
            silent.append(clean_text(mount.mount, 60))
        rows.append(_row(mount, answer if isinstance(answer, os.statvfs_result) else None))
    return rows, silent


def _row(mount: Mount, sizes: os.statvfs_result | None) -> dict:
    row = {
        "device": clean_text(mount.device),
        "mount": clean_text(mount.mount),
        "type": clean_text(mount.type, 40),
        "read_only": mount.read_only,
    }
    if sizes is None:
        numbers = ("total_bytes", "available_bytes", "used_bytes", "inodes_total", "inodes_free")
        return {**row, **dict.fromkeys(numbers)}
    return {
        **row,
        "total_bytes": sizes.f_blocks * sizes.f_frsize,
        "available_bytes": sizes.f_bavail * sizes.f_frsize,
        "used_bytes": (sizes.f_blocks - sizes.f_bfree) * sizes.f_frsize,
        "inodes_total": sizes.f_files,
        "inodes_free": sizes.f_ffree,
    }
