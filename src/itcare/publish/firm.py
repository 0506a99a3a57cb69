"""One client in few numbers for the firm's overview, out of the client's own snapshot."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from zoneinfo import ZoneInfo

from itcare.core.clock import read_instant, write_instant
from itcare.core.words import FindingStatus, ObligationState
from itcare.publish.files import connected
from itcare.publish.rows import Meta

SOON = timedelta(days=30)
"""Disks that will be full within this time are counted in the overview."""

_DELIVERED = (ObligationState.DONE, ObligationState.DONE_LATE)


@dataclass(frozen=True, slots=True)
class FirmClientRow:
    """One client: age of what is shown, findings of its computers, soundness of its ledger.

    `published_at` with `stale_after_hours` and `last_observed_at` tell how old the numbers are;
    `needs_verify`: hosts of the newest run of each that somebody has to look at.
    """

    client_id: int
    code: str
    legal_name: str
    published_at: datetime
    stale_after_hours: float
    last_observed_at: datetime | None
    hosts: int
    findings_fail: int
    findings_warn: int
    findings_unknown: int
    findings_ok: int
    needs_verify: int
    ledger_state: str
    ledger_message: str
    ledger_checked_at: datetime
    tree_size: int
    problems: int
    full_within_30_days: int

    @property
    def ledger_is_sound(self) -> bool:
        """Whether the whole ledger was found sound just before publishing."""
        return self.ledger_state == "sound"


@dataclass(frozen=True, slots=True)
class FirmAreaRow:
    """One duty of one client in the month of publishing: obligations by state.

    `settled`: those whose time is over and that were not waived; `delivered` of them were done, in
    time or late. With 0 settled nothing was due, which is not 100 %.
    """

    client_id: int
    area: str
    title: str | None
    month: str
    planned: int
    attempted: int
    done: int
    done_late: int
    failed: int
    not_reached: int
    waived: int
    no_data: int
    settled: int
    delivered: int


@dataclass(frozen=True)
class ClientSummary:
    """All that the overview holds of one client."""

    client: FirmClientRow
    areas: tuple[FirmAreaRow, ...]


def summarise_client(client_id: int, meta: Meta, path: Path) -> ClientSummary:
    """Sums over the `current.sqlite` at `path` that was just published for this client, and over nothing else."""
    month = f"{meta.published_at.astimezone(ZoneInfo(meta.tz)):%Y-%m}"
    with connected(path.as_uri() + "?mode=ro&immutable=1") as connection:
        client = _make_client(client_id, meta, connection)
        states: dict[str, Counter[str]] = {duty: Counter() for duty in meta.duties}
        for duty, state, is_open, count in connection.execute(_OBLIGATIONS, (month,)):
            states.setdefault(str(duty), Counter()).update({str(state): count, f"{state} {is_open}": count})
    areas = (
        _make_area(client_id, duty, meta.duties.get(duty), month, counts) for duty, counts in sorted(states.items())
    )
    return ClientSummary(client, tuple(areas))


_HOSTS = "SELECT count(*), max(last_observed_at) FROM host WHERE current = 1"
_DOUBTS = "SELECT total(needs_verify) FROM host"
_FINDINGS = "SELECT status, count(*) FROM finding GROUP BY status"
_SOON = "SELECT count(*) FROM forecast WHERE full_at <= ?"
_OBLIGATIONS = "SELECT duty, state, is_open, count(*) FROM obligation WHERE month = ? GROUP BY duty, state, is_open"


def _make_client(client_id: int, meta: Meta, connection: Connection) -> FirmClientRow:
    hosts, last_observed_at = connection.execute(_HOSTS).fetchone()
    findings = Counter(dict(connection.execute(_FINDINGS).fetchall()))
    return FirmClientRow(
        client_id=client_id,
        code=meta.client,
        legal_name=meta.legal_name,
        published_at=meta.published_at,
        stale_after_hours=meta.stale_after_hours,
        last_observed_at=read_instant(last_observed_at) if last_observed_at else None,
        hosts=hosts,
        findings_fail=findings[FindingStatus.FAIL],
        findings_warn=findings[FindingStatus.WARN],
        findings_unknown=findings[FindingStatus.UNKNOWN],
        findings_ok=findings[FindingStatus.OK],
        needs_verify=int(connection.execute(_DOUBTS).fetchone()[0]),
        ledger_state=meta.ledger_state,
        ledger_message=meta.ledger_message,
        ledger_checked_at=meta.ledger_checked_at,
        tree_size=meta.tree_size,
        problems=meta.problems,
        full_within_30_days=connection.execute(_SOON, (write_instant(meta.published_at + SOON),)).fetchone()[0],
    )


def _make_area(client_id: int, duty: str, title: object, month: str, counts: Mapping[str, int]) -> FirmAreaRow:
    """`counts`: by state, and by state and whether there was still time for it (0 or 1)."""
    settled: dict[ObligationState, int] = {
        state: counts.get(f"{state} 0", 0) for state in ObligationState if state is not ObligationState.WAIVED
    }
    return FirmAreaRow(
        client_id=client_id,
        area=duty,
        title=title if isinstance(title, str) else None,
        month=month,
        **{state.value: counts.get(state.value, 0) for state in ObligationState},
        settled=sum(settled.values()),
        delivered=sum(settled[state] for state in _DELIVERED),
    )
