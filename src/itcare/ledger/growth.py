"""What came to a log since it was last checked as a whole.

Quick, and no more than its name says: an entry that was changed before is `check_log`'s to find.
"""

from sqlalchemy import Engine, text

from itcare.core.errors import UnsoundError
from itcare.core.settings import Settings
from itcare.ledger.check import Problem, Soundness
from itcare.ledger.checkpoint import CheckpointFolder
from itcare.ledger.log import LogRef
from itcare.ledger.merkle import Frontier
from itcare.ledger.note import load_public
from itcare.ledger.verify import LeafError, VerifierKey, hash_leaf, read_leaf
from itcare.store.engine import read
from itcare.store.packing import unpack_leaf

_LEAVES = text("SELECT idx, bytes FROM leaf WHERE log_id = :log AND idx >= :first AND idx < :last ORDER BY idx")


def check_growth(settings: Settings, engine: Engine, target: LogRef, size: int, edge: bytes) -> Soundness:
    """Whether the last checkpoint is of a tree that begins with the `size` entries whose right edge is `edge`.

    The entries after these are hashed again; those before count by the edge. Raises UnsafeError when the
    public key is missing.
    """
    key = VerifierKey(target.origin, load_public(settings.keys))
    problems: list[Problem] = []
    try:
        last = CheckpointFolder(settings.home / "checkpoints" / str(target.id), key).latest()
        tree = Frontier.from_bytes(size, edge)
    except (UnsoundError, ValueError) as error:
        return _conclude(size, "", [Problem(str(error))], "")
    if last is None or last.size < size:
        return _conclude(size, "", [Problem(f"the last checkpoint is of fewer entries than the {size} known")], "")
    with read(engine) as connection:
        for index, stored in connection.execute(_LEAVES, {"log": target.id, "first": size, "last": last.size}):
            data = unpack_leaf(stored)
            try:
                read_leaf(data, tree.size)
            except LeafError as error:
                problems.append(Problem(f"entry {index} was changed or moved: {error}", entry=index))
            tree.append(hash_leaf(data))
    if (tree.size, tree.root().hex()) != (last.size, last.root):
        problems.append(Problem(f"the checkpoint of {last.size} entries does not fit them", between=(size, last.size)))
    return _conclude(last.size, last.root, problems, f"{last.size} entries, the last {last.size - size} checked now")


def _conclude(size: int, root: str, problems: list[Problem], message: str) -> Soundness:
    if problems:
        first = problems[0]
        return Soundness(False, size, root, first.entry, first.between, first.message, tuple(problems))
    return Soundness(True, size, root, None, None, message)
