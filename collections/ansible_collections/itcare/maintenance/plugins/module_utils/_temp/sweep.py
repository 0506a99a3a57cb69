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
import stat
import time
from dataclasses import dataclass

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
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import UNUSUAL_ATTRIBUTES, Look
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.openfiles import OpenFiles
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.removal import (
    BLOCK_BYTES,
    Record,
    Remover,
    explain,
    pack_state,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.scope import Scope
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.tally import Budget, Links

MOST_LEVELS = 5_000
_KIND_BITS = 0o170000  # inode(7), S_IFMT


@dataclass
class Walk:
    """What one walk over all categories shares. Without a remover it is a plan, and changes nothing."""

    rules: Rules
    open_files: OpenFiles
    budget: Budget
    links: Links
    remover: Remover | None = None


class Sweep:
    """The walk over one root of one category. `record`: of the category."""

    def __init__(self, walk: Walk, scope: Scope, record: Record) -> None:
        self._walk = walk
        self._scope = scope
        self._record = record
        self._base: Look

    def run(self, descriptor: int, look: Look, path: bytes) -> None:
        """Go through the open directory `descriptor`, which is closed at the end; it stays itself."""
        self._base = look
        try:
            frame: Frame | None = Frame(descriptor, look, path, None)
        except OSError:
            os.close(descriptor)
            self._record.planned.skip("error")
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
            met = self._let_plain_files_go(frame)
            while met is not None:
                name, look = met
                if look.is_directory:
                    child = self._enter(frame, name, look)
                    if child is not None:
                        return child
                else:
                    self._judge_file(frame, name, look)
                met = self._let_plain_files_go(frame)
        except OSError:
            self._keep(frame, "error")  # the directory cannot be read to its end
        return None

    def _let_plain_files_go(self, frame: Frame) -> tuple[bytes, Look] | None:
        """Handle files that may go, up to the first entry that is none, which is returned; None at the end.

        This is the inner loop of everything, so it is one long function over local names: per file one look, one digest
        and, in a cleaning, one unlink right after the look. Its condition only ever lets go what `_judge_file` would
        let go as well; whatever fails it is judged there, where every rule has its name and its reason.
        """
        walk, removes, record = self._walk, self._walk.remover is not None, self._record
        look_into, copy_hash, descriptor = frame.look_into, frame.hash.copy, frame.descriptor
        device, mounts = (self._base.major, self._base.minor), (self._base.mount, 0)
        unlink, from_bytes, read_seconds = os.unlink, int.from_bytes, time.monotonic
        kind_bits, regular, unusual, pack = _KIND_BITS, stat.S_IFREG, UNUSUAL_ATTRIBUTES, pack_state
        stale_at, identities = self._list_open_files(frame) if removes else (0.0, walk.open_files.identities)
        is_simple = walk.rules.exclude is None and record.planned.has_all_examples
        is_kept, suffixes = self._scope.find_kept(frame), self._scope.suffixes
        is_endless, takes = walk.budget.is_endless, walk.budget.takes
        cutoff, refusals, times = walk.rules.cutoff, frame.refusals, walk.links.times
        files = keys = total = total_blocks = 0
        try:
            for name in frame.names:
                if removes and read_seconds() > stale_at:
                    stale_at, identities = self._list_open_files(frame)
                try:
                    look = look_into(name)
                except FileNotFoundError:
                    continue  # somebody else removed it
                except OSError:
                    self._keep(frame, "error")
                    continue
                (_, attributes, links, uid, mode, inode, size, blocks, changed, changed_ns, modified, modified_ns,
                 major, minor, mount) = look  # fmt: skip
                if not (
                    is_simple
                    and mode & kind_bits == regular
                    and links == 1
                    and not attributes & unusual
                    and changed < cutoff
                    and modified < cutoff
                    and (major, minor) == device
                    and mount in mounts
                    and refusals.get(uid, "unknown") is None
                    and (identity := (major, minor, inode)) not in times
                    and identity not in identities
                    and not (suffixes and not name.endswith(suffixes))
                    and not (is_kept is not None and is_kept(name))
                    and (is_endless or takes(size))
                ):
                    return name, Look._make(look)
                if removes:
                    try:
                        unlink(name, dir_fd=descriptor)
                    except OSError as error:
                        record.plan(frame, name, Look._make(look))
                        self._fail(frame, name, Look._make(look), explain(error))
                        continue
                digest = copy_hash()
                digest.update(name + b"\0" + pack(inode, size, changed, changed_ns, modified, modified_ns))
                keys += from_bytes(digest.digest(), "big")
                files += 1
                total += size
                total_blocks += blocks
        finally:
            record.planned.add_files(files, keys, total, 0)
            if removes:
                record.removed.add_files(files, keys, total, total_blocks * BLOCK_BYTES)
        return None

    def _list_open_files(self, frame: Frame) -> tuple[float, set[tuple]]:
        """The files in use by a list that is fresh enough to remove others, and when it will not be so any more."""
        open_files = self._walk.open_files
        open_files.refresh_when_stale()
        if frame.refusals_at != open_files.scanned_at:
            frame.refusals.clear()
            frame.refusals_at = open_files.scanned_at
        return open_files.stale_at, open_files.identities

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
            self._record.planned.ceiling_reached |= reason == "over_ceiling"
            self._keep(frame, reason, look.size)
            return
        self._record.plan(frame, name, look)
        if walk.remover is not None and not walk.remover.remove_file(self._record, frame, name, seen, look):
            frame.failed += 1

    def _is_excluded(self, frame: Frame, name: bytes, look: Look) -> bool:
        scope = self._scope
        if scope.suffixes and not look.is_directory and not name.endswith(scope.suffixes):
            return True
        is_kept = scope.find_kept(frame)
        if is_kept is not None and is_kept(name):
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
            self._judge_directory(frame, parent)
            return parent
        finally:
            frame.close()

    def _judge_directory(self, frame: Frame, parent: Frame) -> None:
        """The directory when all in it has been handled: it goes if it is old, and empty as planned."""
        walk, record, name, look = self._walk, self._record, frame.name, frame.look
        if walk.remover is not None:
            self._list_open_files(parent)
        # the folders of a package manager are its own
        if frame.kept or self._scope.suffixes or refuse_removal(look, parent, walk.rules, walk.open_files):
            parent.kept += 1
            return
        record.plan(parent, name, look)
        if walk.remover is None:
            return
        if frame.failed:
            record.fail_above(parent, name)
            parent.failed += 1
        elif not walk.remover.remove_directory(record, parent, name, look):
            parent.failed += 1

    def _keep(self, frame: Frame, reason: str, size: int = 0) -> None:
        frame.kept += 1
        self._record.planned.skip(reason, size)

    def _fail(self, frame: Frame, name: bytes, look: Look, reason: str) -> None:
        frame.failed += 1
        self._record.fail(frame, name, look, reason)
