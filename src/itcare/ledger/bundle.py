"""Proof bundle: a folder with everything a client needs to check its own log without us."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path

from sqlalchemy import Connection, select

from itcare.core.errors import BadInputError, UnsafeError, UnsoundError
from itcare.ledger import verify
from itcare.ledger.bundle_text import README
from itcare.ledger.log import Ledger, LogRef
from itcare.ledger.merkle import prove_inclusion
from itcare.ledger.note import RECOVERY_KEY, load_signer
from itcare.ledger.rows import read_event
from itcare.ledger.verify import LEAF_PREFIX, SALT_BYTES, Checkpoint
from itcare.store.bodies import load_body
from itcare.store.durable import sync_folder
from itcare.store.engine import read
from itcare.store.packing import unpack_leaf
from itcare.store.tables import leaf, log


def export_proof(ledger: Ledger, target: LogRef, out: Path) -> Path:
    """Write the bundle of one log, up to its last checkpoint, to the new or empty folder `out`; returns it.

    The finished bundle is verified by its own verifier before it gets its name. Raises
    BadInputError when `out` is there and no empty folder, or its parent is not there; UnsoundError
    when what would be exported does not verify, UnsafeError when it cannot be written.
    """
    out = out.absolute()
    is_there = _is_empty_folder(out)
    if not is_there and (os.path.lexists(out) or not out.parent.is_dir()):
        raise BadInputError(
            "write proof bundle", str(out), "it is there already and not empty, or its parent folder is missing",
            "Name a new folder, or an empty one.",
        )  # fmt: skip
    checkpoints = ledger.checkpoints(target)
    latest = ledger.latest_checkpoint(target)
    work = None
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out if is_there else out.parent))
        with read(ledger.engine) as connection:
            _write_contents(connection, ledger, target, checkpoints, latest, work)
        _write_manifest(ledger, target, work)
        _require_sound(work, str(ledger.verifier_key(target)), out)
        _place(work, out)
    except OSError as error:
        raise UnsafeError("write proof bundle", str(out), str(error), "Check the folder and its free space.") from error
    finally:
        if work is not None and work.exists():
            shutil.rmtree(work)
    return out


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and os.access(path, os.R_OK) and not os.listdir(path)


def _place(work: Path, out: Path) -> None:
    """Give the finished bundle its name. Raises OSError.

    A folder that was there keeps its owner and mode, and may be a disk's own; its manifest comes last,
    and a bundle without one does not verify.
    """
    if work.parent == out:
        if os.listdir(out) != [work.name]:
            raise FileExistsError("something else was put there meanwhile")
        for path in sorted(work.iterdir(), key=lambda path: path.name == verify.MANIFEST):
            path.rename(out / path.name)
        work.rmdir()
        sync_folder(out)
    else:
        work.chmod(0o755)
        work.rename(out)
    sync_folder(out.parent)


def _write_contents(
    connection: Connection,
    ledger: Ledger,
    target: LogRef,
    checkpoints: Sequence[Checkpoint],
    latest: Checkpoint,
    work: Path,
) -> None:
    salt = connection.execute(select(log.c.body_salt).where(log.c.id == target.id)).scalar_one()
    about = {
        "schema": verify.BUNDLE_VERSION,
        "origin": target.origin,
        "client": target.client,
        "body_salt": salt.hex(),
    }
    (work / verify.ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (work / verify.KEY_FILE).write_text(f"{ledger.verifier_key(target)}\n", encoding="utf-8")
    shutil.copyfile(ledger.settings.keys / RECOVERY_KEY, work / "recovery-key.txt")
    shutil.copyfile(verify.__file__, work / "verify.py")
    (work / "README.txt").write_text(README, encoding="utf-8")
    (work / verify.CHECKPOINTS).mkdir()
    for checkpoint in checkpoints:
        name = verify.checkpoint_name(checkpoint.size)
        (work / verify.CHECKPOINTS / name).write_text(checkpoint.text, encoding="utf-8")
    hashes = []
    digests: dict[str, None] = {}
    with (work / verify.ENTRIES).open("wb") as file:
        for index, leaf_hash, data in _leaves(connection, target.id, latest.size):
            hashes.append(leaf_hash)
            digests.update(dict.fromkeys(verify.bodies_of(read_event(target, index, data))))
            file.write(_entry_line(index, leaf_hash, data))
    (work / verify.LAST_PROOF).write_bytes(_proof(hashes, latest.size - 1, latest))
    _write_bodies(connection, ledger, target, salt, digests, work)
    _write_firm_entries(connection, ledger, work / verify.EPOCHS, lambda event: _epoch_of(event, target))


def _epoch_of(event: Mapping[str, object], target: LogRef) -> str | None:
    """Name of the files that prove this epoch of the log; None for another event."""
    if event["type"] != verify.EPOCH_EVENT or event.get("origin") != target.origin:
        return None
    return f"{event['entry']:012d}"


def _leaves(connection: Connection, log_id: int, size: int) -> Iterator[tuple[int, bytes, bytes]]:
    columns = select(leaf.c.idx, leaf.c.hash, leaf.c.bytes).where(leaf.c.log_id == log_id, leaf.c.idx < size)
    for row in connection.execute(columns.order_by(leaf.c.idx)):
        yield row.idx, row.hash, unpack_leaf(row.bytes)


def _entry_line(index: int, leaf_hash: bytes, data: bytes) -> bytes:
    salt_end = len(LEAF_PREFIX) + SALT_BYTES
    salt = data[len(LEAF_PREFIX) : salt_end]
    return b"%d %s %s %s\n" % (index, leaf_hash.hex().encode(), salt.hex().encode(), data[salt_end:])


def _proof(hashes: Sequence[bytes], index: int, checkpoint: Checkpoint) -> bytes:
    if len(hashes) != checkpoint.size:
        raise UnsoundError(
            "write proof bundle", checkpoint.origin, f"{len(hashes)} of {checkpoint.size} signed entries are there",
            "Run `itcare verify`.",
        )  # fmt: skip
    return verify.write_proof(index, prove_inclusion(hashes, index), checkpoint.text)


def _write_bodies(
    connection: Connection, ledger: Ledger, target: LogRef, salt: bytes, digests: dict[str, None], work: Path
) -> None:
    (work / verify.BODIES).mkdir()
    missing = set()
    for digest in digests:
        content = load_body(connection, target.id, salt, digest)
        if content is None:
            missing.add(digest)
        else:
            (work / verify.BODIES / f"{digest}.json").write_bytes(content)
    if missing:
        _write_erasures(connection, ledger, target, missing, work)


def _write_erasures(connection: Connection, ledger: Ledger, target: LogRef, missing: set[str], work: Path) -> None:
    def name(event: Mapping[str, object]) -> str | None:
        digest = str(event.get("digest"))
        is_wanted = event["type"] == "body.erased" and event.get("client") == target.client and digest in missing
        return digest if is_wanted else None

    _write_firm_entries(connection, ledger, work / verify.ERASURES, name)


def _write_firm_entries(
    connection: Connection, ledger: Ledger, folder: Path, name_of: Callable[[Mapping[str, object]], str | None]
) -> None:
    """Take the entries that `name_of` names, and only those, out of the firm's log, each with its proof."""
    firm = ledger.firm_log()
    columns = select(leaf.c.idx, leaf.c.bytes).where(leaf.c.log_id == firm.id).order_by(leaf.c.idx)
    events = ((idx, read_event(firm, idx, unpack_leaf(data))) for idx, data in connection.execute(columns))
    names = {index: name for index, event in events if (name := name_of(event)) is not None}
    if not names:
        return
    folder.mkdir()
    latest = ledger.latest_checkpoint(firm)
    leaves = list(_leaves(connection, firm.id, latest.size))
    hashes = [leaf_hash for _, leaf_hash, _ in leaves]
    for index, leaf_hash, data in leaves:
        if name := names.get(index):
            (folder / f"{name}.entry").write_bytes(_entry_line(index, leaf_hash, data))
            (folder / f"{name}.tlog-proof").write_bytes(_proof(hashes, index, latest))


def _write_manifest(ledger: Ledger, target: LogRef, work: Path) -> None:
    lines = [verify.BUNDLE_VERSION, target.origin]
    for path in sorted(path for path in work.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            lines.append(f"{file_digest(file, 'sha256').hexdigest()}  {path.relative_to(work).as_posix()}")
    note = load_signer(ledger.settings.keys).sign("\n".join(lines) + "\n", target.origin)
    (work / verify.MANIFEST).write_bytes(note)


def _require_sound(work: Path, key: str, out: Path) -> None:
    problems = verify.verify_bundle(work, key).problems
    if problems:
        raise UnsoundError("write proof bundle", str(out), problems[0], "Run `itcare verify`; nothing was exported.")
