"""Rows of runs, their hosts, tasks and files, out of a History."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache

from itcare.core.words import HostOutcome, TaskOutcome
from itcare.publish.months import assign_months
from itcare.publish.records import History, HostRecord, RunRecord, TaskRecord
from itcare.publish.rows import FileRow, HostResultRow, RunRow, TaskRow
from itcare.publish.shape import instant, mapping, sequence, text, truth, whole

_GOOD = (HostOutcome.OK, HostOutcome.CHANGED)
_TOLD = (TaskOutcome.FAILED, TaskOutcome.UNREACHABLE, TaskOutcome.TIMED_OUT)


def make_run_rows(history: History, months: Mapping[int, str] | None = None) -> tuple[RunRow, ...]:
    """One row per run, oldest first. `months`: of each run, as `months.assign_months` gives them; else of UTC."""
    months = months or assign_months(history.runs, UTC)
    return tuple(_make_run(history, run, months[run.number]) for run in history.runs)


def make_host_result_rows(history: History) -> tuple[HostResultRow, ...]:
    """One row per run and host."""
    # A host's address and user are the same in most runs, so their body is read once.
    details = cache(lambda digest: _read_detail(history, digest))
    return tuple(
        _make_host_result(record, details(record.detail)) for run in history.runs for record in run.hosts.values()
    )


def make_task_rows(history: History) -> tuple[TaskRow, ...]:
    """One row per run, host and task."""
    return tuple(
        _make_task(history, record, task)
        for run in history.runs
        for record in run.hosts.values()
        for task in record.tasks
    )


def make_file_rows(history: History) -> tuple[FileRow, ...]:
    """One row per file that a run used, whether its opening or its closing leaf names it."""
    return tuple(sorted({row for run in history.runs for row in _make_files(history, run)}, key=_file_order))


def _make_run(history: History, run: RunRecord, month: str) -> RunRow:
    opened, closed = run.opened, run.closed
    asked = mapping(history.read(text(opened.get("asked"))))
    operator = mapping(asked.get("operator"))
    contract, code = mapping(opened.get("contract")), mapping(opened.get("code"))
    played = mapping(opened.get("played"))
    playbook, spool = mapping(opened.get("playbook")), mapping(closed.get("spool"))
    return RunRow(
        number=run.number,
        duty=text(opened.get("duty")) or "?",
        grade=run.grade,
        check_mode=run.is_check,
        state=run.state,
        opened_at=run.opened_at,
        closed_at=run.closed_at,
        played_from=instant(played.get("from")),
        played_to=instant(played.get("to")),
        reruns=whole(opened.get("reruns")),
        closed_reason=text(closed.get("reason")),
        cancelled_by=_read_canceller(history, closed),
        operator=text(operator.get("user")),
        stated_operator=text(operator.get("stated")),
        login=text(operator.get("login")),
        sudo_user=text(operator.get("sudo_user")),
        reason=text(asked.get("reason")),
        controller=text(asked.get("controller")),
        clock_synchronised=truth(mapping(asked.get("clock")).get("synchronised")),
        contract_number=text(contract.get("number")),
        contract_commit=text(contract.get("commit")),
        contract_dirty=truth(contract.get("dirty")),
        code_version=text(code.get("version")),
        code_commit=text(code.get("commit")),
        collection_version=text(opened.get("collection")),
        playbook=text(playbook.get("path")),
        playbook_sha256=text(playbook.get("sha256")),
        inventory_sha256=text(opened.get("inventory_sha256")),
        spool_sha256=text(spool.get("sha256")),
        spool_lines=whole(spool.get("lines")),
        hosts_total=len(set(run.hosts) | {str(name) for name in sequence(opened.get("hosts"))}),
        hosts_good=sum(record.outcome in _GOOD for record in run.hosts.values()),
        needs_verify=sum(record.needs_verify for record in run.hosts.values()),
        entry_opened=run.entry_opened,
        entry_closed=run.entry_closed,
        leaf_opened=run.leaf_opened,
        leaf_closed=run.leaf_closed,
        alarms=tuple(sequence(closed.get("alarms"))),
        month=month,
    )


def _read_canceller(history: History, closed: Mapping[str, object]) -> str | None:
    by = mapping(history.read(text(closed.get("cancelled")))).get("by")
    return text(by) or text(mapping(by).get("user"))


@dataclass(frozen=True, slots=True)
class _Detail:
    address: str | None
    remote_user: str | None
    message: str | None


def _read_detail(history: History, digest: str | None) -> _Detail:
    detail = mapping(history.read(digest))
    return _Detail(text(detail.get("address")), text(detail.get("remote_user")), text(detail.get("message")))


def _make_host_result(record: HostRecord, detail: _Detail) -> HostResultRow:
    return HostResultRow(
        run=record.run,
        host=record.host,
        outcome=record.outcome,
        reason=record.reason,
        needs_verify=record.needs_verify,
        truncated=record.truncated,
        connection=record.connection,
        remote_user=detail.remote_user,
        address=detail.address,
        opened_at=record.opened_at,
        closed_at=record.closed_at,
        message=detail.message,
        entry=record.entry,
        leaf_sha256=record.leaf,
        alarms=record.alarms,
    )


def _make_task(history: History, record: HostRecord, task: TaskRecord) -> TaskRow:
    # Bodies of the many tasks that went well are not fetched: their message tells nothing new.
    result = mapping(history.read(task.result)) if task.outcome in _TOLD else {}
    message = result.get("msg")
    return TaskRow(
        run=record.run,
        host=record.host,
        position=task.position,
        name=task.name,
        module=task.module,
        file=task.file,
        line=task.line,
        started_at=task.started_at,
        ended_at=task.ended_at,
        outcome=task.outcome,
        ignored=task.ignored,
        truncated=task.truncated,
        message=text(message) or text(mapping(mapping(message).get("_cut")).get("head")),
        args=task.args,
    )


def _make_files(history: History, run: RunRecord) -> Iterator[FileRow]:
    for leaf in (run.opened, run.closed):
        for item in sequence(history.read(text(leaf.get("files")))):
            file = mapping(item)
            path, digest = text(file.get("path")), text(file.get("sha256"))
            if path and digest:
                yield FileRow(run.number, text(file.get("kind")) or "?", path, digest)


def _file_order(row: FileRow) -> tuple[int, str, str, str]:
    return row.run, row.kind, row.path, row.sha256
