# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""What belongs to a category below one of its roots."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.frame import Frame


@dataclass(frozen=True)
class Scope:
    """`suffixes`: only files with such an ending, all when empty. `kept`: relative paths that are left alone, looked
    for in the upper `kept_levels` levels, of which there may be two.

    `by_top`: an entry of the upper level that is too young shields all that is in it, as the time of a directory thrown
    into the trash tells when that was and the times of its files do not.
    """

    suffixes: tuple[bytes, ...] = ()
    kept: re.Pattern | None = None
    kept_levels: int = 1
    by_top: bool = False

    def find_kept(self, frame: Frame) -> Callable[[bytes], object] | None:
        """What tells by its name whether an entry of this directory is left alone; None where none is."""
        kept = self.kept
        if kept is None or frame.depth >= self.kept_levels:
            return None
        if frame.depth == 0:
            return kept.fullmatch
        return lambda name: kept.fullmatch(b"%b/%b" % (frame.name, name))
