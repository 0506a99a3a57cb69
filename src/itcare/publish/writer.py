"""One client's rows into one fresh file that replaces the old one at a single instant.

The file is filled by INSERT under a temporary name in the same folder, verified, synced, renamed,
and the folder synced. A crash or a full disk at any step leaves the old snapshot as it was; the
half-written file is removed by the next publication. (A copy of the live database would carry
every client's rows, so none is ever made.)
"""

import fcntl
import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from itcare.access import SIDECAR_FILE, SIDECAR_MAXIMUM_BYTES
from itcare.core.errors import BusyError, ItcareError, UnsafeError
from itcare.publish.codec import encode_meta, encode_row, write_json
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingRow,
    HostResultRow,
    HostRow,
    Meta,
    ObligationRow,
    Row,
    RunRow,
    TaskRow,
)
from itcare.publish.schema import DDL, SNAPSHOT_FILE, SNAPSHOT_VERSION, TABLES

FOLDER_MODE = 0o750
FILE_MODE = 0o640
PART_PREFIX = ".part-"
LOCK_ATTEMPTS = 100
LOCK_PAUSE_SECONDS = 0.1

_INSERTS = {
    "meta": "INSERT INTO meta (key, value) VALUES (?, ?)",
    "host": "INSERT INTO host VALUES (?,?,?,?,?,?,?,?,?,?)",
    "run": "INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "host_result": "INSERT INTO host_result VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "task": "INSERT INTO task VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "file": "INSERT INTO file VALUES (?,?,?,?)",
    "finding": "INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "fact": "INSERT INTO fact VALUES (?,?,?,?,?,?,?,?)",
    "obligation": "INSERT INTO obligation VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
}
_COUNTS = {
    "host": "SELECT count(*) FROM host",
    "run": "SELECT count(*) FROM run",
    "host_result": "SELECT count(*) FROM host_result",
    "task": "SELECT count(*) FROM task",
    "file": "SELECT count(*) FROM file",
    "finding": "SELECT count(*) FROM finding",
    "fact": "SELECT count(*) FROM fact",
    "obligation": "SELECT count(*) FROM obligation",
}


@dataclass(frozen=True)
class SnapshotRows:
    """Everything that goes into one client's snapshot."""

    meta: Meta
    hosts: tuple[HostRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    host_results: tuple[HostResultRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    files: tuple[FileRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    facts: tuple[FactRow, ...] = ()
    obligations: tuple[ObligationRow, ...] = ()

    def of(self, table: str) -> tuple[Row, ...]:
        """The rows of one table but `meta`."""
        tables: dict[str, tuple[Row, ...]] = {
            "host": self.hosts,
            "run": self.runs,
            "host_result": self.host_results,
            "task": self.tasks,
            "file": self.files,
            "finding": self.findings,
            "fact": self.facts,
            "obligation": self.obligations,
        }
        return tables[table]


@dataclass(frozen=True)
class PublishedFile:
    """A file as it lies in the client's folder: name, lower-case hex SHA-256, size."""

    name: str
    sha256: str
    bytes: int


@contextmanager
def locked_folder(published: Path, client_id: int) -> Iterator[Path]:
    """The client's folder, made if need be, held against a second publisher, without leftovers.

    The lock goes with the process, so a crash leaves none behind. Raises BusyError when another
    publisher keeps it for longer than ten seconds, UnsafeError when the folder cannot be used.
    """
    folder = published.absolute() / str(client_id)
    with _told_as_unsafe(folder):
        _make_folder(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _lock(descriptor, folder)
        with _told_as_unsafe(folder):
            for leftover in folder.glob(f"{PART_PREFIX}*"):
                leftover.unlink()
        yield folder
    finally:
        os.close(descriptor)


def write_snapshot(folder: Path, rows: SnapshotRows) -> PublishedFile:
    """Replace the snapshot in a locked folder. Raises UnsafeError and leaves the old one when anything fails."""
    with _replacement(folder, SNAPSHOT_FILE) as part:
        _fill(part, rows)
        _verify(part, rows)
        return _describe(part, SNAPSHOT_FILE)


def write_sidecar(folder: Path, code: str, legal_name: str) -> PublishedFile:
    """Replace the small file that tells whose folder it is; UnsafeError when anything fails."""
    content = (write_json({"code": code, "legal_name": legal_name}) + "\n").encode("utf-8")
    if len(content) > SIDECAR_MAXIMUM_BYTES:
        raise UnsafeError("publish", code, "the legal name is too long", "Shorten it in the contract.")
    with _replacement(folder, SIDECAR_FILE) as part:
        part.write_bytes(content)
        return _describe(part, SIDECAR_FILE)


@contextmanager
def _replacement(folder: Path, name: str) -> Iterator[Path]:
    """An empty file to fill, which takes the place of `name` when the block ends well."""
    part = folder / f"{PART_PREFIX}{name}"
    with _told_as_unsafe(folder / name):
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


def _fill(path: Path, rows: SnapshotRows) -> None:
    with _connected(path.as_uri()) as connection:
        # Nobody reads this file yet and it is synced as a whole before the rename.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;")
        connection.executescript(DDL)
        connection.execute("BEGIN")
        connection.executemany(_INSERTS["meta"], _meta_values(rows).items())
        for table in TABLES[1:]:
            connection.executemany(_INSERTS[table], map(encode_row, rows.of(table)))
        connection.execute("COMMIT")


def _verify(path: Path, rows: SnapshotRows) -> None:
    """Read the closed file as a reader will; UnsafeError unless it holds these rows and nothing else."""
    with _connected(path.as_uri() + "?mode=ro&immutable=1") as connection:
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        things = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type <> 'index'")}
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        found = {table: connection.execute(_COUNTS[table]).fetchone()[0] for table in TABLES[1:]}
    expected = {table: len(rows.of(table)) for table in TABLES[1:]}
    sound = verdict == [("ok",)] and not orphans and things == set(TABLES)
    if not sound or meta != _meta_values(rows) or found != expected:
        raise UnsafeError(
            "publish", rows.meta.client, f"the new file does not verify ({str(verdict)[:200]}, {found})",
            "The old snapshot stays. Check the disk, then publish again.",
        )  # fmt: skip


def _meta_values(rows: SnapshotRows) -> dict[str, str]:
    return {"snapshot_version": str(SNAPSHOT_VERSION), **encode_meta(rows.meta)}


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _describe(path: Path, name: str) -> PublishedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PublishedFile(name, digest, path.stat().st_size)


@contextmanager
def _told_as_unsafe(path: Path) -> Iterator[None]:
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
