"""One client's summary into `firm.sqlite`, whose other clients' rows stay as they were.

The file is replaced whole, as a snapshot is. It is filled from the summary and from the file that
was there; no client's snapshot is opened.
"""

import logging
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from itcare.core.errors import NotFoundError, UnsafeError
from itcare.publish.codec import encode_row
from itcare.publish.database import MAXIMUM_ROWS
from itcare.publish.files import PublishedFile, connected, describe_file, describe_files, locked_root, replacement
from itcare.publish.firm import ClientSummary, FirmAreaRow, FirmClientRow
from itcare.publish.firm_reader import FirmOverview
from itcare.publish.firm_schema import FIRM_DDL, FIRM_FILE, FIRM_TABLES, FIRM_VERSION

_log = logging.getLogger(__name__)

_INSERTS = {
    "client": "INSERT INTO client VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "area": "INSERT INTO area VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
}


@dataclass(frozen=True)
class FirmPublication:
    """The overview as it lies there after one client's publication."""

    client: str
    file: PublishedFile

    def to_event(self) -> dict[str, object]:
        """The entry of the firm's log that says so (docs/ledger-v1.md)."""
        return {"type": "publication", "client": self.client, "files": describe_files([self.file])}


def publish_firm(published: Path, summary: ClientSummary) -> FirmPublication:
    """Replace one client's rows in the overview; the old file stays when anything fails.

    A file that is damaged or of another version is begun anew, with a warning in the log: it holds
    only sums, which come back as the clients are published. Raises UnsafeError and BusyError.
    """
    with locked_root(published) as root:
        clients, areas = _read_others(root / FIRM_FILE, summary.client)
        with replacement(root, FIRM_FILE) as part:
            rows: _Rows = {
                "client": sorted([*clients, summary.client], key=lambda row: row.client_id),
                "area": sorted([*areas, *summary.areas], key=lambda row: (row.client_id, row.area)),
            }
            _fill(part, rows)
            _verify(part, rows, summary.client.code)
            return FirmPublication(summary.client.code, describe_file(part, FIRM_FILE))


type _Rows = dict[str, list[FirmClientRow] | list[FirmAreaRow]]


def _read_others(path: Path, mine: FirmClientRow) -> tuple[list[FirmClientRow], list[FirmAreaRow]]:
    try:
        with closing(FirmOverview.at(path)) as overview:
            known = _all(overview.clients)
            others = [row for row in known if row.client_id != mine.client_id and row.code != mine.code]
            kept = {row.client_id for row in others}
            return others, [row for row in _all(overview.areas) if row.client_id in kept]
    except NotFoundError:
        return [], []
    except UnsafeError as error:
        _log.warning("the overview is begun anew: %s", error.why)
        return [], []


class _Ask[T](Protocol):
    def __call__(self, *, limit: int, offset: int) -> tuple[T, ...]: ...


def _all[T](ask: _Ask[T]) -> list[T]:
    """Every row, page by page: what a reader's limit leaves out must not be lost."""
    found: list[T] = []
    while page := ask(limit=MAXIMUM_ROWS, offset=len(found)):
        found += page
    return found


def _fill(path: Path, rows: _Rows) -> None:
    with connected(path.as_uri()) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;")
        connection.executescript(FIRM_DDL)
        connection.execute("BEGIN")
        connection.execute("INSERT INTO meta VALUES ('firm_version', ?)", (str(FIRM_VERSION),))
        for table, listed in rows.items():
            connection.executemany(_INSERTS[table], map(encode_row, listed))
        connection.execute("COMMIT")


def _verify(path: Path, rows: _Rows, code: str) -> None:
    """Read the closed file as a reader will; UnsafeError unless it holds these rows and nothing else."""
    with connected(path.as_uri() + "?mode=ro&immutable=1") as connection:
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        things = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type <> 'index'")}
        clients = connection.execute("SELECT * FROM client ORDER BY client_id").fetchall()
        areas = connection.execute("SELECT * FROM area ORDER BY client_id, area").fetchall()
    expected = [list(map(encode_row, rows[table])) for table in ("client", "area")]
    if verdict != [("ok",)] or orphans or things != set(FIRM_TABLES) or [clients, areas] != expected:
        raise UnsafeError(
            "publish the overview with", code, f"the new file does not verify ({str(verdict)[:200]})",
            "The old overview stays. Check the disk, then publish again.",
        )  # fmt: skip
