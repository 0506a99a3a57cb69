"""All of one client's rows at once, straight from the whole history."""

from datetime import datetime

from itcare.contract.models import Contract
from itcare.publish.content import SnapshotRows
from itcare.publish.host_rows import Judge, KnownHost, make_fact_rows, make_finding_rows, make_host_row
from itcare.publish.months import assign_months
from itcare.publish.obligation_rows import cover_contract, make_obligation_rows
from itcare.publish.records import History
from itcare.publish.rows import Meta
from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_run_rows, make_task_rows
from itcare.publish.source import Source
from itcare.publish.timeline import make_timeline


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


def list_hosts(contract: Contract, history: History, owed: set[str], now: datetime) -> tuple[KnownHost, ...]:
    """Hosts of the contract today, hosts owed something in the months shown, and hosts of any run."""
    today = {host.name: host for host in contract.hosts_on(now.astimezone(contract.zone).date())}
    tried = {name for run in history.runs for name in run.hosts}
    return tuple(
        KnownHost(
            name=name,
            site=contract.hosts[name].site if name in contract.hosts else None,
            role=contract.hosts[name].role if name in contract.hosts else None,
            resolved=today.get(name),
        )
        for name in sorted({*today, *tried, *owed})
    )
