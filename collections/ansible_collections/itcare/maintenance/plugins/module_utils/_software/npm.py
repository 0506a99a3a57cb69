# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Node programs that `npm install --global` installed, read from their package.json.

npm is not run: it reads settings and starts scripts that a user can choose.
"""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Unavailable,
    as_mapping,
    read_json,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import (
    Question,
    list_folder,
    make_package,
    modified_at,
    read_plain_file,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._software.users import Findings, Home, ask_homes

_MODULES = "lib/node_modules"
_MACHINE_PREFIXES = ("usr", "usr/local")
_USER_PREFIXES = (".npm-global", ".npm-packages", ".local", "n")
# Managers of Node versions: one prefix per version below these.
_VERSIONED = ((".nvm/versions/node", ""), (".local/share/fnm/node-versions", "installation"))
_LARGEST_BYTES = 1_000_000


def list_npm_global(question: Question) -> dict:
    """The programs of the computer and of every user."""
    packages: list[dict] = []
    unasked = []
    try:
        for prefix in _MACHINE_PREFIXES:
            packages += scan_modules(question.path(prefix, _MODULES))
    except OSError as error:
        unasked.append({"scope": "machine", "reason": "no_permission", "detail": error.strerror})
    users = ask_homes(question, scan_npm)
    return Findings(packages + users.packages, unasked + users.unasked).conclude()


def scan_npm(home: Home) -> list[dict]:
    """The programs below every prefix that one user has."""
    prefixes = [os.path.join(home.path, prefix) for prefix in _USER_PREFIXES]
    for folder, inner in _VERSIONED:
        versions = os.path.join(home.path, folder)
        prefixes += [os.path.join(versions, version, inner) for version in list_folder(versions)]
    chosen = _read_chosen_prefix(home)
    if chosen is not None and chosen not in prefixes:
        prefixes.append(chosen)
    return [package for prefix in prefixes for package in scan_modules(os.path.join(prefix, _MODULES))]


def _read_chosen_prefix(home: Home) -> str | None:
    """The prefix of the user's npmrc, where it is inside the home: the computer's own are looked at anyway."""
    try:
        content, _when = read_plain_file(os.path.join(home.path, ".npmrc"), 65536)
    except OSError:
        return None
    for line in content.decode("utf-8", "replace").splitlines():
        key, equals, value = line.partition("=")
        if key.strip() == "prefix" and equals and "\0" not in value:
            value = value.strip().strip("\"'")
            for variable in ("${HOME}", "~"):
                if value.startswith(variable + "/"):
                    value = home.path + value[len(variable) :]
            path = os.path.normpath(value)
            return path if path.startswith(home.path + "/") else None
    return None


def scan_modules(folder: str) -> list[dict]:
    """The packages in a node_modules directory, those of a scope (`@scope/name`) included."""
    names = []
    for name in list_folder(folder):
        if name.startswith("@"):
            names += [os.path.join(name, inner) for inner in list_folder(os.path.join(folder, name))]
        elif not name.startswith("."):
            names.append(name)
    packages = [_read_package(os.path.join(folder, name)) for name in names]
    return [package for package in packages if package is not None]


def _read_package(folder: str) -> dict | None:
    try:
        content, _when = read_plain_file(os.path.join(folder, "package.json"), _LARGEST_BYTES)
        fields = as_mapping(read_json(content, "package.json"))
    except (OSError, Unavailable):
        return None  # no package, or one whose installation was broken off
    author = fields.get("author")
    return make_package(
        fields.get("name"),
        fields.get("version"),
        publisher=author.get("name") if isinstance(author, dict) else author,
        installed_at=modified_at(folder),
    )
