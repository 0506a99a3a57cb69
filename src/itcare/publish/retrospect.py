"""Questions to a snapshot that look back: over time, since when, what changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from itcare.core.clock import write_instant
from itcare.publish import month_queries, queries
from itcare.publish.database import MAXIMUM_ROWS, host_or_none, hosts_json, text_or_empty, window
from itcare.publish.measures import DISK_USED
from itcare.publish.rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    SeenSoftwareRow,
    SoftwareChangeRow,
    TempRow,
)
from itcare.publish.worklog import WorkLog


class Retrospect(WorkLog):
    """The part of `reader.Snapshot` that asks the tables of the past."""

    def measures(
        self,
        host: str,
        name: str = DISK_USED,
        subject: str | None = None,
        *,
        since: datetime | None = None,
        limit: int = MAXIMUM_ROWS,
    ) -> tuple[MeasureRow, ...]:
        """One measure of a host from `since` on, by subject and time; with `subject` that one only.

        Without `since`: of `measures.KEPT` before the publication. The newest `limit` of them. Names are
        those of `publish.measures`. Feed one subject's rows to `forecast.days_to_full`, or ask `forecasts`,
        where that was done already.
        """
        if (known := host_or_none(host)) is None:
            return ()
        since = since or self._kept_since()
        statement = month_queries.MEASURES if subject is None else month_queries.MEASURES_OF_SUBJECT
        values = {
            "host": known, "name": text_or_empty(name), "since": write_instant(since),
            **({} if subject is None else {"subject": text_or_empty(subject)}),
        }  # fmt: skip
        wanted = window(limit, 0)["limit"]
        found: list[MeasureRow] = []
        for file in self._files_since(since):
            found += file.rows(MeasureRow, statement, {**values, "limit": wanted - len(found)})
            if len(found) >= wanted:
                break
        return tuple(sorted(found, key=lambda row: (row.subject or "", row.at, row.run)))

    def forecasts(
        self, name: str = DISK_USED, *, hosts: Sequence[str] | None = None, limit: int = MAXIMUM_ROWS, offset: int = 0
    ) -> tuple[ForecastRow, ...]:
        """Of every host, or of `hosts`, the file systems of its newest look, and when each will be full."""
        values: dict[str, object] = {"name": text_or_empty(name), **window(limit, offset)}
        if hosts is None:
            return self._rows(ForecastRow, queries.FORECASTS, values)
        return self._rows(ForecastRow, queries.FORECASTS_OF_HOSTS, {**values, "hosts": hosts_json(hosts)})

    def forecasts_until(
        self, until: datetime, name: str = DISK_USED, *, limit: int = MAXIMUM_ROWS, offset: int = 0
    ) -> tuple[ForecastRow, ...]:
        """What will be full at `until` or before, by host and subject."""
        values = {"name": text_or_empty(name), "until": write_instant(until), **window(limit, offset)}
        return self._rows(ForecastRow, queries.FORECASTS_UNTIL, values)

    def host_forecasts(self, host: str, *, limit: int = 100) -> tuple[ForecastRow, ...]:
        """The forecasts of one host."""
        return self._rows(ForecastRow, queries.HOST_FORECASTS, {"host": host_or_none(host), **window(limit, 0)})

    def finding_intervals(self, host: str, *, limit: int = 500, offset: int = 0) -> tuple[FindingIntervalRow, ...]:
        """What the rules said of a host and from when to when, by rule, subject and time."""
        values = {"host": host_or_none(host), **window(limit, offset)}
        return self._rows(FindingIntervalRow, queries.HOST_INTERVALS, values)

    def current_intervals(
        self, hosts: Sequence[str] | None = None, *, limit: int = MAXIMUM_ROWS, offset: int = 0
    ) -> tuple[FindingIntervalRow, ...]:
        """Since when everything stands that stands now, by host, rule and subject; of all hosts or of some."""
        if hosts is None:
            return self._rows(FindingIntervalRow, queries.CURRENT_INTERVALS, window(limit, offset))
        values = {"hosts": hosts_json(hosts), **window(limit, offset)}
        return self._rows(FindingIntervalRow, queries.CURRENT_INTERVALS_OF_HOSTS, values)

    def software(self, host: str, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[SeenSoftwareRow, ...]:
        """The packages of a host by name."""
        return self._rows(SeenSoftwareRow, queries.SOFTWARE, {"host": host_or_none(host), **window(limit, offset)})

    def software_count(self, host: str) -> int:
        """How many packages a host has."""
        return int(self._fetch(queries.SOFTWARE_COUNT, {"host": host_or_none(host)})[0]["count"])

    def software_named(self, name: str, *, limit: int = 500, offset: int = 0) -> tuple[SeenSoftwareRow, ...]:
        """On which hosts a package of exactly this name is, and in which version."""
        values = {"name": text_or_empty(name), **window(limit, offset)}
        return self._rows(SeenSoftwareRow, queries.SOFTWARE_NAMED, values)

    def software_changes(
        self, host: str | None = None, *, since: datetime | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[SoftwareChangeRow, ...]:
        """What was installed, removed and updated, newest first: on one host or on all, from `since` on."""
        asked = {"since": "" if since is None else write_instant(since)}
        if host is None:
            return self._across(
                SoftwareChangeRow, month_queries.SOFTWARE_CHANGES, month_queries.SOFTWARE_CHANGE_COUNT, asked,
                limit=limit, offset=offset, since=since,
            )  # fmt: skip
        if (known := host_or_none(host)) is None:
            return ()
        return self._across(
            SoftwareChangeRow, month_queries.HOST_SOFTWARE_CHANGES, month_queries.HOST_SOFTWARE_CHANGE_COUNT,
            {"host": known, **asked}, limit=limit, offset=offset, since=since,
        )  # fmt: skip

    def changing_looks(self, host: str, *, since: datetime) -> Mapping[int, datetime]:
        """From `since` on, the runs that found software of a host changed, and when each looked."""
        found: dict[int, datetime] = {}
        values = {"host": host_or_none(host), "since": write_instant(since), "limit": MAXIMUM_ROWS}
        for file in self._files_since(since):
            for row in file.fetch(month_queries.CHANGING_LOOKS, values):
                found[int(row["run"])] = self._instant(row["at"])
        return found

    def changes_of_run(self, run: int, host: str, *, limit: int = MAXIMUM_ROWS) -> tuple[SoftwareChangeRow, ...]:
        """What one run found changed on one host."""
        file = self._file_of(run)
        values = {"run": run, "host": host_or_none(host), **window(limit, 0)}
        return () if file is None else file.rows(SoftwareChangeRow, month_queries.CHANGES_OF_RUN, values)

    def temps(self, host: str, *, limit: int = 100, offset: int = 0) -> tuple[TempRow, ...]:
        """Clean-ups of a host, newest run first."""
        if (known := host_or_none(host)) is None:
            return ()
        return self._across(
            TempRow, month_queries.HOST_TEMPS, month_queries.HOST_TEMP_COUNT, {"host": known},
            limit=limit, offset=offset,
        )  # fmt: skip

    def temps_of_run(
        self, run: int, host: str | None = None, *, limit: int = MAXIMUM_ROWS, offset: int = 0
    ) -> tuple[TempRow, ...]:
        """What a run cleaned up, by host and category, on all hosts or on one."""
        file = self._file_of(run)
        if file is None:
            return ()
        values: dict[str, object] = {"run": run, **window(limit, offset)}
        if host is None:
            return file.rows(TempRow, month_queries.RUN_TEMPS, values)
        return file.rows(TempRow, month_queries.RUN_TEMPS_OF_HOST, {**values, "host": host_or_none(host)})

    def temp_count(self, run: int) -> int:
        """How many categories a run cleaned up, on all its hosts."""
        file = self._file_of(run)
        return 0 if file is None else int(file.fetch(month_queries.RUN_TEMP_COUNT, {"run": run})[0]["count"])
