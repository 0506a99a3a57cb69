"""The reader of a snapshot: opened read-only and immutable, every question bounded and indexed.

A snapshot holds one client, so a run or host of another client is simply not there: the methods
answer None or an empty tuple for a missing, a foreign and a nonsensical name alike.
"""

import sqlite3
import stat
from collections.abc import Mapping
from threading import Lock
from types import TracebackType
from typing import Self

from itcare.access import ClientScope
from itcare.core.errors import NotFoundError, UnsafeError
from itcare.core.names import HOST_NAME
from itcare.core.words import FindingStatus, ObligationState
from itcare.publish import queries
from itcare.publish.codec import NamedColumns, column_names, decode_row
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingRow,
    HostResultRow,
    HostRow,
    Meta,
    ObligationRow,
    RunRow,
    TaskRow,
)
from itcare.publish.schema import SNAPSHOT_FILE, SNAPSHOT_VERSION

MAXIMUM_ROWS = 5000
"""No answer has more rows than this, whatever limit is asked for."""

_MAXIMUM_NUMBER = 2**31 - 1
_BY_SEVERITY = (FindingStatus.FAIL, FindingStatus.WARN, FindingStatus.UNKNOWN, FindingStatus.OK)


class Snapshot:
    """One client's published data. A context manager; threads may share one.

    Every method raises UnsafeError when the file turns out to be damaged.
    """

    def __init__(self, connection: sqlite3.Connection, scope: ClientScope, inode: tuple[int, int]) -> None:
        self._connection = connection
        # Two threads on one connection would step the same cached statement and mix up their rows.
        self._lock = Lock()
        self._inode = inode
        self.scope = scope

    @classmethod
    def open(cls, scope: ClientScope) -> Self:
        """Open the current snapshot of `scope`.

        Raises NotFoundError when nothing was published yet, UnsafeError for an unknown version,
        another client's file, a link or a damaged file.
        """
        inode = _inode_of(scope)
        uri = (scope.path.absolute() / SNAPSHOT_FILE).as_uri() + "?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise _damaged(scope, str(error)) from error
        connection.row_factory = sqlite3.Row
        snapshot = cls(connection, scope, inode)
        try:
            snapshot._refuse_strangers()
        except BaseException:
            connection.close()
            raise
        return snapshot

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
        """Whether a newer snapshot lies in its place: then open again."""
        try:
            return _inode_of(self.scope) != self._inode
        except NotFoundError:
            return True

    def meta(self) -> Meta:
        """What the snapshot says about itself."""
        return self._decode(Meta, dict.fromkeys(column_names(Meta)) | self._meta_values())

    def months(self) -> tuple[str, ...]:
        """Months with obligations, as YYYY-MM, newest first."""
        return tuple(str(row[0]) for row in self._fetch(queries.MONTHS, {"limit": MAXIMUM_ROWS}))

    def obligation_counts(self, month: str) -> Mapping[ObligationState, int]:
        """How many obligations of a month are in each state; every state is a key."""
        counts = dict.fromkeys(ObligationState, 0)
        for by_state in self.obligation_counts_by_duty(month).values():
            for state, count in by_state.items():
                counts[state] += count
        return counts

    def obligation_counts_by_duty(self, month: str) -> Mapping[str, Mapping[ObligationState, int]]:
        """For every duty owed in a month, how many obligations are in each state; every state is a key."""
        counts: dict[str, dict[ObligationState, int]] = {}
        for row in self._fetch(queries.OBLIGATION_COUNTS, {"month": _text(month)}):
            by_state = counts.setdefault(str(row["duty"]), dict.fromkeys(ObligationState, 0))
            by_state[ObligationState(row["state"])] = int(row["count"])
        return counts

    def settled_counts(self, month: str) -> tuple[int, int]:
        """Of the obligations of a month whose time is over and that were not waived: delivered, and all.

        Coverage is the first through the second; with a second of 0 nothing was due, which is not 100 %.
        """
        row = self._fetch(queries.SETTLED, {"month": _text(month)})[0]
        return int(row["delivered"]), int(row["settled"])

    def obligations(
        self,
        month: str,
        *,
        state: ObligationState | None = None,
        duty: str | None = None,
        limit: int = 500,
        offset: int = 0,
    ) -> tuple[ObligationRow, ...]:
        """Obligations of a month by date, duty and host, all or those of one state or duty."""
        values = {"month": _text(month), "state": state, "duty": None if duty is None else _text(duty)}
        return self._rows(ObligationRow, queries.OBLIGATIONS, {**values, **_window(limit, offset)})

    def host_obligations(self, name: str, *, limit: int = 100, offset: int = 0) -> tuple[ObligationRow, ...]:
        """Obligations of one host, newest first."""
        return self._rows(ObligationRow, queries.HOST_OBLIGATIONS, {"host": _host(name), **_window(limit, offset)})

    def hosts(self, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[HostRow, ...]:
        """Every host by name, those no longer in the contract too."""
        return self._rows(HostRow, queries.HOSTS, _window(limit, offset))

    def host(self, name: str) -> HostRow | None:
        """One host, or None."""
        return self._row(HostRow, queries.HOST, {"host": _host(name)})

    def host_history(self, name: str, *, limit: int = 50, offset: int = 0) -> tuple[HostResultRow, ...]:
        """What became of one host in its runs, newest run first."""
        return self._rows(HostResultRow, queries.HOST_HISTORY, {"host": _host(name), **_window(limit, offset)})

    def host_findings(self, name: str, *, limit: int = 500) -> tuple[FindingRow, ...]:
        """Findings of one host, worst first."""
        return self._rows(FindingRow, queries.HOST_FINDINGS, {"host": _host(name), **_window(limit, 0)})

    def findings(
        self, status: FindingStatus | None = None, *, limit: int = 500, offset: int = 0
    ) -> tuple[FindingRow, ...]:
        """Findings, worst first (fail, warn, unknown, ok), all or those of one status."""
        if status is None:
            return self._rows(FindingRow, queries.FINDINGS, _window(limit, offset))
        return self._rows(FindingRow, queries.FINDINGS_OF_STATUS, {"status": status, **_window(limit, offset)})

    def finding(self, number: int) -> FindingRow | None:
        """One finding by its number in this snapshot, or None."""
        return self._row(FindingRow, queries.FINDING, {"id": _number(number)})

    def finding_counts(self) -> Mapping[FindingStatus, int]:
        """How many findings have each status; every status is a key."""
        counts = dict.fromkeys(FindingStatus, 0)
        for row in self._fetch(queries.FINDING_COUNTS, {}):
            counts[FindingStatus(row["status"])] = int(row["count"])
        return counts

    def worst_by_host(self) -> Mapping[str, FindingStatus]:
        """The worst status of each host that has findings; a host without any is not in it."""
        rows = self._fetch(queries.WORST_BY_HOST, {"limit": MAXIMUM_ROWS})
        return {str(row["host"]): _BY_SEVERITY[int(row["severity"])] for row in rows}

    def facts(self, host: str) -> tuple[FactRow, ...]:
        """The sources of a host's newest usable observation."""
        return self._rows(FactRow, queries.FACTS, {"host": _host(host), **_window(MAXIMUM_ROWS, 0)})

    def runs(self, *, limit: int = 50, offset: int = 0) -> tuple[RunRow, ...]:
        """Runs, newest first."""
        return self._rows(RunRow, queries.RUNS, _window(limit, offset))

    def run_count(self) -> int:
        """How many runs there are."""
        return int(self._fetch(queries.RUN_COUNT, {})[0]["count"])

    def run(self, number: int) -> RunRow | None:
        """One run, or None."""
        return self._row(RunRow, queries.RUN, {"run": _number(number)})

    def host_results(self, run: int, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[HostResultRow, ...]:
        """What became of every host of a run, by host."""
        return self._rows(HostResultRow, queries.HOST_RESULTS, {"run": _number(run), **_window(limit, offset)})

    def tasks(self, run: int, host: str | None = None, *, limit: int = 500, offset: int = 0) -> tuple[TaskRow, ...]:
        """Tasks of a run by host and position, all or those of one host."""
        values: dict[str, object] = {"run": _number(run), **_window(limit, offset)}
        if host is None:
            return self._rows(TaskRow, queries.TASKS, values)
        return self._rows(TaskRow, queries.TASKS_OF_HOST, {**values, "host": _host(host)})

    def files(self, run: int, *, limit: int = 1000, offset: int = 0) -> tuple[FileRow, ...]:
        """The playbooks, modules and scripts that a run used."""
        return self._rows(FileRow, queries.FILES, {"run": _number(run), **_window(limit, offset)})

    def _refuse_strangers(self) -> None:
        for pragma in queries.PRAGMAS:
            self._fetch(pragma, {})
        values = self._meta_values()
        version = values.get("snapshot_version")
        if version != str(SNAPSHOT_VERSION):
            raise UnsafeError(
                "open the snapshot of", self.scope.code,
                f"its version is {version!a}, this itcare reads {SNAPSHOT_VERSION}",
                "Publish again with this itcare, or upgrade the dashboard to the itcare that wrote it.",
            )  # fmt: skip
        if values.get("client") != self.scope.code:
            raise UnsafeError(
                "open the snapshot of", self.scope.code, "the file in its folder is of another client",
                "Do not copy snapshots by hand; publish again.",
            )  # fmt: skip

    def _meta_values(self) -> dict[str, str]:
        return {str(row["key"]): str(row["value"]) for row in self._fetch(queries.META, {"limit": MAXIMUM_ROWS})}

    def _row[T](self, kind: type[T], statement: str, values: Mapping[str, object]) -> T | None:
        rows = self._rows(kind, statement, values)
        return rows[0] if rows else None

    def _rows[T](self, kind: type[T], statement: str, values: Mapping[str, object]) -> tuple[T, ...]:
        return tuple(self._decode(kind, row) for row in self._fetch(statement, values))

    def _fetch(self, statement: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _damaged(self.scope, str(error)) from error

    def _decode[T](self, kind: type[T], columns: NamedColumns) -> T:
        try:
            return decode_row(kind, columns)
        except ValueError as error:
            raise _damaged(self.scope, str(error)) from error


def _inode_of(scope: ClientScope) -> tuple[int, int]:
    """Device and inode of the current snapshot; a link is refused, it could lead to another client's file."""
    try:
        status = (scope.path / SNAPSHOT_FILE).lstat()
    except OSError as error:
        raise NotFoundError(
            "open the snapshot of", scope.code, error.strerror or "it cannot be read",
            "Publish first (itcare publish), and let the dashboard's group read the folder.",
        ) from error  # fmt: skip
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeError(
            "open the snapshot of", scope.code, "it is not a regular file", "Remove it and publish again."
        )
    return status.st_dev, status.st_ino


def _damaged(scope: ClientScope, why: str) -> UnsafeError:
    return UnsafeError("read the snapshot of", scope.code, f"the file is damaged ({why})", "Publish again.")


def _window(limit: int, offset: int) -> dict[str, int]:
    return {"limit": min(max(limit, 1), MAXIMUM_ROWS), "offset": min(max(offset, 0), _MAXIMUM_NUMBER)}


def _number(value: int) -> int | None:
    """A number that a row may have; None, which equals nothing in SQL, for any other."""
    return value if isinstance(value, int) and 0 <= value <= _MAXIMUM_NUMBER else None


def _host(name: str) -> str | None:
    """A name that a host may have; None, which equals nothing in SQL, for any other."""
    return name if HOST_NAME.fullmatch(name) else None


def _text(value: str) -> str:
    """Text that a month or duty may be; the empty text, which none of them is, for lone surrogates and the like."""
    return value if value.isprintable() else ""
