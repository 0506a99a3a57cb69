# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one spool file of a run: opened once, written line by line, never again after a fault.

Private to the collection itcare.maintenance. Format: docs/spool-v1.md of the itcare project.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import time
import typing as t
from datetime import datetime, timezone

OWN_FOLDER = "itcare-spool"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


class SpoolError(Exception):
    """The spool cannot be opened or written; the run has to end."""


class SpoolWriter:
    """Writes numbered lines to an open descriptor.

    A line is one os.write, so a reader sees it whole or not at all unless the disk fills up in
    the middle. After any fault, an interruption included, nothing more is written: half a line
    therefore stays the last one and is never glued to the next.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self.path = path
        self.lines = 0
        self._descriptor = descriptor
        self._is_broken = False

    def write(self, event: str, fields: dict[str, t.Any], encoded: str = "") -> float:
        """Write one line and return its monotonic seconds.

        `encoded`: further members of the object that are JSON text already, such as `"a":1`.
        Raises SpoolError when an earlier line failed, OSError and ValueError as they come.
        """
        if self._is_broken:
            raise SpoolError("an earlier line of the spool was not written")
        self._is_broken = True
        moment, seconds = datetime.now(timezone.utc), round(time.monotonic(), 6)
        line = {"n": self.lines, "event": event, "at": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}", "mono": seconds, **fields}
        text = _encode(line)
        if encoded:
            text = f"{text[:-1]},{encoded}}}"
        rest = f"{text}\n".encode("ascii")
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self.lines += 1
        self._is_broken = False
        return seconds

    def close(self) -> None:
        """Bring the lines to the disk and close; raises OSError when the disk refuses."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._is_broken = True


def encode(value: object) -> str:
    """JSON in the one form of the spool: ASCII, no spaces, no NaN."""
    return _encode(value)


def open_spool(spool: str | None, artifacts: str | None) -> tuple[SpoolWriter, bool]:
    """Create the spool file, which must not exist, and tell whether it is in our own folder.

    `spool`: the path wanted (ITCARE_SPOOL). `artifacts`: folder of the runner's job
    (AWX_ISOLATED_DATA_DIR), used when no path is given. Without both, a new file in
    ./itcare-spool. Raises SpoolError.
    """
    try:
        if spool or artifacts:
            path = os.path.abspath(spool or os.path.join(artifacts or "", "spool.jsonl"))
            return SpoolWriter(os.open(path, _FLAGS, 0o600), path), False
        return _open_own(), True
    except OSError as error:
        place = spool or artifacts or OWN_FOLDER
        raise SpoolError(f"cannot create the spool in {place!r}: {error.strerror}") from error


def _open_own() -> SpoolWriter:
    with contextlib.suppress(FileExistsError):
        os.mkdir(OWN_FOLDER, 0o700)
    folder = os.open(OWN_FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(folder)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise SpoolError(f"the folder {OWN_FOLDER!r} must be yours and closed to others (mode 0700)")
        name = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.jsonl"
        descriptor = os.open(name, _FLAGS, 0o600, dir_fd=folder)
        return SpoolWriter(descriptor, os.path.abspath(os.path.join(OWN_FOLDER, name)))
    finally:
        os.close(folder)
