"""Questions to a snapshot that look back: over time, since when, what changed."""

from datetime import datetime

from itcare.core.clock import write_instant
from itcare.publish import queries
from itcare.publish.database import MAXIMUM_ROWS, PublishedDatabase, host_or_none, number_or_none, text_or_empty, window
from itcare.publish.measures import DISK_USED
from itcare.publish.rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    SoftwareChangeRow,
    SoftwareRow,
    TempRow,
)


class Retrospect(PublishedDatabase):
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

        Names are those of `publish.measures`. Feed one subject's rows to `forecast.days_to_full`, or ask
        `forecasts`, where that was done already.
        """
        values = {
            "host": host_or_none(host), "name": text_or_empty(name),
            "subject": None if subject is None else text_or_empty(subject),
            "since": "" if since is None else write_instant(since),
        }  # fmt: skip
        return self._rows(MeasureRow, queries.MEASURES, {**values, **window(limit, 0)})

    def forecasts(self, name: str = DISK_USED, *, limit: int = MAXIMUM_ROWS) -> tuple[ForecastRow, ...]:
        """Of every host the file systems of its newest look, and when each will be full."""
        return self._rows(ForecastRow, queries.FORECASTS, {"name": text_or_empty(name), **window(limit, 0)})

    def host_forecasts(self, host: str, *, limit: int = 100) -> tuple[ForecastRow, ...]:
        """The same for one host."""
        return self._rows(ForecastRow, queries.HOST_FORECASTS, {"host": host_or_none(host), **window(limit, 0)})

    def finding_intervals(self, host: str, *, limit: int = 500, offset: int = 0) -> tuple[FindingIntervalRow, ...]:
        """What the rules said of a host and from when to when, by rule, subject and time."""
        values = {"host": host_or_none(host), **window(limit, offset)}
        return self._rows(FindingIntervalRow, queries.HOST_INTERVALS, values)

    def current_intervals(self, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[FindingIntervalRow, ...]:
        """Since when everything stands that stands now, by host, rule and subject."""
        return self._rows(FindingIntervalRow, queries.CURRENT_INTERVALS, window(limit, offset))

    def software(self, host: str, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[SoftwareRow, ...]:
        """The packages of a host by name."""
        return self._rows(SoftwareRow, queries.SOFTWARE, {"host": host_or_none(host), **window(limit, offset)})

    def software_named(self, name: str, *, limit: int = 500, offset: int = 0) -> tuple[SoftwareRow, ...]:
        """On which hosts a package of exactly this name is, and in which version."""
        return self._rows(SoftwareRow, queries.SOFTWARE_NAMED, {"name": text_or_empty(name), **window(limit, offset)})

    def software_changes(
        self, host: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> tuple[SoftwareChangeRow, ...]:
        """What was installed, removed and updated, newest first: on one host or on all."""
        if host is None:
            return self._rows(SoftwareChangeRow, queries.SOFTWARE_CHANGES, window(limit, offset))
        values = {"host": host_or_none(host), **window(limit, offset)}
        return self._rows(SoftwareChangeRow, queries.HOST_SOFTWARE_CHANGES, values)

    def temps(self, host: str, *, limit: int = 100, offset: int = 0) -> tuple[TempRow, ...]:
        """Clean-ups of a host, newest run first."""
        return self._rows(TempRow, queries.HOST_TEMPS, {"host": host_or_none(host), **window(limit, offset)})

    def temps_of_run(self, run: int, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[TempRow, ...]:
        """What a run cleaned up, by host and category."""
        return self._rows(TempRow, queries.RUN_TEMPS, {"run": number_or_none(run), **window(limit, offset)})
