"""The shipped migrations lead to exactly the tables the code knows."""

from importlib.resources import files
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from itcare.store import dialect
from itcare.store.engine import read
from itcare.store.schema import migrate
from itcare.store.tables import REVISION, metadata
from tests.support.ledgers import new_ledger


def test_the_migrated_database_is_what_the_tables_say(tmp_path: Path) -> None:
    with read(new_ledger(tmp_path).engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", "itcare.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.client_log("ACME", "Acme")
    migrate(ledger.engine)
    with read(ledger.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM client")).scalar() == 1
        assert connection.execute(text("SELECT value FROM fence")).scalar() == 0


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(dialect, "_GUARDS", ("CREATE TRIGGER nonsense",))
    path = tmp_path / "half.sqlite"
    path.touch(mode=0o600)
    engine = dialect.create_engine_for(path, busy_seconds=1, create=True)
    try:
        migrate(engine)
    except Exception as error:  # noqa: BLE001 - whatever it is, the database must be empty afterwards
        assert "nonsense" in str(error)
    with read(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0
    engine.dispose()


def test_the_migrations_are_part_of_the_package() -> None:
    assert (files("itcare.store") / "migrations" / "versions" / "0001_ledger.py").is_file()
