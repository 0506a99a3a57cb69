# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Name the entries in which two large sets differ, without keeping either.

An invertible Bloom lookup table (Eppstein, Goodrich, Uyeda, Varghese: "What's the Difference?", SIGCOMM 2011): what is
in both sets cancels out, what is left can be read back as long as it is little beside the number of cells.
"""

from __future__ import annotations

CELLS = 512
PATH_BYTES = 200
_PLACES = 3
_PART_BITS = 64
_PART_MASK = (1 << _PART_BITS) - 1
_CHECK_FACTOR = 0x9E3779B97F4A7C15  # odd, so that the check of a sum is not the sum of the checks under XOR


class Sketch:
    """The difference of two streams of (key, path): `add` for the first, `remove` for the second.

    Keys are 256-bit numbers without structure; of a path the last 200 bytes are kept.
    """

    def __init__(self) -> None:
        self._counts = [0] * CELLS
        self._keys = [0] * CELLS
        self._checks = [0] * CELLS
        self._paths = [0] * CELLS

    def add(self, key: int, path: bytes) -> None:
        self._change(key, int.from_bytes(path[-PATH_BYTES:], "big"), 1)

    def remove(self, key: int, path: bytes) -> None:
        self._change(key, int.from_bytes(path[-PATH_BYTES:], "big"), -1)

    def read_difference(self, most: int) -> tuple[dict[int, bytes], dict[int, bytes], bool]:
        """At most `most` entries only in the first and only in the second set, and whether these are all.

        Empties the sketch as it reads.
        """
        first: dict[int, bytes] = {}
        second: dict[int, bytes] = {}
        ready = list(range(CELLS))
        while ready and len(first) + len(second) < most:
            cell = ready.pop()
            if not self._is_single(cell):
                continue
            count, key, path = self._counts[cell], self._keys[cell], self._paths[cell]
            (first if count == 1 else second)[key] = path.to_bytes((path.bit_length() + 7) // 8, "big")
            self._change(key, path, -count)
            ready.extend(self._places(key))
        return first, second, not any(self._keys)

    def _change(self, key: int, path: int, count: int) -> None:
        check = _check(key)
        for cell in self._places(key):
            self._counts[cell] += count
            self._keys[cell] ^= key
            self._checks[cell] ^= check
            self._paths[cell] ^= path

    @staticmethod
    def _places(key: int) -> tuple[int, ...]:
        """Three different cells: one in each third of the table."""
        third = CELLS // _PLACES
        return (
            (key & _PART_MASK) % third,
            third + (key >> _PART_BITS & _PART_MASK) % third,
            2 * third + (key >> 2 * _PART_BITS & _PART_MASK) % third,
        )

    def _is_single(self, cell: int) -> bool:
        return self._counts[cell] in (1, -1) and self._checks[cell] == _check(self._keys[cell])


def _check(key: int) -> int:
    return (key * _CHECK_FACTOR >> 32) & _PART_MASK
