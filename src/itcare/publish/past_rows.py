"""Rows of the tables that look back, as `rows` has those of the present; field order is column order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from itcare.core.words import FindingStatus, ForecastReason, SoftwareChange, TempState


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One number of one host at one look. `capacity`: the most it can be, in the same unit, where there is one."""

    host: str
    name: str
    subject: str | None
    at: datetime
    value: float
    capacity: float | None
    run: int


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """Of one file system the newest measure, and when it will be full: `full_at`, or the `reason` why none is named.

    `days`: from `at` to `full_at`.
    """

    host: str
    name: str
    subject: str | None
    at: datetime
    value: float
    capacity: float | None
    full_at: datetime | None
    days: float | None
    reason: ForecastReason | None
    run: int


@dataclass(frozen=True, slots=True)
class FindingIntervalRow:
    """How long a rule said the same of one thing on one host.

    `current`: it still does. `ended_by`: the run whose look said something else, so that nothing can change it any
    more; what is neither stands as it was last seen, too long ago to be believed.
    """

    host: str
    rule: str
    subject: str | None
    status: FindingStatus
    first_seen: datetime
    last_seen: datetime
    first_run: int
    last_run: int
    current: bool
    ended_by: int | None = None


@dataclass(frozen=True, slots=True)
class SoftwareRow:
    """One package in one version."""

    host: str
    name: str
    version: str
    publisher: str | None
    architecture: str | None
    scope: str
    installed_at: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class SeenSoftwareRow(SoftwareRow):
    """A package with the number of the newest run that could ask its source."""

    run: int


@dataclass(frozen=True, slots=True)
class SoftwareLookRow:
    """The newest run that could ask one source of software on one host: its packages are those of that look."""

    host: str
    source: str
    run: int


@dataclass(frozen=True, slots=True)
class SoftwareChangeRow:
    """What became of a package between the looks of `run_before` and `run`; `at`: the later of the two."""

    host: str
    at: datetime
    run_before: int
    run: int
    kind: SoftwareChange
    name: str
    scope: str
    source: str
    architecture: str | None
    old_version: str | None
    new_version: str | None


@dataclass(frozen=True, slots=True)
class TempRow:
    """What a clean-up planned and did with one category of temporary files; `skipped`: files and bytes by reason."""

    run: int
    host: str
    category: str
    state: TempState
    reason: str | None
    planned_files: int | None
    planned_bytes: int | None
    deleted_files: int | None
    deleted_bytes: int | None
    skipped: Mapping[str, object] = field(metadata={"json": True})
    at: datetime | None
