# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Free space before and after, measured on the file systems that were cleaned."""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import directory_flags

try:
    import ctypes
except ImportError:  # a Python built without libffi
    ctypes = None

_MOST_DEVICES = 64
_LEAST_TO_SYNC = 1 << 20  # what others write meanwhile hides less than this; writing everything is not worth it


class Space:
    """Holds one descriptor per file system. The rest of the computer writes meanwhile, so the difference may be less
    than what was deleted, and even negative."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, int]] = {}

    def watch(self, descriptor: int) -> None:
        """Note the free space of the file system that an open directory is on."""
        device = os.fstat(descriptor).st_dev
        if device not in self._before and len(self._before) < _MOST_DEVICES:
            self._before[device] = (os.dup(descriptor), _free_bytes(descriptor))

    def watch_path(self, path: str) -> None:
        """The same for a directory by its path; raises OSError."""
        descriptor = os.open(path, directory_flags())
        try:
            self.watch(descriptor)
        finally:
            os.close(descriptor)

    def measure_freed(self, expected: int) -> int:
        """Bytes that are free now and were not before.

        Some file systems (btrfs) give space back only when a transaction ends. So where much less than `expected` came
        back of a megabyte or more, they are told to write first.
        """
        freed = self._difference()
        if expected >= _LEAST_TO_SYNC and freed * 2 < expected and ctypes is not None:
            library = ctypes.CDLL(None)
            for descriptor, _free in self._before.values():
                library.syncfs(descriptor)
            freed = self._difference()
        return freed

    def close(self) -> None:
        for descriptor, _free in self._before.values():
            os.close(descriptor)
        self._before = {}

    def _difference(self) -> int:
        return sum(_free_bytes(descriptor) - free for descriptor, free in self._before.values())


def _free_bytes(descriptor: int) -> int:
    status = os.fstatvfs(descriptor)
    return status.f_bfree * status.f_frsize
