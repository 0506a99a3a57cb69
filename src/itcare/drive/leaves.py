"""The entries of a run in the ledger: their shape, and what goes into a body instead of the leaf.

People, logins, addresses and whatever a host said are bodies: they can be erased without touching
the tree.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from itcare.core.clock import write_instant
from itcare.core.words import HostOutcome, RunState
from itcare.drive.attachments import detach
from itcare.drive.connections import Connection
from itcare.drive.outcome import HostVerdict
from itcare.drive.plan import PlannedHost, RunPlan
from itcare.drive.report import Alarm, count_outcomes
from itcare.drive.spool import Spool, SpoolTask
from itcare.ledger.batch import EntryBatch

type Connections = tuple[Connection, ...]


def find_connections(
    plan: RunPlan, tasks_of: Mapping[str, Sequence[SpoolTask]], seen: Mapping[str, Connections]
) -> dict[str, Connections]:
    """Connections of each host: as observed for ssh; for local ones from the first task to the last end."""
    found: dict[str, Connections] = {}
    for host in plan.hosts:
        if host.connection == "local":
            tasks = tasks_of[host.name]
            ends = [task.ended_at for task in tasks if task.ended_at is not None]
            found[host.name] = (Connection(tasks[0].started_at, max(ends, default=None)),) if tasks else ()
        else:
            found[host.name] = seen.get(host.name, ())
    return found


def host_leaf(
    batch: EntryBatch, run: int, host: PlannedHost, verdict: HostVerdict, tasks: Sequence[SpoolTask],
    connections: Connections, alarms: Sequence[str],
) -> dict[str, object]:  # fmt: skip
    """Event `run.host`."""
    leaves = [_task(batch, task) for task in tasks]
    detail = {"address": host.address, "port": host.port, "remote_user": host.user, "message": verdict.message}
    return {
        "type": "run.host",
        "run": run,
        "host": host.name,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.value if verdict.reason else None,
        "needs_verify": verdict.outcome.needs_verify,
        "truncated": any(leaf["truncated"] for leaf in leaves),
        "connection": host.connection,
        "opened_at": _instant(connections[0].opened_at) if connections else None,
        "closed_at": _instant(connections[-1].closed_at) if connections else None,
        "connections": [
            {"opened_at": _instant(link.opened_at), "closed_at": _instant(link.closed_at)} for link in connections
        ],
        "tasks": leaves,
        "detail": batch.body(detail),
        "alarms": sorted(set(alarms)),
    }


def _task(batch: EntryBatch, task: SpoolTask) -> dict[str, object]:
    """One task; what its module hands on as a list of its own is a body of its own, the same in every run."""
    detached = detach(task.module, task.result)
    leaf: dict[str, object] = {
        "position": task.position,
        "name": task.name,
        "module": task.module,
        "file": task.file,
        "line": task.line,
        "start": _instant(task.started_at),
        "end": _instant(task.ended_at),
        "outcome": task.outcome.value,
        "ignored": task.ignored,
        "truncated": task.truncated or detached.problem is not None,
        "args": dict(task.args),
        "result": batch.body(detached.result),
    }
    if detached.attachments:
        leaf["attachments"] = {name: batch.body(value) for name, value in detached.attachments.items()}
    if detached.problem is not None:
        leaf["problem"] = detached.problem
    return leaf


def closing_leaf(
    batch: EntryBatch, run: int, state: RunState, outcomes: Sequence[HostOutcome], rc: int | None, reason: str | None,
    spool: Spool, alarms: Sequence[Alarm], cancelled_by: Mapping[str, object] | None,
) -> dict[str, object]:  # fmt: skip
    """Event `run.closed`."""
    files = [
        {"kind": file.kind, "name": file.name, "path": file.path, "sha256": file.sha256, "bytes": file.bytes}
        for file in spool.files
    ]
    return {
        "type": "run.closed",
        "run": run,
        "state": state.value,
        "outcomes": {outcome.value: count for outcome, count in count_outcomes(outcomes).items()},
        "rc": rc,
        "cancelled": batch.body(dict(cancelled_by)) if cancelled_by is not None else None,
        "reason": reason,
        "spool": {
            "sha256": spool.sha256, "lines": spool.lines, "bytes": spool.bytes, "complete": spool.complete,
            "problems": list(spool.problems),
        },
        "files": batch.body(files),
        "alarms": [alarm.as_record() for alarm in alarms],
    }  # fmt: skip


def _instant(instant: datetime | None) -> str | None:
    return write_instant(instant) if instant else None
