"""After one more visit: its rows beside those of before, in copies of the published files."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from itcare.contract.plan import Obligation
from itcare.core.clock import read_instant, write_instant
from itcare.coverage import cover
from itcare.publish.bookmark import HEAD
from itcare.publish.codec import encode_row
from itcare.publish.content import MonthRows
from itcare.publish.files import PublishedFile, connected
from itcare.publish.fold import HostFold, results_of
from itcare.publish.history import Entry
from itcare.publish.host_rows import OLDEST_LOOK
from itcare.publish.memory import HostMemory, read_memory
from itcare.publish.news import News, entries_of
from itcare.publish.obligation_rows import first_instant_shown, make_attempts, make_obligation_rows, plan_shown
from itcare.publish.present import HostRows, MonthShelf, add_host, add_tracks
from itcare.publish.records import History
from itcare.publish.refresh import Made, add_details, read_part
from itcare.publish.revision import insert_rows, revision
from itcare.publish.rows import RunRow
from itcare.publish.run_rows import make_run_rows
from itcare.publish.schema import SNAPSHOT_FILE, month_file_name
from itcare.publish.shape import sequence
from itcare.publish.work import Work
from itcare.publish.writer import describe_month, list_months, month_meta, present_meta, remove_months, write_month


class UnfitError(Exception):
    """The new runs do not simply follow those of before: the months on show are to be read again."""


_OF_HOST = (
    "DELETE FROM finding WHERE host = ?",
    "DELETE FROM fact WHERE host = ?",
    "DELETE FROM forecast WHERE host = ?",
    "DELETE FROM finding_interval WHERE host = ? AND ended_by IS NULL",
    "DELETE FROM software_look WHERE host = ?",
    "DELETE FROM host WHERE name = ?",
)
_OF_RUN = (
    "DELETE FROM task WHERE run = ?",
    "DELETE FROM host_result WHERE run = ?",
    "DELETE FROM file WHERE run = ?",
)
_AGEING = "SELECT name FROM host WHERE current = 1 AND last_observed_at >= ? AND last_observed_at < ?"
_OPEN = "SELECT duty, host, nominal_date FROM obligation WHERE is_open = 1 AND due_from <= ?"
_MONTH = """
INSERT INTO month VALUES (?, ?, ?, ?)
ON CONFLICT (month) DO UPDATE SET file = excluded.file, sha256 = excluded.sha256, bytes = excluded.bytes
"""

type _Promise = tuple[str, str, date]


@dataclass(frozen=True)
class _Before:
    """What was published last: its file, hosts that time made too old to be believed since, promises still open."""

    file: PublishedFile
    ageing: frozenset[str]
    open_promises: frozenset[_Promise]


def update(work: Work, news: News) -> Made:
    """Publish what `news` tells on top of what was published. Raises UnfitError before anything is written.

    Rows follow as if everything had been read: a run's own rows, all rows of the hosts that it looked at and of
    those whose newest look is now too old, and the obligations that these runs or the hour can have changed.
    """
    numbers = sorted(news.changed)
    history = read_part(work.source, _entries(work, news), work.mark.problems())
    months = {number: run.month for number in numbers if (run := work.mark.run(number)) is not None}
    before = _read_before(work)
    memories, folds = _fold(work, history, before.ageing)
    shown = list_months(work.folder)
    files = _write_months(work, history, months, folds, {number for number, known in news.changed.items() if known})
    work.mark.keep_attempts(numbers, make_attempts(history))
    runs = make_run_rows(history, months)
    collection = runs[-1].collection_version if runs else work.mark.get("collection")
    meta = present_meta(work.make_meta(collection))
    with revision(work.folder, before.file, SNAPSHOT_FILE, meta) as (connection, done):
        _replace_runs(connection, runs, files)
        hosts = _replace_hosts(work, connection, memories, folds)
        waiting = {name for run in history.runs for name in (*run.hosts, *map(str, sequence(run.opened.get("hosts"))))}
        _replace_obligations(work, connection, {*folds, *waiting}, before.open_promises)
    remove_months(work.folder, {*shown, *(month.file for month in work.mark.months())})
    work.mark.keep_memories(HEAD, {name: memory.write() for name, memory in memories.items()})
    return Made(done[0], tuple(files), hosts, collection)


def _entries(work: Work, news: News) -> Iterator[Entry]:
    """The entries of the changed runs: of those that were begun before also what was read then."""
    known = [run for run in news.changed.values() if run is not None]
    if known:
        first, last = min(run.first for run in known), max(run.last for run in known)
        yield from entries_of(work.source.entries(first, last + 1), [run.number for run in known])
    yield from news.entries or ()


def _read_before(work: Work) -> _Before:
    file = PublishedFile(**json.loads(work.mark.get("current") or "{}"))
    with connected((work.folder / file.name).as_uri() + "?mode=ro&immutable=1") as connection:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        published_at = read_instant(meta["published_at"])
        between = (write_instant(published_at - OLDEST_LOOK), write_instant(work.now - OLDEST_LOOK))
        return _Before(
            file,
            frozenset(name for (name,) in connection.execute(_AGEING, between)),
            frozenset(
                (duty, host, date.fromisoformat(day))
                for duty, host, day in connection.execute(_OPEN, (write_instant(work.now),))
            ),
        )


def _fold(work: Work, history: History, ageing: Iterable[str]) -> tuple[dict[str, HostMemory], dict[str, HostFold]]:
    memories: dict[str, HostMemory] = {}
    folds: dict[str, HostFold] = {}
    opened = {run.number: run.opened_at for run in history.runs}
    names = {*history.hosts_tried, *ageing, *(name for run in history.runs for name in run.hosts)}
    work.source.prepare([digest for run in history.runs for one in run.hosts.values() for digest in results_of(one)])
    for name in sorted(names):
        kept = work.mark.memory(name)
        memories[name] = HostMemory() if kept is None else read_memory(kept, name, work.recall)
        records = history.attempts(name)
        if records and records[0].run <= memories[name].last_run:
            raise UnfitError  # a run that was begun earlier ended later
        folds[name] = HostFold(history, work.know_host(name), work.judge, memories[name])
        for record in records:
            folds[name].take(record, opened[record.run])
        memories[name] = folds[name].remember()
    return memories, folds


def _write_months(
    work: Work, history: History, months: Mapping[int, str], folds: Mapping[str, HostFold], known: Collection[int]
) -> list[PublishedFile]:
    """The files of the months in which the runs were opened, with what is new beside what was there."""
    kept = {month.month: month for month in work.mark.months()}
    files = []
    for month in sorted(set(months.values())):
        rows = _rows_of(month, history, months, folds)
        name, client = month_file_name(month, work.source.checkpoint.size), work.contract.client.code
        if month in kept:
            base = PublishedFile(kept[month].file, kept[month].sha256, kept[month].bytes)
            with revision(work.folder, base, name, month_meta(client, month)) as (connection, done):
                for statement in _OF_RUN:
                    connection.executemany(statement, ((number,) for number in known))
                insert_rows(connection, rows.by_table())
            file = done[0]
        else:
            file = write_month(work.folder, rows, client, work.source.checkpoint.size)
        work.mark.keep_month(describe_month(file))
        files.append(file)
    return files


def _rows_of(month: str, history: History, months: Mapping[int, str], folds: Mapping[str, HostFold]) -> MonthRows:
    rows = MonthRows(month)
    add_details(rows, replace(history, runs=tuple(run for run in history.runs if months[run.number] == month)))
    for fold in folds.values():
        rows.measures += (row for row in fold.measures if months[row.run] == month)
        rows.software_changes += (row for row in fold.changes if months[row.run] == month)
        rows.temps += (row for row in fold.temps if months[row.run] == month)
    return rows


def _replace_runs(connection: sqlite3.Connection, runs: Iterable[RunRow], files: Iterable[PublishedFile]) -> None:
    listed = list(runs)
    connection.executemany(_MONTH, (encode_row(describe_month(file)) for file in files))
    connection.executemany("DELETE FROM run WHERE number = ?", ((run.number,) for run in listed))
    insert_rows(connection, {"run": listed})


def _replace_hosts(
    work: Work, connection: sqlite3.Connection, memories: Mapping[str, HostMemory], folds: Mapping[str, HostFold]
) -> HostRows:
    rows = HostRows()
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM finding").fetchone()[0]
    for statement in _OF_HOST:
        connection.executemany(statement, ((name,) for name in folds))
    with MonthShelf(work.folder, work.mark.months()) as shelf:
        for name, fold in folds.items():
            add_host(rows, work.ground, work.know_host(name), memories[name], first)
            add_tracks(rows, work.ground, fold, with_software=fold.has_other_software)
            rows.forecasts += shelf.forecasts(name, memories[name].seen_at)
    others = [name for name, fold in folds.items() if fold.has_other_software]
    connection.executemany("DELETE FROM software WHERE host = ?", ((name,) for name in others))
    insert_rows(connection, rows.by_table())
    return rows


def _find_open(work: Work, hosts: Collection[str], open_promises: Collection[_Promise]) -> list[Obligation]:
    """The promises that were open, but for those of `hosts`."""
    if not open_promises:
        return []
    days = [day for _, _, day in open_promises]
    planned = plan_shown(work.contract, work.first_at, work.now, days=(min(days), max(days)))
    return [one for one in planned if one.key in open_promises and one.subject not in hosts]


def _replace_obligations(
    work: Work, connection: sqlite3.Connection, hosts: Collection[str], open_promises: Collection[_Promise]
) -> None:
    """Those of the hosts that were tried, and those that were still open and whose time has begun."""
    since = first_instant_shown(work.contract, work.now)
    of_hosts = plan_shown(work.contract, work.first_at, work.now, only=hosts)
    still_open = _find_open(work, hosts, open_promises)
    coverages = cover(of_hosts, work.mark.attempts(since, hosts), work.now)
    if still_open:
        others = {one.subject for one in still_open}
        attempts = work.mark.attempts(min(one.due_from for one in still_open), others)
        coverages += cover(still_open, attempts, work.now)
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM obligation").fetchone()[0]
    rows = make_obligation_rows(coverages, {run.number for run in work.mark.runs()}, first)
    connection.executemany(
        "DELETE FROM obligation WHERE host = ? AND nominal_date = ? AND duty = ?",
        ((row.host, row.nominal_date.isoformat(), row.duty) for row in rows),
    )
    insert_rows(connection, {"obligation": rows})
