"""Rows of what the contract makes the firm owe, and what became of it."""

from collections.abc import Container, Iterable
from datetime import date, datetime, timedelta

from itcare.contract.models import Contract
from itcare.contract.plan import Obligation, plan, start_of_day
from itcare.core.words import HostOutcome, RunState
from itcare.coverage import Attempt, Coverage, cover
from itcare.publish.records import History, RunRecord
from itcare.publish.rows import ObligationRow
from itcare.publish.shape import sequence, text


def cover_contract(contract: Contract, history: History, now: datetime) -> list[Coverage]:
    """What became of every obligation of the previous and the current month, as known at `now`."""
    return cover(plan_shown(contract, history.first_at, now), make_attempts(history), now)


def plan_shown(
    contract: Contract,
    first_at: datetime | None,
    now: datetime,
    *,
    only: Container[str] | None = None,
    days: tuple[date, date] | None = None,
) -> list[Obligation]:
    """Every obligation of the previous and the current month; `only` of these hosts, of the days between two.

    Nothing is owed before the first ledger entry (`first_at`): what was never recorded was neither kept nor broken.
    """
    today = now.astimezone(contract.zone).date()
    since = first_at.astimezone(contract.zone).date() if first_at else today
    first, last = days or (first_day_shown(today), last_day_shown(today))
    return plan(contract, first, last, since, only)


def first_instant_shown(contract: Contract, now: datetime) -> datetime:
    """When the month before began."""
    return start_of_day(first_day_shown(now.astimezone(contract.zone).date()), contract.zone)


def first_day_shown(today: date) -> date:
    """The first day of the month before."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def last_day_shown(today: date) -> date:
    """The last day of the month."""
    return (today.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def make_attempts(history: History) -> list[Attempt]:
    """What each run tried on each of its hosts; in this version every duty is kept by an observation.

    A look only and an adopted run both enter as dry runs, which satisfy nothing.
    """
    return [attempt for run in history.runs for attempt in _attempts_of(run)]


def make_obligation_rows(
    coverages: Iterable[Coverage], numbers: Container[int], first_id: int = 1
) -> tuple[ObligationRow, ...]:
    """One row per obligation, in the order given; `numbers`: of the runs that are published."""
    return tuple(
        ObligationRow(
            id=number,
            duty=coverage.obligation.duty,
            host=coverage.obligation.subject,
            nominal_date=coverage.obligation.nominal_date,
            due_from=coverage.obligation.due_from,
            due_to=coverage.obligation.due_to,
            catch_up_to=coverage.obligation.catch_up_to,
            is_open=coverage.is_open,
            state=coverage.state,
            reason=None if coverage.reason is None else str(coverage.reason),
            last_outcome=coverage.last_outcome,
            run=coverage.run if coverage.run in numbers else None,
            month=f"{coverage.obligation.nominal_date:%Y-%m}",
        )
        for number, coverage in enumerate(coverages, start=first_id)
    )


def _attempts_of(run: RunRecord) -> list[Attempt]:
    duty = text(run.opened.get("duty"))
    if duty is None:
        return []
    # The run's own times, which the ledger gives, decide in whose window the attempt lies.
    attempts = [
        Attempt(
            duty=duty,
            host=record.host,
            opened_at=run.opened_at,
            closed_at=run.closed_at,
            outcome=record.outcome,
            reason=record.reason,
            usable=record.has_usable_observation,
            check=run.satisfies_nothing,
            run=run.number,
        )
        for record in run.hosts.values()
    ]
    if run.state is RunState.RUNNING:
        waiting = sorted({str(name) for name in sequence(run.opened.get("hosts"))} - set(run.hosts))
        attempts += [
            Attempt(
                duty, host, run.opened_at, None, HostOutcome.NOT_RUN, None, False, run.satisfies_nothing, run.number
            )
            for host in waiting
        ]
    return attempts
