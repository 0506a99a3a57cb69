"""What a row of the ledger's tables stands for, read and begun."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from itcare.core.errors import UnsoundError
from itcare.ledger.merkle import EMPTY_ROOT, Frontier
from itcare.ledger.verify import LeafError, read_leaf
from itcare.store.tables import log

BODY_SALT_BYTES = 32


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
