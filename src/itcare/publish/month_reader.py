"""The files with what was done, one a month: opened when they are asked, held until the snapshot is closed.

Which they are stands in the table `month` of `current.sqlite`. Nothing in it is taken for a path: a name
that is not of the form `schema.MONTH_FILE`, or is of another month, opens nothing.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Self

from itcare.core.errors import UnsafeError
from itcare.publish.database import PublishedDatabase, connect, damaged
from itcare.publish.rows import MonthRow
from itcare.publish.schema import MONTH_FILE, SNAPSHOT_VERSION

_WHAT = "a month of the snapshot of"


class MonthFile(PublishedDatabase):
    """What was done in the runs of one month."""

    @classmethod
    def open(cls, path: Path, client: str, month: str) -> Self:
        """Open the file of a month of a client (its code).

        Raises NotFoundError when it is not there, UnsafeError for a link, a damaged file, an unknown
        version, and a file of another client or month.
        """
        subject = f"{client}, {month}"
        connection = connect(path, _WHAT, subject)
        try:
            file = cls(connection, path, _WHAT, subject)
            file._refuse_version("snapshot_version", SNAPSHOT_VERSION)
            file._refuse_strangers({"client": client, "month": month})
        except BaseException:
            connection.close()
            raise
        return file

    def rows[T](self, kind: type[T], statement: str, values: Mapping[str, object]) -> tuple[T, ...]:
        """The answer to a statement of `month_queries` as values of a row class."""
        return self._rows(kind, statement, values)

    def row[T](self, kind: type[T], statement: str, values: Mapping[str, object]) -> T | None:
        """The one row of an answer, or None."""
        return self._row(kind, statement, values)

    def fetch(self, statement: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        """The answer as it is stored: numbers, texts and None by the names of its columns."""
        return self._fetch(statement, values)

    def _refuse_strangers(self, expected: Mapping[str, str]) -> None:
        told = self._meta_values()
        for key, value in expected.items():
            if told.get(key) != value:
                raise UnsafeError(
                    f"open {_WHAT}", self._subject, f"the file in its place is of another {key}",
                    "Do not copy files of a snapshot by hand; publish again.",
                )  # fmt: skip


class MonthFiles:
    """All months of one snapshot. Threads may share one."""

    def __init__(self, folder: Path, client: str, months: Sequence[MonthRow]) -> None:
        self._folder = folder
        self._client = client
        self._names = {row.month: row.file for row in sorted(months, key=lambda row: row.month, reverse=True)}
        self._opened: dict[str, MonthFile] = {}
        self._lock = Lock()
        self._closed = False

    def close(self) -> None:
        """Release every file that was opened."""
        with self._lock:
            self._closed = True
            for file in self._opened.values():
                file.close()

    def of(self, month: str) -> MonthFile | None:
        """The file of a month, None for a month without runs. Raises NotFoundError and UnsafeError as `MonthFile`."""
        name = self._names.get(month)
        if name is None:
            return None
        with self._lock:
            if self._closed:
                raise damaged(_WHAT, self._client, "it was closed")
            if month not in self._opened:
                self._opened[month] = MonthFile.open(self._folder / self._checked(name, month), self._client, month)
            return self._opened[month]

    def newest_first(self, since: str = "") -> Iterator[MonthFile]:
        """The files of `since` (`YYYY-MM`) and later, each opened when its turn comes."""
        for month in self._names:
            if month >= since and (file := self.of(month)) is not None:
                yield file

    def check(self) -> None:
        """Open each file once, as a reader would. Raises what `MonthFile.open` raises."""
        for _ in self.newest_first():
            pass

    def _checked(self, name: str, month: str) -> str:
        match = MONTH_FILE.fullmatch(name)
        if match is None or match["month"] != month:
            raise damaged(_WHAT, f"{self._client}, {month}", f"it names the file {name[:80]!a}")
        return name
