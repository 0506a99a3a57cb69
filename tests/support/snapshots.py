"""Published folders for tests, made by the real writer, with every state a page has to show.

    published = make_snapshot(tmp_path, clients=2, hosts=12, runs=5, hostile=False)

Clients are invented; the first is ACME (Polish), the second NORD (English), more are K03, K04 ...
Everything follows from the arguments: the same call writes the same rows.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from itcare.core.words import (
    FindingStatus,
    ForecastReason,
    HostOutcome,
    NoDataReason,
    NotReachedReason,
    ObligationState,
    RunGrade,
    RunState,
    SoftwareChange,
    SourceState,
    TaskOutcome,
    TempState,
)
from itcare.publish.firm import ClientSummary, summarise_client
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostResultRow,
    HostRow,
    MeasureRow,
    Meta,
    ObligationRow,
    RunRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TaskRow,
    TempRow,
)
from itcare.publish.schema import MONTH_FILE, MONTH_TABLES, SNAPSHOT_FILE
from itcare.publish.writer import SnapshotRows, locked_folder, write_sidecar, write_snapshot

GB = 10**9
ZONE = ZoneInfo("Europe/Warsaw")

NOW = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)
"""When the snapshots were published, unless told otherwise."""

HOSTILE_TEXTS = (
    "<script>alert('x')</script>",
    "[click](https://evil.example/?q=1) ![](https://evil.example/pixel.png)",
    ":red[**done**] $\\frac{1}{2}$ :material/check:",
    "\x1b[31mred\x1b[0m\x07",
    "\u202egpj.exe\u202c abc\u200b\ufeffdef",
    "nul\x00inside \ud800 surrogate",
    '=HYPERLINK("https://evil.example")',
    "long " * 4000,
)
"""Texts that a managed computer might report to harm a page, a file or a reader."""

_LEGAL_NAMES = (
    ("ACME", "Zakład Ślusarski „Żółw” Sp. z o.o.", "pl"),
    ("NORD", "Nordlicht Handels GmbH Oddział w Polsce", "en"),
)
_OUTCOMES = tuple(HostOutcome)
_OBLIGATION_REASONS = {
    ObligationState.NOT_REACHED: NotReachedReason.TIMEOUT,
    ObligationState.ATTEMPTED: NotReachedReason.REFUSED,
    ObligationState.NO_DATA: NoDataReason.INTERRUPTED,
    ObligationState.FAILED: "task_failed",
}
_RUN_STATES = (RunState.COMPLETE, RunState.PARTIAL, RunState.INTERRUPTED, RunState.CANCELLED, RunState.INCOMPLETE)


@dataclass(frozen=True)
class _Plan:
    """What to invent for one client; `mark` is woven into its texts, for tests of isolation."""

    number: int
    code: str
    legal_name: str
    locale: str
    mark: str
    hosts: int
    runs: int
    hostile: bool
    now: datetime
    sound: bool

    def digest(self, *parts: object) -> str:
        return sha256("/".join(map(str, (self.mark, *parts))).encode()).hexdigest()

    def text(self, plain: str, turn: int) -> str:
        return HOSTILE_TEXTS[turn % len(HOSTILE_TEXTS)] if self.hostile else f"{plain} ({self.mark})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of hosts: as many workstations as wanted, every sixth a server."""
        return tuple(f"srv{n:02}" if n % 6 == 0 else f"pc{n:02}" for n in range(1, self.hosts + 1))

    def opened(self, run: int) -> datetime:
        return self.now - timedelta(days=self.runs - run, hours=2)

    def outcome(self, run: int, position: int) -> HostOutcome:
        """Mostly good; the newest run shows every outcome if there are hosts enough."""
        return _OUTCOMES[position % len(_OUTCOMES)] if run == self.runs else HostOutcome.OK


def make_snapshot(
    folder: Path,
    *,
    clients: int = 2,
    hosts: int = 5,
    runs: int = 3,
    hostile: bool = False,
    now: datetime = NOW,
    sound: bool = True,
) -> Path:
    """Write `clients` snapshots below `folder` and return the folder of published data.

    `hosts`, `runs`: how many per client, 0 allowed. `hostile`: texts of hosts become attacks.
    `now`: the instant of publishing. `sound`: what the ledger check found.
    """
    published = folder / "published"
    for number in range(1, clients + 1):
        plan = plan_client(number, hosts=hosts, runs=runs, hostile=hostile, now=now, sound=sound)
        write_client(published, number, make_rows(plan))
    return published


def write_client(published: Path, client_id: int, rows: SnapshotRows) -> None:
    """Write one client's folder as publishing does: snapshot first, sidecar second."""
    with locked_folder(published, client_id) as folder:
        write_snapshot(folder, rows)
        write_sidecar(folder, rows.meta.client, rows.meta.legal_name)


def month_files(published: Path, client_id: int = 1) -> list[Path]:
    """The files of a client's months, the oldest first."""
    return sorted(path for path in (published / str(client_id)).iterdir() if MONTH_FILE.fullmatch(path.name))


def change_table(published: Path, table: str, statement: str, values: Sequence[object] = ()) -> None:
    """Change a table of the first client as somebody with write access could, in every file that has it."""
    files = month_files(published) if table in MONTH_TABLES else [published / "1" / SNAPSHOT_FILE]
    for file in files:
        file.chmod(0o600)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement, values)


def summarise_rows(number: int, rows: SnapshotRows) -> ClientSummary:
    """The sums that the firm's overview shows of a client with these rows."""
    with TemporaryDirectory() as folder:
        write_client(Path(folder), number, rows)
        return summarise_client(number, rows.meta, Path(folder) / str(number) / SNAPSHOT_FILE)


def plan_client(
    number: int,
    *,
    hosts: int = 5,
    runs: int = 3,
    hostile: bool = False,
    now: datetime = NOW,
    sound: bool = True,
) -> _Plan:
    """The invention of client `number` (from 1); pass it to `make_rows`."""
    names = (*_LEGAL_NAMES, *((f"K{n:02}", f"Kancelaria nr {n} s.c.", "pl") for n in range(3, number + 1)))
    code, legal_name, locale = names[number - 1]
    return _Plan(number, code, legal_name, locale, f"mark-of-{code.lower()}", hosts, runs, hostile, now, sound)


def make_rows(plan: _Plan) -> SnapshotRows:
    """Every row of one invented client."""
    numbers = range(1, plan.runs + 1)
    results = tuple(_host_result(plan, run, position) for run in numbers for position in range(plan.hosts))
    return SnapshotRows(
        meta=_meta(plan),
        hosts=tuple(_host(plan, position) for position in range(plan.hosts)),
        runs=tuple(_run(plan, number, [r for r in results if r.run == number]) for number in numbers),
        host_results=results,
        tasks=tuple(task for result in results for task in _tasks(plan, result)),
        files=tuple(file for number in numbers for file in make_files(number, plan.digest)),
        findings=_findings(plan),
        facts=tuple(fact for position in range(plan.hosts) for fact in _facts(plan, position)),
        obligations=_obligations(plan),
        **_past(plan),
    )


def _past(plan: _Plan) -> dict[str, tuple[object, ...]]:
    """Rows of the tables that look back: a disk that fills, one that does not, packages, clean-ups."""
    hosts = plan.names if plan.runs else ()
    disks = [
        MeasureRow(name, "disk_used_bytes", mount, plan.opened(run), (100.0 + grows * run) * GB, 500.0 * GB, run)
        for name in hosts for mount, grows in (("/", 4), ("/srv", 0)) for run in range(1, plan.runs + 1)
    ]  # fmt: skip
    newest = [row for row in disks if row.run == plan.runs]
    first, last = plan.opened(1), plan.opened(plan.runs) if plan.runs else plan.now
    return {
        "measures": tuple(disks),
        "forecasts": tuple(
            ForecastRow(row.host, row.name, row.subject, row.at, row.value, row.capacity,
                        *((plan.now + timedelta(days=90), 90.1, None) if row.subject == "/"
                          else (None, None, ForecastReason.NOT_GROWING)), row.run)
            for row in newest
        ),
        "finding_intervals": tuple(
            FindingIntervalRow(name, "disk.free", plan.text("/", position), status, first, last, 1, plan.runs, current)
            for position, name in enumerate(hosts)
            for status, current in ((FindingStatus.OK, False), (FindingStatus.FAIL, True))
        ),
        "software": tuple(
            SoftwareRow(name, plan.text(package, position), "1.0-1", plan.text("Debian", position), "amd64", "machine",
                        first if package == "bash" else None, "dpkg")
            for position, name in enumerate(hosts) for package in ("bash", "openssl")
        ),
        "software_looks": tuple(SoftwareLookRow(name, "dpkg", plan.runs) for name in hosts),
        "software_changes": tuple(
            SoftwareChangeRow(name, last, 1, plan.runs, SoftwareChange.UPDATED, "openssl", "machine", "dpkg", "amd64",
                              "3.0.1", plan.text("3.0.2", position))
            for position, name in enumerate(hosts)
        ),
        "temps": tuple(
            TempRow(plan.runs, name, "system_temp", TempState.OK, None, 7, 7 * 10**6, 6, 6 * 10**6,
                    {"in_use": {"files": 1, "bytes": 10**6}}, last)
            for name in hosts
        ),
    }  # fmt: skip


def with_meta(rows: SnapshotRows, **values: object) -> SnapshotRows:
    """The same rows with other values in `meta`."""
    return replace(rows, meta=replace(rows.meta, **values))  # type: ignore[arg-type]  # a test names real fields


def _meta(plan: _Plan) -> Meta:
    size = 1 + plan.runs * (plan.hosts + 2)
    return Meta(
        client=plan.code,
        legal_name=plan.legal_name,
        locale=plan.locale,
        tz=ZONE.key,
        published_at=plan.now,
        kept_since=date(2026, 1, 7),
        policy_version="2026.1",
        contract_number=f"IT/{plan.number}/2026",
        contract_commit=plan.digest("commit")[:40],
        code_version="0.1.0",
        collection_version="0.1.0",
        technician="Katarzyna Wójcik",
        technician_phone="+48 22 555 01 23",
        deputy="Michał Zając",
        checkpoint=f"itcare.localhost/client/{plan.number}\n{size}\nc29tZSByb290\n\n— itcare.localhost AAAA\n",
        tree_size=size,
        tree_root=plan.digest("root"),
        ledger_state="sound" if plan.sound else "unsound",
        ledger_message=f"{size} entries checked" if plan.sound else "entry 7 was changed after it was signed",
        ledger_checked_at=plan.now - timedelta(minutes=1),
        stale_after_hours=26.0,
        problems=0 if plan.sound else 1,
        duties={"visit.daily": "Codzienny przegląd"},
    )


def _reason(outcome: HostOutcome) -> str | None:
    return {HostOutcome.NOT_REACHED: NotReachedReason.TIMEOUT.value, HostOutcome.UNKNOWN: "contact_lost"}.get(outcome)


def _host(plan: _Plan, position: int) -> HostRow:
    outcome = plan.outcome(plan.runs, position)
    seen = plan.runs > 0 and outcome in (HostOutcome.OK, HostOutcome.CHANGED)
    return HostRow(
        name=plan.names[position],
        site=("Warszawa", "Łódź")[position % 2],
        role="server" if plan.names[position].startswith("srv") else "workstation",
        os="Debian GNU/Linux 12 (bookworm)" if seen else None,
        current=position != 4,
        last_run=plan.runs or None,
        last_outcome=outcome if plan.runs else None,
        last_reason=_reason(outcome) if plan.runs else None,
        last_attempt_at=plan.opened(plan.runs) if plan.runs else None,
        last_observed_at=plan.opened(plan.runs) + timedelta(minutes=2) if seen else None,
        needs_verify=plan.runs > 0 and outcome.needs_verify,
    )


def make_run_row(digest: Callable[..., str], **values: Any) -> RunRow:
    """A run of the daily visit; `values` say what is its own, `digest` makes what nobody reads.

    Its month is that of its opening.
    """
    common = {
        "duty": "visit.daily", "grade": RunGrade.ANNOUNCED, "played_from": None, "played_to": None, "reruns": None,
        "stated_operator": None, "sudo_user": None, "controller": "controller01",
        "contract_commit": digest("commit")[:40], "contract_dirty": False, "code_version": "0.1.0",
        "code_commit": digest("code")[:40], "collection_version": "0.1.0", "playbook_sha256": digest("visit.yml"),
        "inventory_sha256": digest("inventory", values["number"]),
        "month": f"{values['opened_at'].astimezone(ZONE):%Y-%m}",
    }  # fmt: skip
    return RunRow(**{**common, **values})


def _run(plan: _Plan, number: int, results: list[HostResultRow]) -> RunRow:
    entry = 1 + (number - 1) * (plan.hosts + 2)
    running = plan.runs > 1 and number == plan.runs and plan.hosts == 0
    state = RunState.RUNNING if running else _RUN_STATES[(plan.runs - number) % len(_RUN_STATES)]
    return make_run_row(
        plan.digest,
        number=number,
        grade=RunGrade.UNANNOUNCED if number % 7 == 3 else RunGrade.ANNOUNCED,
        check_mode=number % 5 == 4,
        state=state,
        opened_at=plan.opened(number),
        closed_at=None if running else plan.opened(number) + timedelta(minutes=11),
        played_from=plan.opened(number) - timedelta(days=1) if number % 7 == 3 else None,
        played_to=plan.opened(number) - timedelta(hours=23) if number % 7 == 3 else None,
        reruns=number - 1 if number % 5 == 0 else None,
        closed_reason={RunState.INTERRUPTED: "timeout"}.get(state),
        cancelled_by="Michał Zając" if state is RunState.CANCELLED else None,
        operator="Katarzyna Wójcik",
        login="kwojcik",
        reason=plan.text("Comiesięczny przegląd", number),
        clock_synchronised=number % 7 != 6,
        contract_number=f"IT/{plan.number}/2026",
        playbook="playbooks/visit.yml",
        spool_sha256=None if running else plan.digest("spool", number),
        spool_lines=None if running else 4 + 8 * plan.hosts,
        hosts_total=plan.hosts,
        hosts_good=sum(result.outcome in (HostOutcome.OK, HostOutcome.CHANGED) for result in results),
        needs_verify=sum(result.needs_verify for result in results),
        entry_opened=entry,
        entry_closed=None if running else entry + plan.hosts + 1,
        leaf_opened=plan.digest("opened", number),
        leaf_closed=None if running else plan.digest("closed", number),
        alarms=({"kind": "spool", "text": plan.text("gap", number)},) if state is RunState.INCOMPLETE else (),
    )


def make_host_result(*, outcome: HostOutcome, **values: Any) -> HostResultRow:
    """What became of a host that is asked over ssh."""
    return HostResultRow(
        outcome=outcome, needs_verify=outcome.needs_verify, truncated=False, connection="ssh", remote_user="itcare",
        **values,
    )  # fmt: skip


def _host_result(plan: _Plan, run: int, position: int) -> HostResultRow:
    outcome = plan.outcome(run, position)
    begun = outcome is not HostOutcome.NOT_RUN
    opened = plan.opened(run) + timedelta(seconds=10 * position)
    return make_host_result(
        run=run,
        host=plan.names[position],
        outcome=outcome,
        reason=_reason(outcome),
        address=f"192.0.2.{position % 250 + 1}",
        opened_at=opened if begun else None,
        closed_at=opened + timedelta(seconds=40) if begun and not outcome.needs_verify else None,
        message=plan.text("Connection timed out", position) if outcome is HostOutcome.NOT_REACHED else None,
        entry=2 + (run - 1) * (plan.hosts + 2) + position,
        leaf_sha256=plan.digest("leaf", run, position),
        alarms=(plan.text("the fingerprint changed", position),) if position == 3 else (),
    )


_TASK_ENDS = {
    HostOutcome.OK: (TaskOutcome.OK, TaskOutcome.OK, TaskOutcome.SKIPPED),
    HostOutcome.CHANGED: (TaskOutcome.OK, TaskOutcome.OK, TaskOutcome.CHANGED),
    HostOutcome.FAILED: (TaskOutcome.OK, TaskOutcome.FAILED),
    HostOutcome.NOT_REACHED: (TaskOutcome.UNREACHABLE,),
    HostOutcome.UNKNOWN: (TaskOutcome.OK, TaskOutcome.TIMED_OUT),
    HostOutcome.INTERRUPTED: (TaskOutcome.OK, TaskOutcome.UNFINISHED),
    HostOutcome.NOT_RUN: (),
}
_TASK_MODULES = ("ansible.builtin.ping", "itcare.maintenance.health_info", "ansible.builtin.package")


def is_bad(outcome: TaskOutcome) -> bool:
    """Whether a task with this outcome has a message."""
    return outcome in (TaskOutcome.FAILED, TaskOutcome.UNREACHABLE, TaskOutcome.TIMED_OUT)


def make_task_row(
    result: HostResultRow, position: int, outcome: TaskOutcome, *, started_at: datetime, took: timedelta, **values: Any
) -> TaskRow:
    """A task of the role `visit` on the host of `result`."""
    return TaskRow(
        run=result.run, host=result.host, position=position, file="roles/visit/tasks/main.yml", started_at=started_at,
        ended_at=None if outcome is TaskOutcome.UNFINISHED else started_at + took, outcome=outcome, ignored=False,
        truncated=False, **values,
    )  # fmt: skip


def _tasks(plan: _Plan, result: HostResultRow) -> list[TaskRow]:
    tasks = []
    for position, outcome in enumerate(_TASK_ENDS[result.outcome]):
        started = (result.opened_at or plan.now) + timedelta(seconds=5 * position)
        tasks.append(
            make_task_row(
                result,
                position,
                outcome,
                name=plan.text(("Probe", "Observe health", "Install")[position], position),
                module=_TASK_MODULES[position],
                line=3 + 9 * position,
                started_at=started,
                took=timedelta(seconds=4),
                message=plan.text("it did not work", position) if is_bad(outcome) else None,
                args={"source_timeout": 10} if position == 1 else {},
            )
        )
    return tasks


def make_files(run: int, digest: Callable[..., str], *more: tuple[str, str]) -> list[FileRow]:
    """The files that every run uses, and `more` as pairs of kind and path."""
    paths = (
        ("module", "plugins/modules/health_info.py"), ("playbook", "playbooks/visit.yml"),
        ("tasks", "roles/visit/tasks/main.yml"), *more,
    )  # fmt: skip
    return [FileRow(run, kind, path, digest(path)) for kind, path in sorted(paths)]


_VERDICTS = (
    ("disk.free", FindingStatus.FAIL, "/", "disk.free.low", {"available_bytes": 4_800_000_000, "percent": 4.1}),
    ("disk.smart", FindingStatus.WARN, "/dev/sda", "disk.smart.reallocated", {"reallocated": 12}),
    ("reboot.pending", FindingStatus.UNKNOWN, None, "reboot.pending.unavailable", {"reason": "no_permission"}),
    ("units.failed", FindingStatus.OK, None, "units.failed.none", {}),
)


def _findings(plan: _Plan) -> tuple[FindingRow, ...]:
    rows: list[FindingRow] = []
    for position in range(plan.hosts):
        host = _host(plan, position)
        if not host.current:
            continue
        if host.last_observed_at is None:
            rows.append(_unseen(plan, len(rows) + 1, position))
            continue
        for turn, (rule, status, subject, fact, values) in enumerate(_VERDICTS):
            rows.append(
                FindingRow(
                    id=len(rows) + 1,
                    host=host.name,
                    rule=rule,
                    rule_version=1,
                    status=FindingStatus.OK if position % 7 == 1 else status,
                    subject=plan.text(subject, turn) if subject and plan.hostile else subject,
                    fact=fact,
                    values=dict(values),
                    reason=plan.text("Measured on the computer", turn),
                    threshold={"warn_percent": 15, "fail_percent": 10},
                    threshold_source="policy 2026.1",
                    source="filesystems",
                    run=plan.runs,
                    entry=2 + (plan.runs - 1) * (plan.hosts + 2) + position,
                    task_position=1,
                    observed_at=host.last_observed_at,
                )
            )
    return tuple(rows)


def _unseen(plan: _Plan, number: int, position: int) -> FindingRow:
    return FindingRow(
        id=number,
        host=plan.names[position],
        rule="observation",
        rule_version=1,
        status=FindingStatus.UNKNOWN,
        subject=None,
        fact="observation.missing",
        values={"outcome": str(plan.outcome(plan.runs, position)) if plan.runs else None},
        reason="This computer was never looked at.",
        threshold={},
        threshold_source=None,
        source=None,
        run=plan.runs or None,
        entry=None,
        task_position=None,
        observed_at=None,
    )


def _facts(plan: _Plan, position: int) -> list[FactRow]:
    host = _host(plan, position)
    if host.last_observed_at is None or host.last_run is None:
        return []
    name, run, at = host.name, host.last_run, host.last_observed_at
    disk = {"device": plan.text("/dev/sda1", 1), "mount": "/", "type": "ext4", "total_bytes": 10**11,
            "available_bytes": 4_800_000_000}  # fmt: skip
    return [
        FactRow(name, "filesystems", SourceState.OK, None, None, [disk], run, at),
        FactRow(name, "reboot", SourceState.UNAVAILABLE, "no_permission", plan.text("EACCES", 4), None, run, at),
        FactRow(name, "smart", SourceState.ABSENT, None, None, None, run, at),
    ]


def _obligations(plan: _Plan) -> tuple[ObligationRow, ...]:
    """One per host and day from the first of last month to today; early days done, today of every state."""
    today = plan.now.date()
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    rows: list[ObligationRow] = []
    for day in days:
        states = islice(cycle(ObligationState), plan.hosts)
        for name, todays in zip(plan.names, states, strict=True):
            state = todays if day == today else ObligationState.DONE
            start = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
            delivered = state in (ObligationState.DONE, ObligationState.DONE_LATE)
            rows.append(
                ObligationRow(
                    id=len(rows) + 1,
                    duty="visit.daily",
                    host=name,
                    nominal_date=day,
                    due_from=start,
                    due_to=start + timedelta(hours=12),
                    catch_up_to=start + timedelta(hours=12),
                    is_open=state in (ObligationState.PLANNED, ObligationState.ATTEMPTED),
                    state=state,
                    reason=_OBLIGATION_REASONS.get(state),
                    last_outcome=HostOutcome.OK if delivered and plan.runs else None,
                    run=plan.runs if delivered and plan.runs else None,
                    month=f"{day:%Y-%m}",
                )
            )
    return tuple(rows)
