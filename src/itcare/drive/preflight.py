"""What must be right on the controller before a run may start; each failure names its remedy."""

import os
import shutil
import stat
from pathlib import Path

from itcare.core.errors import UnsafeError

MINIMUM_FREE_BYTES = 100 * 1024 * 1024
"""Free space below which no run starts: a full disk hangs the playbook instead of failing it."""

INVENTORY_LIMIT_BYTES = 4 * 1024 * 1024


def check_private_folder(folder: Path) -> None:
    """Raises UnsafeError unless a folder is ours, no link, and closed to others."""
    try:
        status = folder.lstat()
    except OSError as error:
        raise UnsafeError("use", str(folder), error.strerror or "it cannot be read", "Run itcare init.") from error
    if not stat.S_ISDIR(status.st_mode):
        raise UnsafeError("use", str(folder), "it is a link or no folder", "Put a real folder there.")
    if status.st_uid != os.geteuid():
        raise UnsafeError("use", str(folder), "it belongs to another user", "Run itcare as its owner.")
    if status.st_mode & 0o077:
        raise UnsafeError(
            "use", str(folder), f"its mode is {stat.S_IMODE(status.st_mode):04o}", f"Close it: chmod 700 {folder}"
        )


def check_not_written_by_others(folder: Path) -> None:
    """Raises UnsafeError when somebody but the owner may put other code under our feet."""
    status = folder.stat()
    if status.st_uid not in (0, os.geteuid()) or (status.st_mode & 0o002 and not status.st_mode & stat.S_ISVTX):
        raise UnsafeError("use", str(folder), "others may write there", "Make it writable by its owner only.")


def check_free_space(folder: Path, minimum: int | None = None) -> None:
    """Raises UnsafeError when less than `minimum` bytes (default: MINIMUM_FREE_BYTES) are free in a folder."""
    minimum = MINIMUM_FREE_BYTES if minimum is None else minimum
    free = shutil.disk_usage(folder).free
    if free < minimum:
        raise UnsafeError(
            "start a run in", str(folder), f"{free} bytes are free and {minimum} are needed", "Free some space first."
        )


def check_inventory(text: str) -> None:
    """Raises UnsafeError for an inventory beyond the size any client of ours can have."""
    size = len(text.encode())
    if size > INVENTORY_LIMIT_BYTES:
        raise UnsafeError(
            "write the inventory", f"{size} bytes", f"more than {INVENTORY_LIMIT_BYTES}", "Split the client's contract."
        )
