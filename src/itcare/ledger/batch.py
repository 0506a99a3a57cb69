"""Entries being appended to one log inside one transaction of the database."""

import json
import os
import re
from collections.abc import Mapping

from sqlalchemy import Connection, select

from itcare.core.clock import Clock, write_instant
from itcare.ledger.merkle import Frontier, hash_leaf
from itcare.ledger.verify import LEAF_PREFIX, SALT_BYTES
from itcare.store.bodies import canonical_bytes, keep_bodies, name_body
from itcare.store.packing import pack_leaf
from itcare.store.tables import body, leaf, log

_DIGEST = re.compile(r'"([0-9a-f]{64})"')  # a whole JSON string, not a part of one
_RESERVED = {"v", "entry", "at", "bodies"}
_ROWS_AT_ONCE = 500
_BODY_BYTES_AT_ONCE = 4 * 1024 * 1024  # of bodies held back until they are written together


class EntryBatch:
    """Takes entries for one log; nothing is recorded before the surrounding transaction commits.

    `connection` is the transaction: the caller's own rows written through it stand or fall with
    the entries.
    """

    def __init__(self, connection: Connection, log_id: int, body_salt: bytes, frontier: Frontier, clock: Clock) -> None:
        self.connection = connection
        self._log_id = log_id
        self._salt = body_salt
        self._frontier = frontier
        self._clock = clock
        self._rows: list[dict[str, object]] = []
        self._bodies: dict[str, bytes] = {}
        self._body_bytes = 0
        self._known_bodies: set[str] = set()

    def body(self, value: object) -> str | None:
        """Keep `value` (anything JSON can carry) as a body and return its digest; None stays None.

        Raises BadInputError for what has no canonical JSON form.
        """
        if value is None:
            return None
        return self.hold(*name_body(self._salt, value))

    def hold(self, digest: str, content: bytes) -> str:
        """Keep a body whose digest and canonical bytes are at hand; returns the digest."""
        if digest not in self._known_bodies:
            self._known_bodies.add(digest)
            self._bodies[digest] = content
            self._body_bytes += len(content)
            if len(self._bodies) >= _ROWS_AT_ONCE or self._body_bytes >= _BODY_BYTES_AT_ONCE:
                self._keep_bodies()
        return digest

    def _keep_bodies(self) -> None:
        keep_bodies(self.connection, self._log_id, self._bodies)
        self._bodies, self._body_bytes = {}, 0

    def add(self, event: Mapping[str, object]) -> int:
        """Append one event and return its index.

        Adds `v`, `entry`, `at` and, where the event names bodies, `bodies`: their sorted digests.
        Raises BadInputError for what has no canonical JSON form, ValueError for a reserved key or
        a missing type.
        """
        if _RESERVED & event.keys() or not isinstance(event.get("type"), str):
            raise ValueError(f"an event has a type and none of {', '.join(sorted(_RESERVED))}")
        index = self._frontier.size
        whole: dict[str, object] = {**event, "v": 1, "entry": index, "at": write_instant(self._clock.now())}
        if digests := self._bodies_in(whole):
            whole["bodies"] = digests
        content = canonical_bytes(whole, f"event {event['type']}")
        # The salt keeps a leaf from being guessed from the hashes that proofs of its neighbours show.
        data = LEAF_PREFIX + os.urandom(SALT_BYTES) + content
        leaf_hash = hash_leaf(data)
        self._rows.append({"log_id": self._log_id, "idx": index, "hash": leaf_hash, "bytes": pack_leaf(data)})
        self._frontier.append(leaf_hash)
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._insert_rows()
        return index

    def _bodies_in(self, event: Mapping[str, object]) -> list[str]:
        try:
            text = json.dumps(event)  # only to find digests in: the canonical form, made once, costs far more
        except (TypeError, ValueError, RecursionError):  # refused here, if it has no canonical form either
            text = canonical_bytes(event, f"event {event['type']}").decode()
        candidates = set(_DIGEST.findall(text))
        if unknown := candidates - self._known_bodies:
            stored = select(body.c.digest).where(body.c.log_id == self._log_id, body.c.digest.in_(sorted(unknown)))
            self._known_bodies.update(self.connection.execute(stored).scalars())
        return sorted(candidates & self._known_bodies)

    def finish(self) -> None:
        """Write what is left and the log's new head."""
        self._keep_bodies()
        self._insert_rows()
        edge = self._frontier
        head = {"size": edge.size, "frontier": edge.to_bytes(), "root": edge.root()}
        self.connection.execute(log.update().where(log.c.id == self._log_id).values(head))

    def _insert_rows(self) -> None:
        if self._rows:
            self.connection.execute(leaf.insert(), self._rows)
            self._rows = []
