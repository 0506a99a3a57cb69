"""What is checked before a tree is signed: that it extends the last signed one.

A stored right edge is used only where the last checkpoint vouches for it: its hashes fold to the very root
that was signed. So an edge that was tampered with, or folded wrongly, cannot get itself signed, and appending
to a long log does not read it again; that no old row is missing or was changed is `check_log`'s to find.
"""

from sqlalchemy import Connection, select

from itcare.core.errors import UnsoundError
from itcare.ledger.merkle import Frontier
from itcare.ledger.verify import Checkpoint, hash_leaf
from itcare.store.packing import unpack_leaf
from itcare.store.tables import leaf

_REMEDY = "Sign nothing; keep the state directory for examination and run `itcare verify`."


def require_extension(
    connection: Connection,
    log_id: int,
    last: Checkpoint | None,
    size: int,
    root: bytes,
    subject: str,
    edge: Frontier | None = None,
) -> Frontier:
    """Require that the leaf rows are a tree of `size` and `root` that begins with the tree of `last`; its right edge.

    `edge`: what may be the right edge of the tree of `last`. Without one that folds to its root, signed leaves
    count by their stored hash, which the last checkpoint vouches for; newer ones are hashed again. Raises
    UnsoundError naming the entry, or the checkpoint that does not fit.
    """
    replay = edge if edge is not None and vouches(last, edge) else _fold_signed(connection, log_id, last, subject)
    signed = replay.size
    columns = (leaf.c.idx, leaf.c.hash, leaf.c.bytes)
    new = select(*columns).where(leaf.c.log_id == log_id, leaf.c.idx >= signed).order_by(leaf.c.idx)
    for index, leaf_hash, data in connection.execute(new):
        _require(index == replay.size, subject, f"entry {replay.size} is missing")
        _require(hash_leaf(unpack_leaf(data)) == leaf_hash, subject, f"entry {index} was changed")
        replay.append(leaf_hash)
    _require(
        (replay.size, replay.root()) == (size, root),
        subject, f"the stored head ({size} entries) does not fit the {replay.size} entries that are there",
    )  # fmt: skip
    return replay


def vouches(last: Checkpoint | None, edge: Frontier) -> bool:
    """Whether a signed checkpoint is of the very tree that this is the right edge of."""
    return last is not None and (last.size, last.root) == (edge.size, edge.root().hex())


def _fold_signed(connection: Connection, log_id: int, last: Checkpoint | None, subject: str) -> Frontier:
    replay = Frontier()
    signed = last.size if last else 0
    old = select(leaf.c.idx, leaf.c.hash).where(leaf.c.log_id == log_id, leaf.c.idx < signed).order_by(leaf.c.idx)
    for index, leaf_hash in connection.execute(old):
        _require(index == replay.size, subject, f"entry {replay.size} is missing")
        replay.append(leaf_hash)
    _require(replay.size == signed, subject, f"entry {replay.size} is missing, {signed} were signed")
    _require(
        last is None or replay.root().hex() == last.root,
        subject, f"an entry before {signed} is not the one that was signed",
    )  # fmt: skip
    return replay


def _require(holds: bool, subject: str, why: str) -> None:
    if not holds:
        raise UnsoundError("extend ledger", subject, why, _REMEDY)
