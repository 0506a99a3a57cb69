"""The ledger of one installation: append, sign, read."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from itcare.core.clock import Clock, SystemClock, write_instant
from itcare.core.errors import NotFoundError, UnsafeError, UnsoundError
from itcare.core.names import check_client_code
from itcare.core.settings import Settings
from itcare.ledger import consistency
from itcare.ledger.batch import EntryBatch
from itcare.ledger.checkpoint import CheckpointFolder, make_checkpoint
from itcare.ledger.merkle import Frontier
from itcare.ledger.note import check_origin, load_public, load_signer
from itcare.ledger.rows import BodyReader, Entry, LogRef, create_log, read_edge, read_event
from itcare.ledger.verify import Checkpoint, VerifierKey
from itcare.store import dialect
from itcare.store.bodies import load_body, parse_body
from itcare.store.engine import read, write
from itcare.store.packing import unpack_leaf
from itcare.store.tables import client, installation, leaf, log

__all__ = ["WHOLE_FOLD_ENTRIES", "Entry", "Head", "Ledger", "LogRef"]

WHOLE_FOLD_ENTRIES = 20_000
"""The hashes of a log of so many entries are folded again before the first append: a twentieth of a second."""


@dataclass(frozen=True)
class Head:
    """Entries of a log and the root of their tree, lower-case hex, as they are stored: nothing vouches for them."""

    size: int
    root: str


@dataclass(frozen=True)
class _Head:
    """The stored head of a log."""

    size: int
    frontier: bytes
    root: bytes
    signed_size: int
    body_salt: bytes


class Ledger:
    """All logs of one installation.

    A Ledger whose database failed in the middle of a write believes nothing more: it refuses to
    append until it is opened anew, and the first append after opening verifies the log.
    """

    def __init__(self, settings: Settings, engine: Engine, clock: Clock | None = None) -> None:
        self.settings = settings
        self.engine = engine
        self._clock = clock or SystemClock()
        self._distrusted: str | None = None
        self._verified: set[int] = set()
        self._edges: dict[int, Frontier] = {}  # right edges of signed trees, by log

    @staticmethod
    def initialise(settings: Settings, recovery_key_path: Path, clock: Clock | None = None) -> VerifierKey:
        """Create state directory, database, keys and the firm's log; see `itcare.ledger.setup`."""
        from itcare.ledger.setup import initialise  # it brings the migrations, which nothing else needs

        return initialise(settings, recovery_key_path, clock or SystemClock())

    # --- Logs -----------------------------------------------------------------------------

    def firm_log(self) -> LogRef:
        """The firm's own log. Raises NotFoundError before `initialise`."""
        return self._find(log.c.client_id.is_(None), "the firm's log")

    def find_log(self, code: str) -> LogRef:
        """The log of an enrolled client. Raises NotFoundError."""
        return self._find(client.c.code == code, ascii(code[:40]))

    def logs(self) -> tuple[LogRef, ...]:
        """Every log, the firm's first."""
        with read(self.engine) as connection:
            return tuple(LogRef(*row) for row in connection.execute(_LOGS))

    def client_log(self, code: str, name: str) -> LogRef:
        """The log of the client `code`; enrols the client on first use, under the legal name `name`.

        Enrolment is the first entry of the client's log and an entry of the firm's; both are
        signed. Raises BadInputError for a bad code, and as `append` and `sign` do.
        """
        check_client_code(code)
        try:
            return self.find_log(code)
        except NotFoundError:
            pass
        with self._writing() as connection:
            row = connection.execute(_LOGS.where(client.c.code == code)).first()  # somebody may have been quicker
            found = self._enrol(connection, code, name) if row is None else LogRef(*row)
        self.sign(found)
        self.sign(self.firm_log())
        return found

    def _enrol(self, connection: Connection, code: str, name: str) -> LogRef:
        enrolment = {"code": code, "name": name, "enrolled_at": write_instant(self._clock.now())}
        client_id = connection.execute(client.insert().values(enrolment).returning(client.c.id)).scalar_one()
        ledger_id = connection.execute(select(installation.c.ledger_id)).scalar_one()
        origin = f"{check_origin(self.settings.origin)}/client/{client_id}/{ledger_id}"
        new = LogRef(create_log(connection, origin, client_id), origin, client_id, code)
        own = self._batch(connection, new)
        own.add({"type": "client.enrolled", "client": code})
        own.finish()
        firm = self._batch(connection, LogRef(*connection.execute(_LOGS.where(log.c.client_id.is_(None))).one()))
        firm.add({"type": "client.added", "client": code, "origin": origin})
        firm.finish()
        return new

    def _find(self, condition: object, subject: str) -> LogRef:
        with read(self.engine) as connection:
            row = connection.execute(_LOGS.where(condition)).first()  # type: ignore[arg-type]  # a column expression
        if row is None:
            raise NotFoundError("find log", subject, "there is none", "A client is enrolled with its first run.")
        return LogRef(*row)

    # --- Writing --------------------------------------------------------------------------

    @contextmanager
    def append(self, target: LogRef) -> Iterator[EntryBatch]:
        """One transaction that appends to `target`; recorded when the block ends without an error.

        Raises BusyError when another writer held the database too long, UnsafeError when the tail
        of the log was lost or the database failed (the Ledger is to be opened anew then),
        UnsoundError when the log does not extend its last checkpoint.
        """
        with self._writing() as connection:
            batch = self._batch(connection, target)
            yield batch
            batch.finish()

    def _batch(self, connection: Connection, target: LogRef) -> EntryBatch:
        head = self._require_tail(connection, target)
        if target.id not in self._verified:
            self._require_extension(connection, target, head)
            self._verified.add(target.id)
        return EntryBatch(
            connection, target.id, head.body_salt, Frontier.from_bytes(head.size, head.frontier), self._clock
        )

    def sign(self, target: LogRef) -> Checkpoint:
        """Sign the log as it stands and keep the checkpoint; the kept one when nothing was added.

        Raises UnsoundError when the tree does not extend the last signed one, otherwise as `append`.
        """
        signer = load_signer(self.settings.keys)
        if signer.public != load_public(self.settings.keys):
            raise UnsafeError(
                "sign ledger", target.origin, "the signing key does not belong to the verifier key beside it",
                "Put the right key back; your clients hold the other one.",
            )  # fmt: skip
        kept = self._folder(target)
        with self._writing() as connection:
            head = self._require_tail(connection, target)
            last = kept.latest()
            if last is not None and (last.size, last.root) == (head.size, head.root.hex()):
                checkpoint = last
            else:
                self._require_extension(connection, target, head)
                checkpoint = make_checkpoint(signer, target.origin, head.size, head.root)
                self._keep(kept, checkpoint)
                if (edge := read_edge(head.size, head.frontier)) is not None:
                    self._edges[target.id] = edge
            connection.execute(log.update().where(log.c.id == target.id).values(signed_size=checkpoint.size))
        return checkpoint

    def _keep(self, kept: CheckpointFolder, checkpoint: Checkpoint) -> None:
        try:
            kept.save(checkpoint)
        except OSError as error:
            raise self._distrust(error, error, full=error.errno == errno.ENOSPC) from error

    def _require_tail(self, connection: Connection, target: LogRef) -> _Head:
        """The log's head, when no row that was once signed is missing. Raises UnsafeError."""
        columns = (log.c.size, log.c.frontier, log.c.root, log.c.signed_size, log.c.body_salt)
        head = _Head(*connection.execute(select(*columns).where(log.c.id == target.id)).one())
        last = connection.execute(select(func.max(leaf.c.idx)).where(leaf.c.log_id == target.id)).scalar()
        rows = 0 if last is None else last + 1
        sizes = self._folder(target).sizes()
        signed = sizes[-1] if sizes else 0
        if min(rows, head.size) < signed:
            raise UnsafeError(
                "append to ledger", target.origin,
                f"the tail is lost: {min(rows, head.size)} entries are there, {signed} were signed",
                "Find the newer database file, or restore the newest backup and declare the rest lost "
                "(itcare ledger new-epoch).",
            )  # fmt: skip
        if signed < head.signed_size:
            raise UnsafeError(
                "append to ledger", target.origin,
                f"kept checkpoints are lost: the last is of {signed} entries, {head.signed_size} were signed",
                f"Put the files back into {self._folder(target).path(0).parent}.",
            )  # fmt: skip
        return head

    def _require_extension(self, connection: Connection, target: LogRef, head: _Head) -> None:
        last, edge = self._folder(target).latest(), self._edges.get(target.id)
        if last is not None and head.size == last.size > WHOLE_FOLD_ENTRIES:
            edge = read_edge(head.size, head.frontier)
        if edge is not None and consistency.vouches(last, edge):
            self._edges[target.id] = edge.copy()
        consistency.require_extension(connection, target.id, last, head.size, head.root, target.origin, edge)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._distrusted:
            raise UnsafeError(
                "append to ledger", str(self.settings.database), f"an earlier write failed ({self._distrusted})",
                "Mend the cause, then start the command again; it verifies the log before it appends.",
            )  # fmt: skip
        try:
            with write(self.engine) as connection:
                yield connection
        except (IntegrityError, ProgrammingError):
            raise  # a caller's own row was refused; nothing is wrong with the database
        except DBAPIError as error:
            raise self._distrust(error, error.orig, full=dialect.is_full(error)) from error

    def _distrust(self, error: Exception, cause: object, *, full: bool) -> UnsafeError:
        """What reached the disk is unknown now. Trying again could call a lost entry recorded."""
        self._distrusted = str(cause or error)
        self.engine.dispose()
        return UnsafeError(
            "append to ledger", str(self.settings.database), f"the write failed ({cause}); it is not recorded",
            "Free some space, then start the command again."
            if full else "Check disk and file system, then start the command again.",
        )  # fmt: skip

    # --- Reading --------------------------------------------------------------------------

    def head(self, target: LogRef) -> Head:
        """How many entries there are and what their tree's root is said to be, signed or not yet."""
        with read(self.engine) as connection:
            size, root = connection.execute(select(log.c.size, log.c.root).where(log.c.id == target.id)).one()
        return Head(size, root.hex())

    def entries(self, target: LogRef, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Entries from `start` on, in order, up to `stop`, which is not included. Hashes are `check_log`'s work.

        Raises UnsoundError where what stands there is not the entry of that number.
        """
        wanted = select(leaf.c.idx, leaf.c.hash, leaf.c.bytes).where(leaf.c.log_id == target.id, leaf.c.idx >= start)
        if stop is not None:
            wanted = wanted.where(leaf.c.idx < stop)
        with read(self.engine) as connection:
            for row in connection.execute(wanted.order_by(leaf.c.idx)):
                yield Entry(row.idx, read_event(target, row.idx, unpack_leaf(row.bytes)), row.hash.hex())

    def body(self, target: LogRef, digest: str) -> object | None:
        """The body that `digest` names; None when it was erased. Raises UnsoundError when it was changed."""
        with read(self.engine) as connection:
            salt = connection.execute(select(log.c.body_salt).where(log.c.id == target.id)).scalar_one()
            content = load_body(connection, target.id, salt, digest)
        return None if content is None else parse_body(content)

    @contextmanager
    def bodies(self, target: LogRef) -> Iterator[BodyReader]:
        """As `body`, for very many of them: all out of one view of the database."""
        with read(self.engine) as connection:
            salt = connection.execute(select(log.c.body_salt).where(log.c.id == target.id)).scalar_one()
            yield BodyReader(connection, target.id, salt)

    def latest_checkpoint(self, target: LogRef) -> Checkpoint:
        """The last signed checkpoint. Raises UnsoundError when there is none or it does not verify."""
        latest = self._folder(target).latest()
        if latest is None:
            raise UnsoundError("read checkpoint", target.origin, "none was signed yet", "Run the command again.")
        return latest

    def checkpoints(self, target: LogRef) -> list[Checkpoint]:
        """Every kept checkpoint, ascending. Raises UnsoundError when one does not verify."""
        return list(self._folder(target))

    def verifier_key(self, target: LogRef) -> VerifierKey:
        """The key text that readers of this log pin. Raises UnsafeError."""
        return VerifierKey(target.origin, load_public(self.settings.keys))

    def _folder(self, target: LogRef) -> CheckpointFolder:
        return CheckpointFolder(self.settings.home / "checkpoints" / str(target.id), self.verifier_key(target))


_LOGS = (
    select(log.c.id, log.c.origin, log.c.client_id, client.c.code)
    .select_from(log.outerjoin(client, log.c.client_id == client.c.id))
    .order_by(log.c.id)
)
