"""What a row of the ledger's tables stands for, read and begun."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from itcare.core.errors import UnsoundError
from itcare.ledger.merkle import EMPTY_ROOT, Frontier
from itcare.ledger.verify import LeafError, read_leaf
from itcare.store.bodies import load_bodies, load_body, parse_body
from itcare.store.tables import log

BODY_SALT_BYTES = 32
_MOST_PREPARED = 1000


@dataclass(frozen=True)
class LogRef:
    """One log. `client_id` and `client` (its code) are None for the firm's own."""

    id: int
    origin: str
    client_id: int | None
    client: str | None


@dataclass(frozen=True)
class Entry:
    """One recorded event. `leaf_hash`: lower-case hex."""

    index: int
    event: dict[str, object]
    leaf_hash: str


class BodyReader:
    """Bodies of one log out of one view of the database; called with a digest."""

    def __init__(self, connection: Connection, log_id: int, salt: bytes) -> None:
        self._connection, self._log_id, self._salt = connection, log_id, salt
        self._ready: dict[str, bytes] = {}

    def __call__(self, digest: str) -> object | None:
        """The body; None when it was erased. Raises UnsoundError when it was changed."""
        content = self._ready.pop(digest, None)
        if content is None:
            content = load_body(self._connection, self._log_id, self._salt, digest)
        return None if content is None else parse_body(content)

    def prepare(self, digests: Collection[str]) -> None:
        """Have these at hand, in place of what was prepared before: asking for one by one costs thrice as much.

        What cannot be read now is left to be told when it is asked for.
        """
        try:
            self._ready = load_bodies(self._connection, self._log_id, self._salt, [*digests][:_MOST_PREPARED])
        except UnsoundError:
            self._ready = {}


def read_event(target: LogRef, index: int, data: bytes) -> dict[str, object]:
    """The event inside the leaf at `index`. Raises UnsoundError."""
    try:
        return read_leaf(data, index)
    except LeafError as error:
        raise UnsoundError(
            "read entry", f"{index} of {target.origin}", str(error), "Keep the database; run `itcare verify`."
        ) from error


def read_edge(size: int, stored: bytes) -> Frontier | None:
    """The stored right edge of a tree; None for what cannot be one."""
    try:
        return Frontier.from_bytes(size, stored)
    except ValueError:
        return None


def create_log(connection: Connection, origin: str, client_id: int | None) -> int:
    """Insert an empty log and return its id."""
    row = {"client_id": client_id, "origin": origin, "body_salt": secrets.token_bytes(BODY_SALT_BYTES)}
    empty = {"size": 0, "frontier": b"", "root": EMPTY_ROOT, "signed_size": 0}
    created: int = connection.execute(log.insert().values(row | empty).returning(log.c.id)).scalar_one()
    return created
