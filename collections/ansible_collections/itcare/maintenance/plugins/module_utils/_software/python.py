# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Python programs and libraries outside of the system's packages, read from their own metadata.

Neither pip nor pipx is run: each would start code that a user can replace.
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

_LARGEST_METADATA_BYTES = 65536  # the header; a description follows it and may be long
_LARGEST_PIPX_BYTES = 1_000_000
_MACHINE_PIPX = ("opt/pipx/venvs",)
_USER_PIPX = (".local/share/pipx/venvs", ".local/pipx/venvs")


def list_pip_user(question: Question) -> dict:
    """What `pip install --user` installed, for every user."""
    return ask_homes(question, scan_pip_user).conclude()


def scan_pip_user(home: Home) -> list[dict]:
    """The distributions below `.local/lib` of one home."""
    library = os.path.join(home.path, ".local/lib")
    packages = []
    for version in list_folder(library):
        folder = os.path.join(library, version, "site-packages")
        if version.startswith("python"):
            packages += [_read_distribution(folder, name) for name in list_folder(folder)]
    return [package for package in packages if package is not None]


def _read_distribution(folder: str, name: str) -> dict | None:
    """The distribution that an entry of site-packages describes; None when it describes none."""
    path = os.path.join(folder, name)
    if name.endswith(".dist-info"):
        files = (os.path.join(path, "METADATA"),)
    elif name.endswith(".egg-info"):
        files = (os.path.join(path, "PKG-INFO"), path)
    else:
        return None
    for file in files:
        try:
            content, seconds = read_plain_file(file, _LARGEST_METADATA_BYTES)
        except OSError:
            continue  # what is half removed has a directory and no metadata
        fields = read_metadata(content)
        return make_package(
            fields.get("name"),
            fields.get("version"),
            publisher=_find_author(fields),
            # Installers that link files from a cache write RECORD anew.
            installed_at=modified_at(os.path.join(path, "RECORD")) or seconds,
        )
    return None


def read_metadata(content: bytes) -> dict[str, str]:
    """The header of core metadata, names in lower case; of a field that comes twice the first counts."""
    fields: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _find_author(fields: dict[str, str]) -> str | None:
    for name in ("author", "maintainer"):
        if fields.get(name) and fields[name] != "UNKNOWN":
            return fields[name]
    # "Name <name@example.org>, Other <...>": the name of the first; a bare address is none.
    for name in ("author-email", "maintainer-email"):
        who, bracket, _address = fields.get(name, "").partition("<")
        if bracket and who.strip():
            return who
    return None


def list_pipx(question: Question) -> dict:
    """The programs of pipx, of the computer and of every user."""
    packages: list[dict] = []
    unasked = []
    try:
        for place in _MACHINE_PIPX:
            packages += scan_environments(question.path(place))
    except OSError as error:
        unasked.append({"scope": "machine", "reason": "no_permission", "detail": error.strerror})
    users = ask_homes(question, scan_pipx)
    return Findings(packages + users.packages, unasked + users.unasked).conclude()


def scan_pipx(home: Home) -> list[dict]:
    """The programs of pipx in one home."""
    return [package for place in _USER_PIPX for package in scan_environments(os.path.join(home.path, place))]


def scan_environments(folder: str) -> list[dict]:
    """The main and the injected packages of each environment of pipx in a directory."""
    packages = []
    for name in list_folder(folder):
        try:
            content, seconds = read_plain_file(os.path.join(folder, name, "pipx_metadata.json"), _LARGEST_PIPX_BYTES)
            packages += read_pipx_metadata(content, seconds)
        except (OSError, Unavailable):
            continue  # an environment whose installation was broken off
    return packages


def read_pipx_metadata(content: bytes, seconds: float) -> list[dict]:
    """The packages that pipx notes for an environment; raises Unavailable for what is no JSON."""
    metadata = as_mapping(read_json(content, "pipx"))
    notes = [metadata.get("main_package"), *as_mapping(metadata.get("injected_packages")).values()]
    packages = [
        make_package(note.get("package"), note.get("package_version"), installed_at=seconds)
        for note in map(as_mapping, notes)
    ]
    return [package for package in packages if package is not None]
