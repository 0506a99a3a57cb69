"""What a ledger tells since it was last read for publishing: which runs there are, and where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from itcare.core.clock import write_instant
from itcare.ledger.merkle import Frontier
from itcare.publish.bookmark import Bookmark, KnownRun
from itcare.publish.history import EVENT_VERSION, Entry, read_history
from itcare.publish.records import Problem
from itcare.publish.shape import instant, mapping, text, whole
from itcare.publish.source import Entries, TreeHead

MOST_ENTRIES = 20_000
"""Of this many new entries on whole months are read again, which needs less memory."""

_RUN_EVENTS = ("run.opened", "run.host", "run.closed")


@dataclass
class News:
    """The entries since the last reading.

    `changed`: the runs that they are of, each as it was known before, or None for a new one. `entries`: those of
    runs, or None where they are too many to be held. `fits`: whether the ledger goes on from what was read.
    """

    changed: dict[int, KnownRun | None] = field(default_factory=dict)
    entries: list[Entry] | None = field(default_factory=list)
    strays: list[Problem] = field(default_factory=list)
    fits: bool = True

    @property
    def oldest_month(self) -> str | None:
        """The oldest month among the runs that were known before and are told more of."""
        return min((run.month for run in self.changed.values() if run is not None), default=None)

    @property
    def is_late(self) -> bool:
        """Whether something is told of a run that was closed."""
        return any(run is not None and run.is_closed for run in self.changed.values())


def read_news(mark: Bookmark, entries: Entries, head: TreeHead, zone: tzinfo) -> News:
    """Read on from the bookmark to the head of the tree, and note in it which runs there are."""
    start, size = int(mark.get("size") or 0), head.size
    edge = Frontier.from_bytes(start, bytes.fromhex(mark.get("edge") or ""))
    reader = _Reader(mark, zone)
    if start > size:
        reader.news.fits = False
        return reader.news
    for entry in entries(start, size):
        reader.take(entry)
        if entry.leaf_hash:
            edge.append(bytes.fromhex(entry.leaf_hash))
    reader.news.fits = (edge.size, edge.root().hex()) == (size, head.root)
    for run in reader.runs.values():
        mark.keep_run(run)
    mark["size"], mark["edge"] = str(edge.size), edge.to_bytes().hex()
    return reader.news


def entries_of(entries: Iterable[Entry], runs: Iterable[int]) -> Iterable[Entry]:
    """Those that are of one of these runs."""
    wanted = frozenset(runs)
    return (entry for entry in entries if _run_of(entry) in wanted)


def _run_of(entry: Entry) -> int | None:
    event = mapping(entry.event)
    is_of_run = event.get("v") == EVENT_VERSION and event.get("type") in _RUN_EVENTS
    return whole(event.get("run")) if is_of_run else None


class _Reader:
    """Takes entries in, the oldest first."""

    def __init__(self, mark: Bookmark, zone: tzinfo) -> None:
        self.news = News()
        self.runs: dict[int, KnownRun] = {}  # of this reading, so that the bookmark is not asked for every entry
        self._mark = mark
        self._zone = zone
        self._month = mark.newest_month()
        self._has_begun = mark.get("first_at") is not None

    def take(self, entry: Entry) -> None:
        event = mapping(entry.event)
        kind, number, at = event.get("type"), _run_of(entry), instant(event.get("at"))
        if not self._has_begun and at is not None:
            self._mark["first_at"], self._has_begun = write_instant(at), True
        if kind == "client.enrolled" and self._mark.get("client") is None and (client := text(event.get("client"))):
            self._mark["client"] = client
        if number and (self._find(number) or (kind == "run.opened" and at is not None)):
            self._take_run(entry, number, kind == "run.closed", at)
        else:  # what is of no run, and what is wrong with it, is the same wherever it is read
            self.news.strays += read_history([entry], lambda _: None).problems

    def _find(self, number: int) -> KnownRun | None:
        return self.runs.get(number) or self._mark.run(number)

    def _take_run(self, entry: Entry, number: int, closes: bool, opened_at: datetime | None) -> None:
        known = self._find(number)
        self.news.changed.setdefault(number, known)
        if known is None:
            self._month = max(self._month, f"{opened_at.astimezone(self._zone):%Y-%m}" if opened_at else "")
            known = KnownRun(number, self._month, entry.index, entry.index, False)
        self.runs[number] = KnownRun(
            number, known.month, known.first, max(known.last, entry.index), known.is_closed or closes
        )
        if self.news.entries is not None:
            self.news.entries.append(entry)
            if len(self.news.entries) > MOST_ENTRIES:
                self.news.entries = None
