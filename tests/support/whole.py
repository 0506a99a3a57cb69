"""Every row of a snapshot by reading the whole history at once: what publishing piece by piece must equal."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from itcare.publish.content import SnapshotRows
from itcare.publish.fold import HostFold
from itcare.publish.host_rows import Judge, KnownHost, make_fact_rows, make_finding_rows, make_host_row
from itcare.publish.months import assign_months
from itcare.publish.obligation_rows import cover_contract, make_obligation_rows
from itcare.publish.records import History
from itcare.publish.rows import Meta
from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_run_rows, make_task_rows
from itcare.publish.snapshot import list_hosts
from itcare.publish.source import Source


def build_rows(source: Source, meta: Meta, judge: Judge, now: datetime) -> SnapshotRows:
    """Every row of one client's snapshot, by reading everything at once: what publishing piece by piece must equal."""
    history = source.history
    coverages = cover_contract(source.contract.contract, history, now)
    owed = {coverage.obligation.subject for coverage in coverages}
    hosts = list_hosts(source.contract.contract, history, owed, now)
    folds = [_fold(history, host, judge) for host in hosts]
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
        measures=_all(fold.measures for fold in folds),
        forecasts=_all(fold.forecasts() for fold in folds),
        finding_intervals=_all(fold.intervals(now) for fold in folds),
        software=_all(fold.software() for fold in folds),
        software_looks=_all(fold.looks() for fold in folds),
        software_changes=_all(fold.changes for fold in folds),
        temps=_all(fold.temps for fold in folds),
    )


def _fold(history: History, host: KnownHost, judge: Judge) -> HostFold:
    fold = HostFold(history, host, judge)
    opened = {run.number: run.opened_at for run in history.runs}
    for record in history.attempts(host.name):
        fold.take(record, opened[record.run])
    return fold


def _all[T](rows: Iterable[Iterable[T]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(rows))
