"""How far publishing has read one client's ledger, and what it remembers of it (`memory`).

One SQLite file per client below the state directory, for the engine alone. It is no evidence: whatever is in
it follows from the ledger, and where it is lost, damaged or of another form everything is read again. It is
written after the files that it describes, so that it never promises what is not there.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from itcare.core.clock import read_instant, write_instant
from itcare.core.words import HostOutcome
from itcare.coverage import Attempt
from itcare.publish.records import Problem
from itcare.publish.rows import MonthRow

FORM = "1"
"""Of what is remembered; raise it with every change of its form, or of what follows from a ledger."""

HEAD = ""
"""In place of a month: after everything that was read."""

_DDL = """
CREATE TABLE value (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (
  number INTEGER NOT NULL PRIMARY KEY, month TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  closed INTEGER NOT NULL
) STRICT;
CREATE TABLE problem (entry INTEGER NOT NULL, text TEXT NOT NULL, host TEXT) STRICT;
CREATE TABLE memory (month TEXT NOT NULL, host TEXT NOT NULL, memory TEXT NOT NULL, PRIMARY KEY (month, host))
  STRICT, WITHOUT ROWID;
CREATE TABLE month (
  month TEXT NOT NULL PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt (
  run INTEGER NOT NULL, duty TEXT NOT NULL, host TEXT NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT,
  outcome TEXT NOT NULL, reason TEXT, usable INTEGER NOT NULL, dry INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_by_time ON attempt (opened_at);
CREATE INDEX attempt_by_host ON attempt (host);
CREATE INDEX run_by_month ON run (month);
"""


@dataclass(frozen=True)
class KnownRun:
    """A run and where it stands: month, its first and last entry, whether it is closed."""

    number: int
    month: str
    first: int
    last: int
    is_closed: bool


class Bookmark:
    """What is remembered of one client; a context manager that keeps only what `commit` was called for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """The bookmark of a client, begun anew where there is none that can be used; in memory without a path."""
        if path is None:
            return cls(_begin(None))
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            connection = _connect(path)
            kept = connection.execute("SELECT value FROM value WHERE key = 'form'").fetchone()
            if kept == (FORM,):
                return cls(connection)
            connection.close()
        except sqlite3.Error:
            pass
        for leftover in (path, path.with_name(path.name + "-journal")):
            leftover.unlink(missing_ok=True)
        return cls(_begin(path))

    @classmethod
    def copied(cls, path: Path) -> Self:
        """The same to be read only, in memory: what is noted in it is not kept, and no file is made or removed."""
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
                memory = _connect(None)
                source.backup(memory)
            if memory.execute("SELECT value FROM value WHERE key = 'form'").fetchone() == (FORM,):
                return cls(memory)
            memory.close()
        except sqlite3.Error:
            pass
        return cls(_begin(None))

    def __enter__(self) -> Self:
        self._connection.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *error: object) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._connection.close()

    def commit(self) -> None:
        """Keep everything."""
        self._connection.execute("COMMIT")

    def forget(self) -> None:
        """Know nothing, as at the very start."""
        for table in ("value", "run", "problem", "memory", "month", "attempt"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- names of our own tables
        self["form"] = FORM

    # --- single values --------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """A value that was set, or None."""
        row = self._connection.execute("SELECT value FROM value WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def __setitem__(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO value VALUES (?, ?)", (key, value))

    # --- runs -----------------------------------------------------------------------------

    def run(self, number: int) -> KnownRun | None:
        """A run that was read, or None."""
        row = self._connection.execute("SELECT * FROM run WHERE number = ?", (number,)).fetchone()
        return None if row is None else _known_run(row)

    def keep_run(self, run: KnownRun) -> None:
        """Add or replace a run."""
        values = (run.number, run.month, run.first, run.last, int(run.is_closed))
        self._connection.execute("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?)", values)

    def runs(self, since: str = "") -> list[KnownRun]:
        """Runs of the months from `since` on, the oldest first."""
        rows = self._connection.execute("SELECT * FROM run WHERE month >= ? ORDER BY number", (since,))
        return [_known_run(row) for row in rows]

    def newest_month(self) -> str:
        """The month of the newest run; empty without any."""
        row = self._connection.execute("SELECT max(month) FROM run").fetchone()
        return row[0] or ""

    # --- problems -------------------------------------------------------------------------

    def problems(self) -> tuple[Problem, ...]:
        """Entries that could not be read, as far as they were found."""
        rows = self._connection.execute("SELECT entry, text, host FROM problem ORDER BY rowid")
        return tuple(Problem(*row) for row in rows)

    def keep_problems(self, problems: Iterable[Problem]) -> None:
        """Replace the list of problems."""
        self._connection.execute("DELETE FROM problem")
        self._connection.executemany(
            "INSERT INTO problem VALUES (?, ?, ?)", [(one.entry, one.text, one.host) for one in problems]
        )

    # --- memory of hosts ------------------------------------------------------------------

    def memories(self, month: str) -> dict[str, Mapping[str, Any]]:
        """What was kept of every host before the runs of a month, or at the `HEAD`."""
        rows = self._connection.execute("SELECT host, memory FROM memory WHERE month = ? ORDER BY host", (month,))
        return {str(host): json.loads(memory) for host, memory in rows}

    def memory(self, host: str) -> Mapping[str, Any] | None:
        """What was kept of one host at the `HEAD`."""
        row = self._connection.execute(
            "SELECT memory FROM memory WHERE month = ? AND host = ?", (HEAD, host)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_memories(self, month: str, memories: Mapping[str, Mapping[str, object]]) -> None:
        """Add or replace what is remembered of these hosts."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO memory VALUES (?, ?, ?)",
            ((month, host, json.dumps(memory, separators=(",", ":"))) for host, memory in memories.items()),
        )

    def drop_memories(self, besides: Iterable[str] = ()) -> None:
        """Forget all hosts but at the places named."""
        kept = [*besides]
        self._connection.execute(
            "DELETE FROM memory WHERE month NOT IN (SELECT value FROM json_each(?))", (json.dumps(kept),)
        )

    def hosts(self) -> list[str]:
        """Every host remembered at the `HEAD`."""
        return [row[0] for row in self._connection.execute("SELECT host FROM memory WHERE month = ?", (HEAD,))]

    # --- files of months ------------------------------------------------------------------

    def months(self) -> tuple[MonthRow, ...]:
        """The files of the months, the oldest first."""
        return tuple(MonthRow(*row) for row in self._connection.execute("SELECT * FROM month ORDER BY month"))

    def keep_month(self, month: MonthRow) -> None:
        """Add or replace the file of a month."""
        values = (month.month, month.file, month.sha256, month.bytes)
        self._connection.execute("INSERT OR REPLACE INTO month VALUES (?, ?, ?, ?)", values)

    # --- attempts -------------------------------------------------------------------------

    def keep_attempts(self, runs: Iterable[int], attempts: Iterable[Attempt]) -> None:
        """Replace the attempts of these runs."""
        self._connection.executemany("DELETE FROM attempt WHERE run = ?", ((run,) for run in runs))
        self._connection.executemany("INSERT INTO attempt VALUES (?,?,?,?,?,?,?,?,?)", map(_attempt_values, attempts))

    def attempts(self, since: datetime, hosts: Iterable[str] | None = None) -> Iterator[Attempt]:
        """Attempts opened from `since` on, of all hosts or of these."""
        statement = "SELECT * FROM attempt WHERE opened_at >= ?"
        values: list[str] = [write_instant(since)]
        if hosts is not None:
            statement += " AND host IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(list(hosts)))
        for run, duty, host, opened_at, closed_at, outcome, reason, usable, dry in self._connection.execute(
            statement, values
        ):
            yield Attempt(
                duty, host, read_instant(opened_at), read_instant(closed_at) if closed_at else None,
                HostOutcome(outcome), reason, bool(usable), bool(dry), run,
            )  # fmt: skip

    def drop_attempts(self, before: datetime) -> None:
        """Forget attempts that no obligation on show can claim any more."""
        self._connection.execute("DELETE FROM attempt WHERE opened_at < ?", (write_instant(before),))


def _known_run(row: tuple[Any, ...]) -> KnownRun:
    number, month, first, last, closed = row
    return KnownRun(number, month, first, last, bool(closed))


def _attempt_values(one: Attempt) -> tuple[object, ...]:
    return (
        one.run, one.duty, one.host, write_instant(one.opened_at),
        write_instant(one.closed_at) if one.closed_at else None, one.outcome.value, one.reason, int(one.usable),
        int(one.check),
    )  # fmt: skip


def _connect(path: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(":memory:" if path is None else path, isolation_level=None)


def _begin(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.touch(mode=0o600)
    connection = _connect(path)
    try:
        connection.executescript(_DDL)
        connection.execute("INSERT INTO value VALUES ('form', ?)", (FORM,))
    except sqlite3.Error:
        connection.close()
        raise
    return connection
