"""A client's history for the commands that show it, as plain values for JSON and tables."""

from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from itcare.core.clock import write_instant

if TYPE_CHECKING:
    from itcare.cli.session import Session
    from itcare.ledger.log import LogRef
    from itcare.publish.records import History, RunRecord


def live_runs(session: "Session", log: "LogRef") -> set[int]:
    """Numbers of the client's runs that nobody has closed yet."""
    from itcare.drive.rows import open_runs
    from itcare.store.engine import read

    with read(session.engine) as connection:
        return {row.number for row in open_runs(connection) if row.client_id == log.client_id}


def read_client(session: "Session", log: "LogRef") -> "History":
    """Everything the client's ledger tells, runs in progress included."""
    from itcare.publish.history import read_history

    ledger = session.ledger
    return read_history(ledger.entries(log), lambda digest: ledger.body(log, digest), live_runs(session, log))


def find_doubts(history: "History") -> dict[int, list[str]]:
    """Hosts that somebody still has to look at, by each run that left them so.

    A later run that looked clears the doubt; an adopted one does not, since anybody can write a spool.
    """
    from itcare.core.words import HostOutcome, RunGrade

    looked = (HostOutcome.OK, HostOutcome.CHANGED, HostOutcome.FAILED)
    doubts: dict[str, list[int]] = {}
    for run in history.runs:
        for name, record in run.hosts.items():
            if record.needs_verify:
                doubts.setdefault(name, []).append(run.number)
            elif record.outcome in looked and record.readable and run.grade is RunGrade.ANNOUNCED:
                doubts.pop(name, None)
    by_run: dict[int, list[str]] = {}
    for name, numbers in sorted(doubts.items()):
        for number in numbers:
            by_run.setdefault(number, []).append(name)
    return by_run


def describe_run(client: str, history: "History", record: "RunRecord") -> dict[str, object]:
    """One run in one flat object."""
    from itcare.publish.records import History
    from itcare.publish.run_rows import make_run_rows

    only = History(history.client, history.first_at, (record,), history.problems, history.body)
    row = make_run_rows(only)[0]
    fields = {name: value for name, value in plain_fields(row).items() if name != "month"}  # where it is published
    return {"client": client, "number": row.number, "state": str(row.state), **fields}


def describe_run_fully(client: str, history: "History", record: "RunRecord") -> dict[str, object]:
    """One run with its hosts, their tasks and the files used."""
    from itcare.publish.records import History
    from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_task_rows

    only = History(history.client, history.first_at, (record,), history.problems, history.body)
    tasks = [plain_fields(task) for task in make_task_rows(only)]
    hosts = []
    for result in make_host_result_rows(only):
        own = [
            {k: v for k, v in task.items() if k not in ("run", "host")} for task in tasks if task["host"] == result.host
        ]
        hosts.append({**plain_fields(result), "tasks": own})
    files = [{k: v for k, v in plain_fields(file).items() if k != "run"} for file in make_file_rows(only)]
    return {**describe_run(client, history, record), "hosts": hosts, "files": files}


def plain_fields(row: Any) -> dict[str, Any]:
    """A dataclass row as JSON values."""
    return {item.name: _plain(getattr(row, item.name)) for item in fields(row)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return write_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, str):
        return str(value)  # an enum's own value
    return value
