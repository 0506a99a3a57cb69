"""A client's ledger entries read back as runs and what became of each host in them. Pure.

Event shapes are those of docs/ledger-v1.md, but nothing here relies on them: what cannot be read
is counted as a problem, and no observation older than a problem is believed. So a damaged or
strange entry can hide good news, never bad news. Bodies are fetched only when asked for.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from itcare.core.names import HOST_NAME
from itcare.core.words import HostOutcome, RunState, TaskOutcome
from itcare.publish.records import Body, History, HostRecord, Problem, PublicationRecord, RunRecord, TaskRecord
from itcare.publish.shape import instant, mapping, sequence, text, truth, whole, word

EVENT_VERSION = 1

# What makes a run partial rather than complete.
_LEFT_OPEN = (HostOutcome.NOT_REACHED, HostOutcome.UNKNOWN, HostOutcome.INTERRUPTED, HostOutcome.NOT_RUN)


class Entry(Protocol):
    """One ledger entry: position, decoded event (None: unreadable), lower-case hex hash of its leaf."""

    @property
    def index(self) -> int: ...
    @property
    def event(self) -> Mapping[str, object] | None: ...
    @property
    def leaf_hash(self) -> str: ...


@dataclass(slots=True)
class _Draft:
    """A run while its entries are being read."""

    entry: Entry
    opened_at: datetime
    planned: tuple[str, ...]
    hosts: dict[str, HostRecord] = field(default_factory=dict)
    closing: Entry | None = None
    closed_at: datetime | None = None
    closed_twice: bool = False


class _Unreadable(Exception):
    """Raised inside this module for an entry that cannot be taken in; becomes a Problem."""


def read_history(
    entries: Iterable[Entry], body: Body, live_runs: Collection[int] = (), known: Iterable[Problem] = ()
) -> History:
    """Fold entries, oldest first, into a History. Never raises for what the entries contain.

    `live_runs`: numbers of runs whose process is alive; any other open run was interrupted. `known`:
    problems of the whole ledger, where `entries` are a part of it.
    """
    drafts: dict[int, _Draft] = {}
    problems: list[Problem] = list(known)
    publications: list[PublicationRecord] = []
    client: str | None = None
    first_at: datetime | None = None
    for entry in entries:
        event = mapping(entry.event)
        first_at = first_at or instant(event.get("at"))
        try:
            if event.get("v") != EVENT_VERSION:
                raise _Unreadable("event version is not 1")
            match event.get("type"):
                case "client.enrolled":
                    client = client or text(event.get("client"))
                case "run.opened":
                    _open(drafts, entry, event)
                case "run.host":
                    problems += _take_host(drafts, entry, event)
                case "run.closed":
                    _close(drafts, entry, event)
                case "publication":
                    publications.append(_read_publication(entry, event))
                case _:
                    raise _Unreadable("event type is not known")
        except _Unreadable as error:
            problems.append(Problem(entry.index, str(error), _host_name(event.get("host"))))
    runs = tuple(_finish(number, draft, number in live_runs) for number, draft in sorted(drafts.items()))
    return History(client, first_at, runs, tuple(dict.fromkeys(problems)), body, tuple(publications))


def read_record(entry: Entry) -> HostRecord | None:
    """The record of one `run.host` entry by itself; None for any other entry and for one that cannot be read."""
    event = mapping(entry.event)
    host, number = _host_name(event.get("host")), whole(event.get("run"))
    if event.get("type") != "run.host" or event.get("v") != EVENT_VERSION or host is None or not number:
        return None
    return _read_host(entry, event, host)


def make_lost_record(run: int, host: str, outcome: HostOutcome, opened_at: datetime) -> HostRecord:
    """The record of a host that the run was to visit and of which no leaf tells."""
    return HostRecord(
        run=run, host=host, outcome=outcome, reason="no_record", needs_verify=True, readable=False,
        opened_at=opened_at,
    )  # fmt: skip


def _open(drafts: dict[int, _Draft], entry: Entry, event: Mapping[str, object]) -> None:
    number, opened_at = _run_number(event), instant(event.get("at"))
    named = sequence(event.get("hosts"))
    planned = tuple(name for item in named if (name := _host_name(item)))
    if opened_at is None or len(planned) != len(named) or not isinstance(event.get("hosts"), list):
        raise _Unreadable("run.opened has no time or no proper list of hosts")
    if number in drafts:
        raise _Unreadable("run.opened twice for one number")
    drafts[number] = _Draft(entry, opened_at, planned)


def _take_host(drafts: dict[int, _Draft], entry: Entry, event: Mapping[str, object]) -> list[Problem]:
    draft = drafts.get(_run_number(event))
    host = _host_name(event.get("host"))
    if draft is None or host is None:
        raise _Unreadable("run.host without an opened run or a proper host name")
    record = _read_host(entry, event, host)
    problems = [] if record.readable else [Problem(entry.index, "run.host is readable in part only", host)]
    if host in draft.hosts:
        problems.append(Problem(entry.index, "run.host twice for one host", host))
        record = replace(
            draft.hosts[host], outcome=HostOutcome.UNKNOWN, reason="told_twice", needs_verify=True, readable=False
        )
    draft.hosts[host] = record
    return problems


def _close(drafts: dict[int, _Draft], entry: Entry, event: Mapping[str, object]) -> None:
    draft = drafts.get(_run_number(event))
    if draft is None:
        raise _Unreadable("run.closed without an opened run")
    if draft.closing is not None:
        draft.closed_twice = True
        raise _Unreadable("run.closed twice for one run")
    draft.closing, draft.closed_at = entry, instant(event.get("at"))


def _read_host(entry: Entry, event: Mapping[str, object], host: str) -> HostRecord:
    outcome = word(HostOutcome, event.get("outcome"))
    listed = sequence(event.get("tasks"))
    tasks: dict[int, TaskRecord] = {}
    for item in listed:
        task = _read_task(mapping(item))
        if task is not None:
            tasks.setdefault(task.position, task)
    complete = isinstance(event.get("tasks"), list) and len(tasks) == len(listed)
    return HostRecord(
        run=_run_number(event),
        host=host,
        outcome=outcome or HostOutcome.UNKNOWN,
        reason=text(event.get("reason")),
        # A leaf that lost its word for the outcome, or its truth value, gets the careful one.
        needs_verify=outcome is None or outcome.needs_verify or truth(event.get("needs_verify")) is True,
        truncated=truth(event.get("truncated")) is not False,
        readable=complete and outcome is not None,
        connection=text(event.get("connection")),
        opened_at=instant(event.get("opened_at")),
        closed_at=instant(event.get("closed_at")),
        tasks=tuple(tasks[position] for position in sorted(tasks)),
        detail=text(event.get("detail")),
        alarms=tuple(sequence(event.get("alarms"))),
        entry=entry.index,
        leaf=entry.leaf_hash,
    )


def _read_task(task: Mapping[str, object]) -> TaskRecord | None:
    position = whole(task.get("position"))
    if position is None or text(task.get("module")) is None:
        return None
    return TaskRecord(
        position=position,
        name=text(task.get("name")),
        module=text(task.get("module")),
        file=text(task.get("file")),
        line=whole(task.get("line")),
        started_at=instant(task.get("start")),
        ended_at=instant(task.get("end")),
        outcome=word(TaskOutcome, task.get("outcome")) or TaskOutcome.UNFINISHED,
        ignored=truth(task.get("ignored")) is True,
        truncated=truth(task.get("truncated")) is not False,
        args=mapping(task.get("args")),
        result=text(task.get("result")),
        attachments={str(k): v for k, v in mapping(task.get("attachments")).items() if isinstance(v, str) and v},
    )


def _finish(number: int, draft: _Draft, is_live: bool) -> RunRecord:
    closed = mapping(draft.closing.event) if draft.closing else {}
    if draft.closing is None:
        state = RunState.RUNNING if is_live else RunState.INTERRUPTED
    else:
        state = word(RunState, closed.get("state")) or RunState.INCOMPLETE
    hosts = dict(draft.hosts)
    if state is not RunState.RUNNING or draft.closing:
        hosts |= {name: _lost(number, name, draft) for name in draft.planned if name not in hosts}
    if draft.closing:
        state = _careful_state(state, draft, hosts)
    return RunRecord(
        number=number,
        state=state,
        opened_at=draft.opened_at,
        closed_at=draft.closed_at,
        entry_opened=draft.entry.index,
        leaf_opened=draft.entry.leaf_hash,
        entry_closed=draft.closing.index if draft.closing else None,
        leaf_closed=draft.closing.leaf_hash if draft.closing else None,
        opened=mapping(draft.entry.event),
        closed=closed,
        hosts=dict(sorted(hosts.items())),
    )


def _careful_state(state: RunState, draft: _Draft, hosts: Mapping[str, HostRecord]) -> RunState:
    """The state that a closing leaf claims, or a worse one when the hosts' leaves say otherwise."""
    if state is RunState.RUNNING or draft.closed_twice:
        return RunState.INCOMPLETE
    if state is RunState.COMPLETE and not all(record.readable for record in hosts.values()):
        return RunState.INCOMPLETE
    if state is RunState.COMPLETE and any(record.outcome in _LEFT_OPEN for record in hosts.values()):
        return RunState.PARTIAL
    return state


def _lost(number: int, host: str, draft: _Draft) -> HostRecord:
    outcome = HostOutcome.UNKNOWN if draft.closing else HostOutcome.INTERRUPTED
    return make_lost_record(number, host, outcome, draft.opened_at)


def _read_publication(entry: Entry, event: Mapping[str, object]) -> PublicationRecord:
    return PublicationRecord(
        entry.index, instant(event.get("at")), text(event.get("policy")), text(event.get("findings"))
    )


def _run_number(event: Mapping[str, object]) -> int:
    number = whole(event.get("run"))
    if not number:
        raise _Unreadable("the run has no number")
    return number


def _host_name(value: object) -> str | None:
    return value if isinstance(value, str) and HOST_NAME.fullmatch(value) else None
