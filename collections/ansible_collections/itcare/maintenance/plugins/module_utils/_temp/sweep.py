# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Walk down from one open directory, decide about every entry and, in a cleaning walk, remove what may go.

The walk works with descriptors only: an entry is looked at, opened and unlinked through its directory's descriptor, so
a link put in the way leads nowhere. It is iterative and streams: memory does not depend on the number of files.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.decision import (
    Rules,
    is_too_young,
    matches_glob,
    refuse_kind,
    refuse_removal,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import (
    Swapped,
    crosses_mount,
    open_entry,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.frame import Frame
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import Look, look_at
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.openfiles import OpenFiles
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.removal import Record, Remover
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.tally import Budget, Links, Tally

BATCH = 256
MOST_LEVELS = 5_000
_KEPT_LEVELS = 2


@dataclass(frozen=True)
class Scope:
    """What belongs to a category below one of its roots.

    `suffixes`: only files with such an ending, all when empty. `kept`: relative paths that are left alone, looked for
    in the two upper levels. `by_top`: an entry of the upper level that is too young shields all that is in it, as the
    time of a directory thrown into the trash tells when that was and the times of its files do not.
    """

    suffixes: tuple[bytes, ...] = ()
    kept: re.Pattern | None = None
    by_top: bool = False


@dataclass
class Walk:
    """What one walk over all categories shares. Without a remover it is a plan, and changes nothing."""

    rules: Rules
    open_files: OpenFiles
    record: Record
    budget: Budget
    links: Links = field(default_factory=Links)
    remover: Remover | None = None


class Sweep:
    """The walk over one root of one category."""

    def __init__(self, walk: Walk, scope: Scope, tally: Tally) -> None:
        self._walk = walk
        self._scope = scope
        self._tally = tally
        self._base: Look

    def run(self, descriptor: int, look: Look, path: bytes) -> None:
        """Go through the open directory `descriptor`, which is closed at the end; it stays itself."""
        self._base = look
        try:
            frame: Frame | None = Frame(descriptor, look, path, None)
        except OSError:
            os.close(descriptor)
            self._tally.skip("error")
            return
        try:
            while frame is not None:
                child = self._advance(frame)
                if child is not None:
                    frame.suspend()
                    frame = child
                else:
                    frame = self._leave(frame)
        finally:
            while frame is not None:
                frame.close()
                frame = frame.parent

    def _advance(self, frame: Frame) -> Frame | None:
        """Handle entries up to the next directory to go into; None when there are no more."""
        try:
            for name in frame.names:
                try:
                    look = look_at(frame.descriptor, name)
                except FileNotFoundError:
                    continue  # somebody else removed it
                except OSError:
                    self._keep(frame, "error")
                    continue
                if not look.is_directory:
                    self._judge_file(frame, name, look)
                    continue
                self._remove_pending(frame)
                child = self._enter(frame, name, look)
                if child is not None:
                    return child
        except OSError:
            self._keep(frame, "error")  # the directory cannot be read to its end
        self._remove_pending(frame)
        return None

    def _judge_file(self, frame: Frame, name: bytes, seen: Look) -> None:
        walk = self._walk
        look = walk.links.restore(seen) if walk.links.times else seen
        reason = refuse_kind(look, self._base)
        if reason is None and self._is_excluded(frame, name, look):
            reason = "excluded"
        if reason is None:
            reason = refuse_removal(look, frame, walk.rules, walk.open_files)
        if reason is None and not (look.links == 1 or walk.links.has_room_for(look)):
            reason = "over_ceiling"
        if reason is None and not walk.budget.takes(look.size):
            reason = "over_ceiling"
        if reason is not None:
            self._tally.ceiling_reached |= reason == "over_ceiling"
            self._keep(frame, reason, look.size)
        elif walk.remover is None:
            walk.record.plan(self._tally, frame, name, look)
        else:
            if look.links > 1:
                self._remove_pending(frame)  # the names of one file change each other
            frame.pending.append((name, seen, look))
            if len(frame.pending) >= BATCH or look.links > 1:
                self._remove_pending(frame)

    def _is_excluded(self, frame: Frame, name: bytes, look: Look) -> bool:
        scope = self._scope
        if scope.suffixes and not look.is_directory and not name.endswith(scope.suffixes):
            return True
        if scope.kept is not None and frame.depth < _KEPT_LEVELS:
            relative = name if frame.depth == 0 else b"%b/%b" % (frame.name, name)
            if scope.kept.fullmatch(relative):
                return True
        exclude = self._walk.rules.exclude
        return exclude is not None and matches_glob(frame.path_of(name), exclude)

    def _enter(self, frame: Frame, name: bytes, look: Look) -> Frame | None:
        """The directory as the next one to walk, or None with the reason counted."""
        if crosses_mount(look, self._base):
            return self._keep(frame, "mount")
        if self._is_excluded(frame, name, look):
            return self._keep(frame, "excluded")
        if self._scope.by_top and frame.depth == 0 and is_too_young(look, self._walk.rules.cutoff):
            return self._keep(frame, "too_young")
        if frame.depth >= MOST_LEVELS:
            return self._keep(frame, "error")
        try:
            descriptor, opened = open_entry(frame.descriptor, name, look)
        except (Swapped, FileNotFoundError):
            return self._keep(frame, "changed")
        except PermissionError:
            return self._keep(frame, "error" if os.geteuid() in (0, look.uid) else "not_owned")
        except OSError:
            return self._keep(frame, "changed")  # ELOOP or ENOTDIR: a link or a file took its place
        if crosses_mount(opened, self._base):  # only an open descriptor tells its mount before Linux 5.8
            os.close(descriptor)
            return self._keep(frame, "mount")
        try:
            return Frame(descriptor, opened, name, frame)
        except OSError:
            os.close(descriptor)
            return self._keep(frame, "error")

    def _leave(self, frame: Frame) -> Frame | None:
        """Remove the directory if it is old and empty, and go back to its parent."""
        parent = frame.parent
        try:
            if parent is None:
                return None
            try:
                parent.resume_from(frame)
            except (Swapped, OSError):
                self._keep(parent, "changed")
                parent.names = iter(())  # no way back: what is left of it stays
                return parent
            if frame.kept or not self._removes_directory(frame, parent):
                parent.kept += 1
            return parent
        finally:
            frame.close()

    def _removes_directory(self, frame: Frame, parent: Frame) -> bool:
        walk = self._walk
        if refuse_removal(frame.look, parent, walk.rules, walk.open_files):
            return False
        if self._scope.suffixes:
            return False  # the folders of a package manager are its own
        if walk.remover is None:
            walk.record.plan(self._tally, parent, frame.name, frame.look)
            return True
        return walk.remover.remove_directory(self._tally, parent, frame.name, frame.look)

    def _remove_pending(self, frame: Frame) -> None:
        if frame.pending:
            frame.kept += self._walk.remover.remove_files(self._tally, frame, frame.pending)
            frame.pending = []

    def _keep(self, frame: Frame, reason: str, size: int = 0) -> None:
        frame.kept += 1
        self._tally.skip(reason, size)
