"""A client with 500 computers and three years of daily visits, as published; written by the real writer."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

from itcare.core.words import (
    FindingStatus,
    ForecastReason,
    HostOutcome,
    ObligationState,
    RunState,
    SoftwareChange,
    SourceState,
    TaskOutcome,
    TempState,
)
from itcare.publish.content import MonthRows, PresentRows
from itcare.publish.files import locked_folder
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostResultRow,
    HostRow,
    MeasureRow,
    ObligationRow,
    RunRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)
from itcare.publish.writer import describe_month, write_month, write_present, write_sidecar
from tests.support.snapshots import (
    make_files,
    make_host_result,
    make_rows,
    make_run_row,
    make_task_row,
    plan_client,
    with_meta,
)

CLIENT = "ACME"
HOSTS, PACKAGES, TASKS = 500, 1000, 12
TASK_MONTHS = 2  # the newest, with tasks
FIRST = date(2023, 4, 1)
NOW = datetime(2026, 3, 31, 20, tzinfo=UTC)
DAYS = (NOW.date() - FIRST).days + 1
LAST_RUN = DAYS
MONTHS_SHOWN = tuple(f"{2023 + n // 12}-{n % 12 + 1:02}" for n in range(38, 2, -1))
NAMES = tuple(f"pc{n:04}" for n in range(1, HOSTS + 1))
RULES = (
    "disk.free", "disk.inodes", "disk.smart", "services.failed", "log.errors", "memory.pressure", "reboot.pending",
    "libraries.outdated", "time.sync", "sensors.temperature", "battery.wear", "access.administrators",
    "access.listeners", "protection.firewall", "protection.encryption",
)  # fmt: skip
STATUSES = (FindingStatus.OK,) * 16 + (
    FindingStatus.WARN,
    FindingStatus.WARN,
    FindingStatus.UNKNOWN,
    FindingStatus.FAIL,
)
CATEGORIES = ("browser_cache", "crash_reports", "journal", "package_cache", "system_temp", "trash", "user_cache")
GB = 10**9


def write_large_client(published: Path) -> None:
    """Write it into `published`/1: 36 months with up to 15,500 host results and 62,000 measures each."""
    runs = [_run(day) for day in range(DAYS)]
    with locked_folder(published, 1) as folder:
        months = []
        for month in sorted({run.month for run in runs}):
            rows = _month(month, [run for run in runs if run.month == month])
            months.append(describe_month(write_month(folder, rows, CLIENT, LAST_RUN)))
        meta = with_meta(make_rows(plan_client(1, hosts=0, runs=0, now=NOW)), kept_since=FIRST).meta
        write_present(
            folder,
            PresentRows(
                meta, tuple(map(_host, NAMES)), tuple(months), tuple(runs), tuple(_findings()), tuple(_facts()),
                tuple(_obligations()), tuple(_forecasts()), tuple(_intervals()), tuple(_software()),
                tuple(SoftwareLookRow(name, "dpkg", LAST_RUN) for name in NAMES),
            ),
        )  # fmt: skip
        write_sidecar(folder, CLIENT, meta.legal_name)


def _digest(*parts: object) -> str:
    return sha256("/".join(map(str, parts)).encode()).hexdigest()


def _opened(day: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), time(5), UTC)


def _outcome(day: int, place: int) -> HostOutcome:
    return HostOutcome.NOT_REACHED if (day * 7 + place) % 20 == 0 else HostOutcome.OK


def _run(day: int) -> RunRow:
    opened = _opened(day)
    return make_run_row(
        _digest, number=day + 1, state=RunState.PARTIAL, check_mode=False, opened_at=opened,
        closed_at=opened + timedelta(hours=1), closed_reason=None, cancelled_by=None, operator="Katarzyna Wójcik",
        login="kwojcik", reason="plan dnia", clock_synchronised=True, contract_number="IT/1", playbook="visit.yml",
        spool_sha256=_digest("spool", day), spool_lines=6000, hosts_total=HOSTS, hosts_good=HOSTS * 19 // 20,
        needs_verify=0, entry_opened=day * 502, entry_closed=day * 502 + 501, leaf_opened=_digest("o", day),
        leaf_closed=_digest("c", day), alarms=(),
    )  # fmt: skip


def _month(month: str, runs: list[RunRow]) -> MonthRows:
    rows = MonthRows(month)
    for run in runs:
        day = run.number - 1
        results = [_result(day, place, name) for place, name in enumerate(NAMES)]
        rows.host_results += results
        rows.files += _files(run.number)
        for place, result in enumerate(results):
            rows.measures += _measures(day, place, result)
            if month in MONTHS_SHOWN[:TASK_MONTHS]:
                rows.tasks += (
                    make_task_row(result, n, TaskOutcome.OK, name=f"Do the step {n}", module="itcare.maintenance.x",
                                  line=n, started_at=run.opened_at, took=timedelta(seconds=3), message=None, args={})
                    for n in range(TASKS)
                )  # fmt: skip
            if (day + place) % 7 == 0:
                rows.software_changes += (
                    SoftwareChangeRow(result.host, run.opened_at, day, run.number, SoftwareChange.UPDATED, name,
                                      "machine", "dpkg", "amd64", f"1.{day}", f"1.{day + 1}")
                    for name in ("firefox-esr", "openssl")
                )  # fmt: skip
                rows.temps += (
                    TempRow(run.number, result.host, category, TempState.OK, None, 812, GB, 700, GB,
                            {"in_use": {"files": 12, "bytes": 3_400_000}}, run.opened_at)
                    for category in CATEGORIES
                )  # fmt: skip
    return rows


def _result(day: int, place: int, name: str) -> HostResultRow:
    opened = _opened(day) + timedelta(seconds=place)
    outcome = _outcome(day, place)
    away = outcome is HostOutcome.NOT_REACHED
    return make_host_result(
        run=day + 1, host=name, outcome=outcome, reason="timeout" if away else None, address="192.0.2.7",
        opened_at=opened, closed_at=opened + timedelta(seconds=40), message="timed out" if away else None,
        entry=day * 502 + place, leaf_sha256=_digest("leaf", day, place), alarms=(),
    )  # fmt: skip


def _files(run: int) -> list[FileRow]:
    return make_files(run, _digest, *(("module", f"plugins/modules/m{n}.py") for n in range(30)))


def _measures(day: int, place: int, result: HostResultRow) -> Iterator[MeasureRow]:
    at = result.closed_at or NOW
    for name, subject, value, capacity in (
        ("disk_used_bytes", "/", 100.0 * GB + day * 10**8 + place, 500.0 * GB),
        ("disk_used_bytes", "/home", 200.0 * GB + place, 1000.0 * GB), ("software_count", None, float(PACKAGES), None),
        ("temp_freed_bytes" if (day + place) % 7 == 0 else "temp_planned_bytes", None, 1.0 * GB, None),
    ):  # fmt: skip
        yield MeasureRow(result.host, name, subject, at, value, capacity, result.run)


def _host(name: str) -> HostRow:
    outcome = _outcome(DAYS - 1, NAMES.index(name))
    return HostRow(name, "Warszawa", "workstation", "Debian GNU/Linux 12 (bookworm)", True, LAST_RUN, outcome, None,
                   _opened(DAYS - 1), _opened(DAYS - 1), False)  # fmt: skip


def _findings() -> Iterator[FindingRow]:
    for place, name in enumerate(NAMES):
        for turn, rule in enumerate(RULES):
            status = STATUSES[(place * 7 + turn * 3) % len(STATUSES)]
            values = {"mount": "/", "available_bytes": 48 * GB, "total_bytes": 500 * GB, "free_percent": 9.6}
            yield FindingRow(
                place * len(RULES) + turn + 1, name, rule, 1, status, "/" if rule == "disk.free" else None,
                f"{rule}.{'ok' if status is FindingStatus.OK else 'low'}", values, "an English sentence",
                {"warn_pct": 15.0, "fail_pct": 10.0}, "policy", "filesystems", LAST_RUN, LAST_RUN * 502 + place, 2,
                _opened(DAYS - 1),
            )  # fmt: skip


def _facts() -> Iterator[FactRow]:
    disks = [{"device": f"/dev/sda{n}", "mount": "/", "type": "ext4", "total_bytes": GB, "available_bytes": GB}
             for n in range(3)]  # fmt: skip
    for name in NAMES:
        for source in ("filesystems", "smart", "units", "journal", "reboot", "libraries", "time", "uptime", "memory"):
            data = disks if source == "filesystems" else {"seconds": 7.0, "count": 0, "checked": 143}
            yield FactRow(name, source, SourceState.OK, None, None, data, LAST_RUN, _opened(DAYS - 1))


def _obligations() -> Iterator[ObligationRow]:
    number = 0
    for day in range(DAYS - 59, DAYS):
        when = FIRST + timedelta(days=day)
        for place, name in enumerate(NAMES):
            number += 1
            away = _outcome(day, place) is HostOutcome.NOT_REACHED
            start = _opened(day)
            yield ObligationRow(
                number, "visit.daily", name, when, start, start + timedelta(hours=12), start + timedelta(hours=12),
                False, ObligationState.NOT_REACHED if away else ObligationState.DONE, "timeout" if away else None,
                _outcome(day, place), day + 1, f"{when:%Y-%m}",
            )  # fmt: skip


def _forecasts() -> Iterator[ForecastRow]:
    at = _opened(DAYS - 1)
    for name in NAMES:
        yield ForecastRow(name, "disk_used_bytes", "/", at, 210.0 * GB, 500.0 * GB, NOW + timedelta(days=20), 20.0,
                          None, LAST_RUN)  # fmt: skip
        yield ForecastRow(name, "disk_used_bytes", "/home", at, 200.0 * GB, 1000.0 * GB, None, None,
                          ForecastReason.NOT_GROWING, LAST_RUN)  # fmt: skip


def _intervals() -> Iterator[FindingIntervalRow]:
    for place, name in enumerate(NAMES):
        for turn, rule in enumerate(RULES):
            status = STATUSES[(place * 7 + turn * 3) % len(STATUSES)]
            subject = "/" if rule == "disk.free" else None
            for begin in (0, 400):
                yield FindingIntervalRow(name, rule, subject, FindingStatus.WARN, _opened(begin), _opened(begin + 300),
                                         begin + 1, begin + 301, False)  # fmt: skip
            yield FindingIntervalRow(name, rule, subject, status, _opened(800), _opened(DAYS - 1), 801, LAST_RUN, True)


def _software() -> Iterator[SoftwareRow]:
    for name in NAMES:
        for n in range(PACKAGES):
            yield SoftwareRow(name, f"package-{n:04}", f"1.{n}-1+deb12u1", "Debian", "amd64", "machine", None, "dpkg")
