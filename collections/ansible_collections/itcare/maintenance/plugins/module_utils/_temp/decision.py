# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Whether one entry may go: pure decisions over what was seen of it and of its directory."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import crosses_mount
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.frame import Frame
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import Look
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.openfiles import OpenFiles, is_in_use


@dataclass(frozen=True)
class Rules:
    """What the caller wants. `cutoff`: seconds since 1970; what changed then or later is too young."""

    cutoff: int
    exclude: re.Pattern | None = None


def compile_globs(globs: list[str]) -> re.Pattern | None:
    """One pattern for all shell globs; one without a slash is matched with the last name, else with the whole path."""
    patterns = []
    for glob in globs:
        # bytes that are no UTF-8 reach us as lone surrogates, in the glob as in the path
        pattern = fnmatch.translate(glob)
        patterns.append(pattern if "/" in glob else rf"(?s:.*/){pattern}")
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


def matches_glob(path: bytes, pattern: re.Pattern | None) -> bool:
    """Whether the user's globs leave this path alone."""
    return pattern is not None and pattern.match(os.fsdecode(path)) is not None


def is_too_young(look: Look, cutoff: int) -> bool:
    """By the later of the last modification and the last change of the inode: moving a file here makes it young."""
    return look.changed >= cutoff or look.modified >= cutoff


def refuse_kind(look: Look, base: Look) -> str | None:
    """Why an entry that is no directory is never touched, whatever its age; None for a file on the mount of `base`."""
    kind = stat.S_IFMT(look.mode)
    if kind != stat.S_IFREG:
        return "link" if kind == stat.S_IFLNK else "excluded"  # sockets, pipes and devices
    return "mount" if crosses_mount(look, base) else None


def refuse_owner(uid: int, parent: Look, may_write: bool, open_files: OpenFiles) -> str | None:
    """Why the present user cannot or must not remove entries of the user `uid` from the directory `parent`."""
    user = os.geteuid()
    if parent.is_immutable:
        return "immutable"
    if not may_write:
        return "error" if user == 0 else "not_owned"  # root: a read-only file system
    if user not in (0, uid, parent.uid) and parent.mode & stat.S_ISVTX:
        return "not_owned"
    return "cannot_see_open_files" if open_files.cannot_see(uid) else None


def refuse_removal(look: Look, frame: Frame, rules: Rules, open_files: OpenFiles) -> str | None:
    """Why a file, or an empty directory, of the directory `frame` stays; None when it may go."""
    if is_too_young(look, rules.cutoff):
        return "too_young"
    if look.uid not in frame.refusals:  # the same for all files of one user
        frame.refusals[look.uid] = refuse_owner(look.uid, frame.look, frame.may_write, open_files)
    reason = frame.refusals[look.uid]
    if reason is None and look.is_immutable:
        return "immutable"
    if reason is None and is_in_use(look, open_files):
        return "in_use"
    return reason
