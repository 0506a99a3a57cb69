# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The packages of apk, from its database: a text file that apk replaces as a whole, so no lock matters."""

from __future__ import annotations

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Unavailable,
    clean_text,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import (
    Question,
    make_package,
    read_plain_file,
)

_PLACES = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_LARGEST_BYTES = 64_000_000


def list_apk(question: Question) -> list[dict]:
    """The packages of apk's database."""
    for place in _PLACES:
        try:
            content, _when = read_plain_file(question.path(place), _LARGEST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise why_not_read(error) from error
        if len(content) > _LARGEST_BYTES:
            raise Unavailable("too_large", f"/{place} has more than {_LARGEST_BYTES} bytes")
        return read_database(content)
    raise Absent("no_database" if find_tool("apk") else "not_installed")


def read_database(content: bytes) -> list[dict]:
    """The packages of the text: records between empty lines, each line a letter, a colon and a value (apk(5)).

    Raises Unavailable(damaged) for a record without a name or a version, and for a file that ends within a record.
    """
    if content and not content.endswith(b"\n"):
        raise Unavailable("damaged", "the database of apk ends in the middle of a line")
    packages = []
    for record in content.decode("utf-8", "replace").split("\n\n"):
        fields: dict[str, str] = {}
        for line in record.split("\n"):
            if line[1:2] == ":" and line[0] in "PVAm":
                fields.setdefault(line[0], line[2:])
        if not record.strip():
            continue
        package = make_package(
            fields.get("P"), fields.get("V"), publisher=fields.get("m"), architecture=fields.get("A")
        )
        if package is None:
            raise Unavailable("damaged", f"an entry of apk's database has no name or version: {clean_text(record, 60)}")
        packages.append(package)
    return packages
