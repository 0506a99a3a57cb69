# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The flatpaks: those of the computer, and those that users installed for themselves."""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Absent, Unavailable
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._software.manager import ask_manager, unreadable
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import Question, make_package
from ansible_collections.itcare.maintenance.plugins.module_utils._software.users import Findings, Home, ask_homes

_COLUMNS = "application,version,branch,arch,installation"
_FIELDS = 5
_OWN = "user"  # what flatpak calls the installation of the user who asks


def list_flatpak(question: Question) -> dict:
    """All installations of the computer, then the user's own of every user who has one."""
    if find_tool("flatpak") is None:
        if os.path.isdir(question.path("var/lib/flatpak/repo")):
            raise Unavailable("not_installed", "there are flatpaks and no flatpak command to ask")
        raise Absent("not_installed")
    reply = ask_manager(["flatpak", "list", f"--columns={_COLUMNS}"], question.deadline)
    packages = [package for package, owner in read_list(reply.lines) if owner != _OWN]
    users = ask_homes(question, lambda home: _list_own(home, question))
    return Findings(packages + users.packages, users.unasked).conclude()


def _list_own(home: Home, question: Question) -> list[dict]:
    """Asked as the user, and only where there is something: flatpak would make what it does not find."""
    if not os.path.isdir(os.path.join(home.path, ".local/share/flatpak/repo")):
        return []
    reply = ask_manager(["flatpak", "list", "--user", f"--columns={_COLUMNS}"], question.deadline, home.path)
    return [package for package, owner in read_list(reply.lines) if owner == _OWN]


def read_list(lines: list[str]) -> list[tuple[dict, str]]:
    """Pairs of package and installation. A runtime without a version has its branch for one.

    Raises Unavailable(unreadable).
    """
    pairs = []
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if len(fields) != _FIELDS:
            raise unreadable("flatpak list", number)
        application, version, branch, architecture, installation = fields
        package = make_package(application, version.strip() or branch, architecture=architecture)
        if package is None:
            raise unreadable("flatpak list", number)
        pairs.append((package, installation.strip()))
    return pairs
