# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace known secrets in text before it is recorded: for the task that forgot its no_log.

Private to the collection itcare.maintenance.
"""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import SpoolError

MARK = "<redacted>"
# A shorter value would strike ordinary words, and a reader could not tell why.
SHORTEST_CHARACTERS = 8
LARGEST_FILE_BYTES = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Redaction:
    """The values to replace; without any, every text stays as it is."""

    def __init__(self, values: t.Iterable[str] = ()) -> None:
        # the longest first: a value that holds another one is replaced whole
        self._values = sorted(set(values), key=lambda value: (-len(value), value))
        self._escaped = [json.dumps(value)[1:-1] for value in self._values]
        self._longest = max(map(len, self._values), default=0)

    def apply(self, text: str) -> str:
        """The text with `<redacted>` in place of every known value."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MARK)
        return text

    def head(self, text: str, characters: int) -> str:
        """The first characters of the redacted text, without a walk over the whole of a huge one."""
        # Each mark of the head stands for at most the longest value. One more of them, and no value
        # that begins inside the head is cut into a part that would not be known.
        enough = characters * (self._longest // len(MARK) + 1) + self._longest
        return self.apply(text[:enough])[:characters]

    def is_in_json(self, text: str) -> bool:
        """Whether a known value stands in this ASCII JSON text."""
        return any(value in text for value in self._escaped)


NOTHING = Redaction()


def read_redaction(path: str | None) -> Redaction:
    """The values in a private file, one a line; none when no file is named.

    Raises SpoolError for a file that is missing, a link, too large, no UTF-8, another user's or
    open to others, and for a value that is too short: what was to be kept out must not get in by a slip.
    """
    if not path:
        return NOTHING
    try:
        descriptor = os.open(path, _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            _require_private(os.fstat(descriptor))
            content = file.read(LARGEST_FILE_BYTES + 1)
        if len(content) > LARGEST_FILE_BYTES:
            raise SpoolError(f"the file of ITCARE_SECRETS has more than {LARGEST_FILE_BYTES} bytes")
        lines = content.decode("utf-8").split("\n")
    except OSError as error:
        raise SpoolError(f"the file of ITCARE_SECRETS cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpoolError("the file of ITCARE_SECRETS is not UTF-8") from error
    values = [line.rstrip("\r") for line in lines if line.strip()]
    if any(len(value) < SHORTEST_CHARACTERS for value in values):
        raise SpoolError(f"a value in the file of ITCARE_SECRETS has fewer than {SHORTEST_CHARACTERS} characters")
    return Redaction(values)


def _require_private(status: os.stat_result) -> None:
    is_private = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
    if not is_private:
        raise SpoolError("the file of ITCARE_SECRETS must be a regular file, yours and closed to others (mode 0600)")
