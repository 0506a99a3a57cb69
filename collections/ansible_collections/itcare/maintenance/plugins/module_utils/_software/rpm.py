# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The packages of rpm. An rpm that is only a tool on another distribution has no database, and gets none made."""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Absent, Unavailable
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._software.manager import ask_manager, unreadable
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import Question, make_package

_FORMAT = "%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{INSTALLTIME}\\t%{VENDOR}\\n"
_FIELDS = 5
# Where rpm keeps its database: old and new place, and the file of each of its three formats.
_PLACES = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_DATABASES = ("rpmdb.sqlite", "Packages.db", "Packages")
_NONE = "(none)"
_KEYS = "gpg-pubkey"  # a signature key that rpm files among the packages


def list_rpm(question: Question) -> list[dict]:
    """The packages of rpm's database."""
    database = find_database(question)
    if database is None:
        raise Absent("no_database" if find_tool("rpm") else "not_installed")
    if os.path.getsize(database) == 0:
        raise Unavailable("damaged", f"{database} is empty")
    place = os.path.dirname(database)
    if find_tool("rpm") is None:
        raise Unavailable("not_installed", "there is a database of rpm and no rpm to ask it")
    # The database is given by name: rpm would make an empty one where it expects one and finds none.
    argv = ["rpm", "--dbpath", place, "-qa", "--queryformat", _FORMAT]
    return read_list(ask_manager(argv, question.deadline).lines)


def find_database(question: Question) -> str | None:
    """The file of rpm's database."""
    files = (question.path(place, name) for place in _PLACES for name in _DATABASES)
    return next((file for file in files if os.path.exists(file)), None)


def read_list(lines: list[str]) -> list[dict]:
    """The packages; raises Unavailable(unreadable)."""
    packages = []
    for number, line in enumerate(lines, 1):
        fields = line.split("\t", _FIELDS - 1)
        if len(fields) != _FIELDS:
            raise unreadable("rpm", number)
        name, version, architecture, installed, vendor = (None if field == _NONE else field for field in fields)
        if name == _KEYS:
            continue
        package = make_package(
            name, version, publisher=vendor, architecture=architecture, installed_at=_read_seconds(installed)
        )
        if package is None:
            raise unreadable("rpm", number)
        packages.append(package)
    return packages


def _read_seconds(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) <= 11
    return int(text) if is_number else None
