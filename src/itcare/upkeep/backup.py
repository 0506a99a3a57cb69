"""A backup of itcare's own state: the ledger with its checkpoints, settings and trusted host keys.

Never in it: the signing key and the keys of computers (whoever finds a backup could use them), and
what can be made again (published files) or belongs elsewhere (contracts, in the firm's repository).
"""

import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from itcare.core.clock import Clock, write_instant
from itcare.core.errors import BadInputError, UnsafeError
from itcare.drive.controller import read_code_version
from itcare.ledger.log import Ledger
from itcare.ledger.note import RECOVERY_KEY, VERIFIER_KEY, Signer, load_signer
from itcare.store.durable import sync_folder, write_durably
from itcare.store.engine import write
from itcare.upkeep.facts import verify_state
from itcare.upkeep.manifest import VERSION, may_be_in_backup, write_manifest

ABOUT = "about.json"


@dataclass(frozen=True)
class Backup:
    """A finished backup. `logs`: name of each log with its number of entries; `open_runs`: how many went on."""

    path: Path
    logs: tuple[tuple[str, int], ...]
    open_runs: int


def make_backup(ledger: Ledger, out: Path, clock: Clock) -> Backup:
    """Write a verified backup to the new folder `out`.

    Nothing is appended or signed while the state is copied, so that database and checkpoints fit. Raises
    BadInputError when `out` is there or its parent is not, UnsoundError when a log does not verify (then
    nothing is kept), UnsafeError without the signing key or when it cannot be written, BusyError.
    """
    settings, out = ledger.settings, out.absolute()
    if os.path.lexists(out) or not out.parent.is_dir():
        raise BadInputError(
            "write backup", str(out), "it is there already, or its parent folder is missing", "Name a new folder."
        )
    signer = load_signer(settings.keys)
    work = None
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        with write(ledger.engine):  # holds every writer off until both are copied
            _copy_database(settings.database, work / settings.database.name)
            _copy_files(settings.home, work)
        backup = _finish(ledger, work, signer, clock)
        work.rename(out)
        sync_folder(out.parent)
    except (OSError, sqlite3.Error) as error:
        raise UnsafeError("write backup", str(out), str(error), "Check the folder and its free space.") from error
    finally:
        if work is not None and work.exists():
            shutil.rmtree(work)
    return replace(backup, path=out)


def _copy_database(database: Path, copy: Path) -> None:
    # VACUUM INTO and not a copy of the pages: what was deleted, such as an erased body, stays behind.
    copy.touch(0o600, exist_ok=False)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))


def _copy_files(home: Path, work: Path) -> None:
    names = [home / "itcare.toml", home / "keys" / VERIFIER_KEY, home / "keys" / RECOVERY_KEY]
    for path in (*names, *home.glob("checkpoints/*/*"), *home.glob("known_hosts/*")):
        name = path.relative_to(home)
        if may_be_in_backup(name.as_posix()) and path.is_file() and not path.is_symlink():
            copy_private(path, work / name)


def copy_private(source: Path, target: Path) -> None:
    """Copy one file durably, mode 0600, its folders 0700. Raises OSError."""
    for folder in reversed([p for p in target.parents if not p.exists()]):
        folder.mkdir(mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        os.fchmod(descriptor, 0o600)
        shutil.copyfileobj(reader, writer)
        writer.flush()
        os.fsync(descriptor)


def _finish(ledger: Ledger, work: Path, signer: Signer, clock: Clock) -> Backup:
    """Verify the copy, describe it and sign the list of its files."""
    origin = ledger.firm_log().origin
    facts = verify_state(replace(ledger.settings, home=work))
    about = {
        "schema": VERSION,
        "origin": origin,
        "made_at": write_instant(clock.now()),
        "code": read_code_version().version,
        **asdict(facts),
    }
    write_durably(work / ABOUT, (json.dumps(about, indent=1) + "\n").encode())
    _sync_file(work / ledger.settings.database.name)
    write_manifest(work, signer, origin)
    for folder in (path for path in work.rglob("*") if path.is_dir()):
        sync_folder(folder)
    return Backup(work, tuple((entry.log, entry.size) for entry in facts.logs), facts.open_runs)


def _sync_file(path: Path) -> None:
    # Whether VACUUM INTO syncs what it wrote depends on the version of SQLite.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
