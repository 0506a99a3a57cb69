"""The reader of a snapshot: its files opened read-only and immutable, every question bounded and indexed.

A snapshot holds one client, so a run or host of another client is simply not there: the methods
answer None or an empty tuple for a missing, a foreign and a nonsensical name alike.
"""

import sqlite3
from collections.abc import Mapping
from typing import Self

from itcare.access import ClientScope
from itcare.core.errors import UnsafeError
from itcare.core.words import FindingStatus, ObligationState
from itcare.publish import queries
from itcare.publish.codec import column_names
from itcare.publish.database import MAXIMUM_ROWS, connect, host_or_none, number_or_none, text_or_empty, window
from itcare.publish.rows import FactRow, FindingRow, HostRow, Meta, ObligationRow
from itcare.publish.schema import SNAPSHOT_FILE, SNAPSHOT_VERSION
from itcare.publish.sums import BY_SEVERITY, Amount, Brief, CleanUp, Jobs, Sums, Undone

__all__ = ["MAXIMUM_ROWS", "Amount", "Brief", "CleanUp", "Jobs", "Snapshot", "Undone"]

_WHAT = "the snapshot of"


class Snapshot(Sums):
    """One client's published data. A context manager; threads may share one.

    Every method raises UnsafeError when a file turns out to be damaged. A month's file is opened by the
    first question that needs it: NotFoundError when it is missing, UnsafeError when it is not what it should be.
    """

    def __init__(self, connection: sqlite3.Connection, scope: ClientScope) -> None:
        super().__init__(connection, scope.path / SNAPSHOT_FILE, _WHAT, scope.code)
        self.scope = scope

    @classmethod
    def open(cls, scope: ClientScope) -> Self:
        """Open the current snapshot of `scope`.

        Raises NotFoundError when nothing was published yet, UnsafeError for an unknown version,
        another client's file, a link or a damaged file.
        """
        connection = connect(scope.path / SNAPSHOT_FILE, _WHAT, scope.code)
        try:
            snapshot = cls(connection, scope)
            snapshot._refuse_strangers()
            snapshot._find_months()
        except BaseException:
            connection.close()
            raise
        return snapshot

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
        for row in self._fetch(queries.OBLIGATION_COUNTS, {"month": text_or_empty(month)}):
            by_state = counts.setdefault(str(row["duty"]), dict.fromkeys(ObligationState, 0))
            by_state[ObligationState(row["state"])] = int(row["count"])
        return counts

    def settled_counts(self, month: str) -> tuple[int, int]:
        """Of the obligations of a month whose time is over and that were not waived: delivered, and all.

        Coverage is the first through the second; with a second of 0 nothing was due, which is not 100 %.
        """
        row = self._fetch(queries.SETTLED, {"month": text_or_empty(month)})[0]
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
        values = {"month": text_or_empty(month), "state": state, "duty": None if duty is None else text_or_empty(duty)}
        return self._rows(ObligationRow, queries.OBLIGATIONS, {**values, **window(limit, offset)})

    def host_obligations(self, name: str, *, limit: int = 100, offset: int = 0) -> tuple[ObligationRow, ...]:
        """Obligations of one host, newest first."""
        return self._rows(
            ObligationRow, queries.HOST_OBLIGATIONS, {"host": host_or_none(name), **window(limit, offset)}
        )

    def hosts(self, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[HostRow, ...]:
        """Every host by name, those no longer in the contract too."""
        return self._rows(HostRow, queries.HOSTS, window(limit, offset))

    def host(self, name: str) -> HostRow | None:
        """One host, or None."""
        return self._row(HostRow, queries.HOST, {"host": host_or_none(name)})

    def host_names(self, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[str, ...]:
        """The name of every host, in order."""
        return tuple(str(row["name"]) for row in self._fetch(queries.HOST_NAMES, window(limit, offset)))

    def hosts_to_verify(self, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[HostRow, ...]:
        """Hosts whose newest result somebody has to look at, by name."""
        return self._rows(HostRow, queries.HOSTS_TO_VERIFY, window(limit, offset))

    def host_findings(self, name: str, *, limit: int = MAXIMUM_ROWS) -> tuple[FindingRow, ...]:
        """Findings of one host, worst first."""
        return self._rows(FindingRow, queries.HOST_FINDINGS, {"host": host_or_none(name), **window(limit, 0)})

    def findings(
        self, status: FindingStatus | None = None, *, limit: int = 500, offset: int = 0
    ) -> tuple[FindingRow, ...]:
        """Findings, worst first (fail, warn, unknown, ok), all or those of one status."""
        if status is None:
            return self._rows(FindingRow, queries.FINDINGS, window(limit, offset))
        return self._rows(FindingRow, queries.FINDINGS_OF_STATUS, {"status": status, **window(limit, offset)})

    def finding(self, number: int) -> FindingRow | None:
        """One finding by its number in this snapshot, or None."""
        return self._row(FindingRow, queries.FINDING, {"id": number_or_none(number)})

    def finding_counts(self) -> Mapping[FindingStatus, int]:
        """How many findings have each status; every status is a key."""
        counts = dict.fromkeys(FindingStatus, 0)
        for row in self._fetch(queries.FINDING_COUNTS, {}):
            counts[FindingStatus(row["status"])] = int(row["count"])
        return counts

    def worst_by_host(self) -> Mapping[str, FindingStatus]:
        """The worst status of each host that has findings; a host without any is not in it."""
        rows = self._fetch(queries.WORST_BY_HOST, {"limit": MAXIMUM_ROWS})
        return {str(row["host"]): BY_SEVERITY[int(row["severity"])] for row in rows}

    def facts(self, host: str) -> tuple[FactRow, ...]:
        """The sources of a host's newest usable observation."""
        return self._rows(FactRow, queries.FACTS, {"host": host_or_none(host), **window(MAXIMUM_ROWS, 0)})

    def _refuse_strangers(self) -> None:
        self._refuse_version("snapshot_version", SNAPSHOT_VERSION)
        if self._meta_values().get("client") != self.scope.code:
            raise UnsafeError(
                "open the snapshot of", self.scope.code, "the file in its folder is of another client",
                "Do not copy snapshots by hand; publish again.",
            )  # fmt: skip
