# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Whether the volumes that hold data lie on encrypted devices, read from /sys without asking a tool."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Request,
    clean_text,
    read_file,
    read_first_line,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.filesystems import (
    Mount,
    choose_mounts,
    read_mountinfo,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import detect_container

# cryptsetup's CRYPT-TYPE-... in dm/uuid; VERITY and INTEGRITY protect from change, not from reading.
_KINDS = {
    "LUKS1": "luks",
    "LUKS2": "luks",
    "PLAIN": "plain",
    "TCRYPT": "tcrypt",
    "LOOPAES": "loopaes",
    "BITLK": "bitlocker",
    "FVAULT2": "filevault",
}
_UUID = re.compile(r"CRYPT-([A-Z0-9]+)-")
# What a computer starts from cannot be encrypted as a rule, and what somebody plugged in is not the computer's.
_BOOT = re.compile(rb"/(boot|efi)(/|\Z)")
_PLUGGED_IN = re.compile(rb"/(run/)?media/")
_DEEPEST = 12
_MOST_ROWS = 100


def observe_encryption(request: Request) -> list[dict]:
    """One row for `/`, for each other volume with data, and for each swap device.

    `encrypted` is None where it cannot be told, as on ZFS, which encrypts by itself. Disks that encrypt
    themselves (OPAL) look like any other disk and count as not encrypted.
    """
    container = detect_container(request)
    if container is not None:
        raise Absent("container", f"the disks of a {container} container are its host's")
    try:
        mounts = choose_mounts(read_mountinfo(read_file(request.path("proc/self/mountinfo"), 4_000_000)))
    except OSError as error:
        raise why_not_read(error) from error
    rows = [_row(clean_text(mount.mount), mount.device, _tell(request, mount)) for mount in mounts if _has_data(mount)]
    rows += [_row("swap", device, tell_device(request, _block_name(request, device))) for device in _swaps(request)]
    if not rows:
        raise Absent("none", "no volume on a device of its own is mounted")
    return rows[:_MOST_ROWS]


def _has_data(mount: Mount) -> bool:
    is_local = mount.device.startswith(b"/dev/") or mount.type == "zfs"
    return is_local and not _BOOT.match(mount.mount) and not _PLUGGED_IN.match(mount.mount)


def _row(mount: str, device: bytes, told: tuple[bool | None, str | None]) -> dict:
    return {"mount": mount, "device": clean_text(device), "encrypted": told[0], "kind": told[1]}


def _tell(request: Request, mount: Mount) -> tuple[bool | None, str | None]:
    if mount.type == "zfs":
        return None, None
    link = request.path("sys/dev/block", mount.device_number.decode("ascii", "replace"))
    name = os.path.basename(os.path.realpath(link)) if os.path.exists(link) else _block_name(request, mount.device)
    answers = [tell_device(request, each) for each in _companions(request, name)]
    return _join(answers)


def _companions(request: Request, name: str | None) -> list[str | None]:
    """All devices of the btrfs that this one belongs to; for other file systems the device alone."""
    top = request.path("sys/fs/btrfs")
    if name is not None and os.path.isdir(top):
        for entry in os.listdir(top):
            folder = os.path.join(top, entry, "devices")
            devices = os.listdir(folder) if os.path.isdir(folder) else []
            if name in devices:
                return list(devices)
    return [name]


def _block_name(request: Request, device: bytes) -> str | None:
    """The kernel's name of a device file, as `dm-0` for /dev/mapper/root."""
    path = os.path.realpath(request.path(os.fsdecode(device).lstrip("/")))
    name = os.path.basename(path)
    return name if os.path.exists(request.path("sys/class/block", name)) else None


def _swaps(request: Request) -> list[bytes]:
    """Swap devices of proc(5) swaps; compressed memory is none, and a swap file lies on a volume with a row."""
    try:
        lines = read_file(request.path("proc/swaps"), 65536).splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    is_device = [row for row in rows if len(row) > 1 and row[1] == b"partition"]
    return [row[0] for row in is_device if not row[0].startswith((b"/dev/zram", b"/dev/ram"))]


def tell_device(request: Request, name: str | None, depth: int = 0) -> tuple[bool | None, str | None]:
    """Whether everything below the block device `name` is encrypted, and how; (None, None) when nothing tells.

    Goes down from logical volumes and arrays to what they are made of, and from a partition to its device.
    """
    folder = request.path("sys/class/block", name or "")
    if name is None or depth > _DEEPEST or not os.path.isdir(folder):
        return None, None
    match = _UUID.match(read_first_line(os.path.join(folder, "dm", "uuid")) or "")
    if match is not None and match[1] in _KINDS:
        return True, _KINDS[match[1]]
    slaves = os.path.join(folder, "slaves")
    below = sorted(os.listdir(slaves)) if os.path.isdir(slaves) else []
    if not below and os.path.exists(os.path.join(folder, "partition")):
        below = [os.path.basename(os.path.dirname(os.path.realpath(folder)))]
    if not below:
        return False, None
    return _join([tell_device(request, each, depth + 1) for each in below])


def _join(answers: list[tuple[bool | None, str | None]]) -> tuple[bool | None, str | None]:
    """One answer for several devices: one that is not encrypted is enough to read from."""
    states = [state for state, _kind in answers]
    if False in states:
        return False, None
    if None in states:
        return None, None
    return True, next((kind for _state, kind in answers if kind), None)
