"""Tells whether anybody opened a file or folder, by inotify(7)."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_IN_OPEN = 0x20  # linux/inotify.h
_EVENT = struct.Struct("iIII")
_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class OpenWatch:
    """`paths`: watch number -> path; a watched folder also tells of the entries in it."""

    descriptor: int
    paths: dict[int, Path]

    def read_opened(self) -> list[str]:
        """What was opened since the last call, in order."""
        opened = []
        try:
            events = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return []
        place = 0
        while place < len(events):
            number, _mask, _cookie, length = _EVENT.unpack_from(events, place)
            place += _EVENT.size
            opened.append(str(self.paths[number] / os.fsdecode(events[place : place + length].rstrip(b"\0"))))
            place += length
        return opened


@contextmanager
def watch_opening(*paths: Path) -> Iterator[OpenWatch]:
    """Watch files and folders; raises OSError when one cannot be watched."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    try:
        numbers: dict[int, Path] = {}
        for path in paths:
            number = library.inotify_add_watch(descriptor, os.fsencode(path), ctypes.c_uint32(_IN_OPEN))
            if number < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", str(path))
            numbers[number] = path
        yield OpenWatch(descriptor, numbers)
    finally:
        os.close(descriptor)
