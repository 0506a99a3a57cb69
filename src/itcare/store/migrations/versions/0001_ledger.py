"""Ledger, bodies, runs and leases.

A migration is history: it spells its tables out and never imports `itcare.store.tables`.
There is no way down; going back to an older program means restoring the backup made before.
"""

import sqlalchemy as sa
from alembic import op

from itcare.store import dialect

revision = "0001"
down_revision = None

_WHOLE = dialect.WHOLE_NUMBER
_OPTIONS = dialect.TABLE_OPTIONS


def upgrade() -> None:
    _create_logs()
    _create_runs()
    dialect.guard_leaves(op.get_bind())
    op.execute("INSERT INTO fence (id, value) VALUES (1, 0)")


def _create_logs() -> None:
    op.create_table(
        "installation",
        sa.Column("id", _WHOLE, sa.CheckConstraint("id = 1", name="one_installation"), primary_key=True),
        sa.Column("ledger_id", sa.Text, nullable=False),
        sa.Column("recovery_key", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        **_OPTIONS,
    )
    op.create_table(
        "client",
        sa.Column("id", _WHOLE, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("enrolled_at", sa.Text, nullable=False),
        **_OPTIONS,
    )
    op.create_table(
        "log",
        sa.Column("id", _WHOLE, primary_key=True),
        sa.Column("client_id", _WHOLE, sa.ForeignKey("client.id"), unique=True),
        sa.Column("origin", sa.Text, nullable=False, unique=True),
        sa.Column("body_salt", sa.LargeBinary, nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("signed_size", _WHOLE, nullable=False),
        **_OPTIONS,
    )
    op.create_table(
        "leaf",
        sa.Column("log_id", _WHOLE, sa.ForeignKey("log.id"), nullable=False),
        sa.Column("idx", _WHOLE, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("bytes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "idx"),
        **_OPTIONS,
    )
    op.create_table(
        "body",
        sa.Column("log_id", _WHOLE, sa.ForeignKey("log.id"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("zstd", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "digest"),
        **_OPTIONS,
    )


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", _WHOLE, sa.ForeignKey("client.id"), nullable=False),
        sa.Column("number", _WHOLE, nullable=False),
        sa.Column("duty", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("check", _WHOLE, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("fence", _WHOLE, nullable=False),
        sa.Column("folder", sa.Text),
        sa.Column("sockets", sa.Text),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text),
        sa.Column("cancel_by", sa.Text),
        sa.UniqueConstraint("client_id", "number"),
        **_OPTIONS,
    )
    op.create_index("run_state", "run", ["state"])
    op.create_table(
        "lease",
        sa.Column("client_id", _WHOLE, sa.ForeignKey("client.id"), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, sa.ForeignKey("run.id"), nullable=False),
        sa.Column("fence", _WHOLE, nullable=False),
        sa.Column("taken_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "host"),
        **_OPTIONS,
    )
    op.create_table(
        "fence",
        sa.Column("id", _WHOLE, sa.CheckConstraint("id = 1", name="one_fence"), primary_key=True),
        sa.Column("value", _WHOLE, nullable=False),
        **_OPTIONS,
    )
