# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""What the kernel says about one entry of a directory, asked through a descriptor of that directory.

One statx(2) per entry tells what stat(2) tells and, beyond it, whether the entry is immutable or a mount point and
which mount it is on. Without statx (no ctypes, an old C library) stat(2) stands in, and the mount of a directory is
read from /proc/self/fdinfo.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from typing import NamedTuple

try:
    import ctypes
except ImportError:  # a Python built without libffi
    ctypes = None

# linux/stat.h and linux/fcntl.h
_STATX_BASIC_STATS, _STATX_MNT_ID = 0x7FF, 0x1000
_ATTRIBUTE_IMMUTABLE, _ATTRIBUTE_APPEND, _ATTRIBUTE_MOUNT_ROOT = 0x10, 0x20, 0x2000
# what keeps a file from being an ordinary one, by itself removable
UNUSUAL_ATTRIBUTES = _ATTRIBUTE_IMMUTABLE | _ATTRIBUTE_APPEND | _ATTRIBUTE_MOUNT_ROOT
_AT_SYMLINK_NOFOLLOW, _AT_NO_AUTOMOUNT, _AT_EMPTY_PATH = 0x100, 0x800, 0x1000
_QUESTION = _STATX_BASIC_STATS | _STATX_MNT_ID
# struct statx: mask, attributes, nlink, uid, mode, ino, size, blocks, ctime, mtime, device, mount
_LAYOUT = struct.Struct("=I4xQII4xH2xQQQ40xqI4xqI4x8xIIQ")
_STATX_BYTES = 256


class Look(NamedTuple):
    """One entry as it was when looked at. `mount` is 0 where the kernel did not tell (before Linux 5.8)."""

    answered: int
    attributes: int
    links: int
    uid: int
    mode: int
    inode: int
    size: int
    blocks: int
    changed: int
    changed_ns: int
    modified: int
    modified_ns: int
    major: int
    minor: int
    mount: int

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_immutable(self) -> bool:
        """Whether chattr +i or +a keeps even root from removing it, or anything in it."""
        return bool(self.attributes & (_ATTRIBUTE_IMMUTABLE | _ATTRIBUTE_APPEND))

    @property
    def is_mount_root(self) -> bool:
        return bool(self.attributes & _ATTRIBUTE_MOUNT_ROOT)

    @property
    def identity(self) -> tuple:
        """The inode: what stays the same under another name."""
        return (self.major, self.minor, self.inode)


def look_at(directory: int, name: bytes) -> Look:
    """The entry `name` of an open directory; a symbolic link is looked at itself. Raises OSError."""
    return _ask(directory, name, _AT_SYMLINK_NOFOLLOW | _AT_NO_AUTOMOUNT)


def look_into(directory: int) -> Callable[[bytes], tuple]:
    """The same for many entries of one open directory: a function that takes a name, answers with the fields of a
    Look as a plain tuple, and raises OSError.

    Measured, this is half the cost of one look: what a call needs besides the name is made once for the directory.
    """
    if _quiet_statx is None:
        return lambda name: tuple(look_at(directory, name))
    statx, record, read = _quiet_statx, ctypes.create_string_buffer(_STATX_BYTES), _LAYOUT.unpack_from
    flags, question = ctypes.c_int(_AT_SYMLINK_NOFOLLOW | _AT_NO_AUTOMOUNT), ctypes.c_uint(_QUESTION)
    descriptor, address = ctypes.c_int(directory), ctypes.c_void_p(ctypes.addressof(record))

    def look(name: bytes) -> tuple:
        if statx(descriptor, name, flags, question, address):
            return tuple(look_at(directory, name))  # asked again for the error's number, which is not kept here
        return read(record)

    return look


def look_at_descriptor(descriptor: int) -> Look:
    """What an open descriptor stands for, with its mount in any case. Raises OSError."""
    look = _ask(descriptor, b"", _AT_EMPTY_PATH)
    return look if look.answered & _STATX_MNT_ID else look._replace(mount=read_mount(descriptor))


def read_mount(descriptor: int) -> int:
    """The number of the mount that a descriptor was opened on (proc(5), fdinfo); 0 where it is not told."""
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", "rb") as file:
            lines = file.read(4096).splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(b"mnt_id:")), 0)


def _ask_stat(directory: int, name: bytes, flags: int) -> Look:
    status = os.fstat(directory) if flags & _AT_EMPTY_PATH else os.stat(name, dir_fd=directory, follow_symlinks=False)
    changed, changed_ns = divmod(status.st_ctime_ns, 10**9)
    modified, modified_ns = divmod(status.st_mtime_ns, 10**9)
    device = (os.major(status.st_dev), os.minor(status.st_dev))
    size = (status.st_size, status.st_blocks)
    times = (changed, changed_ns, modified, modified_ns)
    return Look(0, 0, status.st_nlink, status.st_uid, status.st_mode, status.st_ino, *size, *times, *device, 0)


def _load_statx(*, keeps_errno: bool):
    if ctypes is None:
        return None
    try:
        return ctypes.CDLL(None, use_errno=keeps_errno).statx
    except (OSError, AttributeError):
        return None


def _ask(directory: int, name: bytes, flags: int) -> Look:
    if _statx is None:
        return _ask_stat(directory, name, flags)
    record = ctypes.create_string_buffer(_STATX_BYTES)
    if _statx(ctypes.c_int(directory), name, ctypes.c_int(flags), ctypes.c_uint(_QUESTION), record):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(name))
    return Look._make(_LAYOUT.unpack_from(record))


# Keeping the error's number costs a tenth of a call, so the many looks go without.
_statx, _quiet_statx = _load_statx(keeps_errno=True), _load_statx(keeps_errno=False)
