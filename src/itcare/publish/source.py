"""From a real ledger to the source of a snapshot."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice

from itcare.contract.loader import LoadedContract
from itcare.core.errors import BadInputError, ItcareError
from itcare.ledger.check import Soundness
from itcare.ledger.log import Ledger, LogRef
from itcare.publish.history import Entry, read_history
from itcare.publish.snapshot import Source


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
) -> Source:
    """What one client's snapshot is made of, at the last signed checkpoint of its log.

    Entries appended since are left for the next publication. `live_runs`: numbers of the client's
    runs whose process is alive. An unsound log is published as such; where entries cannot be read,
    nothing before them is believed. Raises UnsoundError when the checkpoint does not verify,
    BadInputError for the firm's own log, which belongs to no client.
    """
    if target.client_id is None:
        raise BadInputError("publish", target.origin, "it is the firm's own log", "Name a client.")
    checkpoint = ledger.latest_checkpoint(target)
    entries = _up_to(checkpoint.size, ledger.entries(target))
    return Source(
        client_id=target.client_id,
        contract=contract,
        history=read_history(entries, partial(ledger.body, target), live_runs),
        checkpoint=checkpoint,
        soundness=soundness,
        checked_at=checked_at,
        code_version=code_version,
        stale_after_hours=ledger.settings.stale_after_hours,
    )


def _up_to(size: int, entries: Iterable[Entry]) -> Iterator[Entry | _Gap]:
    count = 0
    try:
        for entry in islice(entries, size):
            yield entry
            count += 1
    except (ValueError, ItcareError):
        yield _Gap(size)
        return
    if count < size:
        yield _Gap(size)
