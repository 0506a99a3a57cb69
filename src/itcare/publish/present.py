"""How things are: the rows of `current.sqlite`, out of what is remembered of each host."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from itcare.core.clock import write_instant
from itcare.publish.again import list_judgements
from itcare.publish.codec import decode_row
from itcare.publish.files import connected
from itcare.publish.fold import HostFold
from itcare.publish.forecast import WINDOW
from itcare.publish.host_rows import Judge, KnownHost, make_fact_rows, make_finding_rows, make_host_row
from itcare.publish.measures import DISK_USED, make_forecast_rows
from itcare.publish.memory import HostMemory
from itcare.publish.records import Body, Problem, Remembered
from itcare.publish.rows import (
    FactRow,
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostRow,
    MeasureRow,
    MonthRow,
    Row,
    SoftwareLookRow,
    SoftwareRow,
)

_DISKS = "SELECT * FROM measure WHERE host = ? AND name = ? AND at >= ? ORDER BY at, run, subject"
_STRAGGLE = timedelta(days=2)
"""A measure may be taken in the month after the one in which its run was opened."""


@dataclass
class HostRows:
    """The present rows of some hosts; `judgements` as they are kept in the ledger."""

    hosts: list[HostRow] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    facts: list[FactRow] = field(default_factory=list)
    intervals: list[FindingIntervalRow] = field(default_factory=list)
    software: list[SoftwareRow] = field(default_factory=list)
    looks: list[SoftwareLookRow] = field(default_factory=list)
    forecasts: list[ForecastRow] = field(default_factory=list)
    judgements: list[Mapping[str, object]] = field(default_factory=list)

    def by_table(self) -> Mapping[str, Sequence[Row]]:
        """The rows of each table, each after those it refers to."""
        return {
            "host": self.hosts,
            "finding": self.findings,
            "fact": self.facts,
            "forecast": self.forecasts,
            "finding_interval": self.intervals,
            "software": self.software,
            "software_look": self.looks,
        }


@dataclass(frozen=True)
class Ground:
    """What the rows of every host are judged and made by."""

    judge: Judge
    now: datetime
    body: Body
    problems: tuple[Problem, ...]

    def records(self, memories: Mapping[str, HostMemory]) -> Remembered:
        """What is remembered, to be asked."""
        return Remembered({name: memory.records() for name, memory in memories.items()}, self.problems, self.body)


def add_host(rows: HostRows, ground: Ground, host: KnownHost, memory: HostMemory, first_finding: int) -> None:
    """The present rows of one host but its intervals, software and forecasts.

    `first_finding`: the number of the first finding of `rows`.
    """
    records = ground.records({host.name: memory})
    rows.hosts.append(make_host_row(records, host))
    found = make_finding_rows(records, [host], ground.judge, ground.now, first_finding + len(rows.findings))
    rows.findings += found
    rows.facts += make_fact_rows(records, [host])
    rows.judgements += list_judgements(records, [host], ground.judge)


def add_tracks(rows: HostRows, ground: Ground, fold: HostFold, *, with_software: bool = True) -> None:
    """What a host's fold tells: intervals, and its packages unless they are those that were published."""
    rows.intervals += fold.intervals(ground.now)
    rows.looks += fold.looks()
    if with_software:
        rows.software += fold.software()


class MonthShelf:
    """The months' files of a client as they lie in its folder, asked for the disks of single hosts."""

    def __init__(self, folder: Path, months: Iterable[MonthRow]) -> None:
        self._folder = folder
        self._months = sorted(months, key=lambda month: month.month)
        self._opened: dict[str, sqlite3.Connection] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "MonthShelf":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def forecasts(self, host: str, seen_at: datetime | None) -> Iterator[ForecastRow]:
        """When each disk of a host will be full, by its looks up to the newest, which was at `seen_at`."""
        if seen_at is None:
            return
        yield from make_forecast_rows(self._disks(host, seen_at - WINDOW))

    def _disks(self, host: str, since: datetime) -> list[MeasureRow]:
        first = f"{since - _STRAGGLE:%Y-%m}"
        values = (host, DISK_USED, write_instant(since))
        found = [
            decode_row(MeasureRow, row)
            for month in self._months
            if month.month >= first
            for row in self._open(month.file).execute(_DISKS, values)
        ]
        return sorted(found, key=lambda row: (row.at, row.run, row.subject or ""))

    def _open(self, name: str) -> sqlite3.Connection:
        if name not in self._opened:
            uri = (self._folder / name).as_uri() + "?mode=ro&immutable=1"
            connection = self._stack.enter_context(connected(uri))
            connection.row_factory = sqlite3.Row
            self._opened[name] = connection
        return self._opened[name]
