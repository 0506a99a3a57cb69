"""One frozen value per row of a snapshot; field order is column order (`schema.DDL`).

Instants are aware UTC datetimes, words are the enums of `core.words`, JSON columns are decoded.
Texts from managed computers and people are hostile: draw them as plain text only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from itcare.core.words import (
    FindingStatus,
    HostOutcome,
    ObligationState,
    RunGrade,
    RunState,
    SourceState,
    TaskOutcome,
)
from itcare.publish.past_rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    SeenSoftwareRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)

__all__ = [
    "FactRow",
    "FileRow",
    "FindingIntervalRow",
    "FindingRow",
    "ForecastRow",
    "HostResultRow",
    "HostRow",
    "MeasureRow",
    "Meta",
    "MonthRow",
    "ObligationRow",
    "Row",
    "RunRow",
    "SeenSoftwareRow",
    "SoftwareChangeRow",
    "SoftwareLookRow",
    "SoftwareRow",
    "TaskRow",
    "TempRow",
]


def _json() -> dict[str, bool]:
    return {"json": True}


@dataclass(frozen=True, slots=True)
class HostRow:
    """A computer that the contract names today (`current`) or that some run has touched.

    `last_*` tell the newest attempt; `last_observed_at` the newest usable observation.
    """

    name: str
    site: str | None
    role: str | None
    os: str | None
    current: bool
    last_run: int | None
    last_outcome: HostOutcome | None
    last_reason: str | None
    last_attempt_at: datetime | None
    last_observed_at: datetime | None
    needs_verify: bool = False


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: `reason` says why it was begun, `closed_reason` why it ended as it did.

    `hosts_good` counts ok and changed, `needs_verify` the hosts that somebody has to look at;
    `entry_*` and `leaf_*` are position and hash of the ledger's leaves that tell of it. An `unannounced`
    run was adopted at `opened_at`; `played_*` is when it took place, as its spool says. `reruns`: number
    of the run that this one repeats.
    """

    number: int
    duty: str
    grade: RunGrade
    check_mode: bool
    state: RunState
    opened_at: datetime
    closed_at: datetime | None
    played_from: datetime | None
    played_to: datetime | None
    reruns: int | None
    closed_reason: str | None
    cancelled_by: str | None
    operator: str | None
    stated_operator: str | None
    login: str | None
    sudo_user: str | None
    reason: str | None
    controller: str | None
    clock_synchronised: bool | None
    contract_number: str | None
    contract_commit: str | None
    contract_dirty: bool | None
    code_version: str | None
    code_commit: str | None
    collection_version: str | None
    playbook: str | None
    playbook_sha256: str | None
    inventory_sha256: str | None
    spool_sha256: str | None
    spool_lines: int | None
    hosts_total: int
    hosts_good: int
    needs_verify: int
    entry_opened: int
    entry_closed: int | None
    leaf_opened: str
    leaf_closed: str | None
    alarms: tuple[object, ...] = field(metadata=_json())
    month: str


@dataclass(frozen=True, slots=True)
class MonthRow:
    """The file with what was done in the runs of one month (`YYYY-MM`): its name, lower-case hex SHA-256, size."""

    month: str
    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class HostResultRow:
    """What became of one host in one run; without `entry` no leaf tells of it and the outcome is derived."""

    run: int
    host: str
    outcome: HostOutcome
    reason: str | None
    needs_verify: bool
    truncated: bool
    connection: str | None
    remote_user: str | None
    address: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    message: str | None
    entry: int | None
    leaf_sha256: str | None
    alarms: tuple[object, ...] = field(metadata=_json())


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task on one host; `message` only where the task did not succeed; `args` the allow-listed ones."""

    run: int
    host: str
    position: int
    name: str | None
    module: str | None
    file: str | None
    line: int | None
    started_at: datetime | None
    ended_at: datetime | None
    outcome: TaskOutcome
    ignored: bool
    truncated: bool
    message: str | None
    args: Mapping[str, object] = field(metadata=_json())


@dataclass(frozen=True, slots=True)
class FileRow:
    """A playbook, role, module, plugin or script that a run used, with its SHA-256."""

    run: int
    kind: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One judgement on the newest observation of a host, with the evidence behind it."""

    id: int
    host: str
    rule: str
    rule_version: int
    status: FindingStatus
    subject: str | None
    fact: str
    values: Mapping[str, object] = field(metadata=_json())
    reason: str
    threshold: Mapping[str, object] = field(metadata=_json())
    threshold_source: str | None
    source: str | None
    run: int | None
    entry: int | None
    task_position: int | None
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FactRow:
    """One source of the newest usable observation of a host; `data` is None unless the state is ok."""

    host: str
    source: str
    state: SourceState
    reason: str | None
    detail: str | None
    data: object = field(metadata=_json())
    run: int
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObligationRow:
    """One promise of the contract: a duty for one host, its window and what became of it.

    `is_open`: when published, there was still time for it, catch-up included. `month` is that of
    `nominal_date`, as YYYY-MM.
    """

    id: int
    duty: str
    host: str
    nominal_date: date
    due_from: datetime
    due_to: datetime
    catch_up_to: datetime
    is_open: bool
    state: ObligationState
    reason: str | None
    last_outcome: HostOutcome | None
    run: int | None
    month: str


Row = (
    HostRow
    | RunRow
    | MonthRow
    | HostResultRow
    | TaskRow
    | FileRow
    | FindingRow
    | FactRow
    | ObligationRow
    | MeasureRow
    | ForecastRow
    | FindingIntervalRow
    | SoftwareRow
    | SoftwareLookRow
    | SoftwareChangeRow
    | TempRow
)


@dataclass(frozen=True, slots=True)
class Meta:
    """What the snapshot says about itself.

    `checkpoint` is the signed note of the tree the snapshot was built from; `kept_since` the date
    of the client's first ledger entry; `problems` counts ledger entries that could not be read;
    `duties` gives each duty's title, as text, or None.
    """

    client: str
    legal_name: str
    locale: str
    tz: str
    published_at: datetime
    kept_since: date | None
    policy_version: str
    contract_number: str | None
    contract_commit: str | None
    code_version: str
    collection_version: str | None
    technician: str | None
    technician_phone: str | None
    deputy: str | None
    checkpoint: str
    tree_size: int
    tree_root: str
    ledger_state: str
    ledger_message: str
    ledger_checked_at: datetime
    stale_after_hours: float
    problems: int
    duties: Mapping[str, object] = field(metadata=_json())

    @property
    def ledger_is_sound(self) -> bool:
        """Whether the whole ledger was checked and found sound just before publishing."""
        return self.ledger_state == "sound"
