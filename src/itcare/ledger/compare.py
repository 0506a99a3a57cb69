"""Are two views of one log one history? Finds a split view: two readers who were shown two trees.

A view is a checkpoint (a file) or a proof bundle (a folder). Both must be signed by one key, so that
two views that contradict each other are proof against its holder and nobody else.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from itcare.core.errors import BadInputError, UnsoundError
from itcare.ledger import verify
from itcare.ledger.verify import MAX_NOTE_BYTES, Checkpoint, NoteError, Replay, VerifierKey, open_checkpoint

type Leaves = Sequence[bytes]


@dataclass(frozen=True)
class View:
    """What one reader was shown. `leaves`: hashes of all entries, None for a checkpoint alone."""

    path: Path
    checkpoint: Checkpoint
    leaves: Leaves | None


@dataclass(frozen=True)
class Comparison:
    """`sizes` and `roots`: of both views, in their order. `entry`: the first that differs, where it is known."""

    origin: str
    consistent: bool
    sizes: tuple[int, int]
    roots: tuple[str, str]
    entry: int | None
    message: str


def read_origin(path: Path) -> str:
    """The name of the log that a checkpoint or bundle claims to be of, not verified yet. Raises BadInputError."""
    try:
        if path.is_dir():
            return str(json.loads((path / verify.ABOUT).read_text(encoding="utf-8"))["origin"])
        return _read_note(path).decode().split("\n", 1)[0]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInputError(
            "compare", str(path), f"it is no checkpoint and no proof bundle ({error})",
            "Name a file of a folder `checkpoints`, or the folder of a proof bundle.",
        ) from error  # fmt: skip


def read_view(path: Path, key: VerifierKey) -> View:
    """Read and verify one view of the log that `key` is named after.

    Raises BadInputError for a checkpoint of another log or key, UnsoundError for a bundle that does not verify.
    """
    if not path.is_dir():
        try:
            return View(path, open_checkpoint(_read_note(path), key), None)
        except (OSError, NoteError) as error:
            raise BadInputError(
                "compare", str(path), str(error), "Name a checkpoint of this log, signed by the key given."
            ) from error
    if problems := verify.verify_bundle(path, str(key)).problems:
        raise UnsoundError("compare", str(path), problems[0], f"Run: python verify.py {path} --key {key}")
    last = max((path / verify.CHECKPOINTS).iterdir())  # names sort like sizes
    with (path / verify.ENTRIES).open("rb") as file:
        leaves = tuple(leaf_hash for _, leaf_hash, _, _ in verify.read_entries(file))
    return View(path, open_checkpoint(last.read_bytes(), key), leaves)


def read_bundle_key(path: Path) -> VerifierKey | None:
    """The key that a bundle itself names; None for a checkpoint, or when it is malformed."""
    try:
        return VerifierKey.parse((path / verify.KEY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def compare_views(first: View, second: View, own_leaves: Callable[[], Leaves | None]) -> Comparison:
    """Whether the smaller tree is the beginning of the larger one.

    `own_leaves`: asked only when neither view brings the leaves that it takes; the hashes of the log as this
    installation has it, None without one. Raises BadInputError for two logs, and when it cannot be told.
    """
    if first.checkpoint.origin != second.checkpoint.origin:
        raise BadInputError(
            "compare", f"{first.path} and {second.path}", "they are of two logs", "Name two views of one log."
        )
    small, large = sorted((first, second), key=lambda view: view.checkpoint.size)
    if small.leaves is not None and large.leaves is not None:
        pairs = zip(small.leaves, large.leaves, strict=False)
        entry = next((index for index, (one, other) in enumerate(pairs) if one != other), None)
        return _conclude(first, second, entry is None, entry)
    if small.checkpoint.size == large.checkpoint.size:
        return _conclude(first, second, small.checkpoint.root == large.checkpoint.root, None)
    leaves = large.leaves if large.leaves is not None else own_leaves()
    if leaves is None or len(leaves) < large.checkpoint.size:
        raise BadInputError(
            "compare", f"{first.path} and {second.path}",
            f"one is of {small.checkpoint.size} entries, the other of {large.checkpoint.size}, and the entries between "
            "them are not at hand", f"Name a proof bundle of at least {large.checkpoint.size} entries for the larger.",
        )  # fmt: skip
    fits = [root_at(leaves, view.checkpoint.size) == view.checkpoint.root for view in (small, large)]
    if not fits[1]:  # a bundle fits its own checkpoint, so these are the leaves of the ledger here
        which = (
            f"FORK: the tree of {large.checkpoint.size} entries is not the one of the ledger here, one key signed both"
        )
        return replace(_conclude(first, second, False, None), message=which)
    return _conclude(first, second, fits[0], None)


def root_at(leaves: Leaves, size: int) -> str:
    """Root, lower-case hex, of the tree over the first `size` leaf hashes."""
    replay = Replay()
    for leaf_hash in leaves[:size]:
        replay.add(leaf_hash)
    return replay.root().hex()


def _conclude(first: View, second: View, consistent: bool, entry: int | None) -> Comparison:
    one, other = first.checkpoint, second.checkpoint
    small, large = sorted((one.size, other.size))
    if consistent:
        message = f"one history: the first {small} of {large} entries are the same"
        if small == large:
            message = f"one history: both show the same {small} entries"
    elif entry is not None:
        message = f"FORK: entry {entry} is not the same in both, and one key signed both"
    elif small == large:
        message = f"FORK: two trees of {small} entries have different roots, and one key signed both"
    else:
        message = f"FORK: the tree of {large} entries does not begin with the one of {small}, and one key signed both"
    return Comparison(one.origin, consistent, (one.size, other.size), (one.root, other.root), entry, message)


def _read_note(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_NOTE_BYTES + 1)
