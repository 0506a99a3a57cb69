"""What is remembered of each host between publications, so that the past need not be read again.

Not evidence: all of it follows from the ledger and is made again from there when it is lost or of another form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from itcare.core.clock import read_instant, write_instant
from itcare.core.words import HostOutcome
from itcare.publish.history import make_lost_record
from itcare.publish.records import HostRecord

type Recall = Callable[[int, str], HostRecord | None]
"""The record in an entry with a leaf hash; None where the ledger has another there."""


class ForgottenError(Exception):
    """A remembered record is not in the ledger any more: everything is to be read again."""


@dataclass
class HostMemory:
    """One host after all runs up to `last_run`.

    `attempt`: the newest record; `begun`: the newest of those on which work began; `look`: the newest that tells
    how the host is, or takes the ground from what was seen; `seen`: the newest with a whole observation.
    `intervals`, `software`: what the tracks of that name remember.
    """

    last_run: int = 0
    attempt: HostRecord | None = None
    begun: HostRecord | None = None
    look: HostRecord | None = None
    seen: HostRecord | None = None
    intervals: Mapping[str, Any] = field(default_factory=lambda: {"open": [], "newest": None})
    software: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seen_at(self) -> datetime | None:
        """When it was last seen whole, by the controller's clock."""
        if self.seen is None or self.seen.health_task is None:
            return None
        return self.seen.health_task.ended_at or self.seen.closed_at

    def records(self) -> tuple[HostRecord, ...]:
        """The remembered records, the oldest first, each once."""
        kept = {record.run: record for record in (self.attempt, self.begun, self.look, self.seen) if record}
        return tuple(kept[run] for run in sorted(kept))

    def write(self) -> dict[str, object]:
        """As JSON values; records as the places where the ledger has them."""
        return {
            "last_run": self.last_run,
            **{name: _write_record(getattr(self, name)) for name in _RECORDS},
            "intervals": self.intervals,
            "software": self.software,
        }


_RECORDS = ("attempt", "begun", "look", "seen")


def read_memory(kept: Mapping[str, Any], host: str, recall: Recall) -> HostMemory:
    """What `HostMemory.write` wrote. Raises ForgottenError where the ledger has something else."""
    places: dict[str, HostRecord] = {}

    def read(place: Any) -> HostRecord | None:
        if place is None:
            return None
        key = repr(place)
        if key not in places:
            places[key] = _read_record(place, host, recall)
        return places[key]

    records = {name: read(kept[name]) for name in _RECORDS}
    return HostMemory(kept["last_run"], **records, intervals=kept["intervals"], software=kept["software"])


def _write_record(record: HostRecord | None) -> object:
    if record is None:
        return None
    if record.entry is not None:
        return [record.entry, record.leaf]
    return [None, record.run, record.outcome.value, write_instant(record.opened_at) if record.opened_at else None]


def _read_record(place: Any, host: str, recall: Recall) -> HostRecord:
    if place[0] is None:
        _, run, outcome, opened_at = place
        return make_lost_record(run, host, HostOutcome(outcome), read_instant(opened_at))
    entry, leaf = place
    record = recall(entry, leaf)
    if record is None or record.host != host:
        raise ForgottenError(f"entry {entry}")
    return record
