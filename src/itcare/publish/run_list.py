"""Every run of a client with the hosts that somebody still has to look at, for `itcare runs`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from itcare.access import ClientScope
from itcare.core.errors import ItcareError
from itcare.core.words import HostOutcome, RunGrade
from itcare.publish.files import PublishedFile
from itcare.publish.reader import MAXIMUM_ROWS, Snapshot
from itcare.publish.recollection import Recollection
from itcare.publish.records import History
from itcare.publish.revision import is_published
from itcare.publish.rows import RunRow
from itcare.publish.run_rows import make_run_rows

_LOOKED = (HostOutcome.OK, HostOutcome.CHANGED, HostOutcome.FAILED)


@dataclass(frozen=True)
class ListedRun:
    """A run. `to_verify`: hosts that it left in doubt and that no later run has looked at."""

    row: RunRow
    to_verify: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """What a record says about the doubt over its host: that there is one, or that somebody has looked."""

    run: int
    host: str
    is_doubt: bool


def list_runs(known: Recollection, scope: ClientScope | None) -> list[ListedRun]:
    """All runs, the oldest first.

    What is settled is taken from the published files of `scope`, where they are those that the last publication
    wrote; everything else, or all, from the ledger. So it is too where entries cannot be read: which records are to
    be believed then shows only when all of them are looked at.
    """
    rows: dict[int, RunRow] = {}
    history = known.read_runs(known.unsettled)
    told = [*tell_doubts(history)]
    if scope is not None and not history.problems and (settled := _read_published(known, scope, told)):
        rows, published = settled
        told += published
    elif numbers := {run.number for run in known.mark.runs()} - known.unsettled:
        history = known.read_runs({*numbers, *known.unsettled})
        told = [*tell_doubts(history)]
    rows |= {row.number: row for row in make_run_rows(history)}
    doubts = find_doubts(told)
    return [ListedRun(rows[number], tuple(doubts.get(number, ()))) for number in sorted(rows)]


def tell_doubts(history: History) -> Iterator[Told]:
    """What each record of a history says about the doubt over its host.

    A run that looked clears it; an adopted one does not, since anybody can write a spool.
    """
    for run in history.runs:
        for name, record in run.hosts.items():
            if record.needs_verify:
                yield Told(run.number, name, True)
            elif record.outcome in _LOOKED and record.readable and run.grade is RunGrade.ANNOUNCED:
                yield Told(run.number, name, False)


def find_doubts(told: Iterable[Told]) -> dict[int, list[str]]:
    """Hosts that somebody still has to look at, by each run that left them so."""
    doubts: dict[str, list[int]] = {}
    for one in sorted(told, key=lambda one: one.run):
        if one.is_doubt:
            doubts.setdefault(one.host, []).append(one.run)
        else:
            doubts.pop(one.host, None)
    by_run: dict[int, list[str]] = {}
    for name, numbers in sorted(doubts.items()):
        for number in numbers:
            by_run.setdefault(number, []).append(name)
    return by_run


def _read_published(
    known: Recollection, scope: ClientScope, told: Iterable[Told]
) -> tuple[dict[int, RunRow], list[Told]] | None:
    """Rows and doubts of the settled runs; None where the files are not those of the last publication.

    `told`: of the other runs; a settled one with a higher number may have cleared a doubt of theirs.
    """
    current = known.mark.get("current")
    if current is None or not is_published(scope.path, PublishedFile(**json.loads(current))):
        return None
    settled = {run.number for run in known.mark.runs()} - known.unsettled
    try:
        with Snapshot.open(scope) as snapshot:
            rows = {row.number: row for row in _all_runs(snapshot) if row.number in settled}
            adopted = [row.number for row in rows.values() if row.grade is not RunGrade.ANNOUNCED]
            doubts = [Told(run, host, True) for run, host in snapshot.doubts() if run in settled]
            doubtful = {one.host for one in (*doubts, *told) if one.is_doubt}
            looks = snapshot.last_looks(doubtful, _LOOKED, {*adopted, *known.unsettled})
    except ItcareError:
        return None
    if rows.keys() != settled:
        return None
    return rows, [*doubts, *(Told(run, host, False) for host, run in looks.items())]


def _all_runs(snapshot: Snapshot) -> Iterator[RunRow]:
    offset = 0
    while rows := snapshot.runs(limit=MAXIMUM_ROWS, offset=offset):
        yield from rows
        offset += len(rows)
