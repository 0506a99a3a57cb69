"""Months of a client's calendar (`YYYY-MM`), by which runs are kept apart in the published files. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta, tzinfo

from itcare.publish.records import RunRecord


def assign_months(runs: Iterable[RunRecord], zone: tzinfo, since: str = "") -> Mapping[int, str]:
    """The month of each run by its number: that of its opening, and never before the month of an earlier run.

    `since`: the month of the run before the first of these. So a clock that was set back for a while cannot
    put a run into a month that is over.
    """
    months: dict[int, str] = {}
    for run in sorted(runs, key=lambda run: run.number):
        since = max(since, f"{run.opened_at.astimezone(zone):%Y-%m}")
        months[run.number] = since
    return months


def first_month_shown(today: date) -> str:
    """The month before that of `today`: with this month it is what may still change."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
