"""Making a new installation: `itcare init`.

Everything is built in a staging folder and moved into place, the database last: where a database
stands, the installation is whole. What a crash leaves behind holds nothing that was acknowledged,
and the next call clears it away.
"""

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from itcare.core.clock import Clock, write_instant
from itcare.core.errors import BadInputError, BusyError, UnsafeError
from itcare.core.settings import Settings
from itcare.ledger.log import Ledger
from itcare.ledger.note import RECOVERY_KEY, SIGNING_KEY, VERIFIER_KEY, Signer, check_origin
from itcare.ledger.rows import create_log
from itcare.ledger.verify import VerifierKey
from itcare.store import dialect
from itcare.store.durable import sync_folder, write_durably
from itcare.store.engine import BUSY_SECONDS, open_engine, write
from itcare.store.schema import migrate
from itcare.store.tables import installation

STAGING = ".initialising"
_PARTS = ("checkpoints", "keys", "itcare.sqlite")  # in the order they are moved; the database makes it whole


def initialise(settings: Settings, recovery_key_path: Path, clock: Clock) -> VerifierKey:
    """Create state directory, database, signing key, offline recovery key and the firm's log.

    The private half of the recovery key is written to `recovery_key_path` (0600) and nowhere else.
    Returns the verifier key of the firm's log. Raises BadInputError for a recovery path inside the
    state directory or in use, UnsafeError for a state directory that is in use or not this user's
    alone, BusyError when another call is at work.
    """
    check_origin(settings.origin)
    recovery_path = _require_outside(recovery_key_path, settings.home)
    _create_home(settings.home)
    with _alone(settings.home):
        _require_fresh(settings)
        if os.path.lexists(recovery_path):
            raise BadInputError(
                "write recovery key", str(recovery_path), "a file of this name exists and is never overwritten",
                "Name another path. If an interrupted `itcare init` left it, no ledger uses it: remove it.",
            )  # fmt: skip
        staging = settings.home / STAGING
        _clear_leftovers(settings)
        staging.mkdir(mode=0o700)
        recovery = Signer.generate()
        firm_key = _build(replace(settings, home=staging), recovery, clock)
        _write_private(recovery_path, recovery.to_pem())
        _move_into_place(staging, settings.home)
    return firm_key


def _require_outside(path: Path, home: Path) -> Path:
    """The path with every link resolved, when it is not inside `home`."""
    real = path.parent.resolve() / path.name
    if path.name in ("", ".", "..") or not real.parent.is_dir():
        raise BadInputError(
            "write recovery key", str(path), "its folder is not there", "Name a file on a medium that is kept offline."
        )
    if real.resolve().is_relative_to(home.resolve()) or real.is_relative_to(home.resolve()):
        raise BadInputError(
            "write recovery key", str(path), "it is inside the state directory and would be in every backup",
            "Name a file on a medium that is kept offline.",
        )  # fmt: skip
    return real


def _create_home(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = home.stat()
    except OSError as error:
        raise UnsafeError("create state directory", str(home), str(error), "Choose another ITCARE_HOME.") from error
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise UnsafeError(
            "use state directory", str(home), "it belongs to or can be changed by other users",
            f"Make uid {os.geteuid()} its owner and run chmod 0700 on it.",
        )  # fmt: skip


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BusyError("initialise", str(home), "another `itcare init` is at work", "Wait for it to end.") from error
    finally:
        os.close(descriptor)


def _require_fresh(settings: Settings) -> None:
    home = settings.home
    if os.path.lexists(settings.database):
        raise UnsafeError("initialise", str(home), "a ledger is here already", "Use it, or choose another ITCARE_HOME.")
    present = [part for part in _PARTS if os.path.lexists(home / part)]
    if present and not (home / STAGING).is_dir():
        raise UnsafeError(
            "initialise", str(home), f"{present[0]} of an earlier ledger is here, its database is not",
            "Restore the database from a backup, or choose another ITCARE_HOME.",
        )  # fmt: skip


def _clear_leftovers(settings: Settings) -> None:
    """Remove what an interrupted call left; the staging folder tells that it never finished."""
    staging = settings.home / STAGING
    if staging.is_dir():
        for folder in (settings.home / "checkpoints", settings.home / "keys", staging):
            if folder.is_dir():
                shutil.rmtree(folder)


def _build(staged: Settings, recovery: Signer, clock: Clock) -> VerifierKey:
    ledger_id = secrets.token_hex(16)
    origin = f"{staged.origin}/firm/{ledger_id}"
    recovery_key = str(recovery.verifier_key(f"{staged.origin}/recovery/{ledger_id}"))
    signer = Signer.generate()
    staged.keys.mkdir(mode=0o700)
    write_durably(staged.keys / SIGNING_KEY, signer.to_pem())
    write_durably(staged.keys / VERIFIER_KEY, f"{signer.verifier_key(origin)}\n".encode())
    write_durably(staged.keys / RECOVERY_KEY, f"{recovery_key}\n".encode())
    _write_private(staged.database, b"")  # SQLite would create it readable by others
    creating = dialect.create_engine_for(staged.database, busy_seconds=BUSY_SECONDS, create=True)
    migrate(creating)
    with write(creating) as connection:
        row = {"id": 1, "ledger_id": ledger_id, "recovery_key": recovery_key}
        connection.execute(installation.insert().values(row | {"created_at": write_instant(clock.now())}))
        create_log(connection, origin, None)
    creating.dispose()
    engine = open_engine(staged.database)
    ledger = Ledger(staged, engine, clock)
    firm = ledger.firm_log()
    with ledger.append(firm) as batch:
        batch.add({"type": "firm.initialised", "recovery_key": recovery_key})
    ledger.sign(firm)
    engine.dispose()  # the last connection folds the write-ahead log into the file
    return ledger.verifier_key(firm)


def _write_private(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        sync_folder(path.parent)
    except OSError as error:
        raise UnsafeError("write", str(path), str(error), "Check the medium, then run `itcare init` again.") from error


def _move_into_place(staging: Path, home: Path) -> None:
    left = sorted(path.name for path in staging.iterdir() if path.name not in _PARTS)
    if left:
        raise UnsafeError("initialise", str(staging), f"{left[0]} is still there", "Run `itcare init` again.")
    sync_folder(staging)
    for part in _PARTS:
        (staging / part).rename(home / part)
        sync_folder(home)
    staging.rmdir()
