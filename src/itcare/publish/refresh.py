"""Whole months read again from the ledger, one after the other, and the present after them."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from itcare.coverage import cover
from itcare.publish.bookmark import HEAD, KnownRun
from itcare.publish.content import MonthRows, PresentRows
from itcare.publish.files import PublishedFile
from itcare.publish.fold import HostFold, results_of
from itcare.publish.history import Entry, read_history
from itcare.publish.memory import HostMemory, read_memory
from itcare.publish.news import entries_of
from itcare.publish.obligation_rows import first_instant_shown, make_attempts, make_obligation_rows
from itcare.publish.present import HostRows, MonthShelf, add_host, add_tracks
from itcare.publish.records import History, Problem
from itcare.publish.rows import FindingIntervalRow, RunRow
from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_run_rows, make_task_rows
from itcare.publish.source import Source
from itcare.publish.work import Work
from itcare.publish.writer import describe_month, read_carried, write_month, write_present


class UnknownProblemsError(Exception):
    """Entries that cannot be read came to light: what was believed before them is to be read again."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


@dataclass
class Made:
    """What was written beside the sidecar, and the present rows of the hosts that were looked at."""

    current: PublishedFile
    months: tuple[PublishedFile, ...]
    hosts: HostRows
    collection: str | None


@dataclass
class _Past:
    """What reading whole months gave beside their files."""

    runs: list[RunRow] = field(default_factory=list)
    ended: list[FindingIntervalRow] = field(default_factory=list)
    files: list[PublishedFile] = field(default_factory=list)


def refresh(work: Work, since: str) -> Made:
    """Read the months from `since` on again (from the first with an empty text) and write everything.

    Months before `since` stay as they were published. Raises UnknownProblemsError, and ForgottenError
    where the ledger does not have what is remembered of them.
    """
    with without_cycles():
        return _refresh(work, since)


@contextmanager
def without_cycles() -> Iterator[None]:
    """No search for cyclic garbage: a month is a million objects without any, looked through again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _refresh(work: Work, since: str) -> Made:
    mark = work.mark
    memories = {name: read_memory(kept, name, work.recall) for name, kept in mark.memories(since).items()}
    if not since:
        memories = {}
    first_run = min((run.number for run in mark.runs(since)), default=None)
    carried = read_carried(work.folder, since, first_run) if since else {}
    past = _read_months(work, since, memories)
    hosts = _make_hosts(work, memories)
    attempts = mark.attempts(first_instant_shown(work.contract, work.now))
    collection = past.runs[-1].collection_version if past.runs else mark.get("collection")
    rows = PresentRows(
        meta=work.make_meta(collection),
        hosts=tuple(hosts.hosts),
        months=mark.months(),
        runs=tuple(past.runs),
        findings=tuple(hosts.findings),
        facts=tuple(hosts.facts),
        obligations=make_obligation_rows(cover(work.owed, attempts, work.now), {run.number for run in mark.runs()}),
        forecasts=tuple(hosts.forecasts),
        finding_intervals=(*past.ended, *hosts.intervals),
        software=tuple(hosts.software),
        software_looks=tuple(hosts.looks),
    )
    current = write_present(work.folder, rows, carried)
    mark.drop_memories(besides=[work.first_month])
    mark.keep_memories(HEAD, {name: memory.write() for name, memory in memories.items()})
    mark.drop_attempts(first_instant_shown(work.contract, work.now))
    return Made(current, tuple(past.files), hosts, collection)


def read_part(source: Source, entries: Iterable[Entry], problems: tuple[Problem, ...]) -> History:
    """The history of some runs. Raises UnknownProblemsError when more is wrong with the ledger than was known."""
    history = read_history(entries, source.body, source.live_runs, problems)
    if len(history.problems) > len(problems):
        raise UnknownProblemsError(history.problems)
    return history


def add_details(rows: MonthRows, history: History) -> None:
    """What was done in the runs of a history."""
    rows.host_results += make_host_result_rows(history)
    rows.tasks += make_task_rows(history)
    rows.files += make_file_rows(history)


def add_fold(rows: MonthRows, fold: HostFold) -> None:
    """What one host's records measured and changed."""
    rows.measures += fold.measures
    rows.software_changes += fold.changes
    rows.temps += fold.temps


def _read_months(work: Work, since: str, memories: dict[str, HostMemory]) -> _Past:
    """Read the months from `since` on; `memories`, as before them, are brought up to the end.

    What is remembered before the first month on show is kept in the bookmark: there the next one begins.
    """
    past = _Past()
    by_month: dict[str, list[KnownRun]] = {}
    for run in work.mark.runs(since):
        by_month.setdefault(run.month, []).append(run)
    is_kept = False
    for month, runs in sorted(by_month.items()):
        if month >= work.first_month and not is_kept:
            _keep(work, memories)
            is_kept = True
        _read_month(work, month, runs, memories, past)
    if not is_kept:
        _keep(work, memories)
    return past


def _keep(work: Work, memories: Mapping[str, HostMemory]) -> None:
    work.mark.keep_memories(work.first_month, {name: memory.write() for name, memory in memories.items()})


def _read_month(work: Work, month: str, runs: list[KnownRun], memories: dict[str, HostMemory], past: _Past) -> None:
    numbers = [run.number for run in runs]
    first, last = min(run.first for run in runs), max(run.last for run in runs)
    entries = entries_of(work.source.entries(first, last + 1), numbers)
    history = read_part(work.source, entries, work.mark.problems())
    rows = MonthRows(month)
    past.runs += make_run_rows(history, dict.fromkeys(numbers, month))
    add_details(rows, history)
    for fold in fold_hosts(work, history, memories):
        add_fold(rows, fold)
        past.ended += fold.ended_intervals()
    file = write_month(work.folder, rows, work.contract.client.code, work.source.checkpoint.size)
    work.mark.keep_month(describe_month(file))
    since = first_instant_shown(work.contract, work.now)
    work.mark.keep_attempts(numbers, (one for one in make_attempts(history) if one.opened_at >= since))
    past.files.append(file)


def fold_hosts(work: Work, history: History, memories: dict[str, HostMemory]) -> Iterable[HostFold]:
    """Each host of the history folded; its memory is brought up to the end of it."""
    opened = {run.number: run.opened_at for run in history.runs}
    for name in sorted(history.hosts_tried):
        fold = HostFold(history, work.know_host(name), work.judge, memories.get(name))
        work.source.prepare([digest for record in history.attempts(name) for digest in results_of(record)])
        for record in history.attempts(name):
            fold.take(record, opened[record.run])
        memories[name] = fold.remember()
        yield fold
    for run in history.runs:  # a host of adopted runs alone is known too, though nothing of it is believed
        for name in run.hosts:
            memories.setdefault(name, HostMemory())


def _make_hosts(work: Work, memories: Mapping[str, HostMemory]) -> HostRows:
    """The present rows of every host: of the contract today, of any run, and of those that are owed something."""
    rows = HostRows()
    names = {*work.in_scope, *memories, *(obligation.subject for obligation in work.owed)}
    with MonthShelf(work.folder, work.mark.months()) as shelf:
        for name in sorted(names):
            memory, host = memories.get(name, HostMemory()), work.know_host(name)
            add_host(rows, work.ground, host, memory, first_finding=1)
            records = work.ground.records({name: memory})
            add_tracks(rows, work.ground, HostFold(records, host, work.judge, memory))
            rows.forecasts += shelf.forecasts(name, memory.seen_at)
    return rows
