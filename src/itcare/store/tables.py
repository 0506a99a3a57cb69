"""Tables of the engine's database, as the newest migration leaves them.

Instants are text in the form of core.clock.write_instant; digests of bodies are lower-case hex.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from itcare.store.dialect import TABLE_OPTIONS, WHOLE_NUMBER

REVISION = "0002"
"""Revision of the newest migration; a database with another one is not opened."""

metadata = MetaData()

installation = Table(
    "installation",
    metadata,
    Column("id", WHOLE_NUMBER, CheckConstraint("id = 1", name="one_installation"), primary_key=True),
    Column("ledger_id", Text, nullable=False),  # random; in the origin of every log
    Column("recovery_key", Text, nullable=False),  # verifier key text of the offline key
    Column("created_at", Text, nullable=False),
    **TABLE_OPTIONS,
)

client = Table(
    "client",
    metadata,
    Column("id", WHOLE_NUMBER, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("enrolled_at", Text, nullable=False),
    **TABLE_OPTIONS,
)

log = Table(
    "log",
    metadata,
    Column("id", WHOLE_NUMBER, primary_key=True),
    Column("client_id", WHOLE_NUMBER, ForeignKey("client.id"), unique=True),  # null: the firm's own log
    Column("origin", Text, nullable=False, unique=True),
    Column("body_salt", LargeBinary, nullable=False),  # 32 random bytes, mixed into every digest of a body
    Column("size", WHOLE_NUMBER, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # right edge of the tree, 32 bytes each, left to right
    Column("root", LargeBinary, nullable=False),
    Column("signed_size", WHOLE_NUMBER, nullable=False),
    **TABLE_OPTIONS,
)

leaf = Table(
    "leaf",
    metadata,
    Column("log_id", WHOLE_NUMBER, ForeignKey("log.id"), nullable=False),
    Column("idx", WHOLE_NUMBER, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # before `bytes`: reading it does not read the whole leaf
    Column("bytes", LargeBinary, nullable=False),  # packed (store.packing), or plain from before revision 0002
    PrimaryKeyConstraint("log_id", "idx"),
    **TABLE_OPTIONS,
)

body = Table(
    "body",
    metadata,
    Column("log_id", WHOLE_NUMBER, ForeignKey("log.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", WHOLE_NUMBER, nullable=False),  # bytes before compression
    Column("zstd", LargeBinary, nullable=False),  # packed, or a bare frame from before revision 0002
    PrimaryKeyConstraint("log_id", "digest"),
    **TABLE_OPTIONS,
)

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),  # random, hex
    Column("client_id", WHOLE_NUMBER, ForeignKey("client.id"), nullable=False),
    Column("number", WHOLE_NUMBER, nullable=False),
    Column("duty", Text, nullable=False),
    Column("state", Text, nullable=False),  # core.words.RunState
    Column("check", WHOLE_NUMBER, nullable=False),  # 0 or 1
    Column("nonce", Text, nullable=False),
    Column("fence", WHOLE_NUMBER, nullable=False),
    Column("folder", Text),
    Column("sockets", Text),
    Column("opened_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("cancel_by", Text),
    UniqueConstraint("client_id", "number"),
    **TABLE_OPTIONS,
)
Index("run_state", run.c.state)

lease = Table(
    "lease",
    metadata,
    Column("client_id", WHOLE_NUMBER, ForeignKey("client.id"), nullable=False),
    Column("host", Text, nullable=False),
    Column("run_id", Text, ForeignKey("run.id"), nullable=False),
    Column("fence", WHOLE_NUMBER, nullable=False),
    Column("taken_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    PrimaryKeyConstraint("client_id", "host"),
    **TABLE_OPTIONS,
)

fence = Table(
    "fence",
    metadata,
    Column("id", WHOLE_NUMBER, CheckConstraint("id = 1", name="one_fence"), primary_key=True),
    Column("value", WHOLE_NUMBER, nullable=False),  # last number given out; the row is there from the start
    **TABLE_OPTIONS,
)
