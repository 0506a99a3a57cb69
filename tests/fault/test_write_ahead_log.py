"""The reset bug of SQLite before 3.51.3 needs a checkpoint beside a writer: none of ours is ever made there."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from itcare.core.settings import Settings
from itcare.store import dialect
from itcare.store.engine import open_engine, read, write
from tests.support.ledgers import append_many, check, fill, new_ledger, open_ledger, sample_ledger


def size_of_log(settings: Settings) -> int:
    return settings.database.with_name("itcare.sqlite-wal").stat().st_size


def is_writing(database: Path) -> bool:
    """Whether somebody holds the write lock now."""
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.rollback()
        return False


def test_no_connection_checkpoints_by_itself(tmp_path: Path) -> None:
    with read(new_ledger(tmp_path).engine) as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0


def test_a_checkpoint_holds_every_writer_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "CHECKPOINT_BYTES", 1)
    ledger, log = sample_ledger(tmp_path)
    checkpoint, seen = dialect._checkpoint, []

    def look_first(engine: object) -> None:
        seen.append(is_writing(ledger.settings.database))
        checkpoint(engine)  # type: ignore[arg-type]  # the engine it was called with

    monkeypatch.setattr(dialect, "_checkpoint", look_first)
    fill(ledger, log, 1)
    assert seen and all(seen)
    assert not is_writing(ledger.settings.database)


def test_a_long_log_is_brought_in_and_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "CHECKPOINT_BYTES", 100_000)
    ledger, log = sample_ledger(tmp_path)
    sizes = []
    for _ in range(40):
        fill(ledger, log, 20)
        sizes.append(size_of_log(ledger.settings))
    assert max(sizes) < 300_000
    assert sizes != sorted(sizes)  # it became shorter in between
    with closing(sqlite3.connect(f"file:{ledger.settings.database}?mode=ro&immutable=1", uri=True)) as connection:
        there = connection.execute("SELECT count(*) FROM leaf WHERE log_id = 2").fetchone()[0]
    assert 700 < there <= 812  # most are in the file itself, without its log
    assert check(ledger.settings, log).message == "812 entries, every one signed"


def test_another_writer_makes_it_wait_for_the_next_commit(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    ledger.engine.dispose()
    engine = open_engine(ledger.settings.database, busy_seconds=0.2)
    with closing(sqlite3.connect(ledger.settings.database)) as other, pytest.MonkeyPatch.context() as patched:
        other.execute("BEGIN IMMEDIATE")
        patched.setattr(dialect, "CHECKPOINT_BYTES", 0)
        patched.setattr(dialect, "_checkpoint", lambda _: pytest.fail("beside a writer"))
        dialect.checkpoint_alone(engine)  # returns, and has done nothing
        other.rollback()
    fill(open_ledger(ledger.settings), log, 1)
    assert check(ledger.settings, log).size == 13


def test_a_failed_checkpoint_does_not_make_a_commit_look_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "CHECKPOINT_BYTES", 1)
    ledger, _ = sample_ledger(tmp_path)
    broken = "PRAGMA wal_checkpoint(PASSIVE)"

    def fail(engine: object) -> None:
        with ledger.engine.connect() as connection:
            connection.execute(text(f"{broken} no such syntax"))

    monkeypatch.setattr(dialect, "_checkpoint", fail)
    with write(ledger.engine) as connection:
        connection.execute(text("UPDATE client SET name = 'Acme anew'"))
    with read(ledger.engine) as connection:
        assert connection.execute(text("SELECT name FROM client")).scalar() == "Acme anew"


def test_two_processes_that_write_and_checkpoint_leave_a_sound_ledger(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    ledger.engine.dispose()
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=append_often, args=(str(ledger.settings.home), name, 40)) for name in ("one", "two")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert check(ledger.settings, log).message == "92 entries, every one signed"


def append_often(home: str, name: str, count: int) -> None:
    """Body of a writer that brings the log in after every commit."""
    dialect.CHECKPOINT_BYTES = 1
    append_many(home, name, count)
