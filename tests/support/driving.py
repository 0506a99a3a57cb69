"""An installation of itcare in a folder of its own, with contracts and playbooks to drive."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from itcare.cli.history import read_client
from itcare.cli.session import Session
from itcare.contract.loader import LoadedContract, load_contract
from itcare.core.clock import Clock, SystemClock
from itcare.core.settings import Settings
from itcare.drive import rows
from itcare.drive.process import RunProcesses, living
from itcare.drive.report import RunReport
from itcare.drive.rows import RunRow
from itcare.drive.run import perform
from itcare.ledger.log import Ledger
from itcare.publish.records import History
from itcare.store.engine import open_engine, read

ROOT = Path(__file__).resolve().parents[2]
DUTY = "visit.daily"
LOCAL = {"connection": "local", "python": "/usr/bin/python3"}
_WAIT_SECONDS = 30


class OffsetClock(SystemClock):
    """The clock of this computer, some time ahead."""

    def __init__(self, ahead: Any) -> None:
        self._ahead = ahead

    def now(self) -> Any:
        return super().now() + self._ahead


@dataclass
class Bench:
    """One installation; `folder` is the test's own."""

    folder: Path
    settings: Settings
    ledger: Ledger

    def perform(self, loaded: LoadedContract, playbook: Path | None = None, **options: Any) -> RunReport:
        report = perform(self.ledger, loaded, DUTY, playbook=playbook, **options)
        sys.stderr.write(f"{report}\n")  # pytest shows it beside a failure
        return report

    def events(self, client: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Events of a client's log, of one type or all."""
        found: list[dict[str, Any]] = [entry.event for entry in self.ledger.entries(self.ledger.find_log(client))]
        return [event for event in found if kind in (None, event["type"])]

    def host_event(self, client: str, run: int, host: str) -> dict[str, Any]:
        return next(e for e in self.events(client, "run.host") if (e["run"], e["host"]) == (run, host))

    @property
    def session(self) -> Session:
        """What the commands that show things read through."""
        return Session(self.settings, SystemClock())

    def history(self, client: str) -> History:
        """A client's ledger as `itcare runs` and `itcare show` read it."""
        return read_client(self.session, self.ledger.find_log(client))

    def task_result(self, client: str, run: int, host: str, position: int) -> Any:
        """What a task returned, from its body in the ledger; None when there is none."""
        history = self.history(client)
        record = next(record for record in history.runs if record.number == run)
        task = next(task for task in record.hosts[host].tasks if task.position == position)
        return history.read(task.result)

    def run_row(self, client: str, number: int = 1) -> RunRow | None:
        with read(self.ledger.engine) as connection:
            return rows.find_run_by_number(connection, client, number)


def make_bench(folder: Path, clock: Clock | None = None, **settings: Any) -> Bench:
    home = folder / "home"
    chosen = Settings(home=home, contracts=folder / "contracts", **settings)
    Ledger.initialise(chosen, folder / "recovery.pem")
    return Bench(folder, chosen, Ledger(chosen, open_engine(chosen.database), clock))


def write_contract(folder: Path, code: str, hosts: Mapping[str, Mapping[str, Any]]) -> LoadedContract:
    """A contract with one site and one duty for all hosts."""
    content = {
        "schema": "itcare/contract/v1",
        "contract": {"number": "T/1", "version": 1, "signed_on": _day("2019-12-01"), "first_day": _day("2020-01-01")},
        "client": {
            "code": code, "legal_name": f"{code} (invented)", "nip": "0000000000", "locale": "pl",
            "tz": "Europe/Warsaw", "dpa": "DPA/T/1",
        },
        "team": {"technician": "Jan Testowy"},
        "sites": {"office": {"reach": "onsite", "connection": "local", "become": False}},
        "hosts": {
            name: {"site": "office", "role": "workstation", "first_day": _day("2020-01-01"), **extra}
            for name, extra in hosts.items()
        },
        "duties": {DUTY: {"per": ["host"], "select": "all", "cadence": {"daily": "all"}}},
    }  # fmt: skip
    path = folder / f"{code.lower()}.yml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return load_contract(path)


def _day(text: str) -> Any:
    return yaml.safe_load(text)


PROBE: Mapping[str, Any] = {"name": "Probe the computer", "ansible.builtin.ping": {}, "timeout": 30}


def write_playbook(folder: Path, *tasks: Mapping[str, Any], name: str = "play.yml", **keywords: Any) -> Path:
    """A playbook of the probe and these tasks. Modules of the tests lie beside it in `library`."""
    folder.mkdir(exist_ok=True)
    play = {
        "name": "Test", "hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.host_pinned", **keywords,
        "tasks": [dict(PROBE), *(dict(task) for task in tasks)],
    }  # fmt: skip
    path = folder / name
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    return path


def sleep_then_touch(path: Path, seconds: float) -> dict[str, Any]:
    """A task whose effect comes late: whether it came at all is to be seen in the file, that it began in another.

    It outlives a terminal that hangs up, as a program that was made to go on does.
    """
    command = f"trap '' HUP; touch {path}.begun; sleep {seconds}; touch {path}"
    return {"name": "Sleep, then write", "ansible.builtin.shell": command, "timeout": 60}


def start_driver(bench: Bench, loaded: LoadedContract, playbook: Path | None = None) -> "subprocess.Popen[str]":
    """A driver in a process of its own that can be killed; prints its report as JSON."""
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    words = [str(bench.settings.home), str(loaded.path), str(playbook or "")]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.drive_once", *words], cwd=ROOT, env=environ, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish_driver(driver: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the driver printed at its end."""
    output, errors = driver.communicate(timeout=_WAIT_SECONDS)
    return dict(json.loads(output)) if output else {"error": errors}


def wait_for_row(bench: Bench, client: str, number: int = 1) -> RunRow:
    """The row of a run as soon as it is there."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        if (row := bench.run_row(client, number)) is not None:
            return row
        time.sleep(0.02)
    raise AssertionError(f"no run {client}/{number}")


def wait_for_spool(row: RunRow, *texts: str) -> None:
    """Wait until one line of the run's spool holds all these texts."""
    deadline = time.monotonic() + _WAIT_SECONDS
    spool = row.folder / "spool.jsonl"
    while time.monotonic() < deadline:
        if spool.exists() and any(all(text in line for text in texts) for line in spool.read_text().splitlines()):
            return
        time.sleep(0.02)
    raise AssertionError(f"{texts} never came into {spool}")


def living_of(row: RunRow) -> Sequence[int]:
    """Processes of a run that are alive, by every net there is."""
    note = row.folder / "cgroup"
    cgroup = Path(note.read_text()) if note.exists() else None
    return living(RunProcesses(row.id, row.sockets, cgroup))


class RunInMotion:
    """A run in the middle of a task, its driver a process of its own.

    The task sleeps `seconds`, then writes the file `late`; on pc01 only where there are more computers.
    """

    def __init__(self, bench: Bench, client: str, seconds: float = 3, hosts: Sequence[str] = ("pc01", "pc02")) -> None:
        self.late = bench.folder / "late"
        self.begun = bench.folder / "late.begun"
        self.loaded = write_contract(bench.folder, client, dict.fromkeys(hosts, LOCAL))
        only = {"when": "inventory_hostname == 'pc01'"} if len(hosts) > 1 else {}
        playbook = write_playbook(bench.folder / "play", {**sleep_then_touch(self.late, seconds), **only})
        self.driver = start_driver(bench, self.loaded, playbook)
        self.row = wait_for_row(bench, client)

    def wait_for_the_task(self) -> "RunInMotion":
        wait_for_spool(self.row, "task_start", "Sleep", "pc01")
        return self

    @property
    def supervisor(self) -> int:
        return int(psutil.Process(self.driver.pid).children()[0].pid)

    def kill_driver(self) -> None:
        self.driver.kill()
        self.driver.communicate()
