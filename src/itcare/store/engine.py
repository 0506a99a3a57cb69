"""Opening the database and the two kinds of transaction on it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from itcare.core.errors import BusyError, ItcareError, NotFoundError, UnsafeError
from itcare.store import dialect
from itcare.store.tables import REVISION

BUSY_SECONDS = 10.0
"""How long a writer waits for another one before it gives up."""


def open_engine(database: Path, *, busy_seconds: float = BUSY_SECONDS, older: bool = False) -> Engine:
    """Open an existing database of this version, with `older` also one that is still to be upgraded.

    Raises NotFoundError when there is none, UnsafeError when others may read it, when it cannot
    be read or was written by another version.
    """
    _require_private_file(database)
    engine = dialect.create_engine_for(database, busy_seconds=busy_seconds, create=False)
    try:
        _require_version(read_revision(engine), database, older=older)
    except ItcareError:
        engine.dispose()
        raise
    return engine


def read_revision(engine: Engine) -> str | None:
    """The newest migration that the database has seen; None for one that has seen none. Raises UnsafeError."""
    with read(engine) as connection:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if revision is None else str(revision)


def is_older(revision: str | None) -> bool:
    """Whether `itcare upgrade` leads from this revision to the one of this program; they are numbered."""
    return revision is not None and revision.isdecimal() and int(revision) < int(REVISION)


def _require_version(revision: str | None, database: Path, *, older: bool) -> None:
    if revision == REVISION or (older and is_older(revision)):
        return
    raise UnsafeError(
        "open database", str(database), f"its version is {revision}, this program knows {REVISION}",
        "Run `itcare upgrade` once; it makes a backup first." if is_older(revision)
        else "Use the version of the program that wrote it, or a newer one.",
    )  # fmt: skip


def _require_private_file(database: Path) -> None:
    try:
        status = database.stat()
    except FileNotFoundError:
        raise NotFoundError("open database", str(database), "there is none", "Run `itcare init` first.") from None
    except OSError as error:
        raise UnsafeError("open database", str(database), str(error.strerror), "Check the state directory.") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeError("open database", str(database), "it is not a regular file", "Check the state directory.")
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise UnsafeError(
            "open database", str(database), "other users of this computer may read or own it",
            "Run as its owner; set its mode to 0600.",
        )  # fmt: skip


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds the write lock from its first statement; committed at the end.

    Raises BusyError when the lock was not to be had in time; nothing was done then.
    """
    with engine.connect().execution_options(**{dialect.WRITE_OPTION: True}) as connection:
        try:
            transaction = connection.begin()
        except DBAPIError as error:
            if dialect.is_busy(error):
                raise _busy(_file_of(engine)) from error
            raise
        with transaction:
            yield connection
    dialect.checkpoint_alone(engine)


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A transaction for reading: one unchanging view of the database.

    Raises UnsafeError when the file cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        if type(error) not in (OperationalError, DatabaseError):
            raise  # not the file: a statement of ours is wrong
        if dialect.is_busy(error):
            raise _busy(_file_of(engine)) from error
        raise UnsafeError(
            "read database", _file_of(engine), f"it cannot be read ({error.orig})",
            "Keep the file for examination and restore the last backup.",
        ) from error  # fmt: skip


def _file_of(engine: Engine) -> str:
    return str(engine.url.database).removeprefix("file:")


def _busy(database: str) -> BusyError:
    return BusyError(
        "write to", database, "another process held the database for the whole wait",
        "Wait for the other command to end, then try again.",
    )  # fmt: skip
