# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Open directories so that nothing outside the given place is ever opened, and make paths fit for a report."""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import Look, look_at_descriptor

SHOWN_CHARACTERS = 300


class Swapped(Exception):
    """What was opened is not what was looked at: somebody moved or replaced it in between."""


def directory_flags() -> int:
    """How every directory is opened: never through a symbolic link."""
    return os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_same_entry(looked: Look, opened: Look) -> bool:
    """Whether both are one directory on one mount; a mount that was not told (0) is compared by device only."""
    if looked.identity != opened.identity:
        return False
    return not looked.mount or looked.mount == opened.mount


def crosses_mount(look: Look, base: Look) -> bool:
    """Whether the entry is on another mount than `base`: another device, or a bind mount of the same one."""
    if (look.major, look.minor) != (base.major, base.minor) or look.is_mount_root:
        return True
    return bool(look.mount) and look.mount != base.mount


def open_entry(directory: int, name: bytes, looked: Look) -> tuple[int, Look]:
    """The subdirectory `name` and a fresh look at it; raises OSError, or Swapped when it is another one by now."""
    descriptor = os.open(name, directory_flags(), dir_fd=directory)
    try:
        opened = look_at_descriptor(descriptor)
        if not is_same_entry(looked, opened):
            raise Swapped(name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, opened


def open_path(path: str) -> int:
    """An absolute path of the system's own, opened step by step from `/`; raises OSError.

    Symbolic links in it are resolved once (/var/tmp may be one); a link put in its way afterwards is an error.
    """
    return open_below(os.open("/", directory_flags()), os.fsencode(os.path.realpath(path)).split(b"/"))


def open_below(descriptor: int, names: list[bytes]) -> int:
    """Go down from an open directory, which is closed, name by name without following links; raises OSError."""
    for name in filter(None, names):
        try:
            below = os.open(name, directory_flags(), dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def show_path(path: bytes) -> str:
    """One printable line; bytes that are no UTF-8 and control characters are escaped, a long path loses its front."""
    text = path.decode("utf-8", "backslashreplace")
    text = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
    return text if len(text) <= SHOWN_CHARACTERS else "…" + text[1 - SHOWN_CHARACTERS :]
