"""Folders in memory, for tests that copy a state hundreds of times."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHARED = Path("/dev/shm")


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A new folder on the memory file system, or where temporary files lie when there is none.

    Every system call is the same there; only a real synchronisation, which no test measures, costs nothing.
    """
    with tempfile.TemporaryDirectory(dir=_SHARED if _SHARED.is_dir() else None) as name:
        yield Path(name)
