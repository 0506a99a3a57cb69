# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The packages of dpkg. `dpkg-query` takes no lock, so a running installation does not hold it up."""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Absent, Told, Unavailable
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._software.manager import ask_manager, unreadable
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import (
    Question,
    list_folder,
    make_package,
    modified_at,
)

_FORMAT = "${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${Maintainer}\\n"
_FIELDS = 5
# dpkg(1): of a package in one of these states nothing is there, or nothing but its configuration.
_GONE = frozenset(("not-installed", "config-files"))
_ADMIN, _SUFFIX = "var/lib/dpkg", ".list"


def list_dpkg(question: Question) -> object:
    """The packages that are on the computer, also those in the middle of an installation."""
    admin = question.path(_ADMIN)
    if find_tool("dpkg-query") is None:
        if os.path.exists(os.path.join(admin, "status")):
            raise Unavailable("not_installed", "there is a database of dpkg and no dpkg-query to ask it")
        raise Absent("not_installed")
    reply = ask_manager(["dpkg-query", f"--admindir={admin}", "-W", f"-f={_FORMAT}"], question.deadline)
    unpacked = find_unpack_times(admin)
    packages, known = read_list(reply.lines, unpacked)
    orphans = len(unpacked.keys() - known)
    if not known:
        if unpacked:
            raise Unavailable("damaged", f"dpkg knows no package, and has file lists of {orphans}")
        raise Absent("no_database", "dpkg is installed and manages nothing")
    if orphans:
        return Told(packages, f"dpkg has file lists of {orphans} packages that its database does not know")
    return Told(packages, reply.remark) if reply.remark else packages


def find_unpack_times(admin: str) -> dict[str, float]:
    """Package, or package:architecture, -> when its file list was written: at each installation and upgrade."""
    folder = os.path.join(admin, "info")
    try:
        names = [name for name in list_folder(folder) if name.endswith(_SUFFIX)]
    except OSError:
        return {}
    times = {name[: -len(_SUFFIX)]: modified_at(os.path.join(folder, name)) for name in names}
    return {name: seconds for name, seconds in times.items() if seconds is not None}


def read_list(lines: list[str], unpacked: dict[str, float]) -> tuple[list[dict], set[str]]:
    """The packages, and the names in `unpacked` that belong to any entry; raises Unavailable(unreadable)."""
    packages, known = [], set()
    for number, line in enumerate(lines, 1):
        fields = line.split("\t", _FIELDS - 1)
        if len(fields) != _FIELDS:
            raise unreadable("dpkg-query", number)
        status, name, version, architecture, maintainer = fields
        names = (f"{name}:{architecture}", name)
        known.update(names)
        if status in _GONE:
            continue
        times = [unpacked[key] for key in names if key in unpacked]
        package = make_package(
            name,
            version,
            publisher=maintainer,
            architecture=architecture,
            installed_at=times[0] if times else None,
        )
        if package is None:
            # The first entry of an installation that was broken off has no version yet.
            if status in ("half-installed", "unpacked") and name:
                continue
            raise unreadable("dpkg-query", number)
        packages.append(package)
    return packages, known
