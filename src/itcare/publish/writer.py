"""One client's rows into fresh files that replace the old ones; `current.sqlite` last, at a single instant.

A file is filled by INSERT under a temporary name in the same folder, verified, synced, renamed, and the
folder synced. A month's file is renamed to a name of its own, so that a reader of the old `current.sqlite`
finds the old month beside the new one. A crash or a full disk at any step leaves the old snapshot as it
was; leftovers are removed by the next publication. (A copy of the live database would carry every
client's rows, so none is ever made.)
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from itcare.access import SIDECAR_FILE, SIDECAR_MAXIMUM_BYTES
from itcare.core.errors import UnsafeError
from itcare.publish.codec import encode_meta, encode_row, write_json
from itcare.publish.content import MonthRows, PresentRows, SnapshotRows
from itcare.publish.files import (
    PublishedFile,
    connected,
    describe_file,
    locked_folder,
    replacement,
    told_as_unsafe,
)
from itcare.publish.month_schema import MONTH_DDL, MONTH_INDEXES
from itcare.publish.rows import Meta, MonthRow
from itcare.publish.schema import (
    MONTH_FILE,
    MONTH_TABLES,
    PRESENT_DDL,
    PRESENT_INDEXES,
    PRESENT_TABLES,
    SNAPSHOT_FILE,
    SNAPSHOT_VERSION,
    month_file_name,
)

type Columns = tuple[object, ...]

_NO_RUN = 2**62

__all__ = ["PublishedFile", "SnapshotRows", "locked_folder", "write_sidecar", "write_snapshot"]

INSERTS = {
    "meta": "INSERT INTO meta VALUES (?,?)",
    "host": "INSERT INTO host VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "month": "INSERT INTO month VALUES (?,?,?,?)",
    "run": "INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "host_result": "INSERT INTO host_result VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "task": "INSERT INTO task VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "file": "INSERT INTO file VALUES (?,?,?,?)",
    "finding": "INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "fact": "INSERT INTO fact VALUES (?,?,?,?,?,?,?,?)",
    "obligation": "INSERT INTO obligation VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "measure": "INSERT INTO measure VALUES (?,?,?,?,?,?,?)",
    "forecast": "INSERT INTO forecast VALUES (?,?,?,?,?,?,?,?,?,?)",
    "finding_interval": "INSERT INTO finding_interval VALUES (?,?,?,?,?,?,?,?,?,?)",
    "software": "INSERT INTO software VALUES (?,?,?,?,?,?,?,?)",
    "software_look": "INSERT INTO software_look VALUES (?,?,?)",
    "software_change": "INSERT INTO software_change VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "temp": "INSERT INTO temp VALUES (?,?,?,?,?,?,?,?,?,?,?)",
}
COUNTS = {
    "host": "SELECT count(*) FROM host",
    "month": "SELECT count(*) FROM month",
    "run": "SELECT count(*) FROM run",
    "host_result": "SELECT count(*) FROM host_result",
    "task": "SELECT count(*) FROM task",
    "file": "SELECT count(*) FROM file",
    "finding": "SELECT count(*) FROM finding",
    "fact": "SELECT count(*) FROM fact",
    "obligation": "SELECT count(*) FROM obligation",
    "measure": "SELECT count(*) FROM measure",
    "forecast": "SELECT count(*) FROM forecast",
    "finding_interval": "SELECT count(*) FROM finding_interval",
    "software": "SELECT count(*) FROM software",
    "software_look": "SELECT count(*) FROM software_look",
    "software_change": "SELECT count(*) FROM software_change",
    "temp": "SELECT count(*) FROM temp",
}


def write_snapshot(folder: Path, rows: SnapshotRows) -> tuple[PublishedFile, ...]:
    """Replace the whole snapshot in a locked folder. Raises UnsafeError and leaves the old one when anything fails."""
    meta = rows.meta
    files = [write_month(folder, month, meta.client, meta.tree_size) for month in rows.by_month()]
    months = tuple(map(describe_month, files))
    current = write_present(folder, rows.present(months))
    return (current, *files)


def write_month(folder: Path, rows: MonthRows, client: str, size: int) -> PublishedFile:
    """Write the file of one month as of a tree of `size` entries; UnsafeError when anything fails."""
    name = month_file_name(rows.month, size)
    with replacement(folder, name) as part:
        meta = month_meta(client, rows.month)
        columns = {table: map(encode_row, listed) for table, listed in rows.by_table().items()}
        fill_file(part, MONTH_DDL, MONTH_INDEXES, meta, columns, MONTH_TABLES)
        verify_file(part, meta, {table: len(listed) for table, listed in rows.by_table().items()}, client)
        return describe_file(part, name)


def write_present(
    folder: Path, rows: PresentRows, carried: Mapping[str, Sequence[Columns]] = MappingProxyType({})
) -> PublishedFile:
    """Replace `current.sqlite` and remove the months that no reader can want; UnsafeError when anything fails.

    `carried`: rows of the file before (`read_carried`), by table.
    """
    wanted = {month.file for month in rows.months} | set(list_months(folder))
    columns = {table: [*carried.get(table, ()), *map(encode_row, listed)] for table, listed in rows.by_table().items()}
    with replacement(folder, SNAPSHOT_FILE) as part:
        meta = present_meta(rows.meta)
        fill_file(part, PRESENT_DDL, PRESENT_INDEXES, meta, columns, PRESENT_TABLES)
        verify_file(part, meta, {table: len(listed) for table, listed in columns.items()}, rows.meta.client)
        file = describe_file(part, SNAPSHOT_FILE)
    remove_months(folder, wanted)
    return file


def write_sidecar(folder: Path, code: str, legal_name: str) -> PublishedFile:
    """Replace the small file that tells whose folder it is; UnsafeError when anything fails."""
    content = (write_json({"code": code, "legal_name": legal_name}) + "\n").encode("utf-8")
    if len(content) > SIDECAR_MAXIMUM_BYTES:
        raise UnsafeError("publish", code, "the legal name is too long", "Shorten it in the contract.")
    with replacement(folder, SIDECAR_FILE) as part:
        part.write_bytes(content)
        return describe_file(part, SIDECAR_FILE)


def describe_month(file: PublishedFile) -> MonthRow:
    """The row of `current.sqlite` that leads to the file of a month."""
    return MonthRow(file.name.partition(".")[0], file.name, file.sha256, file.bytes)


def present_meta(meta: Meta) -> dict[str, str]:
    """Key and text of everything that `current.sqlite` says about itself."""
    return {"snapshot_version": str(SNAPSHOT_VERSION), **encode_meta(meta)}


def month_meta(client: str, month: str) -> dict[str, str]:
    """Key and text of everything that the file of a month says about itself."""
    return {"snapshot_version": str(SNAPSHOT_VERSION), "client": client, "month": month}


def list_months(folder: Path) -> tuple[str, ...]:
    """Names of the months' files that the snapshot in the folder leads to; none where it cannot be read."""
    path = folder / SNAPSHOT_FILE
    try:
        with connected(path.as_uri() + "?mode=ro&immutable=1") as connection:
            return tuple(str(name) for (name,) in connection.execute("SELECT file FROM month"))
    except sqlite3.Error:
        return ()


def read_carried(folder: Path, since: str, first_run: int | None) -> Mapping[str, list[Columns]]:
    """Rows of the published `current.sqlite` that no month from `since` on can change: older runs, ended intervals.

    `first_run`: number of the first run of those months.
    """
    with connected((folder / SNAPSHOT_FILE).as_uri() + "?mode=ro&immutable=1") as connection:
        last = _NO_RUN if first_run is None else first_run
        return {
            "run": connection.execute("SELECT * FROM run WHERE month < ?", (since,)).fetchall(),
            "finding_interval": connection.execute(
                "SELECT * FROM finding_interval WHERE ended_by < ?", (last,)
            ).fetchall(),
        }


def remove_months(folder: Path, wanted: Collection[str]) -> None:
    """Remove the months' files that neither this snapshot nor the one before it leads to."""
    with told_as_unsafe(folder):
        for path in folder.iterdir():
            if MONTH_FILE.fullmatch(path.name) and path.name not in wanted:
                path.unlink(missing_ok=True)


def fill_file(
    path: Path,
    ddl: str,
    indexes: str,
    meta: Mapping[str, str],
    rows: Mapping[str, Iterable[Columns]],
    tables: Iterable[str],
) -> None:
    """Create the tables of a file, insert all rows and index them; rows that lead nowhere are for `verify_file`."""
    with connected(path.as_uri()) as connection:
        # Nobody reads this file yet and it is synced as a whole before the rename.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        connection.executescript(ddl)
        connection.execute("BEGIN")
        connection.executemany(INSERTS["meta"], meta.items())
        for table in tables:
            connection.executemany(INSERTS[table], rows[table])
        connection.execute("COMMIT")
        connection.executescript(indexes)  # sorted once, and a smaller file than of rows that come one by one


def verify_file(path: Path, meta: Mapping[str, str], expected: Mapping[str, int], client: str) -> None:
    """Read the closed file as a reader will; UnsafeError unless it holds so many rows and nothing else."""
    with connected(path.as_uri() + "?mode=ro&immutable=1") as connection:
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        things = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type <> 'index'")}
        told = dict(connection.execute("SELECT key, value FROM meta"))
        found = {table: connection.execute(COUNTS[table]).fetchone()[0] for table in expected}
    sound = verdict == [("ok",)] and not orphans and things == {"meta", *expected}
    if not sound or told != meta or found != expected:
        raise UnsafeError(
            "publish", client, f"the new file does not verify ({str(verdict)[:200]}, {found})",
            "The old snapshot stays. Check the disk, then publish again.",
        )  # fmt: skip
