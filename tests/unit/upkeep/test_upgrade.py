"""`itcare upgrade`: from every older schema to this one, with a way back."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

import itcare.store
from itcare.cli.app import app
from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, BusyError, NotFoundError, UnsafeError, UnsoundError
from itcare.core.settings import Settings
from itcare.core.words import RunState, Severity
from itcare.drive.folder import DriverLock, make_folder
from itcare.drive.rows import RunRow, insert_run
from itcare.ledger.log import Ledger, LogRef
from itcare.store import engine as engine_module
from itcare.store import schema
from itcare.store.engine import open_engine, read, read_revision, write
from itcare.store.tables import REVISION
from itcare.upkeep.doctor import examine
from itcare.upkeep.restore import restore_backup
from itcare.upkeep.upgrade import upgrade
from tests.support.components import ROOT
from tests.support.ledgers import START, attacker, check, fill, new_ledger, open_ledger, sample_ledger

CLOCK = FixedClock(START)
NEXT = f"{int(REVISION) + 1:04d}"
MIGRATION = f'''
from alembic import op

revision = "{NEXT}"
down_revision = "{REVISION}"


def upgrade() -> None:
    op.execute("ALTER TABLE run ADD COLUMN mood TEXT")
    op.execute("CREATE TABLE added (id INTEGER PRIMARY KEY) STRICT")
'''


@pytest.fixture
def old(tmp_path: Path) -> tuple[Settings, LogRef]:
    """A state that the program of today wrote."""
    ledger, log = sample_ledger(tmp_path)
    ledger.engine.dispose()
    return ledger.settings, log


def become_newer(folder: Path, monkeypatch: pytest.MonkeyPatch, migration: str = MIGRATION) -> None:
    """The program of tomorrow: one migration more."""
    scripts = folder / "migrations"
    shutil.copytree(Path(itcare.store.__file__).parent / "migrations", scripts)
    (scripts / "versions" / f"{NEXT}_tomorrow.py").write_text(migration)
    monkeypatch.setattr(schema, "SCRIPTS", str(scripts))
    monkeypatch.setattr(engine_module, "REVISION", NEXT)


def revision_of(settings: Settings) -> str:
    with closing(sqlite3.connect(settings.database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_an_older_database_names_the_one_command(
    old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_newer(tmp_path, monkeypatch)
    with pytest.raises(UnsafeError) as caught:
        open_engine(old[0].database)
    assert "itcare upgrade" in caught.value.remedy
    found = {d.check: d for d in examine(old[0], CLOCK, tmp_path)}["database"]
    assert (found.severity, "itcare upgrade" in found.remedy) == (Severity.ERROR, True)


def test_an_upgrade_backs_up_migrates_and_goes_on(
    old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, log = old
    become_newer(tmp_path, monkeypatch)
    held = (settings.home / "checkpoints" / str(log.id) / "000000000012.txt").read_text()
    done = upgrade(settings, CLOCK)
    assert (done.before, done.after, revision_of(settings)) == (REVISION, NEXT, NEXT)
    assert done.backup == settings.home / "backups" / f"schema-{REVISION}-20261102T073000Z"
    ledger = open_ledger(settings)
    with read(ledger.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM added")).scalar() == 0
    fill(ledger, log, 2)
    assert check(settings, log, against=held).size == 14
    assert upgrade(settings, CLOCK).backup is None


def test_the_backup_of_an_upgrade_is_a_way_back(
    old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, log = old
    with monkeypatch.context() as tomorrow:
        become_newer(tmp_path, tomorrow)
        done = upgrade(settings, CLOCK, tmp_path / "before")
        assert done.backup == tmp_path / "before"
        newer = restore_backup(settings, tmp_path / "before", tmp_path / "newer")  # the newer program reads it too
        assert newer.facts.revision == REVISION
    older = restore_backup(settings, tmp_path / "before", tmp_path / "older")
    assert check(Settings(older.home, settings.contracts, settings.origin), log).size == 12


def test_the_database_of_a_newer_program_is_refused(old: tuple[Settings, LogRef]) -> None:
    with attacker(old[0].database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
    for revision in ("9000", "unheard-of"):
        with attacker(old[0].database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        with pytest.raises(UnsafeError) as caught:
            upgrade(old[0], CLOCK)
        assert "newer" in caught.value.remedy and "itcare upgrade" not in caught.value.remedy


def test_a_migration_that_fails_changes_nothing(
    old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, log = old
    become_newer(tmp_path, monkeypatch, MIGRATION + '    op.execute("CREATE TABLE run (id INTEGER)")\n')
    with pytest.raises(UnsafeError, match="nothing was changed") as caught:
        upgrade(settings, CLOCK)
    assert str(settings.home / "backups") in caught.value.remedy
    monkeypatch.undo()
    assert revision_of(settings) == REVISION
    assert check(settings, log).sound
    with closing(sqlite3.connect(settings.database)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT * FROM added")


def test_a_migration_that_changes_a_leaf_is_found(
    old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil = """    op.execute("DROP TRIGGER leaf_refuses_update")
    op.execute("UPDATE leaf SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log_id = 2 AND idx = 5")
"""
    become_newer(tmp_path, monkeypatch, MIGRATION + spoil)
    with pytest.raises(UnsoundError, match="entry 5") as caught:
        upgrade(old[0], CLOCK)
    assert "itcare restore" in caught.value.remedy


def test_no_backup_no_upgrade(old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    become_newer(tmp_path, monkeypatch)
    with pytest.raises(BadInputError):
        upgrade(old[0], CLOCK, tmp_path)  # it is there already
    assert revision_of(old[0]) == REVISION


def test_while_a_run_goes_on_nothing_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = new_ledger(tmp_path)
    log = ledger.client_log("ACME", "Acme")
    folder = make_folder(ledger.settings.runs, "ab" * 16)
    row = RunRow(
        id=folder.run_id, client_id=log.client_id or 0, client="ACME", client_name="Acme", number=1,
        duty="visit.daily", state=RunState.RUNNING, check=False, nonce="00", fence=1, folder=folder.path, sockets=None,
        opened_at=START, closed_at=None, cancel_by=None,
    )  # fmt: skip
    with write(ledger.engine) as connection:
        insert_run(connection, row)
    become_newer(tmp_path, monkeypatch)
    lock = DriverLock(folder)
    assert lock.acquire()
    with pytest.raises(BusyError, match="ACME/1"):
        upgrade(ledger.settings, CLOCK)
    lock.release()
    assert upgrade(ledger.settings, CLOCK).after == NEXT  # its driver is dead: recover comes afterwards


def test_what_version_0_1_wrote_is_upgraded(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "fixtures" / "v0.1" / "state", tmp_path / "state")
    for path in (tmp_path / "state", *(tmp_path / "state").rglob("*")):  # git keeps no private modes
        path.chmod(0o700 if path.is_dir() else 0o600)
    settings = Settings(tmp_path / "state", tmp_path / "contracts", "firm.example")
    done = upgrade(settings, CLOCK)
    assert (done.after, done.backup is None) == (REVISION, done.before == REVISION)
    engine = open_engine(settings.database)
    assert read_revision(engine) == REVISION
    for log in Ledger(settings, engine).logs():
        assert check(settings, log).sound
    engine.dispose()


def test_without_a_database_there_is_nothing_to_upgrade(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        upgrade(Settings(tmp_path, tmp_path), CLOCK)


def test_the_command_tells_what_it_did(
    old: tuple[Settings, LogRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITCARE_HOME", str(old[0].home))
    assert "Nothing to do" in CliRunner().invoke(app, ["upgrade"]).stdout
    become_newer(tmp_path, monkeypatch)
    result = CliRunner().invoke(app, ["upgrade"])
    assert (result.exit_code, f"from schema {REVISION} to {NEXT}" in result.stdout) == (0, True)
    assert os.listdir(old[0].home / "backups")
