# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Counts, sizes and the digest of what was planned, deleted and skipped; memory does not grow with the entries."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import show_path

MOST_EXAMPLES = 20
_MODULUS = 1 << 256


class Tally:
    """What one run planned, or deleted, of one category.

    `digest` is the sum, modulo 2**256, of one hash per entry, so that the order of a directory does not
    matter. Files are counted; a directory that goes because it is old and empty is in the digest only.
    """

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.blocks_bytes = 0
        self.entries = 0
        self.digest = 0
        self.skipped: dict[str, list[int]] = {}
        self.examples: list[str] = []
        self.ceiling_reached = False

    @property
    def has_all_examples(self) -> bool:
        return len(self.examples) >= MOST_EXAMPLES

    def add(self, key: int, size: int | None, blocks_bytes: int, path: bytes) -> None:
        """An entry that is to go, or is gone; `size` None for a directory."""
        if size is None:
            self.entries += 1
            self.digest = (self.digest + key) % _MODULUS
        else:
            self.add_files(1, key, size, blocks_bytes)
        if not self.has_all_examples:
            self.examples.append(show_path(path))

    def add_files(self, files: int, keys: int, size: int, blocks_bytes: int) -> None:
        """Many files at once, with the sums of their keys, lengths and blocks."""
        self.files += files
        self.entries += files
        self.digest = (self.digest + keys) % _MODULUS
        self.bytes += size
        self.blocks_bytes += blocks_bytes

    def skip(self, reason: str, size: int = 0) -> None:
        """An entry that stays; of a directory that is left alone as a whole only the directory is counted."""
        counts = self.skipped.setdefault(reason, [0, 0])
        counts[0] += 1
        counts[1] += size

    def is_same_set(self, other: Tally) -> bool:
        """Whether both have the same entries."""
        return (self.entries, self.digest) == (other.entries, other.digest)

    def counts(self) -> dict:
        return {"files": self.files, "bytes": self.bytes}


def count_skipped(*tallies: Tally) -> dict:
    """Reason -> files and bytes that stayed, over all tallies."""
    total: dict[str, list[int]] = {}
    for tally in tallies:
        for reason, counts in tally.skipped.items():
            files, size = total.get(reason, (0, 0))
            total[reason] = [files + counts[0], size + counts[1]]
    return {reason: {"files": n, "bytes": size} for reason, (n, size) in sorted(total.items())}


@dataclass
class Budget:
    """What one run may still delete, over all categories; None: without end."""

    files: int | None = None
    bytes: int | None = None

    @property
    def is_endless(self) -> bool:
        return self.files is None and self.bytes is None

    def takes(self, size: int) -> bool:
        """Whether a file of this size still fits; then it is taken off. One that does not leaves room for others."""
        if self.files is not None and self.files < 1:
            return False
        if self.bytes is not None and self.bytes < size:
            return False
        if self.files is not None:
            self.files -= 1
        if self.bytes is not None:
            self.bytes -= size
        return True


@dataclass
class Links:
    """Files with several names: removing one name changes the time of the others, which would make them look young.

    `times`: identity -> the time of change as first seen, and as our own last removal left it. A computer full of hard
    links must not fill the memory: names of further files are left for the next run. A file whose last name went still
    counts, so that a cleaning takes no more of them than a plan.
    """

    most: int = 20_000
    known: int = 0
    times: dict[tuple, tuple] = field(default_factory=dict)

    def has_room_for(self, look) -> bool:
        """Note the file; False when there are too many."""
        if look.identity in self.times:
            return True
        if self.known >= self.most:
            return False
        self.known += 1
        self.times[look.identity] = ((look.changed, look.changed_ns), None)
        return True

    def restore(self, look):
        """The look with the time of change from before our own removals, if these were what changed it last."""
        known = self.times.get(look.identity)
        if known and known[1] == (look.changed, look.changed_ns):
            return look._replace(changed=known[0][0], changed_ns=known[0][1])
        return look

    def note_removal(self, look) -> None:
        """`look`: the file after one of its names went."""
        if look.links == 0:
            self.times.pop(look.identity, None)
        elif look.identity in self.times:
            self.times[look.identity] = (self.times[look.identity][0], (look.changed, look.changed_ns))
