"""One client's rows into one fresh file that replaces the old one at a single instant.

The file is filled by INSERT under a temporary name in the same folder, verified, synced, renamed,
and the folder synced. A crash or a full disk at any step leaves the old snapshot as it was; the
half-written file is removed by the next publication. (A copy of the live database would carry
every client's rows, so none is ever made.)
"""

from dataclasses import dataclass
from pathlib import Path

from itcare.access import SIDECAR_FILE, SIDECAR_MAXIMUM_BYTES
from itcare.core.errors import UnsafeError
from itcare.publish.codec import encode_meta, encode_row, write_json
from itcare.publish.files import PublishedFile, connected, describe_file, locked_folder, replacement
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostResultRow,
    HostRow,
    MeasureRow,
    Meta,
    ObligationRow,
    Row,
    RunRow,
    SoftwareChangeRow,
    SoftwareRow,
    TaskRow,
    TempRow,
)
from itcare.publish.schema import DDL, SNAPSHOT_FILE, SNAPSHOT_VERSION, TABLES

__all__ = ["PublishedFile", "SnapshotRows", "locked_folder", "write_sidecar", "write_snapshot"]

_INSERTS = {
    "meta": "INSERT INTO meta (key, value) VALUES (?, ?)",
    "host": "INSERT INTO host VALUES (?,?,?,?,?,?,?,?,?,?)",
    "run": "INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "host_result": "INSERT INTO host_result VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "task": "INSERT INTO task VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "file": "INSERT INTO file VALUES (?,?,?,?)",
    "finding": "INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "fact": "INSERT INTO fact VALUES (?,?,?,?,?,?,?,?)",
    "obligation": "INSERT INTO obligation VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "measure": "INSERT INTO measure VALUES (?,?,?,?,?,?,?)",
    "forecast": "INSERT INTO forecast VALUES (?,?,?,?,?,?,?,?,?,?)",
    "finding_interval": "INSERT INTO finding_interval VALUES (?,?,?,?,?,?,?,?,?)",
    "software": "INSERT INTO software VALUES (?,?,?,?,?,?,?,?,?)",
    "software_change": "INSERT INTO software_change VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "temp": "INSERT INTO temp VALUES (?,?,?,?,?,?,?,?,?,?,?)",
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
    "measure": "SELECT count(*) FROM measure",
    "forecast": "SELECT count(*) FROM forecast",
    "finding_interval": "SELECT count(*) FROM finding_interval",
    "software": "SELECT count(*) FROM software",
    "software_change": "SELECT count(*) FROM software_change",
    "temp": "SELECT count(*) FROM temp",
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
    measures: tuple[MeasureRow, ...] = ()
    forecasts: tuple[ForecastRow, ...] = ()
    finding_intervals: tuple[FindingIntervalRow, ...] = ()
    software: tuple[SoftwareRow, ...] = ()
    software_changes: tuple[SoftwareChangeRow, ...] = ()
    temps: tuple[TempRow, ...] = ()

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
            "measure": self.measures,
            "forecast": self.forecasts,
            "finding_interval": self.finding_intervals,
            "software": self.software,
            "software_change": self.software_changes,
            "temp": self.temps,
        }
        return tables[table]


def write_snapshot(folder: Path, rows: SnapshotRows) -> PublishedFile:
    """Replace the snapshot in a locked folder. Raises UnsafeError and leaves the old one when anything fails."""
    with replacement(folder, SNAPSHOT_FILE) as part:
        _fill(part, rows)
        _verify(part, rows)
        return describe_file(part, SNAPSHOT_FILE)


def write_sidecar(folder: Path, code: str, legal_name: str) -> PublishedFile:
    """Replace the small file that tells whose folder it is; UnsafeError when anything fails."""
    content = (write_json({"code": code, "legal_name": legal_name}) + "\n").encode("utf-8")
    if len(content) > SIDECAR_MAXIMUM_BYTES:
        raise UnsafeError("publish", code, "the legal name is too long", "Shorten it in the contract.")
    with replacement(folder, SIDECAR_FILE) as part:
        part.write_bytes(content)
        return describe_file(part, SIDECAR_FILE)


def _fill(path: Path, rows: SnapshotRows) -> None:
    with connected(path.as_uri()) as connection:
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
    with connected(path.as_uri() + "?mode=ro&immutable=1") as connection:
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
