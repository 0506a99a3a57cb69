"""What version 0.1 wrote is still read, or refused with the way on."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from itcare.access import list_scopes
from itcare.contract.loader import load_contract
from itcare.core.clock import FixedClock, read_instant
from itcare.core.errors import UnsafeError
from itcare.core.settings import Settings
from itcare.drive.spool import read_spool
from itcare.ledger.check import check_log
from itcare.ledger.log import Ledger
from itcare.ledger.verify import verify_bundle
from itcare.publish.history import read_history
from itcare.publish.judge import judge_for
from itcare.publish.publication import publish_client
from itcare.publish.reader import Snapshot
from itcare.publish.source import read_source
from itcare.store.engine import open_engine
from itcare.upkeep.upgrade import upgrade
from tests.support.components import ROOT

FIXTURE = ROOT / "tests" / "fixtures" / "v0.1"
CODE = "KRETA"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """The old state, copied; git keeps no private modes."""
    shutil.copytree(FIXTURE / "state", tmp_path / "state")
    (tmp_path / "state").chmod(0o700)
    (tmp_path / "state" / "keys").chmod(0o700)
    for path in (*(tmp_path / "state" / "keys").iterdir(), tmp_path / "state" / "itcare.sqlite"):
        path.chmod(0o600)
    settings = Settings(tmp_path / "state", FIXTURE / "contracts", "firm.example")
    with pytest.raises(UnsafeError) as refused:
        open_engine(settings.database)
    assert "itcare upgrade" in refused.value.remedy
    clock = FixedClock(read_instant("2026-08-07T07:00:00.000000Z"))
    assert upgrade(settings, clock).before == "0001"
    return Ledger(settings, open_engine(settings.database), clock)


def test_every_log_is_sound(ledger: Ledger) -> None:
    for log in ledger.logs():
        assert check_log(ledger.settings, ledger.engine, log).sound


def test_the_runs_are_read(ledger: Ledger) -> None:
    log = ledger.find_log(CODE)
    history = read_history(ledger.entries(log), lambda digest: ledger.body(log, digest))
    assert history.problems == ()
    assert [(run.number, str(run.state)) for run in history.runs] == [(1, "partial"), (2, "partial"), (3, "partial")]
    assert {host: str(record.outcome) for host, record in history.runs[2].hosts.items()} == {
        "pc01": "ok",
        "pc02": "not_reached",
    }


def test_the_old_snapshot_is_refused_with_the_way_on_and_published_again(ledger: Ledger) -> None:
    (scope,) = list_scopes(ledger.settings.published)
    with pytest.raises(UnsafeError, match=r"its version is '[12]', this itcare reads 3") as refused:
        Snapshot.open(scope)
    assert "Publish again with this itcare" in refused.value.remedy
    log, loaded = ledger.find_log(CODE), load_contract(FIXTURE / "contracts" / "kreta.yml")
    now = read_instant("2026-08-07T07:00:00.000000Z")
    source = read_source(
        ledger, log, loaded, check_log(ledger.settings, ledger.engine, log), checked_at=now, code_version="test"
    )
    publish_client(ledger.settings.published, source, judge_for(loaded.contract), now)
    again = Snapshot.open(replace(scope))
    assert again.run_count() == 3
    again.check_files()
    assert {result.host for result in again.host_results(3)} == {"pc01", "pc02"}
    assert {finding.rule for finding in again.host_findings("pc01")} >= {"disk.free", "memory.pressure"}
    assert next(f for f in again.host_findings("pc01") if f.rule == "disk.free").status == "fail"


def test_the_old_ledger_goes_on(ledger: Ledger) -> None:
    log = ledger.find_log(CODE)
    before = ledger.latest_checkpoint(log)
    with ledger.append(log) as batch:
        batch.add({"type": "publication", "files": [], "policy": "test", "tree": {"size": 0, "root": ""}})
    assert ledger.sign(log).size == before.size + 1
    assert check_log(ledger.settings, ledger.engine, log, against=before.text).sound


def test_the_spool_is_read() -> None:
    spool = read_spool(FIXTURE / "spool.jsonl")
    assert (spool.complete, spool.problems, len(spool.tasks)) == (True, (), 6)


def test_the_bundle_verifies() -> None:
    report = verify_bundle(FIXTURE / "bundle", (FIXTURE / "verifier-key.txt").read_text().strip())
    assert report.problems == []
