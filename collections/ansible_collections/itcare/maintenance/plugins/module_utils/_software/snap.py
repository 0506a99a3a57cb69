# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The snaps, as `snap list` tells them; snapd itself has to run for that."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Absent, Unavailable
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._software.manager import ask_manager, unreadable
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import (
    Question,
    make_package,
    modified_at,
)

_HEADING = ["Name", "Version", "Rev", "Tracking", "Publisher", "Notes"]
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
_MOUNTS = ("snap", "var/lib/snapd/snap")


def list_snap(question: Question) -> list[dict]:
    """The current revision of each snap; since when it is current, by the link of its mount."""
    if find_tool("snap") is None:
        if os.path.isdir(question.path("var/lib/snapd/snaps")):
            raise Unavailable("not_installed", "there are snaps and no snap command to ask")
        raise Absent("not_installed")
    lines = ask_manager(["snap", "list", "--unicode=never", "--color=never"], question.deadline).lines
    return read_list(lines, question)


def read_list(lines: list[str], question: Question) -> list[dict]:
    """The snaps of the table; an empty answer means none. Raises Unavailable(unreadable)."""
    if lines and lines[0].split() != _HEADING:
        raise unreadable("snap list", 1)
    packages = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split()
        if len(fields) != len(_HEADING) or not _NAME.match(fields[0]):
            raise unreadable("snap list", number)
        name, version, revision, _tracking, publisher, _notes = fields
        packages.append(
            make_package(
                name,
                revision if version == "-" else version,
                publisher=None if publisher == "-" else publisher.rstrip("*"),
                installed_at=_current_since(question, name),
            )
        )
    return packages


def _current_since(question: Question, name: str) -> float | None:
    times = (modified_at(question.path(mount, name, "current")) for mount in _MOUNTS)
    return next((seconds for seconds in times if seconds is not None), None)
