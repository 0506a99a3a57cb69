"""A believable small client, for the pages: two months of daily checks with a few bad days.

Unlike `snapshots`, which shows every state at once, this is what a client really sees; the
screenshots are taken of it. Written by the real writer; invented names only.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from itcare.core.clock import write_instant
from itcare.core.words import (
    FindingStatus,
    HostOutcome,
    NoDataReason,
    NotReachedReason,
    ObligationState,
    RunGrade,
    RunState,
    SourceState,
    TaskOutcome,
)
from itcare.publish.firm_writer import publish_firm
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingRow,
    HostResultRow,
    HostRow,
    ObligationRow,
    RunRow,
    TaskRow,
)
from itcare.publish.writer import SnapshotRows
from tests.support.portal_past import past_rows
from tests.support.snapshots import make_rows, plan_client, summarise_rows, with_meta, write_client

ZONE = ZoneInfo("Europe/Warsaw")
DAYS = 45  # of history before today
HOSTS = {
    "srv01": ("server", "siedziba", "Debian GNU/Linux 12 (bookworm)"),
    "pc01": ("workstation", "siedziba", "Debian GNU/Linux 13 (trixie)"),
    "pc02": ("workstation", "siedziba", "Ubuntu 24.04.3 LTS"),
    "pc03": ("workstation", "oddział", "Debian GNU/Linux 12 (bookworm)"),
    "nb01": ("laptop", "oddział", "Ubuntu 24.04.3 LTS"),
}
UNANNOUNCED_AGO, RERUN_AGO = 7, 8  # days ago: a run adopted from a spool, one that repeats another
# days ago: host -> what went wrong
TROUBLE: dict[int, dict[str, HostOutcome]] = {
    9: {"pc03": HostOutcome.FAILED},
    6: {"srv01": HostOutcome.INTERRUPTED},
    4: {"nb01": HostOutcome.NOT_REACHED},
    3: {"nb01": HostOutcome.NOT_REACHED},
    0: {"nb01": HostOutcome.NOT_REACHED},
}
_STATE = {
    HostOutcome.FAILED: (ObligationState.FAILED, None),
    HostOutcome.INTERRUPTED: (ObligationState.NO_DATA, NoDataReason.INTERRUPTED),
    HostOutcome.NOT_REACHED: (ObligationState.NOT_REACHED, NotReachedReason.TIMEOUT),
}
TASKS = (
    ("Reach the computer", "ansible.builtin.ping", 12),
    ("Ask which system it is", "ansible.builtin.setup", 18),
    ("Observe the health of the computer", "itcare.maintenance.health_info", 27),
    ("List the installed software", "itcare.maintenance.software_info", 36),
    ("Look at temporary files", "itcare.maintenance.temp_cleanup", 45),
)


@dataclass
class _Book:
    """Rows as they are written, with the next place in the ledger."""

    now: datetime
    entry: int = 1
    runs: list[RunRow] = field(default_factory=list)
    results: list[HostResultRow] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    obligations: list[ObligationRow] = field(default_factory=list)

    def leaf(self) -> tuple[int, str]:
        self.entry += 1
        return self.entry - 1, digest("leaf", self.entry)


def digest(*parts: object) -> str:
    return sha256("/".join(map(str, parts)).encode()).hexdigest()


def make_portal(folder: Path, now: datetime) -> Path:
    """ACME in Polish with its history, NORD in English with little; returns the published folder."""
    published = folder / "published"
    second = make_rows(plan_client(2, hosts=3, runs=4, now=now))
    for number, rows in ((1, portal_rows(now)), (2, second)):
        write_client(published, number, rows)
        publish_firm(published, summarise_rows(number, rows))
    return published


def make_progress(home: Path, now: datetime, begun: int = 1) -> None:
    """A run of NORD in progress, as its driver tells of it: `begun` of three computers have begun."""
    step = {"task": "Observe the health of the computer", "position": 2, "outcome": None, "at": write_instant(now)}
    hosts = {f"pc{place:02}": step if place <= begun else None for place in (1, 2, 3)}
    folder = home / "progress"
    folder.mkdir(exist_ok=True)
    part = folder / "part"
    part.write_text(json.dumps({"run": "NORD/5", "duty": "visit.daily", "hosts": hosts}))
    part.replace(folder / f"{5:032x}.json")


def portal_rows(now: datetime) -> SnapshotRows:
    """Every row of ACME at `now`."""
    book = _Book(now)
    today = now.astimezone(ZONE).date()
    for ago in range(DAYS, -1, -1):
        _day(book, today - timedelta(days=ago), TROUBLE.get(ago, {}), ago)
    plan = plan_client(1, hosts=0, runs=0, now=now)
    frame = with_meta(
        make_rows(plan), tz="Europe/Warsaw", kept_since=today - timedelta(days=DAYS), tree_size=book.entry,
        tree_root=digest("root", book.entry), contract_number="ACME/2026/01", contract_commit=digest("commit")[:40],
        published_at=now - timedelta(minutes=40), ledger_checked_at=now - timedelta(minutes=41),
        checkpoint=f"itcare.localhost/client/1\n{book.entry}\n{digest('root')[:43]}=\n\n"
        f"— itcare.localhost {digest('s')}\n",
    )  # fmt: skip
    last = {result.host: result for result in book.results}
    seen = {name: _last_good(book, name) for name in HOSTS}
    return replace(
        frame,
        hosts=tuple(sorted((_host(book, name, last[name], seen[name]) for name in HOSTS), key=lambda row: row.name)),
        runs=tuple(book.runs), host_results=tuple(book.results), tasks=tuple(book.tasks),
        files=tuple(file for run in book.runs for file in _files(run.number)),
        findings=(findings := _findings(now, seen)), facts=_facts(now, seen), obligations=tuple(book.obligations),
        **past_rows(now, book.results, findings),
    )  # fmt: skip


def _day(book: _Book, day: date, trouble: dict[str, HostOutcome], ago: int) -> None:
    opened = datetime.combine(day, time(6, 10), ZONE) if ago else book.now - timedelta(minutes=75)
    number = len(book.runs) + 1
    entry_opened, leaf_opened = book.leaf()
    good = len(HOSTS) - len(trouble)
    results = [
        _result(book, number, name, trouble.get(name, HostOutcome.OK), opened + timedelta(seconds=3 * place))
        for place, name in enumerate(HOSTS)
    ]
    entry_closed, leaf_closed = book.leaf()
    bad = set(trouble.values())
    state = (
        RunState.INTERRUPTED if HostOutcome.INTERRUPTED in bad
        else RunState.PARTIAL if HostOutcome.NOT_REACHED in bad else RunState.COMPLETE
    )  # fmt: skip
    by_hand = ago in (0, 5, 12)
    book.runs.append(
        RunRow(
            number=number, duty="visit.daily",
            grade=RunGrade.UNANNOUNCED if ago == UNANNOUNCED_AGO else RunGrade.ANNOUNCED,
            played_from=opened - timedelta(hours=9) if ago == UNANNOUNCED_AGO else None,
            played_to=opened - timedelta(hours=8) if ago == UNANNOUNCED_AGO else None,
            reruns=number - 1 if ago == RERUN_AGO else None,
            check_mode=False, state=state, opened_at=opened,
            closed_at=opened + timedelta(seconds=74 + number % 9), operator="Katarzyna Wójcik" if by_hand else "itcare",
            stated_operator="Michał Zając" if ago == 12 else None, login="kwojcik" if by_hand else None,
            sudo_user="kwojcik" if by_hand else None, reason="Na prośbę klienta" if by_hand else "plan dnia",
            closed_reason="the runner process died" if state is RunState.INTERRUPTED else None, cancelled_by=None,
            controller="controller01", clock_synchronised=True, contract_number="ACME/2026/01",
            contract_commit=digest("commit")[:40], contract_dirty=False, code_version="0.1.0",
            code_commit=digest("code")[:40], collection_version="0.1.0", playbook="itcare.maintenance.visit",
            playbook_sha256=digest("visit.yml"), inventory_sha256=digest("inventory", number),
            spool_sha256=digest("spool", number), spool_lines=3 + 6 * len(HOSTS), hosts_total=len(HOSTS),
            hosts_good=good, needs_verify=sum(result.needs_verify for result in results), entry_opened=entry_opened,
            entry_closed=entry_closed, leaf_opened=leaf_opened, leaf_closed=leaf_closed,
            alarms=({"kind": "process", "text": "the runner ended before its last line"},)
            if state is RunState.INTERRUPTED else (),
            month=f"{opened.astimezone(ZONE):%Y-%m}",
        )
    )  # fmt: skip
    for result in results:
        book.obligations.append(_obligation(book, day, result, ago))


def _result(book: _Book, run: int, host: str, outcome: HostOutcome, opened: datetime) -> HostResultRow:
    entry, leaf = book.leaf()
    place = list(HOSTS).index(host)
    away = outcome is HostOutcome.NOT_REACHED
    result = HostResultRow(
        run=run, host=host, outcome=outcome, reason=NotReachedReason.TIMEOUT if away else None,
        needs_verify=outcome.needs_verify, truncated=False, connection="ssh", remote_user="itcare",
        address=f"192.0.2.{10 + place}", opened_at=opened,
        closed_at=None if outcome.needs_verify else opened + timedelta(seconds=30 if away else 17 + place),
        message="Connection timed out during banner exchange" if away else None, entry=entry, leaf_sha256=leaf,
        alarms=(),
    )  # fmt: skip
    ends = {
        HostOutcome.NOT_REACHED: (TaskOutcome.UNREACHABLE,),
        HostOutcome.FAILED: (TaskOutcome.OK, TaskOutcome.OK, TaskOutcome.FAILED),
        HostOutcome.INTERRUPTED: (TaskOutcome.OK, TaskOutcome.UNFINISHED),
    }.get(outcome, (TaskOutcome.OK,) * 5)
    at = opened
    for position, end in enumerate(ends):
        name, module, line = TASKS[position]
        took = timedelta(seconds=30 if away else (1.2, 3.4, 8.7, 2.1, 1.6)[position])
        bad = end in (TaskOutcome.FAILED, TaskOutcome.UNREACHABLE)
        book.tasks.append(
            TaskRow(
                run=run, host=host, position=position, name=name, module=module, file="roles/visit/tasks/main.yml",
                line=line, started_at=at, ended_at=None if end is TaskOutcome.UNFINISHED else at + took, outcome=end,
                ignored=False, truncated=False,
                message=("Connection timed out" if away else "No space left on device") if bad else None,
                args={"source_timeout": 10} if position == 2 else {},
            )
        )  # fmt: skip
        at += took
    book.results.append(result)
    return result


def _obligation(book: _Book, day: date, result: HostResultRow, ago: int) -> ObligationRow:
    state, reason = _STATE.get(result.outcome, (ObligationState.DONE, None))
    if ago == 0 and state is ObligationState.NOT_REACHED:
        state = ObligationState.ATTEMPTED
    if ago == 12 and result.host == "nb01":
        state = ObligationState.DONE_LATE
    start = datetime.combine(day, time(6), ZONE)
    return ObligationRow(
        id=len(book.obligations) + 1, duty="visit.daily", host=result.host, nominal_date=day, due_from=start,
        due_to=start + timedelta(hours=12), catch_up_to=start + timedelta(days=1), is_open=not ago,
        state=state, reason=reason, last_outcome=result.outcome, run=result.run,
        month=f"{day:%Y-%m}",
    )  # fmt: skip


def _last_good(book: _Book, host: str) -> HostResultRow:
    return next(row for row in reversed(book.results) if row.host == host and row.outcome is HostOutcome.OK)


def _host(book: _Book, name: str, last: HostResultRow, seen: HostResultRow) -> HostRow:
    role, site, system = HOSTS[name]
    return HostRow(
        name=name, site=site, role=role, os=system, current=True, last_run=last.run, last_outcome=last.outcome,
        last_reason=last.reason, last_attempt_at=last.opened_at, last_observed_at=seen.closed_at,
        needs_verify=last.needs_verify,
    )  # fmt: skip


def _files(run: int) -> list[FileRow]:
    paths = (
        ("module", "plugins/modules/health_info.py"), ("plugin", "plugins/callback/spool.py"),
        ("plugin", "plugins/inventory/clients.py"), ("playbook", "playbooks/visit.yml"),
        ("tasks", "roles/visit/tasks/main.yml"),
    )  # fmt: skip
    return [FileRow(run, kind, path, digest(path)) for kind, path in paths]


_Told = tuple[str, FindingStatus, str | None, str, dict[str, object], dict[str, object], str, str]


def _space(mount: str, free: float, total: float, status: FindingStatus) -> _Told:
    share = 100 * free / total
    limit = {FindingStatus.FAIL: 10.0}.get(status, 15.0)
    name = "ok" if status is FindingStatus.OK else "low"
    values = {
        "mount": mount, "available_bytes": int(free), "total_bytes": int(total), "free_percent": share,
        "limit_percent": limit,
    }  # fmt: skip
    limits = {"warn_pct": 15.0, "fail_pct": 10.0, "warn_gb": 20.0, "fail_gb": 10.0, "gb_rule_from_gb": 50.0}
    return ("disk.free", status, mount, f"disk.free.{name}", values, limits, "itcare's own choice", "filesystems")


def _told(host: str, now: datetime) -> list[_Told]:
    ok, warn, fail, unknown = FindingStatus.OK, FindingStatus.WARN, FindingStatus.FAIL, FindingStatus.UNKNOWN
    free = {"srv01": (137e9, 980e9, warn), "pc03": (8.4e9, 238e9, fail)}.get(host, (208e9, 476e9, ok))
    reboot: _Told = (
        "reboot.pending", ok, None, "reboot.pending.none", {"running_kernel": "6.1.0-40-amd64"}, {},
        "itcare's own choice", "reboot",
    )  # fmt: skip
    if host == "pc02":
        values = {
            "running_kernel": "6.8.0-79-generic", "since_at": write_instant(now - timedelta(days=4)),
            "age_seconds": 345_600.0, "limit_age_seconds": 259_200.0,
        }  # fmt: skip
        reboot = (
            "reboot.pending", warn, None, "reboot.pending.overdue", values, {"warn_days": 3.0, "fail_days": 7.0},
            "contract (warn_days); else itcare's own choice", "reboot",
        )  # fmt: skip
    smart: _Told = (
        "disk.smart", ok, "/dev/sda", "disk.smart.ok",
        {"device": "/dev/sda", "model_note": "Samsung SSD 870 EVO 500GB"},
        {"warn_sectors": 0.0, "warn_used_pct": 90.0}, "itcare's own choice", "smart",
    )  # fmt: skip
    if host == "pc03":
        values = {"topic_word": "disk.smart", "reason_word": "not_installed", "detail_note": None}
        smart = ("disk.smart", unknown, None, "disk.smart.unavailable", dict(values), {}, "", "smart")
    clock: _Told = (
        "time.sync", ok, None, "time.sync.ok", {"method": "timesyncd", "offset_seconds": 0.004, "limit_seconds": 1.0},
        {"warn_offset_seconds": 1.0, "fail_offset_seconds": 300.0},
        "itcare's own choice; Kerberos' default tolerance of five minutes", "time",
    )  # fmt: skip
    memory: _Told = (
        "memory.pressure", ok, None, "memory.pressure.ok",
        {"available_bytes": 11_200_000_000, "total_bytes": 16_600_000_000, "available_percent": 67.5,
         "limit_percent": 10.0, "some_percent": 0.2},
        {"warn_available_pct": 10.0, "fail_available_pct": 5.0}, "itcare's own choice", "memory",
    )  # fmt: skip
    log: _Told = (
        "log.errors", ok, None, "log.errors.ok", {"since_at": write_instant(now - timedelta(days=7))}, {},
        "itcare's own choice of grave kinds of entries", "journal",
    )  # fmt: skip
    services: list[_Told] = [
        ("services.failed", ok, None, "services.failed.ok", {"system_state": "running"}, {},
         "itcare's own choice: any unit that systemd calls failed", "units")
    ]  # fmt: skip
    if host == "srv01":
        services.append(
            ("services.failed", ok, "postgresql", "services.failed.active",
             {"service": "postgresql", "state": "active"}, {}, "contract", "units")
        )  # fmt: skip
    libraries: _Told = (
        "libraries.outdated", ok, None, "libraries.outdated.ok", {"checked": 143}, {},
        "itcare's own choice: any program on a replaced library", "libraries",
    )  # fmt: skip
    return [_space("/srv" if host == "srv01" else "/", *free), smart, *services, log, memory, reboot, libraries, clock]


def _findings(now: datetime, seen: dict[str, HostResultRow]) -> tuple[FindingRow, ...]:
    rows: list[FindingRow] = []
    for host in sorted(HOSTS):
        for rule, status, subject, fact, values, limits, chooser, source in _told(host, now):
            rows.append(
                FindingRow(
                    id=len(rows) + 1, host=host, rule=rule, rule_version=1, status=status, subject=subject, fact=fact,
                    values=values, reason=f"English sentence of {fact}", threshold=limits, threshold_source=chooser,
                    source=source, run=seen[host].run, entry=seen[host].entry, task_position=2,
                    observed_at=seen[host].closed_at,
                )
            )  # fmt: skip
    return tuple(rows)


def _facts(now: datetime, seen: dict[str, HostResultRow]) -> tuple[FactRow, ...]:
    return tuple(fact for host in sorted(HOSTS) for fact in _facts_of(host, seen[host], now))


def _facts_of(host: str, seen: HostResultRow, now: datetime) -> list[FactRow]:
    ok, at, run = SourceState.OK, seen.closed_at, seen.run
    free = {"srv01": 137_000_000_000, "pc03": 8_400_000_000}.get(host, 208_000_000_000)
    total = {"srv01": 980_000_000_000, "pc03": 238_000_000_000}.get(host, 476_000_000_000)
    disks = [
        {"device": "/dev/sda2", "mount": "/srv" if host == "srv01" else "/", "type": "ext4", "total_bytes": total,
         "available_bytes": free, "read_only": False},
        {"device": "/dev/sda1", "mount": "/boot/efi", "type": "vfat", "total_bytes": 535_000_000,
         "available_bytes": 529_000_000, "read_only": False},
    ]  # fmt: skip
    facts: list[tuple[str, SourceState, str | None, str | None, object]] = [
        ("filesystems", ok, None, None, disks),
        ("smart", ok, None, None, [
            {"device": "/dev/sda", "model": "Samsung SSD 870 EVO 500GB", "protocol": "ata", "state": "ok",
             "reason": None, "passed": True, "reallocated": 0, "pending": 0, "uncorrectable": 0}]),
        ("units", ok, None, None, {
            "system_state": "running", "failed": [],
            "services": {"postgresql": "active", "nginx": "active"} if host == "srv01" else {}}),
        ("journal", ok, None, None, {"since": write_instant(now - timedelta(days=7)), "groups": [],
            "truncated": False}),
        ("reboot", ok, None, None, {
            "pending": host == "pc02", "since": write_instant(now - timedelta(days=4)) if host == "pc02" else None,
            "reasons": [], "method": "both",
            "running_kernel": "6.8.0-79-generic", "newest_kernel": f"6.8.0-{84 if host == 'pc02' else 79}-generic"}),
        ("libraries", ok, None, None, {"processes": [], "count": 0, "checked": 143, "unreadable": 0}),
        ("time", ok, None, None, {
            "synchronised": True, "offset_seconds": 0.004, "method": "timesyncd",
            "service": "systemd-timesyncd.service"}),
        ("uptime", ok, None, None, {
            "seconds": 1_900_800.0, "boot_at": write_instant(now - timedelta(days=22)), "load": [0.1, 0.2, 0.1]}),
        ("memory", ok, None, None, {
            "total_bytes": 16_600_000_000, "available_bytes": 11_200_000_000, "swap_total_bytes": 2_000_000_000,
            "swap_free_bytes": 2_000_000_000, "psi": {"some_avg10": 0, "some_avg300": 0.2, "full_avg300": 0}}),
    ]  # fmt: skip
    if host == "pc03":
        facts[1] = ("smart", SourceState.UNAVAILABLE, "not_installed", "smartctl: command not found", None)
    return [
        FactRow(host, source, state, reason, detail, data, run, at) for source, state, reason, detail, data in facts
    ]
