"""What looks back in the believable client of `portal`: disks that fill, programs that change, clean-ups."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from itcare.core.words import FindingStatus, ForecastReason, HostOutcome, SoftwareChange, TempState
from itcare.publish.forecast import days_to_full
from itcare.publish.rows import (
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostResultRow,
    MeasureRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)

# host -> mount, capacity, used at the newest look, growth a day
DISKS = {
    "srv01": (("/srv", 980e9, 843e9, 3.4e9), ("/", 118e9, 31e9, 0.02e9)),
    "pc01": (("/", 476e9, 268e9, 0.1e9),),
    "pc02": (("/", 476e9, 268e9, -0.05e9),),
    "pc03": (("/", 238e9, 229.6e9, 0.3e9),),
    "nb01": (("/", 476e9, 268e9, 0.4e9), ("/boot/efi", 0.535e9, 0.006e9, 0.0)),
}
PACKAGES = (
    ("bash", "5.2.15-2+b7", "Debian"), ("firefox-esr", "140.5.0esr-1~deb12u1", "Mozilla"),
    ("libreoffice-writer", "4:7.4.7-1+deb12u8", "The Document Foundation"), ("openssl", "3.0.17-1~deb12u3", "Debian"),
    ("postgresql-15", "15.14-0+deb12u1", "PostgreSQL"), ("thunderbird", "1:140.5.0esr-1~deb12u1", "Mozilla"),
    ("tzdata", "2026b-0+deb12u1", "Debian"),
)  # fmt: skip
# days ago, kind, name, old, new
CHANGES = (
    (30, SoftwareChange.UPDATED, "openssl", "3.0.16-1~deb12u1", "3.0.17-1~deb12u2"),
    (21, SoftwareChange.REMOVED, "vlc", "3.0.21-0+deb12u1", None),
    (9, SoftwareChange.INSTALLED, "libreoffice-writer", None, "4:7.4.7-1+deb12u8"),
    (0, SoftwareChange.UPDATED, "firefox-esr", "140.4.0esr-1~deb12u1", "140.5.0esr-1~deb12u1"),
    (0, SoftwareChange.UPDATED, "openssl", "3.0.17-1~deb12u2", "3.0.17-1~deb12u3"),
)
_YOUNG = "pc01"  # a computer that was looked at only lately
_UNSWEPT = "nb01"  # one on which clean-ups only look


def past_rows(
    now: datetime, results: Iterable[HostResultRow], findings: Iterable[FindingRow]
) -> Mapping[str, tuple[object, ...]]:
    """The rows of every table that looks back, from the looks that went well."""
    looks: dict[str, list[HostResultRow]] = {}
    for row in results:
        if row.outcome is HostOutcome.OK and row.closed_at is not None:
            looks.setdefault(row.host, []).append(row)
    looks[_YOUNG] = looks[_YOUNG][-6:]
    measures = [row for host, seen in sorted(looks.items()) for row in _measures(host, seen)]
    return {
        "measures": tuple(measures),
        "forecasts": tuple(_forecasts(measures)),
        "finding_intervals": tuple(_interval(row, looks[row.host]) for row in findings if row.run),
        "software": tuple(
            SoftwareRow(host, name, version, publisher, "amd64", "machine", now - timedelta(days=60 + place), "dpkg")
            for host in sorted(looks) for place, (name, version, publisher) in enumerate(PACKAGES)
        ),
        "software_looks": tuple(SoftwareLookRow(host, "dpkg", seen[-1].run) for host, seen in sorted(looks.items())),
        "software_changes": tuple(row for host, seen in sorted(looks.items()) for row in _changes(host, seen)),
        "temps": tuple(row for host, seen in sorted(looks.items()) for row in _temps(host, seen)),
    }  # fmt: skip


def _measures(host: str, looks: list[HostResultRow]) -> Iterable[MeasureRow]:
    for mount, capacity, used, growth in DISKS[host]:
        for ago, look in enumerate(reversed(looks)):
            wave = (ago * 7919 % 11 - 5) * 0.002 * used if ago else 0.0
            yield MeasureRow(host, "disk_used_bytes", mount, _at(look), used - growth * ago + wave, capacity, look.run)
    for look in looks:
        yield MeasureRow(host, "software_count", None, _at(look), float(len(PACKAGES)), None, look.run)
    for ago, look in enumerate(reversed(looks)):
        if ago % 7 == 0:
            planned = 1.4e9 + 0.05e9 * ago
            yield MeasureRow(host, "temp_planned_bytes", None, _at(look), planned, None, look.run)
            if host != _UNSWEPT:
                yield MeasureRow(host, "temp_freed_bytes", None, _at(look), planned * 0.9, None, look.run)


def _at(look: HostResultRow) -> datetime:
    assert look.closed_at is not None
    return look.closed_at


def _forecasts(measures: list[MeasureRow]) -> Iterable[ForecastRow]:
    disks: dict[tuple[str, str | None], list[MeasureRow]] = {}
    for row in measures:
        if row.name == "disk_used_bytes":
            disks.setdefault((row.host, row.subject), []).append(row)
    for (host, subject), rows in sorted(disks.items(), key=str):
        last = max(rows, key=lambda row: row.at)
        told = days_to_full(rows)
        reason = told.reason or (None if told.full_at else ForecastReason.NOT_GROWING)
        yield ForecastRow(host, last.name, subject, last.at, last.value, last.capacity, told.full_at, told.days, reason,
                          last.run)  # fmt: skip


def _interval(row: FindingRow, looks: list[HostResultRow]) -> FindingIntervalRow:
    begun = looks[0] if row.status is FindingStatus.OK else looks[-min(9, len(looks))]
    return FindingIntervalRow(row.host, row.rule, row.subject, row.status, _at(begun), _at(looks[-1]), begun.run,
                              looks[-1].run, True)  # fmt: skip


def _changes(host: str, looks: list[HostResultRow]) -> Iterable[SoftwareChangeRow]:
    if host == _YOUNG:
        return
    for ago, kind, name, old, new in CHANGES:
        look, before = looks[-1 - ago], looks[-2 - ago]
        yield SoftwareChangeRow(host, _at(look), before.run, look.run, kind, name, "machine", "dpkg", "amd64", old, new)


def _temps(host: str, looks: list[HostResultRow]) -> Iterable[TempRow]:
    for ago, look in enumerate(reversed(looks)):
        if ago % 7:
            continue
        planned = int(1.4e9 + 0.05e9 * ago)
        deleted = 0 if host == _UNSWEPT else int(planned * 0.9)
        skipped = {"in_use": {"files": 12, "bytes": 3_400_000}, "too_young": {"files": 310, "bytes": 88_000_000}}
        yield TempRow(look.run, host, "system_temp", TempState.OK, None, 812, planned, 700 if deleted else 0, deleted,
                      skipped, _at(look))  # fmt: skip
        yield TempRow(look.run, host, "user_cache", TempState.ABSENT, None, 0, 0, 0, 0, {}, _at(look))
