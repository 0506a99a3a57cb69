"""A client's history for the commands that show it, as plain values for JSON and tables."""

from dataclasses import fields
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from itcare.core.clock import write_instant

if TYPE_CHECKING:
    from itcare.cli.session import Session
    from itcare.ledger.log import LogRef
    from itcare.publish.recollection import Recollection
    from itcare.publish.records import History
    from itcare.publish.rows import RunRow


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


def recollect_client(session: "Session", log: "LogRef") -> "Recollection":
    """The client's ledger with what its last publication remembers of it, to ask for a part."""
    from itcare.publish.recollection import recollect

    ledger, alive = session.ledger, live_runs(session, log)
    head = ledger.head(log)
    alive |= live_runs(session, log)  # one that began, or ended, while we looked was not interrupted
    bookmark = session.settings.bookmarks / f"{log.client_id}.sqlite"
    return recollect(bookmark, partial(ledger.entries, log), head, partial(ledger.body, log), alive)


def describe_run(client: str, row: "RunRow") -> dict[str, object]:
    """One run in one flat object."""
    fields = {name: value for name, value in plain_fields(row).items() if name != "month"}  # where it is published
    return {"client": client, "number": row.number, "state": str(row.state), **fields}


def describe_run_fully(client: str, history: "History") -> dict[str, object]:
    """The one run of a history with its hosts, their tasks and the files used."""
    from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_run_rows, make_task_rows

    (row,) = make_run_rows(history)
    tasks = [plain_fields(task) for task in make_task_rows(history)]
    hosts = []
    for result in make_host_result_rows(history):
        own = [
            {k: v for k, v in task.items() if k not in ("run", "host")} for task in tasks if task["host"] == result.host
        ]
        hosts.append({**plain_fields(result), "tasks": own})
    files = [{k: v for k, v in plain_fields(file).items() if k != "run"} for file in make_file_rows(history)]
    return {**describe_run(client, row), "hosts": hosts, "files": files}


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
