"""Full verification of one log in the database.

It reads with statements of its own, not the writer's, and believes nothing that is stored: every
leaf is hashed again, the tree is rebuilt and compared with every kept checkpoint.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, text

from itcare.core.errors import UnsafeError, UnsoundError
from itcare.core.settings import Settings
from itcare.ledger.checkpoint import CheckpointFolder
from itcare.ledger.log import LogRef
from itcare.ledger.note import load_public, load_recovery_key
from itcare.ledger.verify import (
    EPOCH_EVENT,
    Checkpoint,
    LeafError,
    NoteError,
    Replay,
    VerifierKey,
    bodies_of,
    hash_leaf,
    open_checkpoint,
    read_epoch,
    read_leaf,
)
from itcare.store import dialect
from itcare.store.bodies import open_body
from itcare.store.engine import read
from itcare.store.packing import unpack_leaf

_LEAVES = text("SELECT idx, bytes, hash FROM leaf WHERE log_id = :log ORDER BY idx")
_HEAD = text("SELECT size, frontier, root, signed_size, body_salt FROM log WHERE id = :log")
_BODIES = text("SELECT digest, size, zstd FROM body WHERE log_id = :log")
_FIRM = text("SELECT id, origin FROM log WHERE client_id IS NULL")
_ROWS_AT_ONCE = 500
_ENOUGH = 100  # wrong entries told one by one; a shifted log would name every one of them


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    `entry`: the wrong entry where it is known. `between`: (a, b) where only that is known: one of
    the entries a to b-1 is wrong, a being the size of the last tree that still fits.
    """

    message: str
    entry: int | None = None
    between: tuple[int, int] | None = None


@dataclass(frozen=True)
class Soundness:
    """Outcome for one log. `message`, `entry`, `between` are those of the first problem.

    `size` and `root` (lower-case hex) are those of the tree that was found, sound or not.
    """

    sound: bool
    size: int
    root: str
    entry: int | None
    between: tuple[int, int] | None
    message: str
    problems: tuple[Problem, ...] = ()


@dataclass
class _Tree:
    """What reading one log brought to light."""

    replay: Replay = field(default_factory=Replay)
    problems: list[Problem] = field(default_factory=list)
    referring: dict[str, int] = field(default_factory=dict)  # digest of a body -> first entry that names it
    erased: set[tuple[object, object]] = field(default_factory=set)  # (client code or None, digest)
    outside: Checkpoint | None = None  # the one held elsewhere, when it is of this log
    foreign: list[Problem] = field(default_factory=list)  # where that one does not fit
    declared: list[dict[str, object]] = field(default_factory=list)  # entries that declare an epoch
    epochs: list[str] = field(default_factory=list)  # what the epochs of this log declare lost
    good: int = 0  # size of the last checkpoint that fits
    signed: int = 0


def check_log(
    settings: Settings, engine: Engine, target: LogRef, *, against: str | None = None, integrity: bool = True
) -> Soundness:
    """Verify everything about one log.

    `against`: the text of a checkpoint of this log that was kept elsewhere; it catches a tail that
    was cut and a history that was written anew. `integrity`: also let the database examine its
    whole file, which one call of several may leave out. Raises UnsafeError when the public key
    is missing; everything wrong with the log itself is in the result.
    """
    public = load_public(settings.keys)
    tree = _Tree()
    try:
        with read(engine) as connection:
            _check_tree(connection, settings, target, public, tree, against)
            _check_epochs(connection, settings, target, public, tree)
            tree.problems += tree.foreign
            _check_head(connection, target, tree)
            _check_bodies(connection, settings, target, public, tree)
            if integrity:
                tree.problems += [
                    Problem(f"the database file is damaged: {line}") for line in dialect.damage(connection)
                ]
    except UnsafeError as error:
        tree.problems.append(
            Problem(f"reading stopped at entry {tree.replay.size}: {error.why}", entry=tree.replay.size)
        )
    return _conclude(tree)


def _conclude(tree: _Tree) -> Soundness:
    size, root = tree.replay.size, tree.replay.root().hex()
    if tree.problems:
        first = tree.problems[0]
        return Soundness(False, size, root, first.entry, first.between, first.message, tuple(tree.problems))
    unsigned = size - tree.signed
    message = f"{size} entries, every one signed" if not unsigned else f"{size} entries, the last {unsigned} not signed"
    return Soundness(True, size, root, None, None, "; ".join([message, *tree.epochs]))


def _check_tree(
    connection: Connection, settings: Settings, target: LogRef, public: bytes, tree: _Tree, against: str | None
) -> None:
    key = VerifierKey(target.origin, public)
    kept = CheckpointFolder(settings.home / "checkpoints" / str(target.id), key)
    late: list[Problem] = []  # told after what is wrong with single entries
    witnesses = {checkpoint.size: checkpoint for checkpoint in _readable(kept, late)}
    outside = tree.outside = _read_outside(against, key, late)
    for index, data, stored in _rows(connection, _LEAVES, target):
        _check_leaf(index, unpack_leaf(data), stored, tree)
        size = tree.replay.size
        if size in witnesses:
            _check_root(witnesses[size], tree, late, "a kept one")
        if outside and outside.size == size and not any(problem.between for problem in late):
            _check_root(outside, tree, tree.foreign, "the one held elsewhere")
    tree.signed = max(witnesses, default=0)
    for checkpoint, problems in ((witnesses.get(tree.signed), late), (outside, tree.foreign)):
        if checkpoint and checkpoint.size > tree.replay.size:
            why = f"the tail is lost: {tree.replay.size} entries are there, a checkpoint signed {checkpoint.size}"
            problems.append(Problem(why, entry=tree.replay.size))
    tree.problems += late


def _rows(connection: Connection, statement: TextClause, target: LogRef) -> Iterator[Any]:
    """The rows of one log, fetched many at a time: one by one costs as much as hashing them."""
    return chain.from_iterable(connection.execute(statement, {"log": target.id}).partitions(_ROWS_AT_ONCE))


def _check_epochs(connection: Connection, settings: Settings, target: LogRef, public: bytes, tree: _Tree) -> None:
    """Show what was declared lost with the recovery key; exactly the named checkpoints are explained by it."""
    for event in _firm_tree(connection, settings, target, public, tree).declared:
        if event.get("origin") != target.origin:
            continue
        try:
            epoch = read_epoch(event, load_recovery_key(settings.keys))
            if epoch.origin != target.origin:
                raise NoteError("the declaration is of another log")
            if _root_at(connection, target, epoch.kept[0]) != epoch.kept[1]:
                raise NoteError("this log does not go on from the tree that was kept")
        except NoteError as error:
            entry = event.get("entry")
            tree.problems.append(Problem(f"the epoch in entry {entry} of the firm's log does not hold: {error}"))
            continue
        tree.epochs.append(f"{epoch}, entry {event.get('entry')} of the firm's log at {event.get('at')}")
        if tree.outside and epoch.explains(tree.outside) and tree.foreign:
            tree.foreign.clear()
            tree.epochs.append("the checkpoint held elsewhere is one of those declared lost")


def _root_at(connection: Connection, target: LogRef, size: int) -> str | None:
    """Root of the tree over the first entries; None when there are fewer."""
    replay = Replay()
    for _, data, _ in _rows(connection, _LEAVES, target):
        if replay.size == size:
            break
        replay.add(hash_leaf(unpack_leaf(data)))
    return replay.root().hex() if replay.size == size else None


def _readable(kept: CheckpointFolder, problems: list[Problem]) -> Iterator[Checkpoint]:
    for size in kept.sizes():
        try:
            yield kept.load(size)
        except UnsoundError as error:
            problems.append(Problem(f"the kept checkpoint of {size} entries does not verify: {error.why}"))


def _read_outside(against: str | None, key: VerifierKey, problems: list[Problem]) -> Checkpoint | None:
    if against is None:
        return None
    try:
        return open_checkpoint(against.encode(), key)
    except (NoteError, UnicodeEncodeError) as error:
        problems.append(Problem(f"the checkpoint held elsewhere is not one of this log and its key: {error}"))
        return None


def _check_leaf(index: int, data: bytes, stored: bytes, tree: _Tree) -> None:
    place = tree.replay.size
    computed = hash_leaf(data)
    if len(tree.problems) >= _ENOUGH:
        tree.replay.add(computed)
        return
    try:
        if index != place:
            tree.problems.append(Problem(f"entry {place} is missing", entry=place))
        event = read_leaf(data, place)
        if computed != stored:
            tree.problems.append(Problem(f"entry {place} was changed: its hash does not fit", entry=place))
    except LeafError as error:
        tree.problems.append(Problem(f"entry {place} was changed or moved: {error}", entry=place))
    else:
        for digest in bodies_of(event):
            tree.referring.setdefault(digest, place)
        if event["type"] == "body.erased":
            tree.erased.add((event.get("client"), event.get("digest")))
        elif event["type"] == EPOCH_EVENT:
            tree.declared.append(event)
    tree.replay.add(computed)


def _check_root(checkpoint: Checkpoint, tree: _Tree, problems: list[Problem], which: str) -> None:
    size = checkpoint.size
    if checkpoint.root == tree.replay.root().hex():
        tree.good = max(tree.good, size)
    elif not any(problem.between for problem in problems):  # every later one fails with it
        why = f"an entry from {tree.good} to {size - 1} was changed: the checkpoint of {size} entries ({which}) "
        problems.append(Problem(f"{why}does not fit, the one of {tree.good} does", between=(tree.good, size)))


def _check_head(connection: Connection, target: LogRef, tree: _Tree) -> None:
    head = connection.execute(_HEAD, {"log": target.id}).one()
    found = (tree.replay.size, tree.replay.edge(), tree.replay.root())
    if (head.size, head.frontier, head.root) != found:
        why = f"the stored head ({head.size} entries) does not fit the {tree.replay.size} entries that are there"
        tree.problems.append(Problem(why, between=(tree.good, max(tree.replay.size, head.size))))
    if head.signed_size > tree.signed:
        why = f"kept checkpoints are lost: the last is of {tree.signed} entries, {head.signed_size} were signed"
        tree.problems.append(Problem(why))


def _check_bodies(connection: Connection, settings: Settings, target: LogRef, public: bytes, tree: _Tree) -> None:
    salt = connection.execute(_HEAD, {"log": target.id}).one().body_salt
    missing = dict(tree.referring)
    for digest, size, compressed in _rows(connection, _BODIES, target):
        entry = missing.pop(digest, None)
        content = open_body(compressed, size)
        if content is None or hashlib.sha256(salt + content).hexdigest() != digest:
            of = f" of entry {entry}" if entry is not None else ""
            tree.problems.append(Problem(f"the body {digest}{of} was changed", entry=entry))
    if not missing:
        return
    erased = _erasures(connection, settings, target, public, tree)
    for digest, entry in missing.items():
        if (target.client, digest) not in erased:
            why = f"the body {digest} of entry {entry} is missing and no erasure of it is recorded"
            tree.problems.append(Problem(why, entry=entry))


def _erasures(
    connection: Connection, settings: Settings, target: LogRef, public: bytes, tree: _Tree
) -> set[tuple[object, object]]:
    """Erasures that the firm's log names; none counts while that log itself is unsound."""
    return _firm_tree(connection, settings, target, public, tree).erased


def _firm_tree(connection: Connection, settings: Settings, target: LogRef, public: bytes, tree: _Tree) -> _Tree:
    """The firm's log, which may be `tree` itself; empty when it is unsound."""
    if target.client_id is None:
        return tree
    row = connection.execute(_FIRM).first()
    if row is None or not isinstance(row.origin, str):  # a damaged page can hold anything
        tree.problems.append(Problem("the firm's log is missing"))
        return _Tree()
    firm = _Tree()
    _check_tree(connection, settings, LogRef(row.id, row.origin, None, None), public, firm, None)
    return _Tree() if firm.problems else firm
