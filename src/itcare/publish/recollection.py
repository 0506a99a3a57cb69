"""What the last publication remembers, for a command that asks the ledger for a part of it.

The history of years is minutes of reading; which entries a run has, and what was seen last of each host, a
publication has noted. Its bookmark is copied into memory and read on from there to the end of the log: nothing is
written, and without a bookmark the answers are the same and take longer.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from itcare.publish.bookmark import Bookmark
from itcare.publish.history import Entry, read_history, read_record
from itcare.publish.memory import ForgottenError, HostMemory, read_memory
from itcare.publish.news import News, entries_of, read_news
from itcare.publish.records import Body, History, HostRecord, Problem, Remembered
from itcare.publish.source import Entries, TreeHead


@dataclass(frozen=True)
class Recollection:
    """A log read up to its end. `news`: what came after the last publication, all of it without one."""

    mark: Bookmark
    news: News
    entries: Entries = field(repr=False)
    body: Body = field(repr=False)
    live_runs: Collection[int] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Entries that could not be read, as far as they were found."""
        return self.mark.problems()

    @property
    def unsettled(self) -> frozenset[int]:
        """Runs of which more was told since the last publication, or may be told."""
        return frozenset({*self.news.changed, *(run.number for run in self.mark.runs() if not run.is_closed)})

    def entries_of(self, numbers: Iterable[int]) -> Iterable[Entry]:
        """The entries of these runs, in order."""
        known = [run for number in sorted(set(numbers)) if (run := self.mark.run(number)) is not None]
        first, last = min((run.first for run in known), default=0), max((run.last for run in known), default=-1)
        return entries_of(self.entries(first, last + 1), [run.number for run in known])

    def read_runs(self, numbers: Iterable[int]) -> History:
        """What the ledger tells of these runs; those that are not there are left out."""
        return read_history(self.entries_of(numbers), self.body, self.live_runs, self.problems)

    def read_newest(self, hosts: Iterable[str]) -> Remembered | None:
        """The newest records of these hosts; None where they do not simply follow what is remembered."""
        history = self.read_runs(self.unsettled)
        if len(history.problems) > len(self.problems):
            return None
        try:
            by_host = {host: self._newest_of(host, history) for host in hosts}
        except (ForgottenError, _UnfitError):
            return None
        return Remembered(by_host, self.problems, self.body)

    def _newest_of(self, host: str, history: History) -> tuple[HostRecord, ...]:
        kept = self.mark.memory(host)
        memory = HostMemory() if kept is None else read_memory(kept, host, self._recall)
        records = history.attempts(host)
        if records and records[0].run <= memory.last_run:
            raise _UnfitError  # a run that was begun earlier ended later
        return (*memory.records(), *records)

    def _recall(self, entry: int, leaf: str) -> HostRecord | None:
        for found in self.entries(entry, entry + 1):
            return read_record(found) if found.leaf_hash == leaf else None
        return None


class _UnfitError(Exception):
    """What is remembered of a host is of a run that went on since."""


def recollect(
    bookmark: Path, entries: Entries, head: TreeHead, body: Body, live_runs: Collection[int] = ()
) -> Recollection:
    """Read the log from where the last publication stopped, or from its beginning.

    `head`: as the log says of itself. A bookmark that does not lead to it is not used.
    """
    mark = Bookmark.copied(bookmark)
    news = read_news(mark, entries, head, UTC)
    if not news.fits and mark.get("boundary") is not None:
        mark.forget()
        news = read_news(mark, entries, head, UTC)
    mark.keep_problems(dict.fromkeys([*mark.problems(), *news.strays]))
    return Recollection(mark, news, entries, body, live_runs)
