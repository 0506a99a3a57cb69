"""Opening the database, its two kinds of transaction, and the guards on leaves."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from itcare.core.errors import BusyError, NotFoundError, UnsafeError
from itcare.store import dialect
from itcare.store.engine import open_engine, read, write
from tests.support.ledgers import new_ledger, open_ledger, sample_ledger


def test_every_connection_is_set_up_for_durability(tmp_path: Path) -> None:
    with read(new_ledger(tmp_path).engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "busy_timeout": 10_000
    }  # fmt: skip


def test_every_table_is_strict(tmp_path: Path) -> None:
    with read(new_ledger(tmp_path).engine) as connection:
        loose = connection.execute(
            text("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
        ).scalars()
        assert set(loose) == {"alembic_version"}  # the migration tool's own


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET bytes = x'00' WHERE idx = 3",
        "UPDATE leaf SET hash = hash",
        "DELETE FROM leaf WHERE idx = 3",
        "DELETE FROM leaf",
        "INSERT OR REPLACE INTO leaf SELECT * FROM leaf WHERE idx = 3",
        "REPLACE INTO leaf SELECT * FROM leaf WHERE idx = 11",
        "INSERT INTO leaf SELECT log_id, 99, hash, bytes FROM leaf WHERE log_id = 2 AND idx = 3",
        "INSERT INTO leaf SELECT log_id, -1, hash, bytes FROM leaf WHERE log_id = 2 AND idx = 3",
    ],
)
def test_leaves_can_only_be_added_at_the_end(tmp_path: Path, statement: str) -> None:
    ledger, log = sample_ledger(tmp_path)
    before = [entry.leaf_hash for entry in ledger.entries(log)]
    with pytest.raises(IntegrityError, match="a leaf is"), write(ledger.engine) as connection:
        connection.execute(text(statement))
    assert [entry.leaf_hash for entry in ledger.entries(log)] == before


def test_the_triggers_hold_for_another_program_too(tmp_path: Path) -> None:
    ledger, _ = sample_ledger(tmp_path)
    with closing(sqlite3.connect(ledger.settings.database)) as connection:
        for statement in ("DELETE FROM leaf", "INSERT OR REPLACE INTO leaf SELECT * FROM leaf WHERE idx = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="a leaf is"):
                connection.execute(statement)


def test_a_locked_database_ends_in_busy_after_a_bounded_wait(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    ledger.engine.dispose()
    waiting = open_ledger(ledger.settings, busy_seconds=0.4)
    with closing(sqlite3.connect(ledger.settings.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(BusyError, match="Wait for the other command"), waiting.append(log):
            pytest.fail("the block must not run")
        assert 0.3 < time.monotonic() - started < 5
        assert sum(1 for _ in waiting.entries(log)) == 12  # reading goes on meanwhile
        other.rollback()
    with waiting.append(log) as batch:
        assert batch.add({"type": "a.b"}) == 12


def test_a_writer_waits_for_a_shorter_one_instead_of_failing_at_once(tmp_path: Path) -> None:
    # A deferred transaction would read first and fail as soon as it wrote, whatever the timeout.
    ledger, _ = sample_ledger(tmp_path)
    with write(ledger.engine) as first, closing(sqlite3.connect(ledger.settings.database, timeout=0.1)) as second:
        first.execute(text("SELECT count(*) FROM leaf"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.execute("BEGIN IMMEDIATE")


def test_a_missing_database_names_the_remedy_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="itcare init"):
        open_engine(tmp_path / "itcare.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be looked at" * 50])
def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "itcare.sqlite"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UnsafeError, match="cannot be read"):
        open_engine(path)


def test_a_database_of_another_version_is_not_opened(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.engine.dispose()
    with closing(sqlite3.connect(ledger.settings.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(UnsafeError, match="9999"):
        open_engine(ledger.settings.database)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_database_that_others_may_read_is_not_opened(tmp_path: Path, mode: int) -> None:
    ledger = new_ledger(tmp_path)
    ledger.engine.dispose()
    ledger.settings.database.chmod(mode)
    with pytest.raises(UnsafeError, match="0600"):
        open_engine(ledger.settings.database)


def test_a_folder_name_with_odd_characters_is_no_second_meaning(tmp_path: Path) -> None:
    odd = tmp_path / "a?mode=memory#b%20c d"
    odd.mkdir()
    ledger = new_ledger(odd)
    assert ledger.settings.database.stat().st_size > 0
    assert ledger.client_log("ACME", "Acme").client_id == 1


def test_the_database_examines_itself(tmp_path: Path) -> None:
    with read(new_ledger(tmp_path).engine) as connection:
        assert dialect.damage(connection) == []
