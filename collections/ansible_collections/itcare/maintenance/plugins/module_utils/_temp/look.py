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
from typing import NamedTuple

try:
    import ctypes
except ImportError:  # a Python built without libffi
    ctypes = None

# linux/stat.h and linux/fcntl.h
_STATX_BASIC_STATS, _STATX_MNT_ID = 0x7FF, 0x1000
_ATTRIBUTE_IMMUTABLE, _ATTRIBUTE_APPEND, _ATTRIBUTE_MOUNT_ROOT = 0x10, 0x20, 0x2000
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


def _load_statx():
    if ctypes is None:
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p)
    return function


def _make_asker():
    statx = _load_statx()
    if statx is None:
        return _ask_stat
    record = ctypes.create_string_buffer(_STATX_BYTES)
    read_errno, unpack, make = ctypes.get_errno, _LAYOUT.unpack_from, Look._make

    def ask(directory: int, name: bytes, flags: int) -> Look:
        if statx(directory, name, flags, _QUESTION, record):
            number = read_errno()
            raise OSError(number, os.strerror(number), os.fsdecode(name))
        return make(unpack(record))

    return ask


_ask = _make_asker()
