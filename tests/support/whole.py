"""Every row of a snapshot by reading the whole history at once: what publishing piece by piece must equal."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from itcare.publish.content import SnapshotRows
from itcare.publish.fold import HostFold
from itcare.publish.host_rows import Judge, KnownHost, make_fact_rows, make_finding_rows, make_host_row
from itcare.publish.months import assign_months
from itcare.publish.obligation_rows import cover_contract, make_obligation_rows
from itcare.publish.records import History
from itcare.publish.rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    Meta,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)
from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_run_rows, make_task_rows
from itcare.publish.snapshot import list_hosts
from itcare.publish.source import Source


def build_rows(source: Source, meta: Meta, judge: Judge, now: datetime) -> SnapshotRows:
    """Every row of one client's snapshot, by reading everything at once: what publishing piece by piece must equal."""
    history = source.history
    coverages = cover_contract(source.contract.contract, history, now)
    owed = {coverage.obligation.subject for coverage in coverages}
    hosts = list_hosts(source.contract.contract, history, owed, now)
    timeline = make_timeline(history, hosts, judge, now)
    return SnapshotRows(
        meta=meta,
        hosts=tuple(make_host_row(history, host) for host in hosts),
        runs=make_run_rows(history, assign_months(history.runs, source.contract.contract.zone)),
        host_results=make_host_result_rows(history),
        tasks=make_task_rows(history),
        files=make_file_rows(history),
        findings=make_finding_rows(history, hosts, judge, now),
        facts=make_fact_rows(history, hosts),
        obligations=make_obligation_rows(coverages, {run.number for run in history.runs}),
        measures=tuple(timeline.measures),
        forecasts=tuple(timeline.forecasts),
        finding_intervals=tuple(timeline.intervals),
        software=tuple(timeline.software),
        software_looks=tuple(timeline.looks),
        software_changes=tuple(timeline.changes),
        temps=tuple(timeline.temps),
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
