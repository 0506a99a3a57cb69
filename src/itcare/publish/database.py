"""A published SQLite file as readers hold it: read-only, immutable, every answer bounded and decoded.

What is the same for a client's snapshot and for the overview of the firm.
"""

import json
import sqlite3
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from itcare.core.errors import NotFoundError, UnsafeError
from itcare.core.names import HOST_NAME
from itcare.publish import queries
from itcare.publish.codec import NamedColumns, decode_row, decoder

MAXIMUM_ROWS = 5000
"""No answer has more rows than this, whatever limit is asked for."""

_MAXIMUM_NUMBER = 2**31 - 1


class PublishedDatabase:
    """One published file. A context manager; threads may share one.

    `what` names it in errors, as in "the snapshot of". Every method raises UnsafeError when the file
    turns out to be damaged.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, what: str, subject: str) -> None:
        self._connection = connection
        # Two threads on one connection would step the same cached statement and mix up their rows.
        self._lock = Lock()
        self._path = path
        self._what = what
        self._subject = subject
        self._told: dict[str, str] | None = None
        self._inode = inode_of(path, what, subject)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def is_replaced(self) -> bool:
        """Whether a newer file lies in its place: then open again."""
        try:
            return inode_of(self._path, self._what, self._subject) != self._inode
        except NotFoundError:
            return True

    def _refuse_version(self, key: str, known: int) -> None:
        """Raises UnsafeError for a file of another version; the first thing that is asked of it."""
        for pragma in queries.PRAGMAS:
            self._fetch(pragma, {})
        version = self._meta_values().get(key)
        if version != str(known):
            raise UnsafeError(
                f"open {self._what}", self._subject, f"its version is {version!a}, this itcare reads {known}",
                "Publish again with this itcare, or upgrade the dashboard to the itcare that wrote it.",
            )  # fmt: skip

    def _meta_values(self) -> dict[str, str]:
        """What the file says about itself; asked once, for it does not change."""
        if self._told is None:
            rows = self._fetch(queries.META, {"limit": MAXIMUM_ROWS})
            self._told = {str(row["key"]): str(row["value"]) for row in rows}
        return self._told

    def _row[T](self, kind: type[T], statement: str, values: Mapping[str, object]) -> T | None:
        rows = self._rows(kind, statement, values)
        return rows[0] if rows else None

    def _rows[T](self, kind: type[T], statement: str, values: Mapping[str, object]) -> tuple[T, ...]:
        rows = self._fetch(statement, values)
        if not rows:
            return ()
        try:
            return tuple(map(decoder(kind, tuple(rows[0].keys())), rows))
        except ValueError as error:
            raise damaged(self._what, self._subject, str(error)) from error

    def _fetch(self, statement: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise damaged(self._what, self._subject, str(error)) from error

    def _decode[T](self, kind: type[T], columns: NamedColumns) -> T:
        try:
            return decode_row(kind, columns)
        except ValueError as error:
            raise damaged(self._what, self._subject, str(error)) from error


def connect(path: Path, what: str, subject: str) -> sqlite3.Connection:
    """Open read-only and immutable: without write access, and without a file beside it.

    Raises NotFoundError when there is none, UnsafeError for a link or another type of file.
    """
    inode_of(path, what, subject)
    try:
        connection = sqlite3.connect(
            path.absolute().as_uri() + "?mode=ro&immutable=1", uri=True, check_same_thread=False, isolation_level=None
        )
    except sqlite3.Error as error:
        raise damaged(what, subject, str(error)) from error
    connection.row_factory = sqlite3.Row
    return connection


def inode_of(path: Path, what: str, subject: str) -> tuple[int, int]:
    """Device and inode of the file; a link is refused, it could lead to another client's."""
    try:
        status = path.lstat()
    except OSError as error:
        raise NotFoundError(
            f"open {what}", subject, error.strerror or "it cannot be read",
            "Publish first (itcare publish), and let the dashboard's group read the folder.",
        ) from error  # fmt: skip
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeError(f"open {what}", subject, "it is not a regular file", "Remove it and publish again.")
    return status.st_dev, status.st_ino


def damaged(what: str, subject: str, why: str) -> UnsafeError:
    """The error for a file that does not hold what it should."""
    return UnsafeError(f"read {what}", subject, f"the file is damaged ({why})", "Publish again.")


def window(limit: int, offset: int) -> dict[str, int]:
    """`limit` and `offset` of a statement, kept within bounds."""
    return {"limit": min(max(limit, 1), MAXIMUM_ROWS), "offset": min(max(offset, 0), _MAXIMUM_NUMBER)}


def number_or_none(value: int) -> int | None:
    """A number that a row may have; None, which equals nothing in SQL, for any other."""
    return value if isinstance(value, int) and 0 <= value <= _MAXIMUM_NUMBER else None


def host_or_none(name: str) -> str | None:
    """A name that a host may have; None, which equals nothing in SQL, for any other."""
    return name if HOST_NAME.fullmatch(name) else None


def hosts_json(names: Sequence[str]) -> str:
    """Names that hosts may have, as a JSON list for a statement that is put once for many hosts."""
    return json.dumps([name for name in names if HOST_NAME.fullmatch(name)])


def text_or_empty(value: str) -> str:
    """Text that a month or duty may be; the empty text, which none of them is, for lone surrogates and the like."""
    return value if value.isprintable() else ""
