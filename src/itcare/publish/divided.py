"""A snapshot over all its files: the present, and the month that a run or a time leads to."""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from itcare.core.clock import read_instant
from itcare.publish import queries
from itcare.publish.database import MAXIMUM_ROWS, PublishedDatabase, damaged, number_or_none, window
from itcare.publish.measures import KEPT
from itcare.publish.month_reader import MonthFile, MonthFiles
from itcare.publish.rows import MonthRow

_FIRST_YEAR = 1970  # no file is older


class DividedSnapshot(PublishedDatabase):
    """`current.sqlite` with the months that it leads to; what is common to all questions that go to both."""

    def __init__(self, connection: sqlite3.Connection, path: Path, what: str, subject: str) -> None:
        super().__init__(connection, path, what, subject)
        self._months = MonthFiles(path.parent, subject, ())

    def close(self) -> None:
        """Release all files."""
        self._months.close()
        super().close()

    def check_files(self) -> None:
        """Open the file of each month, which else is done when it is first asked.

        Raises NotFoundError for one that is missing, UnsafeError for one that must not be used.
        """
        self._months.check()

    def _find_months(self) -> None:
        """Learn which files there are; the version must have been looked at."""
        rows = self._rows(MonthRow, queries.MONTH_FILES, {"limit": MAXIMUM_ROWS})
        self._months = MonthFiles(self._path.parent, self._subject, rows)

    def _file_of(self, run: int) -> MonthFile | None:
        """The file with what was done in a run; None for a run that is not there."""
        rows = self._fetch(queries.MONTH_OF_RUN, {"run": number_or_none(run)})
        return self._months.of(str(rows[0]["month"])) if rows else None

    def _files_since(self, since: datetime | None) -> Iterator[MonthFile]:
        """The files that can hold something of `since` or later, the newest first; every file for None."""
        return self._months.newest_first(month_before(since))

    def _across[T](
        self,
        kind: type[T],
        statement: str,
        counting: str,
        values: Mapping[str, object],
        *,
        limit: int,
        offset: int,
        since: datetime | None = None,
    ) -> tuple[T, ...]:
        """Rows of the newest month, then of the one before it, until there are enough; `counting` is for the offset."""
        bounds = window(limit, offset)
        wanted, skipped = bounds["limit"], bounds["offset"]
        found: list[T] = []
        for file in self._files_since(since):
            if skipped:
                there = int(file.fetch(counting, values)[0]["count"])
                if there <= skipped:
                    skipped -= there
                    continue
            found += file.rows(kind, statement, {**values, "limit": wanted - len(found), "offset": skipped})
            skipped = 0
            if len(found) >= wanted:
                break
        return tuple(found)

    def _kept_since(self) -> datetime:
        """From when on measures are shown to whoever names no time."""
        published_at = self._meta_values().get("published_at")
        return self._instant(published_at or "") - KEPT

    def _instant(self, text: str) -> datetime:
        try:
            return read_instant(text)
        except ValueError as error:
            raise damaged(self._what, self._subject, str(error)) from error


def month_before(since: datetime | None) -> str:
    """The month (`YYYY-MM`) before that of an instant, the empty text for None.

    A month's file holds runs that were opened in it, and those of its last night end in the next one.
    """
    if since is None or since.year <= _FIRST_YEAR:
        return ""
    return f"{since.replace(day=1) - timedelta(days=1):%Y-%m}"
