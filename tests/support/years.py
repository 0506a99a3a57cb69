"""Generated years of a client, and the same visits brought in through spools as real ones are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.fleet import CLIENT, LEGAL_NAME
from benchmarks.leaves import PORT, USER
from benchmarks.years import make_years
from itcare.core.clock import FixedClock, read_instant
from itcare.core.settings import Settings
from itcare.core.words import RunState
from itcare.drive import rows
from itcare.drive.connections import append_change
from itcare.drive.folder import make_folder
from itcare.drive.importing import bring, read_import
from itcare.drive.orders import Ended, Ending
from itcare.drive.plan import PlannedHost, RunPlan
from itcare.drive.rows import RunRow
from itcare.ledger.log import Ledger
from itcare.store.engine import open_engine
from tests.support.spools import SpoolText

type Event = dict[str, Any]


def make_small_years(home: Path, computers: int, days: int, last_day: date) -> None:
    make_years(home, computers, days, last_day=last_day, progress=lambda _text: None)


@contextmanager
def opened(home: Path, clock: FixedClock | None = None) -> Iterator[Ledger]:
    """The ledger of an installation whose contracts lie in its state folder."""
    settings = Settings(home=home, contracts=home / "contracts")
    engine = open_engine(settings.database)
    try:
        yield Ledger(settings, engine, clock)
    finally:
        engine.dispose()


def read_events(ledger: Ledger, client: str = CLIENT) -> list[Event]:
    """The events of a client's log with their bodies in the place of the digests."""
    log = ledger.find_log(client)
    told = []
    for entry in ledger.entries(log):
        named: Any = entry.event.get("bodies", [])
        bodies = {digest: ledger.body(log, digest) for digest in named}
        told.append(_with_bodies({k: v for k, v in entry.event.items() if k != "bodies"}, bodies))
    return told


def _with_bodies(value: Any, bodies: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _with_bodies(member, bodies) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_bodies(member, bodies) for member in value]
    return bodies.get(value, value) if isinstance(value, str) else value


def import_events(home: Path, contract: Path, events: list[Event]) -> None:
    """Make an installation at `home` and bring the runs of these events in, each through a spool of its own."""
    settings, clock = Settings(home=home, contracts=home / "contracts"), FixedClock(read_instant(events[0]["at"]))
    Ledger.initialise(settings, home.parent / f"{home.name}-recovery.key", clock)
    settings.contracts.mkdir()
    (settings.contracts / contract.name).write_bytes(contract.read_bytes())
    with opened(home, clock) as ledger:
        ledger.client_log(CLIENT, LEGAL_NAME)
        for number in sorted({event["run"] for event in events[1:]}):
            _import_run(ledger, clock, [event for event in events[1:] if event["run"] == number])


def _import_run(ledger: Ledger, clock: FixedClock, events: list[Event]) -> None:
    opening, *hosts, closing = events
    log = ledger.find_log(CLIENT)
    clock.instant = read_instant(opening["at"])
    folder = make_folder(ledger.settings.runs, opening["run_id"])
    with ledger.append(log) as batch:
        row = RunRow(
            id=opening["run_id"], client_id=log.client_id or 0, client=CLIENT, client_name=LEGAL_NAME,
            number=opening["run"], duty=opening["duty"], state=RunState.RUNNING, check=False, nonce="ab" * 16,
            fence=rows.next_fence(batch.connection), folder=folder.path, sockets=None, opened_at=clock.now(),
            closed_at=None, cancel_by=None,
        )  # fmt: skip
        rows.insert_run(batch.connection, row)
        rows.take_leases(batch.connection, row, opening["hosts"], clock.now())
        event = {name: value for name, value in opening.items() if name not in ("v", "entry", "at")}
        batch.add(event | {name: batch.body(event[name]) for name in ("asked", "files")})
    ledger.sign(log)
    plan = RunPlan(
        tuple(PlannedHost(e["host"], "ssh", e["detail"]["address"], PORT, USER) for e in hosts),
        {file["path"]: file["sha256"] for file in closing["files"]},
    )
    _spool_of(row, opening, hosts, closing).write(folder.path)
    for event in hosts:
        for link in event["connections"]:
            for change in ("opened", "closed"):
                append_change(folder.connections, event["host"], change, read_instant(link[f"{change}_at"]))
    Ended(Ending.FINISHED, closing["rc"]).write(folder)
    content = read_import(row, folder, plan)
    clock.instant = read_instant(closing["at"])
    bring(ledger, log, content, row.fence, clock)


def _spool_of(row: RunRow, opening: Event, hosts: list[Event], closing: Event) -> SpoolText:
    identity = {"id": row.id, "nonce": row.nonce, "fence": row.fence}
    playbook = {"path": opening["playbook"]["path"], "sha256": opening["playbook"]["sha256"]}
    text = SpoolText().header(identity, playbook=playbook, collection=opening["collection"])
    for file in closing["files"]:
        text.add("file", **file)
    text.play(*opening["hosts"])
    for event in hosts:
        for task in event["tasks"]:
            told = {name: task[name] for name in ("name", "module", "file", "line", "args")}
            text.start(event["host"], f"t{task['position']}", at=task["start"], **told)
            text.end(
                event["host"], f"t{task['position']}", task["outcome"], at=task["end"], ignored=task["ignored"],
                result=_whole_result(task),
            )  # fmt: skip
    return text.close()


def _whole_result(task: Event) -> Event:
    """The result as the module gave it, the list of software still in it."""
    result: Event = json.loads(json.dumps(task["result"]))
    for name, value in task.get("attachments", {}).items():
        result["software"][name] = value
    return result
