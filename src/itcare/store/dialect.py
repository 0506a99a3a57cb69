"""Everything that is particular to SQLite; a second database is added here and nowhere else.

Sources: sqlite.org (WAL, STRICT tables, pragma and file-format pages).
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, BigInteger, Connection, Engine, Integer, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

TABLE_OPTIONS: dict[str, Any] = {"sqlite_strict": True}
"""Keyword arguments for every Table: SQLite otherwise stores any type in any column."""

WHOLE_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit integer; STRICT tables know it only as INTEGER."""

WRITE_OPTION = "itcare_write"
"""Execution option that makes a connection take the write lock when its transaction begins."""

CHECKPOINT_BYTES = 4 * 1024 * 1024
"""Size of the write-ahead log from which it is brought into the database; SQLite's own default is about as much."""

_LOG_OPTION = "itcare_write_ahead_log"  # execution option of an engine: path of that file

_GUARDS = (
    """CREATE TRIGGER leaf_refuses_update BEFORE UPDATE ON leaf
       BEGIN SELECT RAISE(ABORT, 'a leaf is never changed'); END""",
    """CREATE TRIGGER leaf_refuses_delete BEFORE DELETE ON leaf
       BEGIN SELECT RAISE(ABORT, 'a leaf is never deleted'); END""",
    # Without this one, INSERT OR REPLACE would delete a leaf without firing the trigger above.
    """CREATE TRIGGER leaf_keeps_order BEFORE INSERT ON leaf
       WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM leaf WHERE log_id = NEW.log_id)
       BEGIN SELECT RAISE(ABORT, 'a leaf is only added at the end of its log'); END""",
)


def create_engine_for(database: Path, *, busy_seconds: float, create: bool) -> Engine:
    """An engine on the SQLite file `database`; a missing file is an error unless `create`.

    A writer waits at most `busy_seconds` for another writer.
    """
    url = URL.create(
        "sqlite",
        database=f"file:{_percent_encode(database.absolute())}",
        query={"mode": "rwc" if create else "rw", "uri": "true"},
    )
    log = database.with_name(f"{database.name}-wal")
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, execution_options={_LOG_OPTION: log})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _percent_encode(path: Path) -> str:
    return "".join(f"%{ord(c):02x}" if c in "%?#" else c for c in str(path))


def _prepare_connection(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    for pragma in (
        "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON",
        "wal_autocheckpoint = 0", "journal_size_limit = 0",  # see `checkpoint_alone`
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def checkpoint_alone(engine: Engine) -> None:
    """Bring a long write-ahead log into the database file while no other process can write.

    SQLite before 3.51.3 may damage the file when one connection checkpoints while another starts the log anew
    (sqlite.org/wal.html, the reset bug). Its own checkpoints come right after a commit, when the next writer may be at
    work, so they are switched off; here the write lock is held meanwhile. The one that SQLite makes when the last
    connection of all is closed holds the whole file. A checkpoint that cannot be made now is left to the next
    writer: what was committed is safe in the log.
    """
    log: Path = engine.get_execution_options()[_LOG_OPTION]
    try:
        if log.stat().st_size < CHECKPOINT_BYTES:
            return
        with engine.connect().execution_options(**{WRITE_OPTION: True}) as writer, writer.begin():
            _checkpoint(engine)
    except (OSError, DBAPIError):
        return  # not there any more, held by another writer, or a disk that the next append will meet


def _checkpoint(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that reads before it writes fails at once when another writer was
    # quicker, whatever the timeout; taking the lock first waits for it instead.
    writes = connection.get_execution_options().get(WRITE_OPTION, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def guard_leaves(connection: Connection) -> None:
    """Create the triggers that let leaves only be added, each at the end of its log."""
    for statement in _GUARDS:
        connection.exec_driver_sql(statement)


def is_busy(error: DBAPIError) -> bool:
    """Whether another writer held the database for longer than the wait."""
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_full(error: DBAPIError) -> bool:
    """Whether the file system had no room for the transaction."""
    return _primary_code(error) == sqlite3.SQLITE_FULL


def _primary_code(error: DBAPIError) -> int:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return int(code or 0) & 0xFF  # extended codes carry the primary code in the low byte


def damage(connection: Connection) -> list[str]:
    """What the database itself finds broken in its file; empty when it finds nothing.

    Finding nothing proves little: most flipped bits pass. The tree is the real check.
    """
    rows = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
    return [str(row) for row in rows if row != "ok"]
