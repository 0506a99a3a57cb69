"""What became of each obligation: obligations and attempts in, states and honest counts out. Pure.

States are derived, never typed in. No data is never green: an obligation is done only through a closed
run with the outcome `ok` or `changed` and evidence that can be read.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from itcare.contract.plan import Obligation
from itcare.core.words import HostOutcome, NoDataReason, ObligationState

_GOOD = (HostOutcome.OK, HostOutcome.CHANGED)
_UNCLEAR = (HostOutcome.UNKNOWN, HostOutcome.INTERRUPTED)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Attempt:
    """What one run recorded about one host for one duty. Instants are aware.

    `opened_at`, `closed_at`: of the work on this host, or of the run where the host has none of its own
    (never reached, never begun); `closed_at` is None only while the run is open, and then `outcome` says
    nothing yet. `usable`: the evidence is there, whole and readable. `check`: a dry run, which satisfies
    nothing.
    """

    duty: str
    host: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: HostOutcome
    reason: str | None
    usable: bool
    check: bool
    run: int


@dataclass(frozen=True)
class Coverage:
    """The state of one obligation at one instant.

    `reason`: of `no_data` a NoDataReason, else what the deciding attempt gave. `last_outcome`: of the latest
    closed attempt. `run`: number of the run that decided. `is_open`: the time for it, catch-up included, is
    not over.
    """

    obligation: Obligation
    state: ObligationState
    reason: str | None
    last_outcome: HostOutcome | None
    run: int | None
    is_open: bool


@dataclass(frozen=True)
class Counts:
    """Obligations by state. `settled` counts those whose time is over and that were not waived."""

    planned: int = 0
    attempted: int = 0
    done: int = 0
    done_late: int = 0
    failed: int = 0
    not_reached: int = 0
    waived: int = 0
    no_data: int = 0
    settled: int = 0
    settled_delivered: int = 0

    @property
    def owed(self) -> int:
        """All obligations, waived ones included."""
        return self.delivered + self.not_delivered + self.waived + self.waiting

    @property
    def delivered(self) -> int:
        """Done, in time or late."""
        return self.done + self.done_late

    @property
    def not_delivered(self) -> int:
        """Failed, not reached, or without usable evidence."""
        return self.failed + self.not_reached + self.no_data

    @property
    def waiting(self) -> int:
        """Neither delivered nor lost yet."""
        return self.planned + self.attempted

    @property
    def share(self) -> float | None:
        """Delivered of the settled ones, 0.0 to 1.0; None when nothing was due, which is not 100 %.

        Only obligations whose time is over count, on both sides: else a morning's first visit reads 100 %.
        """
        return self.settled_delivered / self.settled if self.settled else None


def cover(obligations: Iterable[Obligation], attempts: Iterable[Attempt], now: datetime) -> list[Coverage]:
    """The state of each obligation as known at `now`, in the order given.

    An attempt belongs to the obligation of its duty and host in whose time it was opened, and to that
    one only, so that one run never satisfies two. Attempts opened after `now`, and dry runs, do not count.
    The order of the attempts does not matter.
    """
    listed = list(obligations)
    known = [attempt for attempt in attempts if attempt.opened_at <= now and not attempt.check]
    claimed = _assign(listed, known)
    return [_judge(obligation, claimed[index], now) for index, obligation in enumerate(listed)]


def summarise(coverages: Iterable[Coverage]) -> Counts:
    """How many obligations are in which state."""
    listed = list(coverages)
    states = Counter(coverage.state.value for coverage in listed)
    settled = [c for c in listed if not c.is_open and c.state is not ObligationState.WAIVED]
    delivered = [c for c in settled if c.state in (ObligationState.DONE, ObligationState.DONE_LATE)]
    return Counts(**states, settled=len(settled), settled_delivered=len(delivered))


def _assign(obligations: Sequence[Obligation], attempts: Iterable[Attempt]) -> dict[int, list[Attempt]]:
    """Attempts by index of their obligation, each list from the first attempt to the last.

    Where the times of two obligations overlap the later one takes the attempt: catch-up ends when the
    next becomes due.
    """
    windows: dict[tuple[str, str], list[tuple[datetime, int]]] = defaultdict(list)
    for index, obligation in enumerate(obligations):
        windows[obligation.duty, obligation.subject].append((obligation.due_from, index))
    for starts in windows.values():
        starts.sort()
    claimed: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in sorted(attempts, key=_order):
        starts = windows.get((attempt.duty, attempt.host), [])
        position = bisect_right(starts, attempt.opened_at, key=lambda start: start[0]) - 1
        if position >= 0 and attempt.opened_at < obligations[starts[position][1]].catch_up_to:
            claimed[starts[position][1]].append(attempt)
    return claimed


def _order(attempt: Attempt) -> tuple[object, ...]:
    closed = attempt.closed_at or _NEVER
    return attempt.opened_at, attempt.run, closed, attempt.outcome, attempt.reason or "", attempt.usable


def _judge(obligation: Obligation, attempts: Sequence[Attempt], now: datetime) -> Coverage:
    """The first state that applies of done, done_late, failed, then what the time left allows."""
    is_open = now < obligation.catch_up_to
    last_outcome = next((a.outcome for a in reversed(attempts) if _is_closed(a, now)), None)

    def state(word: ObligationState, reason: str | None, run: int | None) -> Coverage:
        return Coverage(obligation, word, reason, last_outcome, run, is_open)

    good = [a for a in attempts if _is_closed(a, now) and a.outcome in _GOOD and a.usable]
    if good:
        in_time = good[0].opened_at < obligation.due_to
        return state(ObligationState.DONE if in_time else ObligationState.DONE_LATE, None, good[0].run)
    failed = [a for a in attempts if _is_closed(a, now) and a.outcome is HostOutcome.FAILED]
    if failed:
        return state(ObligationState.FAILED, failed[-1].reason, failed[-1].run)
    tried = [a for a in attempts if a.outcome is not HostOutcome.NOT_RUN or not _is_closed(a, now)]
    if is_open:
        if not tried:
            return state(ObligationState.PLANNED, None, None)
        return state(ObligationState.ATTEMPTED, _why_undecided(tried[-1], now), tried[-1].run)
    for reason in (NoDataReason.INTERRUPTED, NoDataReason.UNREADABLE):
        matching = [a for a in tried if _why_no_data(a, now) is reason]
        if matching:
            return state(ObligationState.NO_DATA, reason, matching[-1].run)
    if tried:
        return state(ObligationState.NOT_REACHED, tried[-1].reason, tried[-1].run)
    return state(ObligationState.NO_DATA, NoDataReason.NOT_ATTEMPTED, None)


def _is_closed(attempt: Attempt, now: datetime) -> bool:
    return attempt.closed_at is not None and attempt.closed_at <= now


def _why_no_data(attempt: Attempt, now: datetime) -> NoDataReason | None:
    """Why the attempt says nothing about the work; None for a host that was not reached."""
    if not _is_closed(attempt, now) or attempt.outcome in _UNCLEAR:
        return NoDataReason.INTERRUPTED
    return NoDataReason.UNREADABLE if attempt.outcome in _GOOD else None


def _why_undecided(attempt: Attempt, now: datetime) -> str | None:
    if not _is_closed(attempt, now):
        return attempt.reason
    return attempt.reason or _why_no_data(attempt, now)
