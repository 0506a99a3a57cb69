"""Real ledgers in temporary folders, and an attacker who holds the database file."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from itcare.core.clock import FixedClock
from itcare.core.settings import Settings
from itcare.ledger.check import Soundness, check_log
from itcare.ledger.log import Ledger, LogRef
from itcare.ledger.merkle import Frontier
from itcare.store.engine import open_engine
from itcare.store.packing import unpack_leaf

START = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)


def settings_in(folder: Path) -> Settings:
    return Settings(home=folder / "home", contracts=folder / "contracts", origin="firm.example")


def new_ledger(folder: Path, **options: float) -> Ledger:
    """An initialised ledger in `folder`, its recovery key beside it."""
    settings = settings_in(folder)
    Ledger.initialise(settings, folder / "recovery.key", FixedClock(START))
    return open_ledger(settings, **options)


def open_ledger(settings: Settings, **options: float) -> Ledger:
    return Ledger(settings, open_engine(settings.database, **options), FixedClock(START + timedelta(hours=1)))


def fill(ledger: Ledger, log: LogRef, count: int, *, person: str = "operator") -> None:
    """Append `count` entries in one transaction, every second with a body, and sign."""
    with ledger.append(log) as batch:
        for number in range(count):
            who = batch.body({"user": f"{person}-{number % 3}"}) if number % 2 else None
            batch.add({"type": "run.closed", "run": number, "who": who})
    ledger.sign(log)


def sample_ledger(folder: Path) -> tuple[Ledger, LogRef]:
    """A client's log of 12 entries with checkpoints at 1, 4, 8 and 12."""
    ledger = new_ledger(folder)
    log = ledger.client_log("ACME", "Acme sp. z o.o.")
    for count in (3, 4, 4):
        fill(ledger, log, count)
    return ledger, log


def copy_home(settings: Settings, folder: Path) -> Settings:
    """A copy of a closed installation that may be damaged."""
    shutil.copytree(settings.home, folder / "home")
    return replace(settings, home=folder / "home")


def check(settings: Settings, log: LogRef, **options: object) -> Soundness:
    engine = open_engine(settings.database)
    try:
        return check_log(settings, engine, log, **options)  # type: ignore[arg-type]
    finally:
        engine.dispose()


@contextmanager
def attacker(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody with the file in hand: no triggers, no foreign keys in the way.

    In its statements `plain(bytes)` is the leaf that lies packed in `bytes`; a plain one may be put there.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.create_function("plain", 1, unpack_leaf)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        connection.commit()


def fit_head(connection: sqlite3.Connection, log_id: int) -> None:
    """Make the stored head agree with the leaf rows, as a careful attacker would."""
    edge = Frontier()
    for (leaf_hash,) in connection.execute("SELECT hash FROM leaf WHERE log_id = ? ORDER BY idx", (log_id,)):
        edge.append(leaf_hash)
    row = (edge.size, edge.to_bytes(), edge.root(), log_id)
    connection.execute("UPDATE log SET size = ?, frontier = ?, root = ? WHERE id = ?", row)


def append_many(home: str, name: str, count: int) -> None:
    """Body of a writer process: `count` transactions of one entry each."""
    ledger = open_ledger(Settings(home=Path(home), contracts=Path(home), origin="firm.example"), busy_seconds=60)
    log = ledger.find_log("ACME")
    for number in range(count):
        with ledger.append(log) as batch:
            batch.add({"type": "test.write", "writer": name, "number": number})
    ledger.sign(log)
