"""Everything that looks back: each recorded look at each host is read once, from the oldest to the newest."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from itcare.publish.host_rows import Judge, KnownHost
from itcare.publish.intervals import IntervalTrack
from itcare.publish.measures import (
    TEMP_MODULE,
    TEMP_SCHEMA,
    make_forecast_rows,
    make_temp_rows,
    measure_disks,
    measure_temp,
)
from itcare.publish.records import History, HostRecord
from itcare.publish.results import read_result
from itcare.publish.rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)
from itcare.publish.software import SOFTWARE_MODULE, SOFTWARE_SCHEMA, SoftwareTrack


@dataclass
class Timeline:
    """The rows of the tables that look back."""

    measures: list[MeasureRow] = field(default_factory=list)
    forecasts: list[ForecastRow] = field(default_factory=list)
    intervals: list[FindingIntervalRow] = field(default_factory=list)
    software: list[SoftwareRow] = field(default_factory=list)
    looks: list[SoftwareLookRow] = field(default_factory=list)
    changes: list[SoftwareChangeRow] = field(default_factory=list)
    temps: list[TempRow] = field(default_factory=list)


def make_timeline(history: History, hosts: Iterable[KnownHost], judge: Judge, now: datetime) -> Timeline:
    """Measures, finding intervals, software and clean-ups of every host.

    One pass: its cost grows with the number of recorded looks, and a list of software that did not
    change is not even fetched. Only hosts of today's contract are judged, by today's thresholds.
    """
    timeline = Timeline()
    opened = {run.number: run.opened_at for run in history.runs}
    for host in hosts:
        _HostWalk(history, host, judge, opened).add_to(timeline, now)
    return timeline


class _HostWalk:
    """One host's records, walked once."""

    def __init__(self, history: History, host: KnownHost, judge: Judge, opened: dict[int, datetime]) -> None:
        self._history = history
        self._host = host
        self._judge = judge
        self._opened = opened
        self._intervals = IntervalTrack(host.name)
        self._software = SoftwareTrack(history, host.name)
        self._measures: list[MeasureRow] = []
        self._temps: list[TempRow] = []

    def add_to(self, timeline: Timeline, now: datetime) -> None:
        """Walk, and add what is to be published at `now`."""
        for record in self._history.attempts(self._host.name):
            self._take_health(record)
            self._take_software(record)
            self._take_temp(record)
        measures = sorted(
            [*self._measures, *self._software.counts], key=lambda row: (row.at, row.run, row.name, row.subject or "")
        )
        timeline.forecasts += make_forecast_rows(measures)
        timeline.measures += measures
        timeline.intervals += self._intervals.rows(now)
        timeline.software += self._software.rows()
        timeline.looks += self._software.looks()
        timeline.changes += self._software.changes
        timeline.temps += self._temps

    def _when(self, record: HostRecord, at: datetime | None) -> datetime:
        return at or record.closed_at or self._opened[record.run]

    def _take_health(self, record: HostRecord) -> None:
        if not (record.flaw or record.health_task):
            return  # a host that was merely not reached: what was seen before stands
        seen = self._history.observe(record)
        if isinstance(seen, str):
            if self._host.resolved:
                self._intervals.take_flaw(self._when(record, None), record.run, self._judge.assess_missing(seen))
            return
        at = self._when(record, seen.observed_at)
        self._measures += measure_disks(seen, at)
        if self._host.resolved:
            self._intervals.take(at, record.run, self._judge.assess(seen.health, self._host.resolved))

    def _take_software(self, record: HostRecord) -> None:
        result = read_result(self._history, record, SOFTWARE_MODULE, "software", SOFTWARE_SCHEMA)
        if result is not None:
            self._software.take(result, self._when(record, result.at))

    def _take_temp(self, record: HostRecord) -> None:
        result = read_result(self._history, record, TEMP_MODULE, "temp", TEMP_SCHEMA)
        if result is not None:
            self._temps += make_temp_rows(result)
            self._measures += measure_temp(result, self._when(record, result.at))
