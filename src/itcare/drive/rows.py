"""The rows behind a run: its number, its fencing number and the lease on each of its hosts.

Every function takes a connection inside a write transaction of the caller (`store.engine.write` or a
ledger batch), so that a claim and its entry in the ledger stand or fall together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from itcare.core.clock import read_instant, write_instant
from itcare.core.errors import BusyError
from itcare.core.words import RunState
from itcare.store.tables import client, fence, lease, run

LEASE = timedelta(seconds=60)
RENEWAL = timedelta(seconds=15)


@dataclass(frozen=True)
class RunRow:
    """One run as the database knows it; `fence` is the one of its start, which the spool carries."""

    id: str
    client_id: int
    client: str
    client_name: str
    number: int
    duty: str
    state: RunState
    check: bool
    nonce: str
    fence: int
    folder: Path
    sockets: Path | None
    opened_at: datetime
    closed_at: datetime | None
    cancel_by: str | None

    @property
    def is_open(self) -> bool:
        return self.state is RunState.RUNNING


def _read_row(row: RowMapping) -> RunRow:
    closed_at, sockets = row["closed_at"], row["sockets"]
    return RunRow(
        id=row["id"], client_id=row["client_id"], client=row["code"], client_name=row["name"], number=row["number"],
        duty=row["duty"], state=RunState(row["state"]), check=bool(row["check"]), nonce=row["nonce"],
        fence=row["fence"], folder=Path(row["folder"]), sockets=Path(sockets) if sockets else None,
        opened_at=read_instant(row["opened_at"]), closed_at=read_instant(closed_at) if closed_at else None,
        cancel_by=row["cancel_by"],
    )  # fmt: skip


_RUNS = select(run, client.c.code, client.c.name).join(client, client.c.id == run.c.client_id)


def find_run(connection: Connection, run_id: str) -> RunRow | None:
    row = connection.execute(_RUNS.where(run.c.id == run_id)).mappings().first()
    return _read_row(row) if row else None


def find_run_by_number(connection: Connection, code: str, number: int) -> RunRow | None:
    row = connection.execute(_RUNS.where(client.c.code == code, run.c.number == number)).mappings().first()
    return _read_row(row) if row else None


def open_runs(connection: Connection) -> list[RunRow]:
    """Runs that nobody has closed yet, oldest first."""
    rows = connection.execute(_RUNS.where(run.c.state == RunState.RUNNING.value).order_by(run.c.opened_at, run.c.id))
    return [_read_row(row) for row in rows.mappings()]


def next_fence(connection: Connection) -> int:
    """A fencing number greater than any given out before."""
    return int(connection.execute(update(fence).values(value=fence.c.value + 1).returning(fence.c.value)).scalar_one())


def next_number(connection: Connection, client_id: int) -> int:
    """The client's next run number; without a gap, since run and entry share the transaction."""
    highest = connection.execute(select(func.max(run.c.number)).where(run.c.client_id == client_id)).scalar()
    return int(highest or 0) + 1


def insert_run(connection: Connection, row: RunRow) -> None:
    connection.execute(
        insert(run).values(
            id=row.id, client_id=row.client_id, number=row.number, duty=row.duty, state=row.state.value,
            check=int(row.check), nonce=row.nonce, fence=row.fence, folder=str(row.folder),
            sockets=str(row.sockets) if row.sockets else None, opened_at=write_instant(row.opened_at),
        )
    )  # fmt: skip


def take_leases(connection: Connection, row: RunRow, hosts: Sequence[str], now: datetime) -> None:
    """Claim every host for a run, or none. Raises BusyError naming the host and the run that has it.

    A run with a dead driver keeps its leases until a recovery has closed it: before that something
    of it may still be at work on the host.
    """
    held = select(lease.c.host, run.c.number).join(run, run.c.id == lease.c.run_id).where(
        lease.c.client_id == row.client_id, lease.c.host.in_(hosts)
    ).order_by(lease.c.host)  # fmt: skip
    first = connection.execute(held).first()
    if first is not None:
        name = f"{row.client}/{first.number}"
        raise BusyError(
            "start a run on", f"{row.client} {first.host}", f"run {name} is at work there",
            f"Wait until it has ended, or stop it: itcare cancel {name}.",
        )  # fmt: skip
    times = {"taken_at": write_instant(now), "expires_at": write_instant(now + LEASE)}
    common = {"client_id": row.client_id, "run_id": row.id, "fence": row.fence, **times}
    connection.execute(insert(lease), [{**common, "host": host} for host in hosts])


def holds_leases(connection: Connection, run_id: str, owner: int) -> bool:
    """Whether every lease of a run is still in the hands of the owner with that fencing number."""
    found = connection.execute(select(lease.c.fence).where(lease.c.run_id == run_id)).scalars().all()
    return bool(found) and all(number == owner for number in found)


def renew_leases(connection: Connection, run_id: str, owner: int, now: datetime) -> bool:
    """Put the end of a run's leases off; False when another owner has taken them over."""
    mine = update(lease).where(lease.c.run_id == run_id, lease.c.fence == owner)
    renewed = connection.execute(mine.values(expires_at=write_instant(now + LEASE)))
    return renewed.rowcount > 0 and holds_leases(connection, run_id, owner)


def leases_expired(connection: Connection, run_id: str, now: datetime) -> bool:
    """Whether a run has let its leases run out."""
    last = connection.execute(select(func.max(lease.c.expires_at)).where(lease.c.run_id == run_id)).scalar()
    return last is None or read_instant(last) < now


def take_over(connection: Connection, run_id: str, now: datetime) -> int:
    """Make the caller the owner of a run's leases; whoever held them is shut out from now on."""
    number = next_fence(connection)
    values = {"fence": number, "taken_at": write_instant(now), "expires_at": write_instant(now + LEASE)}
    connection.execute(update(lease).where(lease.c.run_id == run_id).values(values))
    return number


def ask_to_cancel(connection: Connection, run_id: str, who: str) -> None:
    """Note who wants an open run stopped; the first who asked stays."""
    is_open = run.c.state == RunState.RUNNING.value
    connection.execute(update(run).where(run.c.id == run_id, is_open, run.c.cancel_by.is_(None)).values(cancel_by=who))


def close_run(connection: Connection, run_id: str, state: RunState, now: datetime) -> None:
    """Set the final state and give the hosts free."""
    connection.execute(update(run).where(run.c.id == run_id).values(state=state.value, closed_at=write_instant(now)))
    connection.execute(delete(lease).where(lease.c.run_id == run_id))
