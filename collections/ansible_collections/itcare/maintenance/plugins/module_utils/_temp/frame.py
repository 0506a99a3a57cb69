# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""One directory of the walk, and the road back up from below it."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import (
    Swapped,
    directory_flags,
    is_same_entry,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import (
    Look,
    look_at_descriptor,
    look_into,
)

# Two descriptors per level are held down to this depth; below it a directory is closed while its children are walked.
OPEN_LEVELS = 64
# Below it the names of a directory are read beforehand; nobody but an attacker has as many so deep down.
MOST_NAMES = 50_000
_TAIL_BYTES = 512
_CLOSED = -1
_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


def begin_digest():
    """A hash of 32 bytes: BLAKE2b, which costs two thirds of SHA-256 here, or that where a FIPS Python has no other."""
    try:
        return hashlib.blake2b(digest_size=32, usedforsecurity=False)
    except (AttributeError, ValueError):
        return hashlib.sha256()


class Frame:
    """An open directory with the names that are still to be looked at.

    `kept` counts the entries that are to stay and `failed` those that were to go and could not, so that an empty
    directory is known as such without a second look. `look_into` looks at an entry by its name. `refusals` tells why
    files of a user stay here, as known when the open files were listed at `refusals_at`.
    `tail` is the end of the path, for reports: a whole path may be longer than the memory that we may use.
    """

    __slots__ = (
        "depth",
        "descriptor",
        "failed",
        "hash",
        "kept",
        "look",
        "look_into",
        "may_write",
        "name",
        "names",
        "parent",
        "refusals",
        "refusals_at",
        "tail",
        "_scan",
    )

    def __init__(self, descriptor: int, look: Look, name: bytes, parent: Frame | None) -> None:
        self.descriptor = descriptor
        self.look = look
        self.name = name
        self.parent = parent
        self.depth = 0 if parent is None else parent.depth + 1
        self.kept = self.failed = 0
        self.refusals: dict[int, str | None] = {}
        self.refusals_at = 0.0
        self.tail = name if parent is None else parent.end_of(name)[-_TAIL_BYTES:]
        self.hash = begin_digest() if parent is None else parent.hash.copy()
        self.hash.update(name + b"/")
        self.may_write = os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor, effective_ids=True)
        self.look_into = look_into(descriptor)
        self._scan = os.scandir(descriptor)
        self.names = self._read_names()

    def end_of(self, name: bytes) -> bytes:
        """The end of the path of an entry."""
        return b"%b/%b" % (self.tail, name)

    def path_of(self, name: bytes) -> bytes:
        """The whole path of an entry."""
        names, frame = [name], self
        while frame is not None:
            names.append(frame.name)
            frame = frame.parent
        return b"/".join(reversed(names))

    def close(self) -> None:
        self._scan.close()
        self._close_descriptor()

    def suspend(self) -> None:
        """Close a deep directory while one of its children is walked."""
        if self.depth >= OPEN_LEVELS:
            self._close_descriptor()

    def resume_from(self, child: Frame) -> None:
        """Open the directory again as the parent of its child; raises OSError, or Swapped when the child was moved."""
        if self.descriptor != _CLOSED:
            return
        if child.descriptor == _CLOSED:
            raise Swapped(self.name)
        descriptor = os.open("..", directory_flags(), dir_fd=child.descriptor)
        try:
            if not is_same_entry(self.look, look_at_descriptor(descriptor)):
                raise Swapped(self.name)
        except BaseException:
            os.close(descriptor)
            raise
        self.descriptor = descriptor
        self.look_into = look_into(descriptor)

    def _read_names(self) -> Iterator[bytes]:
        names = (entry.name.encode(_ENCODING, _ERRORS) for entry in self._scan)  # os.fsencode at half its cost
        if self.depth < OPEN_LEVELS:
            return names
        known = [name for name, _number in zip(names, range(MOST_NAMES + 1))]
        self._scan.close()
        if len(known) > MOST_NAMES:
            self.kept += 1  # there is more than we look at, so it is not empty
        return iter(known[:MOST_NAMES])

    def _close_descriptor(self) -> None:
        if self.descriptor != _CLOSED:
            os.close(self.descriptor)
            self.descriptor = _CLOSED
