"""Files for readers: each replaced at a single instant, in a folder that one publisher holds.

A file is filled under a temporary name in the same folder, synced, renamed, and the folder synced. A
crash or a full disk at any step leaves the old file as it was; the half-written one is removed by
the next publication.
"""

import fcntl
import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from itcare.core.errors import BusyError, ItcareError, UnsafeError

FOLDER_MODE = 0o750
FILE_MODE = 0o640
PART_PREFIX = ".part-"
LOCK_ATTEMPTS = 100
LOCK_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class PublishedFile:
    """A file as it lies in the client's folder: name, lower-case hex SHA-256, size."""

    name: str
    sha256: str
    bytes: int


def describe_files(files: Iterable[PublishedFile]) -> list[dict[str, object]]:
    """Files as a ledger entry names them."""
    return [{"name": file.name, "sha256": file.sha256, "bytes": file.bytes} for file in files]


@contextmanager
def locked_folder(published: Path, client_id: int) -> Iterator[Path]:
    """The client's folder, made if need be, held against a second publisher, without leftovers.

    The lock goes with the process, so a crash leaves none behind. Raises BusyError when another
    publisher keeps it for longer than ten seconds, UnsafeError when the folder cannot be used.
    """
    folder = published.absolute() / str(client_id)
    with told_as_unsafe(folder):
        _make_folder(folder)
    with _held(folder, os.O_NOFOLLOW):
        yield folder


@contextmanager
def locked_root(published: Path) -> Iterator[Path]:
    """The folder of all published data, held for its own file as `locked_folder` holds a client's."""
    root = published.absolute()
    with _held(root, 0):  # a link in its place is the administrator's choice
        yield root


@contextmanager
def _held(folder: Path, flags: int) -> Iterator[None]:
    with told_as_unsafe(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | flags)
    try:
        _lock(descriptor, folder)
        with told_as_unsafe(folder):
            for leftover in folder.glob(f"{PART_PREFIX}*"):
                leftover.unlink()
        yield
    finally:
        os.close(descriptor)


@contextmanager
def replacement(folder: Path, name: str) -> Iterator[Path]:
    """An empty file to fill, which takes the place of `name` when the block ends well."""
    part = folder / f"{PART_PREFIX}{name}"
    with told_as_unsafe(folder / name):
        try:
            os.close(_create(part))
            yield part
            _sync(part, os.O_RDWR)
            part.replace(folder / name)
            _sync(folder, os.O_RDONLY | os.O_DIRECTORY)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def _create(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)  # whatever the umask is
    return descriptor


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> None:
    if folder.is_symlink():
        raise OSError("the client's folder is a symbolic link")
    for path in (folder.parent, folder):
        if not path.is_dir():
            path.mkdir(mode=FOLDER_MODE, parents=True)
            # A link in the place of `published` itself is the administrator's choice.
            _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    # The set-group-id bit is kept: with it every snapshot belongs to the portal's group.
    folder.chmod(FOLDER_MODE | (folder.stat().st_mode & stat.S_ISGID))


def _lock(descriptor: int, folder: Path) -> None:
    for _ in range(LOCK_ATTEMPTS):
        with suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(LOCK_PAUSE_SECONDS)
    raise BusyError("publish into", str(folder), "another process publishes there", "Wait for it, then publish again.")


@contextmanager
def connected(uri: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def describe_file(path: Path, name: str) -> PublishedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PublishedFile(name, digest, path.stat().st_size)


@contextmanager
def told_as_unsafe(path: Path) -> Iterator[None]:
    try:
        yield
    except ItcareError:
        raise
    except (OSError, sqlite3.Error, ValueError) as error:
        raise UnsafeError(
            "publish",
            str(path),
            str(error),
            "Readers see no half-written file. Mend the cause (disk, permissions), publish again.",
        ) from error
