"""What a contract makes the firm owe: one obligation per duty, host and local day. Pure."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from itcare.contract.models import Contract

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Obligation:
    """One promise for one host: due in [due_from, due_to), still acceptable as late until catch_up_to.

    Instants are aware, in UTC; `nominal_date` is a local date of the client.
    """

    duty: str
    subject: str
    nominal_date: date
    due_from: datetime
    due_to: datetime
    catch_up_to: datetime

    @property
    def key(self) -> tuple[str, str, date]:
        """What makes it the same obligation in every plan: duty, subject and nominal date."""
        return self.duty, self.subject, self.nominal_date


def plan(
    contract: Contract, first_day: date, last_day: date, since: date, only: Container[str] | None = None
) -> list[Obligation]:
    """Obligations with a nominal date from `first_day` to `last_day`, both inclusive local dates.

    `only`: of these hosts; None for all.

    Sorted by nominal date, duty and subject. Nothing is owed outside the contract, for a host out of
    scope, or before `since`, the local date on which the client's ledger began: what was never recorded
    cannot have been kept or broken. A day that the local calendar skips (Samoa had no 30 December
    2011) is not owed.

    A day begins when the local date does, so it lasts 23 or 25 hours where the clock changes. Catch-up
    ends when the next obligation of the same duty and host becomes due or the host leaves the scope;
    with the daily cadence either happens exactly when the day ends, so no visit can make good for the day
    before and a missed day stays visible.
    """
    zone = contract.zone
    obligations: list[Obligation] = []
    for day in _days(max(first_day, since, contract.contract.first_day), last_day):
        due_from, due_to = start_of_day(day, zone), start_of_day(day + _DAY, zone)
        if not contract.is_in_force(day) or due_from == due_to:
            continue
        for duty in sorted(contract.duties):
            hosts = (host for host in contract.subjects(duty, day) if only is None or host in only)
            obligations += [Obligation(duty, host, day, due_from, due_to, catch_up_to=due_to) for host in hosts]
    return obligations


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the local date is `day` (or later, if the zone skipped it).

    Usually local midnight, the first of two where it comes twice. Where the clock jumps over midnight (Chile
    and Egypt in spring) the day begins at the jump.
    """
    midnight = datetime.combine(day, time(), tzinfo=zone)
    start = midnight.astimezone(UTC)
    if start.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    # In a gap, fold=0 counts with the offset before the jump and lands after it, fold=1 the other way
    # round: the jump lies between the two, and the local date changes at it.
    before = midnight.replace(fold=1).astimezone(UTC)
    while start - before > _SECOND:
        middle = before + timedelta(seconds=int((start - before) / _SECOND) // 2)
        if middle.astimezone(zone).date() < day:
            before = middle
        else:
            start = middle
    return start


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY
