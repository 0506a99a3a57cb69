"""What lies in a client's published folder, as plain rows by table, to be compared with what should lie there."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from itcare.publish.codec import column_names, encode_row
from itcare.publish.content import SnapshotRows
from itcare.publish.rows import FindingRow, ObligationRow
from itcare.publish.schema import MONTH_TABLES, PRESENT_TABLES, SNAPSHOT_FILE

type Rows = dict[str, Counter[tuple[Any, ...]]]

_NUMBERED = {"finding": FindingRow, "obligation": ObligationRow}  # their ids are good within one file only


def read_published(folder: Path) -> Rows:
    """Every row of the present and of the months that it leads to; without ids, names of files and `meta`."""
    found: Rows = {table: Counter() for table in (*PRESENT_TABLES, *MONTH_TABLES) if table != "month"}
    with closing(_open(folder / SNAPSHOT_FILE)) as connection:
        months = [name for (name,) in connection.execute("SELECT file FROM month")]
        _read(connection, found, [table for table in PRESENT_TABLES if table != "month"])
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
    for name in months:
        with closing(_open(folder / name)) as connection:
            _read(connection, found, MONTH_TABLES)
    return found


def expect_published(rows: SnapshotRows) -> Rows:
    """The same of all rows at once."""
    present = rows.present(()).by_table()
    expected = {table: _count(table, map(encode_row, present[table])) for table in PRESENT_TABLES if table != "month"}
    for month in rows.by_month():
        for table, listed in month.by_table().items():
            expected[table] = expected.get(table, Counter()) + _count(table, map(encode_row, listed))
    return {table: expected.get(table, Counter()) for table in (*PRESENT_TABLES, *MONTH_TABLES) if table != "month"}


def _read(connection: sqlite3.Connection, found: Rows, tables: Iterable[str]) -> None:
    for table in tables:
        columns = "*"
        if table in _NUMBERED:
            columns = ", ".join(column_names(_NUMBERED[table]))
        rows = connection.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 -- names of our own tables
        found[table] += _count(table, rows)


def _count(table: str, rows: Iterable[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return Counter(row[1:] if table in _NUMBERED else row for row in rows)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.as_uri() + "?mode=ro&immutable=1", uri=True)
