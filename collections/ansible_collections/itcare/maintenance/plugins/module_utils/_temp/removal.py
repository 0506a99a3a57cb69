# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Remove entries through the descriptor of their directory, and record what was to go and what went."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import is_same_entry, show_path
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.frame import Frame
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import Look, look_at, look_at_descriptor
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.tally import Links, Tally

MOST_DIFFERENCES = 100
# inode, length, and both times in seconds and nanoseconds
pack_state = struct.Struct("<QqqIqI").pack
BLOCK_BYTES = 512  # stat(2): the unit of st_blocks, whatever the block size of the file system
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
    """One category: what was to go, what is gone, and the entries in which the two differ."""

    def __init__(self, planned: Tally, removed: Tally, differences: Differences) -> None:
        self.planned = planned
        self.removed = removed
        self._differences = differences

    def plan(self, frame: Frame, name: bytes, look: Look) -> None:
        """An entry that is to go."""
        size = None if look.is_directory else look.size
        self.planned.add(digest_entry(frame, name, look), size, 0, frame.end_of(name))

    def remove(self, frame: Frame, name: bytes, look: Look, blocks_bytes: int) -> None:
        """An entry that is gone; `look`: as it was when it was to go."""
        size = None if look.is_directory else look.size
        self.removed.add(digest_entry(frame, name, look), size, blocks_bytes, frame.end_of(name))

    def fail(self, frame: Frame, name: bytes, look: Look, reason: str) -> None:
        """An entry that was to go and stays."""
        self.removed.skip(reason, 0 if look.is_directory else look.size)
        self._differences.note(frame.end_of(name), reason)

    def fail_above(self, frame: Frame, name: bytes) -> None:
        """A directory that was to go and stays with what is in it, which has been counted."""
        self._differences.note(frame.end_of(name), "not empty")


@dataclass
class Differences:
    """At most 100 lines about entries that were to go and stayed."""

    _lines: list[str] = field(default_factory=list)
    _has_more: bool = False

    def note(self, path: bytes, reason: str) -> None:
        if len(self._lines) < MOST_DIFFERENCES:
            self._lines.append(f"{show_path(path)}: planned, not deleted ({reason})")
        else:
            self._has_more = True

    def merge(self, others: list[str], last: list[str]) -> list[str]:
        """All lines, sorted, after `others` and before `last`; what does not fit is said in one line."""
        room = MOST_DIFFERENCES - len(last) - 1
        named = others + sorted(self._lines)
        is_all = len(named) <= room and not self._has_more
        return named[:room] + ([] if is_all else ["more entries differ than could be named"]) + last


class Remover:
    """Removes the entries that need more than one unlink, and those after which others must be looked at anew."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def remove_file(self, record: Record, frame: Frame, name: bytes, seen: Look, look: Look) -> bool:
        """Whether the file is gone. `seen`: as looked at just now; `look`: with the time before our own removals."""
        try:
            reason = self._unlink(frame, name, seen)
        except OSError as error:
            reason = explain(error)
        if reason is not None:
            record.fail(frame, name, look, reason)
            return False
        record.remove(frame, name, look, seen.blocks * BLOCK_BYTES if seen.links == 1 else 0)
        return True

    def _unlink(self, frame: Frame, name: bytes, seen: Look) -> str | None:
        if seen.links == 1:
            os.unlink(name, dir_fd=frame.descriptor)
            self._links.times.pop(seen.identity, None)
            return None
        held = _hold(frame, name)
        try:
            if look_at_descriptor(held).identity != seen.identity:
                return "changed"
            os.unlink(name, dir_fd=frame.descriptor)
            self._links.note_removal(look_at_descriptor(held))
        finally:
            os.close(held)
        return None

    def remove_directory(self, record: Record, parent: Frame, name: bytes, look: Look) -> bool:
        """Remove a directory that should be empty; the kernel refuses one that is not."""
        try:
            reason = None if is_same_entry(look, look_at(parent.descriptor, name)) else "changed"
            if reason is None:
                os.rmdir(name, dir_fd=parent.descriptor)
        except OSError as error:
            reason = explain(error)
        if reason is not None:
            record.fail(parent, name, look, reason)
            return False
        record.remove(parent, name, look, 0)
        return True


def digest_entry(frame: Frame, name: bytes, look: Look) -> int:
    """A hash, as a number, of the entry's path and of what tells that it was this very file at this very time."""
    digest = frame.hash.copy()
    # the length of a directory shrinks as its files go
    size = -1 if look.is_directory else look.size
    times = (look.changed, look.changed_ns, look.modified, look.modified_ns)
    digest.update(name + b"\0" + pack_state(look.inode, size, *times))
    return int.from_bytes(digest.digest(), "big")


def _hold(frame: Frame, name: bytes) -> int:
    """A descriptor that outlives the name, to see the time that its removal leaves on the file."""
    return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=frame.descriptor)


def explain(error: OSError) -> str:
    """Why the system refused a removal, as a reason of the result."""
    if error.errno == errno.EPERM:  # a plan knows both beforehand, but for an immutable file where there is no statx
        return "immutable" if os.geteuid() == 0 else "not_owned"
    return _REASONS.get(error.errno, "error")
