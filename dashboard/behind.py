"""What lies behind a number: rows that a drawer fetches page by page, from the snapshot that is current then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from itcare.core.words import FindingStatus
from itcare.publish.reader import Jobs, Snapshot
from itcare.publish.rows import FindingRow, ObligationRow


class Rows[Row](Protocol):
    """As many rows as a number says, a page at a time."""

    def count(self, snapshot: Snapshot) -> int: ...

    def page(self, snapshot: Snapshot, limit: int, offset: int) -> Sequence[Row]: ...


@dataclass(frozen=True)
class Listed[Row]:
    """Rows that were fetched already: so few that the page shows them, too."""

    rows: Sequence[Row]

    def count(self, snapshot: Snapshot) -> int:
        return len(self.rows)

    def page(self, snapshot: Snapshot, limit: int, offset: int) -> Sequence[Row]:
        return self.rows[offset : offset + limit]


@dataclass(frozen=True)
class Obligations:
    """Obligations, the newest first."""

    which: Jobs

    def count(self, snapshot: Snapshot) -> int:
        return snapshot.job_count(self.which)

    def page(self, snapshot: Snapshot, limit: int, offset: int) -> Sequence[ObligationRow]:
        return snapshot.jobs(self.which, limit=limit, offset=offset)


@dataclass(frozen=True)
class Findings:
    """All findings of one status, by computer."""

    status: FindingStatus

    def count(self, snapshot: Snapshot) -> int:
        return snapshot.finding_counts()[self.status]

    def page(self, snapshot: Snapshot, limit: int, offset: int) -> Sequence[FindingRow]:
        return snapshot.findings(self.status, limit=limit, offset=offset)


@dataclass(frozen=True)
class WorstFindings:
    """Findings of one status on computers that have no worse ones."""

    status: FindingStatus

    def count(self, snapshot: Snapshot) -> int:
        return snapshot.worst_finding_count(self.status)

    def page(self, snapshot: Snapshot, limit: int, offset: int) -> Sequence[FindingRow]:
        return snapshot.worst_findings(self.status, limit=limit, offset=offset)
