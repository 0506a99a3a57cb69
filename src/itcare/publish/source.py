"""What one client's snapshot is made of, and where in a real ledger it comes from."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Protocol

from itcare.contract.loader import LoadedContract
from itcare.core.errors import BadInputError, ItcareError
from itcare.ledger.log import Ledger, LogRef
from itcare.ledger.rows import BodyReader
from itcare.publish.history import Entry, read_history
from itcare.publish.records import Body, History

type Entries = Callable[[int, int], Iterable[Entry]]
"""The entries from an index on up to another, which is not included."""


class TreeHead(Protocol):
    """Entries in a tree, and its root in lower-case hex."""

    @property
    def size(self) -> int: ...
    @property
    def root(self) -> str: ...


class Checkpoint(TreeHead, Protocol):
    """A signed tree head, with the text of the signed note."""

    @property
    def text(self) -> str: ...


class Soundness(Protocol):
    """What checking the log found."""

    @property
    def sound(self) -> bool: ...
    @property
    def message(self) -> str: ...


def _prepare_nothing(_: Collection[str]) -> None:
    pass


@dataclass(frozen=True)
class Source:
    """All that one client's snapshot is made of, as of the tree of `checkpoint`.

    `soundness`: what the check of the whole log found, made at `checked_at`. `live_runs`: numbers of runs
    whose process is alive. `code_version` is of the itcare that publishes.
    """

    client_id: int
    contract: LoadedContract
    entries: Entries
    body: Body = field(repr=False)
    checkpoint: Checkpoint
    soundness: Soundness
    checked_at: datetime
    code_version: str
    stale_after_hours: float
    live_runs: Collection[int] = ()
    prepare: Callable[[Collection[str]], None] = _prepare_nothing
    """Told of bodies that will be asked for soon."""

    @cached_property
    def history(self) -> History:
        """Everything at once: for small ledgers, and for what is compared with reading piece by piece."""
        return read_history(self.entries(0, self.checkpoint.size), self.body, self.live_runs)


@dataclass(frozen=True)
class _Gap:
    """Stands for entries that the ledger could not hand out; reads as a problem that dooms all before it."""

    index: int
    event: None = None
    leaf_hash: str = ""


def read_source(
    ledger: Ledger,
    target: LogRef,
    contract: LoadedContract,
    soundness: Soundness,
    *,
    checked_at: datetime,
    code_version: str,
    live_runs: Collection[int] = (),
    bodies: BodyReader | None = None,
) -> Source:
    """What one client's snapshot is made of, at the last signed checkpoint of its log.

    Entries appended since are left for the next publication. An unsound log is published as such; where
    entries cannot be read, nothing before them is believed. Raises UnsoundError when the checkpoint does
    not verify, BadInputError for the firm's own log, which belongs to no client. `bodies`: of
    `Ledger.bodies`, where very many are to be read.
    """
    if target.client_id is None:
        raise BadInputError("publish", target.origin, "it is the firm's own log", "Name a client.")
    return Source(
        client_id=target.client_id,
        contract=contract,
        entries=partial(_read_entries, ledger, target),
        body=bodies or partial(ledger.body, target),
        checkpoint=ledger.latest_checkpoint(target),
        soundness=soundness,
        checked_at=checked_at,
        code_version=code_version,
        stale_after_hours=ledger.settings.stale_after_hours,
        live_runs=live_runs,
        prepare=bodies.prepare if bodies else _prepare_nothing,
    )


def _read_entries(ledger: Ledger, target: LogRef, start: int, stop: int) -> Iterator[Entry | _Gap]:
    place = start
    try:
        for entry in ledger.entries(target, start, stop):
            yield entry
            place += 1
    except (ValueError, ItcareError):
        yield _Gap(stop)
        return
    if place < stop:
        yield _Gap(stop)
