"""Bodies: bulky or personal content beside the leaves, packed and named by digest.

A digest is SHA-256 over the log's secret salt and the canonical bytes (RFC 8785), so that one
client's digests say nothing to another who guesses contents. The same body is stored once.
"""

import hashlib
import json
from collections.abc import Collection, Mapping

import orjson
import rfc8785
from sqlalchemy import Connection, bindparam, select

from itcare.core.errors import BadInputError, UnsoundError
from itcare.store.packing import pack, unpack
from itcare.store.tables import body

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Largest body, before compression: a full software list of a PC is about 1 MB."""

_LARGEST_INTEGER = 2**53 - 1

# Made once: a run stores thousands of bodies, and building a statement costs more than executing it.
_KNOWN = select(body.c.digest).where(
    body.c.log_id == bindparam("log"), body.c.digest.in_(bindparam("names", expanding=True))
)
_WANTED = select(body.c.size, body.c.zstd).where(body.c.log_id == bindparam("log"), body.c.digest == bindparam("name"))
_SEVERAL = select(body.c.digest, body.c.size, body.c.zstd).where(
    body.c.log_id == bindparam("log"), body.c.digest.in_(bindparam("names", expanding=True))
)
_INSERT = body.insert()


def canonical_bytes(value: object, what: str) -> bytes:
    """`value` as canonical JSON (RFC 8785), UTF-8.

    Raises BadInputError for what JSON cannot carry exactly: integers beyond 2**53, NaN and
    infinities, lone surrogates, other types, endless nesting.
    """
    try:
        if _is_plain(value):
            # a fifth of the time; what `json` writes of such values is their canonical form
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the types itself, at run time
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise BadInputError(
            "write",
            what,
            f"it has no canonical JSON form ({error})",
            "Neutralise such values before they are recorded.",
        ) from error


def _is_plain(value: object) -> bool:
    """Whether nothing is in it that `json` writes otherwise than RFC 8785: numbers with fractions (3.2.2.3) and keys
    whose order depends on their encoding (3.2.3), nor anything that `json` would make into another type.
    """
    if isinstance(value, dict):
        return all(isinstance(key, str) and key.isascii() and _is_plain(part) for key, part in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, str | bool) or value is None:
        return True
    return isinstance(value, int) and -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER


def digest_of(salt: bytes, content: bytes) -> str:
    """The name of a body: lower-case hex SHA-256 over salt and content."""
    return hashlib.sha256(salt + content).hexdigest()


def name_body(salt: bytes, value: object) -> tuple[str, bytes]:
    """The digest of `value` as a body, and its canonical bytes. Raises BadInputError."""
    content = canonical_bytes(value, "a body")
    if len(content) > MAX_BODY_BYTES:
        raise BadInputError("write", "a body", f"it has {len(content)} bytes", f"At most {MAX_BODY_BYTES} are kept.")
    return digest_of(salt, content), content


def keep_bodies(connection: Connection, log_id: int, contents: Mapping[str, bytes]) -> None:
    """Keep these bodies (digest to canonical bytes), but for those that are kept already. At most 1000 at once."""
    if not contents:
        return
    known = set(connection.execute(_KNOWN, {"log": log_id, "names": list(contents)}).scalars())
    rows = [
        {"log_id": log_id, "digest": digest, "size": len(content), "zstd": pack(content)}
        for digest, content in contents.items() if digest not in known
    ]  # fmt: skip
    if rows:
        connection.execute(_INSERT, rows)


def load_body(connection: Connection, log_id: int, salt: bytes, digest: str) -> bytes | None:
    """The canonical bytes of a body; None when it is not there (erased, or never stored).

    Raises UnsoundError when what is stored is not what the digest names.
    """
    row = connection.execute(_WANTED, {"log": log_id, "name": digest}).first()
    return None if row is None else _confirm(row.zstd, row.size, salt, digest)


def load_bodies(connection: Connection, log_id: int, salt: bytes, digests: Collection[str]) -> dict[str, bytes]:
    """The same for several, of which there may be 1000; those that are not there are left out."""
    rows = connection.execute(_SEVERAL, {"log": log_id, "names": list(digests)})
    return {row.digest: _confirm(row.zstd, row.size, salt, row.digest) for row in rows}


def _confirm(stored: bytes, size: int, salt: bytes, digest: str) -> bytes:
    content = open_body(stored, size)
    if content is None or digest_of(salt, content) != digest:
        raise UnsoundError(
            "read body", digest, "its content was changed", "Keep the database for examination; run `itcare verify`."
        )
    return content


def open_body(stored: bytes, size: int) -> bytes | None:
    """The content of a body's row; None when that is not what is stored, or larger than a body may be."""
    return unpack(stored, size) if size <= MAX_BODY_BYTES else None


def parse_body(content: bytes) -> object:
    """The value behind canonical bytes. Publishing reads tens of thousands of bodies: `json` takes twice as long."""
    value: object = orjson.loads(content)
    return value
