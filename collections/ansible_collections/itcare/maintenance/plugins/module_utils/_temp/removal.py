# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Remove entries through the descriptor of their directory, after one last look, and record what went."""

from __future__ import annotations

import errno
import os
import struct

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import is_same_entry, show_path
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.frame import Frame
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import Look, look_at, look_at_descriptor
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.openfiles import OpenFiles, is_in_use
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.sketch import Sketch
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.tally import Links, Tally

MOST_DIFFERENCES = 100
_STATE = struct.Struct("<QqqIqI")
_BLOCK_BYTES = 512  # stat(2): the unit of st_blocks, whatever the block size of the file system
_REASONS = {
    errno.ENOENT: "changed",
    errno.ENOTEMPTY: "changed",
    errno.EEXIST: "changed",
    errno.ENOTDIR: "changed",
    errno.EISDIR: "changed",
    errno.EBUSY: "mount",
    errno.EACCES: "not_owned",
}


class Record:
    """What the plan chose and the cleaning removed, kept as a difference of the two if a cleaning is to follow."""

    def __init__(self, *, compares: bool) -> None:
        self._sketch = Sketch() if compares else None
        self._reasons: dict[int, str] = {}

    def plan(self, tally: Tally, frame: Frame, name: bytes, look: Look) -> None:
        """An entry that is to go."""
        key, path = digest_entry(frame, name, look), frame.end_of(name)
        tally.add(key, None if look.is_directory else look.size, 0, path)
        if self._sketch is not None:
            self._sketch.add(key, path)

    def remove(self, tally: Tally, frame: Frame, name: bytes, look: Look, last: Look) -> None:
        """An entry that is gone; `last`: how it was just before."""
        key, path = digest_entry(frame, name, look), frame.end_of(name)
        blocks = last.blocks * _BLOCK_BYTES if last.links == 1 and not look.is_directory else 0
        tally.add(key, None if look.is_directory else look.size, blocks, path)
        self._sketch.remove(key, path)

    def fail(self, frame: Frame, name: bytes, look: Look, reason: str) -> None:
        """An entry that was to go and stays."""
        if len(self._reasons) < MOST_DIFFERENCES:
            self._reasons[digest_entry(frame, name, look)] = reason

    def name_differences(self) -> list[str]:
        """At most 100 lines about entries that were planned and stayed, or went without having been planned."""
        planned, removed, is_all = self._sketch.read_difference(MOST_DIFFERENCES - 1)
        lines = [
            f"{show_path(path)}: planned, not deleted ({self._reasons.get(key, 'no longer to be deleted')})"
            for key, path in planned.items()
        ]
        lines += [f"{show_path(path)}: deleted, not planned" for path in removed.values()]
        return sorted(lines) + ([] if is_all else ["more entries differ than could be named"])


class Remover:
    """The only code here that removes anything."""

    def __init__(self, record: Record, open_files: OpenFiles, links: Links) -> None:
        self._record = record
        self._open_files = open_files
        self._links = links

    def remove_files(self, tally: Tally, frame: Frame, batch: list[tuple[bytes, Look, Look]]) -> int:
        """Unlink the files (name, as looked at, with the time before our own removals); returns how many stay."""
        self._open_files.refresh_when_stale()
        stayed = 0
        for name, seen, look in batch:
            reason = self._unlink(tally, frame, name, seen, look)
            if reason is not None:
                stayed += 1
                tally.skip(reason, look.size)
                self._record.fail(frame, name, look, reason)
        return stayed

    def _unlink(self, tally: Tally, frame: Frame, name: bytes, seen: Look, look: Look) -> str | None:
        try:
            last = look_at(frame.descriptor, name)
            if last != seen:
                return "changed"
            if is_in_use(last, self._open_files):
                return "in_use"
            held = _hold(frame, name) if last.links > 1 else None
            try:
                os.unlink(name, dir_fd=frame.descriptor)
                if held is not None:
                    self._links.note_removal(look_at_descriptor(held))
            finally:
                if held is not None:
                    os.close(held)
        except OSError as error:
            return _explain(error)
        if last.links == 1:
            self._links.times.pop(last.identity, None)
        self._record.remove(tally, frame, name, look, last)
        return None

    def remove_directory(self, tally: Tally, parent: Frame, name: bytes, look: Look) -> bool:
        """Remove a directory that should be empty; the kernel refuses one that is not."""
        try:
            reason = None if is_same_entry(look, look_at(parent.descriptor, name)) else "changed"
            if reason is None:
                os.rmdir(name, dir_fd=parent.descriptor)
        except OSError as error:
            reason = _explain(error)
        if reason is None:
            self._record.remove(tally, parent, name, look, look)
            return True
        tally.skip(reason)
        self._record.fail(parent, name, look, reason)
        return False


def digest_entry(frame: Frame, name: bytes, look: Look) -> int:
    """SHA-256, as a number, of the entry's path and of what tells that it was this very file at this very time."""
    digest = frame.hash.copy()
    # the length of a directory shrinks as its files go
    size = -1 if look.is_directory else look.size
    times = (look.changed, look.changed_ns, look.modified, look.modified_ns)
    digest.update(b"/%b\0%b" % (name, _STATE.pack(look.inode, size, *times)))
    return int.from_bytes(digest.digest(), "big")


def _hold(frame: Frame, name: bytes) -> int:
    """A descriptor that outlives the name, to see the time that its removal leaves on the file."""
    return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=frame.descriptor)


def _explain(error: OSError) -> str:
    return _REASONS.get(error.errno, "error")
