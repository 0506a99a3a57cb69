# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""One installed package as every source hands it on, and how text of the outside becomes one."""

from __future__ import annotations

import os
import re
import stat
import time
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Unavailable,
    clean_text,
    write_instant,
)

# More than any computer has of one source; beyond it somebody made directories by the million.
LARGEST_LIST = 200_000
_NAME_CHARACTERS, _VERSION_CHARACTERS, _PUBLISHER_CHARACTERS, _ARCHITECTURE_CHARACTERS = 200, 100, 120, 40
# What stands in brackets behind a name is an address, of mail or of a web page.
_ADDRESS = re.compile(r"\s*[<(][^<>()]*[>)]?\s*\Z")
# Archives carry made-up times (npm: 1985); a computer without a clock begins in 1970.
_EARLIEST = 631_152_000  # 1990-01-01
_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Question:
    """What every source is asked: `root` stands for `/`, `deadline` is in seconds of `time.monotonic`."""

    deadline: float
    root: str = "/"

    def path(self, *parts: str) -> str:
        """The path of a file below `root`, given as on the computer: `path("var/lib/dpkg")`."""
        return os.path.join(self.root, *(part.lstrip("/") for part in parts))


def make_package(
    name: object,
    version: object,
    *,
    publisher: object = None,
    architecture: object = None,
    installed_at: float | None = None,
    scope: str = "machine",
) -> dict | None:
    """The package with clean text, None when it has no name or no version. `installed_at`: seconds since 1970."""
    name, version = clean_text(name, _NAME_CHARACTERS), clean_text(version, _VERSION_CHARACTERS)
    if not name or not version:
        return None
    return {
        "name": name,
        "version": version,
        "publisher": name_publisher(publisher),
        "architecture": clean_text(architecture, _ARCHITECTURE_CHARACTERS) or None,
        "scope": scope,
        "installed_at": _plausible_instant(installed_at),
    }


def name_publisher(value: object) -> str | None:
    """Who publishes it, without mail and web addresses; None when nothing is left."""
    text = _ADDRESS.sub("", clean_text(value, _PUBLISHER_CHARACTERS * 2))
    return clean_text(text.strip("\"' "), _PUBLISHER_CHARACTERS) or None


def _plausible_instant(seconds: float | None) -> str | None:
    if seconds is None or not _EARLIEST <= seconds <= time.time() + _DAY_SECONDS:
        return None
    return write_instant(int(seconds))


def read_plain_file(path: str, limit: int) -> tuple[bytes, float]:
    """At most `limit` bytes of a regular file, and its modification time in seconds since 1970; raises OSError.

    A pipe or a device of that name, which could hold the reader up, is refused without waiting for it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "no regular file", path)
        return file.read(limit), status.st_mtime


def list_folder(path: str) -> list[str]:
    """The sorted names in a directory, none when there is no such directory.

    Raises Unavailable(too_large), and OSError when it cannot be read.
    """
    names = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > LARGEST_LIST:
                    raise Unavailable("too_large", clean_text(f"{path} has more than {LARGEST_LIST} entries"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(names)


def modified_at(path: str) -> float | None:
    """The modification time of the entry itself, in seconds since 1970; None when there is none."""
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return None
