"""One client in few numbers for the firm's overview, out of the rows of the client's own snapshot. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from itcare.core.words import FindingStatus, ObligationState
from itcare.publish.rows import ObligationRow
from itcare.publish.writer import SnapshotRows

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


def summarise_client(client_id: int, rows: SnapshotRows, zone: ZoneInfo) -> ClientSummary:
    """Sums over the rows that were just published for this client, and over nothing else."""
    meta = rows.meta
    current = {host.name: host for host in rows.hosts if host.current}
    findings = Counter(finding.status for finding in rows.findings)
    newest = {host.name: host.last_run for host in rows.hosts}
    soon = meta.published_at + SOON
    client = FirmClientRow(
        client_id=client_id,
        code=meta.client,
        legal_name=meta.legal_name,
        published_at=meta.published_at,
        stale_after_hours=meta.stale_after_hours,
        last_observed_at=max(
            (host.last_observed_at for host in current.values() if host.last_observed_at), default=None
        ),
        hosts=len(current),
        findings_fail=findings[FindingStatus.FAIL],
        findings_warn=findings[FindingStatus.WARN],
        findings_unknown=findings[FindingStatus.UNKNOWN],
        findings_ok=findings[FindingStatus.OK],
        needs_verify=sum(row.needs_verify and newest.get(row.host) == row.run for row in rows.host_results),
        ledger_state=meta.ledger_state,
        ledger_message=meta.ledger_message,
        ledger_checked_at=meta.ledger_checked_at,
        tree_size=meta.tree_size,
        problems=meta.problems,
        full_within_30_days=sum(row.full_at is not None and row.full_at <= soon for row in rows.forecasts),
    )
    month = f"{meta.published_at.astimezone(zone):%Y-%m}"
    duties: dict[str, list[ObligationRow]] = {duty: [] for duty in meta.duties}
    for row in rows.obligations:
        if row.month == month:
            duties.setdefault(row.duty, []).append(row)
    areas = (_make_area(client_id, duty, meta.duties.get(duty), month, owed) for duty, owed in sorted(duties.items()))
    return ClientSummary(client, tuple(areas))


def _make_area(client_id: int, duty: str, title: object, month: str, owed: Iterable[ObligationRow]) -> FirmAreaRow:
    listed = list(owed)
    states = Counter(row.state for row in listed)
    settled = [row for row in listed if not row.is_open and row.state is not ObligationState.WAIVED]
    return FirmAreaRow(
        client_id=client_id,
        area=duty,
        title=title if isinstance(title, str) else None,
        month=month,
        **{state.value: states[state] for state in ObligationState},
        settled=len(settled),
        delivered=sum(row.state in _DELIVERED for row in settled),
    )
