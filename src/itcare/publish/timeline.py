"""Everything that looks back over a whole history: each recorded look at each host is read once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from itcare.publish.fold import HostFold
from itcare.publish.host_rows import Judge, KnownHost
from itcare.publish.records import History
from itcare.publish.rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)


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
    """Measures, finding intervals, software and clean-ups of every host, judged by today's thresholds."""
    timeline = Timeline()
    opened = {run.number: run.opened_at for run in history.runs}
    for host in hosts:
        fold = HostFold(history, host, judge)
        for record in history.attempts(host.name):
            fold.take(record, opened[record.run])
        timeline.measures += fold.measures
        timeline.forecasts += fold.forecasts()
        timeline.intervals += fold.intervals(now)
        timeline.software += fold.software()
        timeline.looks += fold.looks()
        timeline.changes += fold.changes
        timeline.temps += fold.temps
    return timeline
