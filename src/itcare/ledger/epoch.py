"""Declaring an epoch: signed entries of a log are lost, and the offline recovery key says which."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from itcare.core.errors import BadInputError, UnsoundError
from itcare.ledger.check import check_log
from itcare.ledger.log import Ledger, LogRef
from itcare.ledger.note import Signer, load_recovery_key
from itcare.ledger.verify import (
    EPOCH_EVENT,
    MAX_NOTE_BYTES,
    Checkpoint,
    Epoch,
    NoteError,
    open_checkpoint,
    write_epoch,
)


def declare_epoch(
    ledger: Ledger, target: LogRef, lost: Iterable[Path], recovery: Signer, who: Mapping[str, object]
) -> Epoch:
    """Record in the firm's log that `target` goes on without the entries that the `lost` checkpoints signed.

    `recovery`: the private recovery key. `who`: body that says who declared it and why. Raises BadInputError for a
    checkpoint that is not of this log, or whose entries are not beyond those that are there; UnsoundError for a
    log that does not verify; otherwise as `Ledger.append` and `Ledger.sign`.
    """
    found = check_log(ledger.settings, ledger.engine, target)
    if not found.sound:
        raise UnsoundError(
            "declare epoch", target.origin, found.message,
            "Restore the newest backup that verifies; an epoch declares what is missing from a sound log.",
        )  # fmt: skip
    checkpoints = [_read_lost(ledger, target, path, found.size) for path in lost]
    trees = tuple(sorted({(checkpoint.size, checkpoint.root) for checkpoint in checkpoints}))
    if not trees:
        raise BadInputError("declare epoch", target.origin, "no lost checkpoint was named", "Name one with --lost.")
    epoch = Epoch(target.origin, (found.size, found.root), trees)
    name = load_recovery_key(ledger.settings.keys).name
    declaration = recovery.sign(write_epoch(epoch), name).decode()
    firm = ledger.firm_log()
    with ledger.append(firm) as batch:
        event = {"type": EPOCH_EVENT, "client": target.client, "origin": target.origin, "declaration": declaration}
        batch.add({**event, "who": batch.body(dict(who))})
    ledger.sign(firm)
    return epoch


def _read_lost(ledger: Ledger, target: LogRef, path: Path, size: int) -> Checkpoint:
    try:
        with path.open("rb") as file:
            checkpoint = open_checkpoint(file.read(MAX_NOTE_BYTES + 1), ledger.verifier_key(target))
    except (OSError, NoteError) as error:
        raise BadInputError(
            "declare epoch", str(path), str(error), "Name a checkpoint of this log, signed by its key."
        ) from error
    if checkpoint.size <= size:
        raise BadInputError(
            "declare epoch", str(path), f"it is of {checkpoint.size} entries, and {size} are there",
            "Nothing of it is missing, or others stand in its place: that is a fork and cannot be declared away. "
            "See: itcare verify --against FILE.",
        )  # fmt: skip
    return checkpoint
