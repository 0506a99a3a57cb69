# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""How a source answers, and how text and numbers of the outside world are made safe to hand on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone

# Beyond this, JSON readers written in other languages lose digits (RFC 8259, section 6).
LARGEST_COUNT = 2**53 - 1


@dataclass(frozen=True)
class Request:
    """What the caller asks of every source.

    `root` is the directory that stands for `/` (tests put a made-up tree there), `now` seconds since 1970,
    `since` the start of the journal window in seconds since 1970, `deadline` seconds of `time.monotonic`.
    """

    deadline: float
    now: float
    since: float
    services: tuple[str, ...] = ()
    root: str = "/"

    def path(self, *parts: str) -> str:
        """The path of a file below `root`, given as on the computer: `path("proc", "uptime")`."""
        return os.path.join(self.root, *parts)


class Absent(Exception):
    """The thing is not on this computer, so there is nothing to say about it."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Unavailable(Exception):
    """The thing could not be asked; `reason` is one short word, `detail` one line for a technician."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Told:
    """Data with a remark: the answer is complete as data, and a technician should still read `detail`."""

    data: object
    detail: str


def clean_text(value: object, limit: int = 200) -> str:
    """One printable line of at most `limit` characters; control, format and undecodable characters are marked."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    text = " ".join(value[: limit * 4].split())[:limit]
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def as_count(value: object) -> int | None:
    """The value when it is a plain, non-negative integer of at most 2**53 - 1, else None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= LARGEST_COUNT else None


def as_mapping(value: object) -> dict:
    """The value when it is a JSON object, else an empty one, so that a lookup in it finds nothing."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list:
    """The value when it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def read_json(text: str | bytes, origin: str) -> object:
    """The parsed document; raises Unavailable("unreadable") for anything that is no strict JSON."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unavailable("unreadable", f"{origin} gave no valid JSON: {clean_text(str(error), 120)}") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def read_file(path: str, limit: int = 1_000_000) -> bytes:
    """At most `limit` bytes of the file; raises OSError."""
    with open(path, "rb") as file:
        return file.read(limit)


def read_first_line(path: str) -> str | None:
    """The first line of a small file, cleaned; None when the file cannot be read."""
    try:
        lines = read_file(path, 4096).splitlines()
    except OSError:
        return None
    return clean_text(lines[0]) if lines else ""


def why_not_read(error: OSError) -> Unavailable:
    """The answer for a file of the system that could not be read."""
    reason = "no_permission" if isinstance(error, PermissionError) else "failed"
    return Unavailable(reason, clean_text(f"{error.filename}: {error.strerror}"))


def write_instant(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC with microseconds and `Z`."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 instant with an offset; ValueError for anything else.

    Python 3.9 and 3.10 do not read the suffix `Z`, so it is spelt out for them.
    """
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset or Z")
    return instant.timestamp()
