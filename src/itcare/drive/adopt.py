"""Take the spool of a plain `ansible-playbook` run into the ledger, afterwards and graded as such.

Nobody announced the run, so nothing ties its spool to what happened: the record says `unannounced`,
keeps no promise of the contract and is not taken for the newest look at a computer. A spool counts
once: see `identify_spool` and `_require_new`.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

from itcare.contract.loader import LoadedContract
from itcare.core.clock import Clock, SystemClock, write_instant
from itcare.core.errors import BadInputError
from itcare.core.names import RunName
from itcare.core.words import RunGrade, RunState
from itcare.drive import leaves, rows
from itcare.drive.controller import Operator, describe_request, identify_operator, read_code_version
from itcare.drive.importing import group_tasks
from itcare.drive.orders import Ending
from itcare.drive.outcome import HostVerdict, judge_host, judge_run, played_out
from itcare.drive.plan import RunPlan
from itcare.drive.report import HostReport, RunReport
from itcare.drive.rows import RunRow
from itcare.drive.spool import Spool, SpoolHeader, SpoolTask, read_spool
from itcare.ledger.batch import EntryBatch
from itcare.ledger.log import Entry, Ledger, LogRef

DUTY = "adopted"
"""What stands in the place of a duty: an adopted run was asked for by no contract."""

MAXIMUM_BYTES = 256 * 1024 * 1024
"""Largest spool that is read; 500 computers with 100 tasks of 4 kB each make 200 MB."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours the clock of the other controller may have been."""

_WHOLE_RUN = 0  # nobody saw the return code; whether the playbook closed its spool is what decides


@dataclass(frozen=True)
class Adoption:
    """A spool that may be adopted: checked against the contract, judged, nothing written yet."""

    loaded: LoadedContract
    spool: Spool
    header: SpoolHeader
    identity: str
    hosts: tuple[str, ...]
    tasks: Mapping[str, tuple[SpoolTask, ...]]
    verdicts: Mapping[str, HostVerdict]
    state: RunState
    until: datetime

    @property
    def starts(self) -> set[tuple[str, str]]:
        """Each host with the instant, in its written form, of its first task."""
        return {(host, write_instant(tasks[0].started_at)) for host, tasks in self.tasks.items() if tasks}


def adopt(
    ledger: Ledger,
    loaded: LoadedContract,
    spool: Path,
    *,
    reason: str,
    operator: Operator | None = None,
    clock: Clock | None = None,
) -> RunReport:
    """Record the run that a spool tells of, as one more run of the client, and sign.

    Raises BadInputError for what is no spool of this format, belongs to an announced run, names
    a host that the contract does not know, lies in the future, or was recorded before; then
    nothing is written. A spool without its end becomes a run that is `incomplete`.
    """
    clock = clock or SystemClock()
    adoption = read_adoption(loaded, spool, clock.now())
    terms = loaded.contract.client
    log = ledger.client_log(terms.code, terms.legal_name)
    with ledger.append(log) as batch:
        # The write lock is held, so what is committed now is all that a second adoption could have written.
        _require_new(adoption, ledger.entries(log), spool)
        row = _insert_row(ledger, log, batch, adoption, clock)
        _write_leaves(batch, adoption, row, operator or identify_operator(), reason)
        rows.close_run(batch.connection, row.id, adoption.state, clock.now())
    ledger.sign(log)
    return _report(adoption, RunName(terms.code, row.number))


def read_adoption(loaded: LoadedContract, path: Path, now: datetime) -> Adoption:
    """Read a spool and check all that needs no ledger. Raises BadInputError."""
    _require_size(path)
    spool = read_spool(path)
    header = _require_adoptable(spool, path, now)
    named = {host for play in spool.plays for host in play.hosts} | {task.host for task in spool.tasks}
    if not named:
        raise BadInputError("adopt", str(path), "it names no computer", "There is nothing in it to record.")
    if strangers := sorted(named - set(loaded.contract.hosts)):
        shown = ", ".join(ascii(name[:70]) for name in strangers[:20])
        raise BadInputError(
            "adopt", str(path), f"the contract of {loaded.contract.client.code} does not name {shown}",
            "Nothing was adopted. Name the right client, or put the computer into the contract first.",
        )  # fmt: skip
    hosts = tuple(sorted(named))
    tasks = {
        host: tuple(replace(task, file=_without_folders(task.file)) for task in done)
        for host, done in group_tasks(hosts, spool).items()
    }
    whole = played_out(spool, Ending.FINISHED, _WHOLE_RUN)
    verdicts = {name: judge_host(done, ran_to_end=whole) for name, done in tasks.items()}
    state = judge_run(spool, Ending.FINISHED, _WHOLE_RUN, [verdict.outcome for verdict in verdicts.values()])
    until = max(_instants(spool), default=header.opened_at)
    return Adoption(loaded, spool, header, identify_spool(header), hosts, tasks, verdicts, state, until)


def identify_spool(header: SpoolHeader) -> str:
    """What stays the same however much of a spool is there, whatever its file is called or how it is written.

    SHA-256 of the first line's members as sorted compact JSON. Among them is the instant of the start in
    microseconds, so that two runs of one person do not share it.
    """
    members = {**asdict(header), "opened_at": write_instant(header.opened_at)}
    return hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _require_size(path: Path) -> None:
    try:
        size = os.stat(path, follow_symlinks=False).st_size
    except OSError as error:
        raise BadInputError(
            "adopt", str(path), error.strerror or "it cannot be read", "Name the spool of a run."
        ) from error
    if size > MAXIMUM_BYTES:
        raise BadInputError(
            "adopt", str(path), f"it has {size} bytes, more than {MAXIMUM_BYTES}", "No run of ours writes so much."
        )


def _require_adoptable(spool: Spool, path: Path, now: datetime) -> SpoolHeader:
    header = spool.header
    if header is None:
        word = spool.problems[0] if spool.problems else "no_header"
        remedy = "A newer itcare reads it." if word == "unsupported_version" else "Name the spool of a run."
        raise BadInputError("adopt", str(path), f"it is no spool of version 1 ({word})", remedy)
    if header.run is not None:
        raise BadInputError(
            "adopt", str(path), f"it belongs to the announced run {ascii(header.run[:40])}",
            "Such a run is closed from its own folder: itcare recover.",
        )  # fmt: skip
    latest = max(_instants(spool), default=header.opened_at)
    if max(latest, header.opened_at) > now + CLOCK_TOLERANCE:
        raise BadInputError(
            "adopt", str(path), f"it tells of {write_instant(max(latest, header.opened_at))}, which is yet to come",
            "Compare the clocks of the two controllers.",
        )  # fmt: skip
    return header


def _require_new(adoption: Adoption, entries: Iterator[Entry], path: Path) -> None:
    """Raises BadInputError when the log has this spool, or another account of the same tasks.

    The first covers a copy under another name, a part of a spool and a part that was completed; the
    second a copy whose first line was changed, or an announced run's spool without its number.
    """
    starts = adoption.starts
    for entry in entries:
        event = entry.event
        spool = event.get("spool")
        same = isinstance(spool, dict) and spool.get("header_sha256") == adoption.identity
        if same or (event.get("type") == "run.host" and (event.get("host"), _first_start(event)) in starts):
            name = f"{adoption.loaded.contract.client.code}/{event.get('run')}"
            raise BadInputError(
                "adopt", str(path), f"what it tells is in the ledger already, as run {name}",
                f"A spool counts once. See: itcare show {name}",
            )  # fmt: skip


def _first_start(event: Mapping[str, object]) -> object:
    tasks = event.get("tasks")
    first = tasks[0] if isinstance(tasks, list) and tasks else None
    return first.get("start") if isinstance(first, dict) else None


def _insert_row(ledger: Ledger, log: LogRef, batch: EntryBatch, adoption: Adoption, clock: Clock) -> RunRow:
    terms, run_id, client_id = adoption.loaded.contract.client, secrets.token_hex(16), log.client_id or 0
    row = RunRow(
        id=run_id, client_id=client_id, client=terms.code, client_name=terms.legal_name,
        number=rows.next_number(batch.connection, client_id), duty=DUTY, state=RunState.RUNNING,
        check=adoption.header.check, nonce=secrets.token_hex(16), fence=rows.next_fence(batch.connection),
        folder=ledger.settings.runs / run_id, sockets=None, opened_at=clock.now(), closed_at=None, cancel_by=None,
    )  # fmt: skip
    rows.insert_run(batch.connection, row)
    return row


def _write_leaves(batch: EntryBatch, adoption: Adoption, row: RunRow, operator: Operator, reason: str) -> None:
    number = row.number
    batch.add(_opening(batch, adoption, row, operator, reason))
    for host in RunPlan.of_names(adoption.hosts).hosts:
        batch.add(
            leaves.host_leaf(batch, number, host, adoption.verdicts[host.name], adoption.tasks[host.name], (), ())
        )
    outcomes = [verdict.outcome for verdict in adoption.verdicts.values()]
    batch.add(
        leaves.closing_leaf(
            batch, number, adoption.state, outcomes, None, _reason(adoption.state), adoption.spool, (), None
        )
    )


def _opening(batch: EntryBatch, adoption: Adoption, row: RunRow, operator: Operator, reason: str) -> dict[str, object]:
    """Event `run.opened` of a run that is over: who adopted it is in the body, when is the leaf's own time."""
    loaded, header = adoption.loaded, adoption.header
    asked: dict[str, Any] = describe_request(operator, reason)
    asked["adopted"] = {"spool_user": header.user, "playbook": header.playbook, "ansible_core": header.ansible_core}
    return {
        "type": "run.opened",
        "run": row.number,
        "run_id": row.id,
        "grade": RunGrade.UNANNOUNCED.value,
        "duty": DUTY,
        "check": row.check,
        "hosts": list(adoption.hosts),
        "asked": batch.body(asked),
        "contract": {
            "number": loaded.contract.contract.number, "version": loaded.contract.contract.version,
            "commit": loaded.commit, "dirty": loaded.dirty, "sha256": loaded.sha256,
        },
        "code": asdict(read_code_version()),
        "collection": header.collection,
        # A whole path may name a person; it is in the bodies.
        "playbook": {"path": _without_folders(header.playbook), "sha256": header.playbook_sha256},
        "files": None,
        "inventory_sha256": None,
        "fence": row.fence,
        "played": {"from": write_instant(header.opened_at), "to": write_instant(adoption.until)},
        "spool": {"header_sha256": adoption.identity},
    }  # fmt: skip


def _instants(spool: Spool) -> Iterator[datetime]:
    for task in spool.tasks:
        yield task.started_at
        if task.ended_at is not None:
            yield task.ended_at


def _without_folders(path: str) -> str:
    """The name alone of a file with an absolute path: folders of the other controller may name a person."""
    return PurePath(path).name if PurePath(path).is_absolute() else path


def _reason(state: RunState) -> str | None:
    return "spool" if state is RunState.INCOMPLETE else None


def _report(adoption: Adoption, name: RunName) -> RunReport:
    return RunReport(
        name=name,
        state=adoption.state,
        hosts=tuple(
            HostReport(host, verdict.outcome, verdict.reason, verdict.message)
            for host, verdict in adoption.verdicts.items()
        ),
        alarms=(),
        seconds=max((adoption.until - adoption.header.opened_at).total_seconds(), 0.0),
        reason=_reason(adoption.state),
    )
