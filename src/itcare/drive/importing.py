"""Bring a run's evidence into the ledger: once, whole, and only from the spool that is its own.

The host leaves, the closing leaf and the run's row are one transaction: a crash before its commit
leaves an open run that `recover` brings in again, a crash after it leaves only files to remove.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from itcare.core.clock import Clock
from itcare.core.errors import BadInputError, BusyError
from itcare.core.names import RunName
from itcare.core.words import HostOutcome, RunState
from itcare.drive import leaves, rows
from itcare.drive.alarms import find_alarms
from itcare.drive.connections import read_connections
from itcare.drive.folder import RunFolder
from itcare.drive.orders import Ended, Ending, who_cancelled
from itcare.drive.outcome import HostVerdict, judge_host, judge_run, played_out
from itcare.drive.plan import PlannedHost, RunPlan
from itcare.drive.report import Alarm, HostReport, RunReport
from itcare.drive.rows import RunRow
from itcare.drive.spool import Spool, SpoolTask, read_spool
from itcare.ledger.batch import EntryBatch
from itcare.ledger.log import Ledger, LogRef


class ClosedRunError(BadInputError):
    """The run is closed: its spool has been counted."""


class TakenOverError(BusyError):
    """Somebody else owns the run's leases now."""


@dataclass(frozen=True)
class Import:
    """Everything that is to be written about one run, judged and ready."""

    row: RunRow
    plan: RunPlan
    spool: Spool
    ended: Ended
    state: RunState
    tasks: Mapping[str, tuple[SpoolTask, ...]]
    verdicts: Mapping[str, HostVerdict]
    alarms: tuple[Alarm, ...]
    connections: Mapping[str, leaves.Connections]
    cancelled_by: Mapping[str, object] | None

    @property
    def reason(self) -> str | None:
        """Why it did not play out, one word; None for a run that did."""
        if self.state in (RunState.COMPLETE, RunState.PARTIAL):
            return None
        if self.ended.ending is not Ending.FINISHED:
            return self.ended.ending.value
        if self.ended.rc is None:
            return "killed"  # a signal ended ansible-playbook, and none of ours
        return "spool" if self.spool.header else "no_spool"


def read_import(row: RunRow, folder: RunFolder, plan: RunPlan) -> Import:
    """Read what the run left in its folder and judge it; nothing is written."""
    spool, ended = read_spool(folder.spool), Ended.read(folder)
    cancelled_by = who_cancelled(folder)
    if cancelled_by is None and row.cancel_by is not None:
        cancelled_by = {"by": row.cancel_by}
    if cancelled_by is not None and ended.ending in (Ending.DIED, Ending.DRIVER_DIED):
        ended = replace(ended, ending=Ending.CANCELLED)
    foreign = explain_foreign(row, spool)
    alarms = find_alarms(spool, plan, ended, folder.events) if foreign is None else ()
    if foreign is not None:
        spool = replace(spool, header=None, plays=(), files=(), tasks=(), complete=False, problems=("foreign",))
        alarms = (Alarm("foreign_spool", f"The spool is not this run's and was refused: {foreign}."),)
    tasks = group_tasks([host.name for host in plan.hosts], spool)
    verdicts = _judge_hosts(tasks, played_out(spool, ended.ending, ended.rc), is_foreign=foreign is not None)
    state = judge_run(spool, ended.ending, ended.rc, [verdict.outcome for verdict in verdicts.values()])
    connections = leaves.find_connections(plan, tasks, read_connections(folder.connections))
    return Import(row, plan, spool, ended, state, tasks, verdicts, alarms, connections, cancelled_by)


def explain_foreign(row: RunRow, spool: Spool) -> str | None:
    """Why a spool is not the run's own; None when it is, or when there is none at all."""
    header = spool.header
    if header is None:
        return None
    for what, found, expected in (
        ("run id", header.run, row.id), ("nonce", header.nonce, row.nonce), ("fencing number", header.fence, row.fence),
        ("check mode", header.check, row.check),
    ):  # fmt: skip
        if found != expected:
            return f"its {what} is another"
    return None


def group_tasks(hosts: Sequence[str], spool: Spool) -> dict[str, tuple[SpoolTask, ...]]:
    """Tasks of each of these hosts in the order they were begun; those of any other host are left out."""
    grouped: dict[str, list[SpoolTask]] = {name: [] for name in hosts}
    for task in spool.tasks:
        if task.host in grouped:
            grouped[task.host].append(task)
    return {name: tuple(tasks) for name, tasks in grouped.items()}


def _judge_hosts(
    tasks: Mapping[str, tuple[SpoolTask, ...]], whole: bool, *, is_foreign: bool
) -> dict[str, HostVerdict]:
    if is_foreign:
        # The playbook ran, and nothing that can be believed says what it did.
        return {name: HostVerdict(HostOutcome.UNKNOWN) for name in tasks}
    return {name: judge_host(done, ran_to_end=whole) for name, done in tasks.items()}


def bring(ledger: Ledger, log: LogRef, content: Import, owner: int, clock: Clock) -> RunReport:
    """Write the run's leaves and close its row, in one transaction, then sign.

    `owner`: fencing number under which the caller holds the run's leases. Raises ClosedRunError (a
    spool counts once) or TakenOverError, and as the ledger does; nothing is written then.
    """
    with ledger.append(log) as batch:
        current = rows.find_run(batch.connection, content.row.id)
        _require_ownership(batch, content, current, owner)
        now = clock.now()
        for host in content.plan.hosts:
            batch.add(_host_leaf(batch, content, host))
        batch.add(_closing_leaf(batch, content))
        rows.close_run(batch.connection, content.row.id, content.state, now)
    ledger.sign(log)
    return _report(content, now)


def _require_ownership(batch: EntryBatch, content: Import, current: RunRow | None, owner: int) -> None:
    name = f"{content.row.client}/{content.row.number}"
    if current is None or not current.is_open:
        raise ClosedRunError(
            "import the evidence of run", name, "it is closed already", "A spool counts once; nothing needs to be done."
        )
    if not rows.holds_leases(batch.connection, content.row.id, owner):
        raise TakenOverError(
            "import the evidence of run", name, "another process has taken the run over", f"See: itcare show {name}"
        )


def _host_leaf(batch: EntryBatch, content: Import, host: PlannedHost) -> dict[str, object]:
    return leaves.host_leaf(
        batch, content.row.number, host, content.verdicts[host.name], content.tasks[host.name],
        content.connections.get(host.name, ()), [alarm.kind for alarm in content.alarms if alarm.host == host.name],
    )  # fmt: skip


def _closing_leaf(batch: EntryBatch, content: Import) -> dict[str, object]:
    return leaves.closing_leaf(
        batch, content.row.number, content.state, [verdict.outcome for verdict in content.verdicts.values()],
        content.ended.rc, content.reason, content.spool, content.alarms,
        content.cancelled_by if content.state is RunState.CANCELLED else None,
    )  # fmt: skip


def _report(content: Import, closed_at: datetime) -> RunReport:
    return RunReport(
        name=RunName(content.row.client, content.row.number),
        state=content.state,
        hosts=tuple(
            HostReport(name, verdict.outcome, verdict.reason, verdict.message)
            for name, verdict in content.verdicts.items()
        ),
        alarms=content.alarms,
        # all that a recovery can say; a clock that was put back must not make it negative
        seconds=max(0.0, (closed_at - content.row.opened_at).total_seconds()),
        reason=content.reason,
        rc=content.ended.rc,
        console=content.ended.console,
    )


def planned_hosts(ledger: Ledger, log: LogRef, row: RunRow) -> Sequence[str]:
    """Hosts of a run as its opening leaf names them: for a run whose folder is gone."""
    for entry in ledger.entries(log):
        if entry.event.get("type") == "run.opened" and entry.event.get("run_id") == row.id:
            hosts = entry.event["hosts"]
            return [str(host) for host in hosts] if isinstance(hosts, list) else []
    return []
