# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The flatpaks: those of the computer, and those that users installed for themselves."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Absent, Unavailable, why_not_read
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._software.manager import ask_manager, unreadable
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import (
    Question,
    list_folder,
    make_package,
    read_plain_file,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._software.users import Findings, Home, ask_homes

_COLUMNS = "application,version,branch,arch,installation"
_FIELDS = 5
_OWN = "user"  # what flatpak calls the installation of the user who asks
_SYSTEM = "var/lib/flatpak/repo"
# flatpak-installation(5): further installations of the computer, each under its name.
_FURTHER = "etc/flatpak/installations.d"
_HEADING = re.compile(rb'^\[Installation "([\w.-]{1,64})"\]', re.MULTILINE)


def list_flatpak(question: Question) -> dict:
    """All installations of the computer, then the user's own of every user who has one."""
    if find_tool("flatpak") is None:
        if os.path.isdir(question.path(_SYSTEM)):
            raise Unavailable("not_installed", "there are flatpaks and no flatpak command to ask")
        raise Absent("not_installed")
    packages = _list_machine(question)
    users = ask_homes(question, lambda home: _list_own(home, question))
    return Findings(packages + users.packages, users.unasked).conclude()


def _list_machine(question: Question) -> list[dict]:
    """Those of the computer. Without `--system`, flatpak would look for the caller's own and make what it misses."""
    places = ["--system"] if os.path.isdir(question.path(_SYSTEM)) else []
    places += [f"--installation={name}" for name in find_further_installations(question)]
    if not places:
        return []
    reply = ask_manager(["flatpak", "list", *places, f"--columns={_COLUMNS}"], question.deadline)
    return [package for package, owner in read_list(reply.lines) if owner != _OWN]


def find_further_installations(question: Question) -> list[str]:
    """Names of the installations that the computer has beside the usual one."""
    folder = question.path(_FURTHER)
    names: list[str] = []
    try:
        for name in list_folder(folder):
            if name.endswith(".conf"):
                content, _when = read_plain_file(os.path.join(folder, name), 65536)
                names += [found.decode("ascii", "replace") for found in _HEADING.findall(content)]
    except OSError as error:
        raise why_not_read(error) from error
    return names


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
