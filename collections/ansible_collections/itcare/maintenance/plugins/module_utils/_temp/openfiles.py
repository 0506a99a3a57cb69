# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Which files somebody uses right now: open, mapped, run, a working directory, or behind a loop device."""

from __future__ import annotations

import os
import re
import time

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import Look

_MAPPED = re.compile(rb"^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) +(/[^\n]*)$", re.MULTILINE)
_LINKS = ("cwd", "root", "exe")
# Half of systemd's session manager. It cannot be looked into, belongs to the user, and opens no files of the user.
_NO_FILES_OF_ITS_OWN = b"(sd-pam)\n"
# A second look costs as much as the first, so it waits for longer on a computer with many processes.
_FRESH_SECONDS = 2.0
_LARGEST_SHARE = 0.05


class OpenFiles:
    """Identities of all files in use that this user may see.

    `is_known` is False where there is no /proc to ask; `blind` holds the users of processes that could not be read.
    `scanned_at` and `stale_at` are seconds of the monotonic clock: when they were listed, and when it is time again.
    """

    def __init__(self, proc: str = "/proc", blocks: str = "/sys/block") -> None:
        self._proc = proc
        self._blocks = blocks
        self._own: set[tuple] | None = None
        self.scanned_at = self.stale_at = 0.0
        self.is_known = False
        self.blind: set[int] = set()
        self.identities: set[tuple] = set()

    def refresh_when_stale(self) -> None:
        """Look again if the last look is old; called before each file is looked at that may be deleted at once."""
        if time.monotonic() > self.stale_at:
            self.refresh()

    def refresh(self) -> None:
        """Look at every process anew, at this one only the first time: later it holds what is being cleaned."""
        started = time.monotonic()
        self.identities, self.blind, mapped = set(), set(), set()
        try:
            pids = [name for name in os.listdir(self._proc) if name.isdecimal()]
        except OSError:
            pids = []
        self.is_known = bool(pids)
        own = str(os.getpid())
        for pid in pids:
            if pid != own:
                self._add_process(pid, mapped)
        if self._own is None:
            before = set(self.identities)
            self._add_process(own, mapped)
            self._own = self.identities - before
        self.identities |= self._own
        self._add_loop_devices()
        self.scanned_at = time.monotonic()
        self.stale_at = self.scanned_at + max(_FRESH_SECONDS, (self.scanned_at - started) / _LARGEST_SHARE)

    def cannot_see(self, uid: int) -> bool:
        """Whether the user's open files are unknown: of others to anybody but root, else of an unreadable process."""
        if not self.is_known or uid in self.blind:
            return True
        return os.geteuid() not in (0, uid)

    def _add_process(self, pid: str, mapped: set[tuple]) -> None:
        folder = f"{self._proc}/{pid}"
        try:
            names = os.listdir(f"{folder}/fd")
        except PermissionError:
            self._note_blind(folder)
            return
        except OSError:
            return  # it ended meanwhile
        for name in names:
            self._add_path(f"{folder}/fd/{name}")
        for name in _LINKS:
            self._add_path(f"{folder}/{name}")
        try:
            with open(f"{folder}/maps", "rb") as file:
                found = set(_MAPPED.findall(file.read())) - mapped
        except OSError:
            # It ended, or a sandbox shields its memory though not its files. What is mapped outlives its name.
            return
        mapped |= found
        self._add_mapped(folder, found)

    def _add_mapped(self, folder: str, found: set[tuple]) -> None:
        for major, minor, inode, path in found:
            self.identities.add((int(major, 16), int(minor, 16), int(inode)))
            # btrfs and overlayfs write another device into maps than stat(2) tells
            self._add_path(os.fsencode(f"{folder}/root") + path)

    def _add_loop_devices(self) -> None:
        """The kernel itself holds the file behind a loop device; no process shows it."""
        try:
            names = [name for name in os.listdir(self._blocks) if name.startswith("loop")]
        except OSError:
            return
        for name in names:
            try:
                with open(f"{self._blocks}/{name}/loop/backing_file", "rb") as file:
                    self._add_path(file.read(8192).rstrip(b"\n"))
            except OSError:
                continue  # a device without a file

    def _add_path(self, path: str | bytes) -> None:
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return  # closed meanwhile
        self.identities.add((os.major(status.st_dev), os.minor(status.st_dev), status.st_ino))

    def _note_blind(self, folder: str) -> None:
        try:
            with open(f"{folder}/comm", "rb") as file:
                if file.read(64) != _NO_FILES_OF_ITS_OWN:
                    self.blind.add(os.stat(folder).st_uid)
        except OSError:
            return  # it ended meanwhile


def is_in_use(look: Look, open_files: OpenFiles) -> bool:
    """Whether somebody holds this file or directory."""
    return look.identity in open_files.identities
