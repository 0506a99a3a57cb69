"""Bringing an older database to the schema of this program: backup, migrations, verification."""

from dataclasses import dataclass
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from itcare.core.clock import Clock
from itcare.core.errors import BusyError, UnsafeError, UnsoundError
from itcare.core.settings import Settings
from itcare.core.words import RunState
from itcare.drive.folder import RunFolder, driver_lives
from itcare.ledger.log import Ledger
from itcare.store.engine import is_older, open_engine, read, read_revision
from itcare.store.schema import migrate
from itcare.store.tables import client, run
from itcare.upkeep.backup import make_backup
from itcare.upkeep.facts import verify_state

BACKUPS = "backups"
"""Folder of the state directory for the backups that upgrades make."""


@dataclass(frozen=True)
class Upgrade:
    """Revisions `before` and `after`; `backup` is None when there was nothing to do."""

    before: str
    after: str
    backup: Path | None


def upgrade(settings: Settings, clock: Clock, backup: Path | None = None) -> Upgrade:
    """Upgrade the database of a state directory; nothing happens to one of this version.

    `backup`: new folder for the backup that is made first, default below the state directory. Raises
    NotFoundError without a database, BusyError while a run goes on, UnsafeError for a database of a newer
    program or a migration that failed (then nothing was changed), UnsoundError when a log does not verify.
    """
    engine = open_engine(settings.database, older=True)
    try:
        before = str(read_revision(engine))
        if not is_older(before):
            return Upgrade(before, before, None)
        _require_quiet(engine)
        kept = make_backup(Ledger(settings, engine, clock), backup or _choose_folder(settings, before, clock), clock)
        _migrate(engine, settings, kept.path)
        after = str(read_revision(engine))
    finally:
        engine.dispose()
    try:
        verify_state(settings)
    except UnsoundError as error:
        raise UnsoundError(
            "upgrade", str(settings.database), f"afterwards {error.subject} does not verify: {error.why}",
            f"Put the backup back into a new folder: itcare restore {kept.path} --into FOLDER.",
        ) from error  # fmt: skip
    return Upgrade(before, after, kept.path)


def _require_quiet(engine: Engine) -> None:
    """Refuse while the driver of a run lives: it is the older program, and knows the older tables."""
    columns = select(run.c.folder, client.c.code, run.c.number).join(client, client.c.id == run.c.client_id)
    with read(engine) as connection:
        running = connection.execute(columns.where(run.c.state == RunState.RUNNING.value)).all()
    for folder, code, number in running:
        if driver_lives(RunFolder(Path(folder))):
            raise BusyError(
                "upgrade", f"{code}/{number}", "this run is going on",
                f"Wait for its end, or stop it with the program that started it: itcare cancel {code}/{number}.",
            )  # fmt: skip


def _choose_folder(settings: Settings, revision: str, clock: Clock) -> Path:
    folder = settings.home / BACKUPS
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UnsafeError("make folder", str(folder), str(error), "Name another one with --backup.") from error
    return folder / f"schema-{revision}-{clock.now():%Y%m%dT%H%M%SZ}"


def _migrate(engine: Engine, settings: Settings, kept: Path) -> None:
    try:
        migrate(engine)
    except (SQLAlchemyError, CommandError) as error:
        raise UnsafeError(
            "upgrade", str(settings.database), f"a migration failed ({error}); nothing was changed",
            f"Go on with the older program, and keep the backup in {kept} for whoever looks into it.",
        ) from error  # fmt: skip
