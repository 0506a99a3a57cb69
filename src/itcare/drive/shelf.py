"""Runs as the ledger tells them: the list, one run whole, and the hosts that somebody must look at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from itcare.core.errors import NotFoundError
from itcare.core.names import RunName
from itcare.core.words import HostOutcome
from itcare.drive import rows
from itcare.drive.rows import RunRow
from itcare.ledger.log import Entry, Ledger, LogRef
from itcare.store import tables
from itcare.store.engine import read

_CHUNK = 200  # entries read at once while walking back from the end
_LOOKED_AT = {HostOutcome.OK, HostOutcome.CHANGED, HostOutcome.FAILED}


@dataclass
class RunRecord:
    """One run as recorded; `opened`, `hosts` and `closed` are entries of the ledger, `closed` None
    while it is open."""

    row: RunRow
    log: LogRef
    opened: Entry | None = None
    hosts: list[Entry] = field(default_factory=list)
    closed: Entry | None = None

    @property
    def name(self) -> RunName:
        return RunName(self.row.client, self.row.number)

    def host_event(self, host: str) -> dict[str, object]:
        """The `run.host` event of one host. Raises NotFoundError."""
        for entry in self.hosts:
            if entry.event.get("host") == host:
                return entry.event
        known = ", ".join(str(entry.event.get("host")) for entry in self.hosts)
        raise NotFoundError(
            "find host",
            f"{self.name} {ascii(host[:70])}",
            "the run has no such host",
            f"It has: {known or 'none yet'}.",
        )


@dataclass(frozen=True)
class RunLine:
    """One line of the list of runs. `outcomes`: hosts by outcome, empty while the run is open.

    `to_verify`: hosts whose outcome left a doubt that no later run has cleared.
    """

    row: RunRow
    outcomes: dict[str, int]
    to_verify: tuple[str, ...]

    @property
    def name(self) -> RunName:
        return RunName(self.row.client, self.row.number)


def show_run(ledger: Ledger, name: RunName) -> RunRecord:
    """One run with all its entries. Raises NotFoundError, for an unknown client as for an unknown run."""
    with read(ledger.engine) as connection:
        row = rows.find_run_by_number(connection, name.client, name.number)
    if row is None:
        raise NotFoundError("find run", str(name), "there is none", "See: itcare runs")
    log = ledger.find_log(row.client)
    record = RunRecord(row, log)
    for entry in _walk_back(ledger, log):
        if entry.event.get("run") != row.number:
            continue
        kind = entry.event.get("type")
        if kind == "run.closed":
            record.closed = entry
        elif kind == "run.host":
            record.hosts.insert(0, entry)
        elif kind == "run.opened":
            record.opened = entry
            break
    return record


def task_result(ledger: Ledger, record: RunRecord, host: str, position: int) -> object | None:
    """What one task of a host returned; None when its body was erased or it had no end.

    Raises NotFoundError for a host or position the run does not have.
    """
    tasks: Any = record.host_event(host).get("tasks")
    for task in tasks:
        if task["position"] == position:
            return None if task["result"] is None else ledger.body(record.log, task["result"])
    raise NotFoundError(
        "find task",
        f"{record.name} {host} {position}",
        "there is none",
        f"Tasks are numbered from 0 to {len(tasks) - 1}.",
    )


def list_runs(
    ledger: Ledger, client: str | None = None, *, needs_verify: bool = False, count: int = 50
) -> list[RunLine]:
    """The newest runs, newest first, of one client or of all.

    With `needs_verify` only those that left a host in doubt which no later run has looked at.
    Raises NotFoundError for an unknown client.
    """
    logs = [ledger.find_log(client)] if client else [log for log in ledger.logs() if log.client]
    with read(ledger.engine) as connection:
        newest = rows.newest_runs(connection, client, count)
    doubts, outcomes = {}, {}
    for log in logs:
        doubts[log.client], outcomes[log.client] = _read_log(ledger, log)
    lines = [
        RunLine(row, outcomes[row.client].get(row.number, {}), doubts[row.client].get(row.number, ())) for row in newest
    ]
    return [line for line in lines if line.to_verify or not needs_verify]


def _read_log(ledger: Ledger, log: LogRef) -> tuple[dict[int, tuple[str, ...]], dict[int, dict[str, int]]]:
    """Hosts still in doubt by run, and counts of outcomes by run, from one client's log."""
    doubtful: dict[str, int] = {}
    outcomes: dict[int, dict[str, int]] = {}
    for entry in ledger.entries(log):
        event: Any = entry.event
        if event["type"] == "run.closed":
            outcomes[event["run"]] = event["outcomes"]
        elif event["type"] == "run.host":
            if event["needs_verify"]:
                doubtful[event["host"]] = event["run"]
            elif event["outcome"] in _LOOKED_AT:
                doubtful.pop(event["host"], None)
    by_run: dict[int, tuple[str, ...]] = {}
    for host, run in sorted(doubtful.items()):
        by_run[run] = (*by_run.get(run, ()), host)
    return by_run, outcomes


def _walk_back(ledger: Ledger, log: LogRef) -> Iterator[Entry]:
    """Entries from the newest to the oldest."""
    with read(ledger.engine) as connection:
        end = connection.execute(select(tables.log.c.size).where(tables.log.c.id == log.id)).scalar_one()
    while end > 0:
        start = max(0, end - _CHUNK)
        chunk = []
        for entry in ledger.entries(log, start):
            if entry.index >= end:
                break
            chunk.append(entry)
        yield from reversed(chunk)
        end = start
