"""Putting a backup back: nothing of it is believed before its signed list, every log and the outside say so."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from itcare.core.errors import BadInputError, UnsafeError, UnsoundError
from itcare.core.settings import Settings
from itcare.ledger.check import check_log
from itcare.ledger.log import Ledger
from itcare.ledger.note import VERIFIER_KEY
from itcare.ledger.verify import MAX_NOTE_BYTES, Checkpoint, NoteError, VerifierKey, open_checkpoint
from itcare.store.durable import sync_folder
from itcare.store.engine import open_engine
from itcare.upkeep.backup import ABOUT, copy_private
from itcare.upkeep.facts import LogFacts, StateFacts, verify_state
from itcare.upkeep.manifest import read_manifest, require_files


@dataclass(frozen=True)
class Restored:
    """A state that was put back. `key`: verifier key of the firm's log that the backup was checked with."""

    home: Path
    made_at: str
    facts: StateFacts
    key: VerifierKey


def restore_backup(
    settings: Settings, backup: Path, into: Path, *, against: Iterable[Path] = (), key: str | None = None
) -> Restored:
    """Put the backup in the folder `backup` back as the state directory `into`, which is new or empty.

    `against`: checkpoints kept outside; each has to be one of a tree that the backup contains. `key`: verifier
    key of the firm's log as it was kept outside; default the one in the backup. Raises BadInputError for a
    folder that is in use, a checkpoint of another installation or no key; UnsoundError for a backup that is
    damaged, not sound, or older than a checkpoint; then nothing is put there.
    """
    backup, into = backup.absolute(), into.absolute()
    _require_free(into)
    pinned = _read_key(backup, key)
    outside = _read_outside(against)
    work = None
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
        about = _copy(backup, work, pinned)
        facts = _verify(replace(settings, home=work), pinned, about, outside)
        (work / ABOUT).unlink()
        if into.exists():
            into.rmdir()
        work.rename(into)
        sync_folder(into.parent)
    except OSError as error:
        raise UnsafeError("restore", str(backup), str(error), "Check both folders and the free space.") from error
    finally:
        if work is not None and work.exists():
            shutil.rmtree(work)
    return Restored(into, str(about.get("made_at")), facts, pinned)


def _require_free(into: Path) -> None:
    empty = into.is_dir() and not into.is_symlink() and not os.listdir(into)
    if not empty and (os.path.lexists(into) or not into.parent.is_dir()):
        raise BadInputError(
            "restore into", str(into), "it is not empty, or its parent folder is missing",
            "Name a new folder; a state that is there is never overwritten. Move it away first.",
        )  # fmt: skip


def _read_key(backup: Path, text: str | None) -> VerifierKey:
    try:
        return VerifierKey.parse(text if text is not None else (backup / "keys" / VERIFIER_KEY).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInputError(
            "restore", str(backup), f"there is no key to check it with ({error})",
            "Name the folder of a backup; --key takes the key text of the firm's log.",
        ) from error  # fmt: skip


def _read_outside(paths: Iterable[Path]) -> dict[str, list[str]]:
    """Texts of the checkpoints by the log that their first line names."""
    found: dict[str, list[str]] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                text = file.read(MAX_NOTE_BYTES + 1).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError("read checkpoint", str(path), str(error), "Name the kept checkpoint.") from error
        found.setdefault(text.split("\n", 1)[0], []).append(text)
    return found


def _copy(backup: Path, work: Path, key: VerifierKey) -> Mapping[str, object]:
    """Copy the files that the signed list names, and judge the copy."""
    listed = read_manifest(backup, key)
    require_files(backup, listed)
    for name in listed:
        copy_private(backup / name, work / name)
    require_files(work, listed)  # the original may be on a medium that others can write
    try:
        about = json.loads((work / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnsoundError("use backup", str(backup), f"{ABOUT}: {error}", "Use another backup.") from error
    return about if isinstance(about, dict) else {}


def _verify(
    staged: Settings, key: VerifierKey, about: Mapping[str, object], outside: Mapping[str, list[str]]
) -> StateFacts:
    facts = verify_state(staged)
    logs = {entry.origin: entry for entry in facts.logs}
    if unknown := sorted(outside.keys() - logs):
        raise BadInputError(
            "compare with checkpoint", ascii(unknown[0][:120]), "the backup has no log of that name",
            f"Known: {', '.join(logs)}.",
        )  # fmt: skip
    if about.get("rows") != facts.rows:
        raise UnsoundError(
            "restore", str(staged.database.name), f"it has other numbers of rows ({facts.rows}) than were backed up",
            "Use another backup.",
        )  # fmt: skip
    for origin, texts in outside.items():
        _require_same_history(staged, logs[origin], texts, VerifierKey(origin, key.public))
    return facts


def _require_same_history(staged: Settings, log: LogFacts, texts: Iterable[str], key: VerifierKey) -> None:
    """Refuse a log that does not begin with the tree of every checkpoint kept outside, but for declared losses."""
    engine = open_engine(staged.database, older=True)
    try:
        target = next(ref for ref in Ledger(staged, engine).logs() if ref.origin == log.origin)
        for text in texts:
            outside = _open_outside(log, text, key)
            result = check_log(staged, engine, target, against=text, integrity=False)
            if not result.sound:
                raise _rollback(log, outside) if outside.size > log.size else _fork(log, result.message)
    finally:
        engine.dispose()


def _open_outside(log: LogFacts, text: str, key: VerifierKey) -> Checkpoint:
    try:
        return open_checkpoint(text.encode(), key)
    except NoteError as error:
        raise BadInputError(
            "compare with checkpoint", log.origin, f"it is not signed by the key of this backup ({error})",
            "Name a checkpoint of this ledger; if you are sure that it is one, this backup is somebody else's.",
        ) from error  # fmt: skip


def _rollback(log: LogFacts, outside: Checkpoint) -> UnsoundError:
    return UnsoundError(
        "restore", log.log,
        f"a rollback: the backup has {log.size} entries, a checkpoint kept outside signed {outside.size}",
        f"Find a backup with at least {outside.size} entries. Where there is none, entries {log.size} to "
        f"{outside.size - 1} are lost: restore without --against, then declare it with `itcare ledger new-epoch`.",
    )  # fmt: skip


def _fork(log: LogFacts, why: str) -> UnsoundError:
    return UnsoundError(
        "restore", log.log, f"a fork: {why}",
        "Keep backup and checkpoint: together they show that one history was written anew.",
    )  # fmt: skip
