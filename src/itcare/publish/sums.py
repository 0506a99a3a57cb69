"""Sums that pages draw, made where the rows lie: no page fetches thousands of rows to count them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from itcare.core.clock import write_instant
from itcare.core.words import FindingStatus, ObligationState, SoftwareChange
from itcare.publish import month_queries, queries
from itcare.publish.database import MAXIMUM_ROWS, host_or_none, hosts_json, text_or_empty, window
from itcare.publish.measures import DISK_USED, TEMP_FREED, TEMP_PLANNED
from itcare.publish.retrospect import Retrospect
from itcare.publish.rows import FindingRow, ObligationRow

BY_SEVERITY = (FindingStatus.FAIL, FindingStatus.WARN, FindingStatus.UNKNOWN, FindingStatus.OK)


@dataclass(frozen=True)
class Jobs:
    """Which obligations of a month (`YYYY-MM`) are meant: of one duty or of all, in some states.

    `is_away`: only those whose computer could not be reached, be it that they are over or still open.
    """

    month: str
    duty: str | None = None
    states: frozenset[ObligationState] = frozenset(ObligationState)
    is_away: bool = False

    @property
    def values(self) -> dict[str, object]:
        """Of the statements `JOBS` and `JOB_COUNT`."""
        return {
            "month": text_or_empty(self.month), "duty": None if self.duty is None else text_or_empty(self.duty),
            "states": json.dumps(sorted(self.states)), "away": self.is_away,
        }  # fmt: skip


@dataclass(frozen=True)
class Undone:
    """Why some jobs of a duty were not done: the reason, or the state where there is none, and on which hosts."""

    duty: str
    reason: str | None
    state: ObligationState
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Amount:
    """A measure without its evidence: `value` of `capacity`."""

    value: float
    capacity: float | None


@dataclass(frozen=True, slots=True)
class Brief:
    """What a narrow cell says of a finding."""

    host: str
    rule: str
    status: FindingStatus
    fact: str
    values: Mapping[str, object] = field(metadata={"json": True})


@dataclass(frozen=True)
class CleanUp:
    """The newest clean-up of a host; `freed` and `planned` in bytes, None where that was not measured."""

    run: int
    host: str
    at: datetime | None
    freed: float | None
    planned: float | None


class Sums(Retrospect):
    """The part of `reader.Snapshot` that sums up and picks out for pages."""

    def jobs(self, which: Jobs, *, limit: int = 500, offset: int = 0) -> tuple[ObligationRow, ...]:
        """Obligations, the newest first, those of one day by host."""
        return self._rows(ObligationRow, queries.JOBS, {**which.values, **window(limit, offset)})

    def job_count(self, which: Jobs) -> int:
        """How many obligations those are."""
        return int(self._fetch(queries.JOB_COUNT, which.values)[0]["count"])

    def job_hosts(self, which: Jobs) -> int:
        """How many hosts they concern."""
        return int(self._fetch(queries.JOB_HOSTS, which.values)[0]["count"])

    def undone(self, month: str, states: Sequence[ObligationState]) -> tuple[Undone, ...]:
        """Why the obligations in `states` are in them, by duty, what concerns the most hosts first."""
        values = {"month": text_or_empty(month), "states": json.dumps(list(states)), "limit": MAXIMUM_ROWS}
        found = [
            Undone(row["duty"], row["reason"], ObligationState(row["state"]), tuple(sorted(json.loads(row["hosts"]))))
            for row in self._fetch(queries.UNDONE, values)
        ]
        return tuple(sorted(found, key=lambda row: (row.duty, -len(row.hosts), row.reason or "", row.state)))

    def worst_by_rule(self) -> Mapping[str, FindingStatus]:
        """The worst status of each rule that found something anywhere."""
        rows = self._fetch(queries.WORST_BY_RULE, {"limit": MAXIMUM_ROWS})
        return {str(row["rule"]): BY_SEVERITY[int(row["severity"])] for row in rows}

    def briefs(self, hosts: Sequence[str]) -> Mapping[str, tuple[Brief, ...]]:
        """Findings of some hosts, of each the worst first; a host without any is not in it."""
        found: dict[str, list[Brief]] = {}
        for row in self._rows(Brief, queries.BRIEFS, {"hosts": hosts_json(hosts)}):
            found.setdefault(row.host, []).append(row)
        return {host: tuple(rows) for host, rows in found.items()}

    def worst_findings(self, status: FindingStatus, *, limit: int = 500, offset: int = 0) -> tuple[FindingRow, ...]:
        """Findings of a status on hosts that have no worse ones, by host and rule."""
        return self._rows(FindingRow, queries.WORST_FINDINGS, {"status": status, **window(limit, offset)})

    def worst_finding_count(self, status: FindingStatus) -> int:
        """How many findings those are."""
        return int(self._fetch(queries.WORST_FINDING_COUNT, {"status": status})[0]["count"])

    def newest_lists(self, hosts: Sequence[str]) -> Mapping[str, int]:
        """The newest run that could ask some source of software of a host; a host without any is not in it."""
        rows = self._fetch(queries.NEWEST_LISTS, {"hosts": hosts_json(hosts)})
        return {str(row["host"]): int(row["run"]) for row in rows}

    def change_counts(self, looks: Mapping[str, int]) -> Mapping[str, Mapping[SoftwareChange, int]]:
        """How many packages the run found changed that `looks` names for a host; every host and kind is a key."""
        counts = {host: dict.fromkeys(SoftwareChange, 0) for host in looks}
        by_month: dict[str, list[tuple[str, int]]] = {}
        months = self._fetch(queries.MONTHS_OF_RUNS, {"runs": json.dumps(sorted(set(looks.values())))})
        month_of = {int(row["number"]): str(row["month"]) for row in months}
        for host, run in looks.items():
            if host_or_none(host) and run in month_of:
                by_month.setdefault(month_of[run], []).append((host, run))
        for month, asked in by_month.items():
            file = self._months.of(month)
            for row in () if file is None else file.fetch(month_queries.CHANGE_COUNTS, {"looks": json.dumps(asked)}):
                counts[str(row["host"])][SoftwareChange(row["kind"])] = int(row["count"])
        return counts

    def amounts(
        self, places: Sequence[tuple[str, str | None]], name: str = DISK_USED, *, since: datetime, most: int = 52
    ) -> tuple[tuple[Amount, ...], ...]:
        """For each pair of host and subject its measure from `since` on, oldest first.

        More than `most` of them are thinned out evenly; the newest always stays.
        """
        asked = [(host_or_none(host), None if subject is None else text_or_empty(subject)) for host, subject in places]
        values = {"places": json.dumps(asked), "name": text_or_empty(name), "since": write_instant(since)}
        found: list[list[tuple[str, float, float | None]]] = [[] for _ in places]
        for file in self._files_since(since):
            for row in file.fetch(month_queries.AMOUNTS, values):
                found[row[0]].append(row[1:])
        return tuple(
            tuple(Amount(value, capacity) for _, value, capacity in _thinned(sorted(rows, key=itemgetter(0)), most))
            for rows in found
        )

    def newest_clean_ups(self, hosts: Sequence[str]) -> Mapping[str, CleanUp]:
        """The newest clean-up of each host; one without any is not in it."""
        found: dict[str, CleanUp] = {}
        values = {"freed": TEMP_FREED, "planned": TEMP_PLANNED}
        for file in self._files_since(None):
            missing = [host for host in hosts if host not in found]
            if not missing:
                break
            for row in file.fetch(month_queries.NEWEST_CLEAN_UPS, {**values, "hosts": hosts_json(missing)}):
                at = None if row["at"] is None else self._instant(row["at"])
                found[str(row["host"])] = CleanUp(int(row["run"]), str(row["host"]), at, row["freed"], row["planned"])
        return found


def _thinned[Row](rows: Sequence[Row], most: int) -> Sequence[Row]:
    step = max(1, -(-len(rows) // most))
    return rows[::-1][::step][::-1]
