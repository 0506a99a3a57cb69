"""Makes tests/fixtures/vN: the state of an invented firm as this version writes it.

Run once per released version, `python -m tests.support.fixture tests/fixtures/v0.1`; later versions read what
earlier ones wrote and never make it again. Everything in it is invented, the keys too.
"""

import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from itcare.core.clock import FixedClock, write_instant
from itcare.core.settings import Settings
from itcare.ledger.bundle import export_proof
from itcare.ledger.check import check_log
from itcare.ledger.log import Ledger, LogRef
from itcare.publish.judge import judge_for
from itcare.publish.publication import publish_client
from itcare.publish.source import read_source
from itcare.store.engine import open_engine
from tests.support.observations import file_system, ok, unavailable
from tests.support.playbook import run_playbook
from tests.support.publishing import write_contract
from tests.support.stories import Story, task

BEGIN = datetime(2026, 8, 3, 7, 0, tzinfo=UTC)
CODE = "KRETA"


def _health(free_gb: int, at: datetime) -> dict[str, object]:
    disk = file_system(total=980 * 10**9, available=free_gb * 10**9)
    return {
        "schema": "itcare/health/v1",
        "observed_at": write_instant(at),
        "system": {"family": "linux", "pretty_name": "Debian GNU/Linux 12", "kernel": "6.1.0-26-amd64"},
        "sources": {
            "filesystems": ok([disk]),
            "units": unavailable("no_systemd"),
            "time": ok({"synchronised": True, "offset_seconds": 0.002, "method": "chrony", "service": "chronyd"}),
            "memory": ok({"total_bytes": 16 * 10**9, "available_bytes": 9 * 10**9, "swap_total_bytes": 0,
                          "swap_free_bytes": 0, "psi": None}),
        },
    }  # fmt: skip


def _visit(ledger: Ledger, log: LogRef, clock: FixedClock, number: int, free_gb: int) -> None:
    """One run over two computers, one of which does not answer."""
    with ledger.append(log) as batch:
        story = Story(CODE, began=clock.now())
        story.keep = batch.body  # type: ignore[method-assign,assignment]  # bodies go where the entries go
        story.runs = number - 1
        run = story.open_run(["pc01", "pc02"], at=clock.now())
        story.tell_host(run, "pc01", health=_health(free_gb, clock.now()))
        unreachable = task(0, "ansible.builtin.ping", clock.now(), outcome="unreachable")
        story.tell_host(run, "pc02", "not_reached", reason="refused", tasks=[unreachable])
        story.close_run(run, "partial", outcomes={"ok": 1, "not_reached": 1}, rc=4)
        for entry in story.entries[1:]:  # the story's own enrolment is the ledger's work
            batch.add({key: value for key, value in entry.event.items() if key not in ("v", "entry", "at")})
    ledger.sign(log)


def _record_spool(folder: Path) -> None:
    """The spool of a real playbook, as the callback of this version writes it."""
    tasks = [
        {"name": "Probe the computer", "ansible.builtin.ping": None},
        {"name": "Say something", "ansible.builtin.command": "echo invented", "changed_when": False},
        {"name": "Fail for once", "ansible.builtin.command": "false", "ignore_errors": True},
    ]
    (folder / "play").mkdir()
    run = run_playbook(folder / "play", tasks, ["pc01", "pc02"])
    assert run.rc == 0, run.output
    shutil.copy(run.spool, folder / "spool.jsonl")


def make(target: Path) -> None:
    """Write the whole fixture into the new folder `target`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = write_contract(folder / "contracts", CODE, ["pc01", "pc02"], legal_name="Kreta Example sp. z o.o.")
        settings = Settings(folder / "state", folder / "contracts", "firm.example")
        clock = FixedClock(BEGIN)
        Ledger.initialise(settings, folder / "recovery.key", clock)
        engine = open_engine(settings.database)
        ledger = Ledger(settings, engine, clock)
        log = ledger.client_log(CODE, loaded.contract.client.legal_name)
        for number, free_gb in enumerate((400, 140, 90), start=1):
            clock.advance(timedelta(days=1))
            _visit(ledger, log, clock, number, free_gb)
        checked = partial(check_log, settings, engine)
        source = read_source(ledger, log, loaded, checked(log), checked_at=clock.now(), code_version="0.1.0")
        publication = publish_client(settings.published, source, judge_for(loaded.contract), clock.now())
        with ledger.append(log) as batch:
            batch.add(publication.to_event())
        ledger.sign(log)
        assert checked(log).sound
        assert checked(ledger.firm_log()).sound
        bundle = export_proof(ledger, log, folder / "bundle")
        (folder / "verifier-key.txt").write_text(f"{ledger.verifier_key(log)}\n")
        engine.dispose()
        _record_spool(folder)
        for part in ("contracts", "state", "recovery.key", "verifier-key.txt", "spool.jsonl", bundle.name):
            source_path = folder / part
            copy = shutil.copytree if source_path.is_dir() else shutil.copy
            target.mkdir(parents=True, exist_ok=True)
            copy(source_path, target / part)
    about = {"version": "0.1.0", "client": CODE, "runs": 3, "made": write_instant(BEGIN + timedelta(days=3))}
    (target / "about.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
