"""How full disks are and when they will be full, in words that say how far that can be known."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from itcare.core.words import ForecastReason
from itcare.publish.reader import Amount
from itcare.publish.rows import ForecastRow, MeasureRow
from words import day, days, mark, size, tr

_REASONS = {
    ForecastReason.TOO_SHORT: mark("too little data"),
    ForecastReason.NOT_GROWING: mark("does not grow"),
}


def share(row: ForecastRow | MeasureRow | Amount) -> float:
    """From 0 to 1; a capacity that is not known or no capacity counts as empty."""
    return min(1.0, max(0.0, row.value / row.capacity)) if row.capacity else 0.0


def fullest(rows: Iterable[ForecastRow]) -> list[ForecastRow]:
    """File systems, the fullest first."""
    return sorted(rows, key=lambda row: (-share(row), row.subject or ""))


def line(rows: Sequence[Amount]) -> list[float]:
    """Shares from 0 to 100 over time."""
    return [round(100 * share(row), 1) for row in rows]


def left(row: ForecastRow) -> str:
    """Counts, never a bare percentage: what is free of what there is."""
    if row.capacity is None:
        return tr("{used} used", used=size(row.value))
    return tr("{free} of {whole} free", free=size(max(row.capacity - row.value, 0)), whole=size(row.capacity))


def until_full(row: ForecastRow, now: datetime) -> str:
    """`about 40 days`, or why no day can be named."""
    if row.full_at is None:
        return tr(_REASONS[row.reason]) if row.reason in _REASONS else tr("not known")
    ahead = (row.full_at - now).total_seconds() / 86400
    return tr("about {days}", days=days(ahead)) if ahead >= 1 else tr("any day now")


def told(row: ForecastRow, now: datetime) -> str:
    """The same as a sentence, with the day."""
    if row.full_at is None:
        return _why_no_day(row)
    return tr("If it goes on growing like this, it is full about {day}, in {days}.",
              day=day(row.full_at.date(), year=row.full_at.year != now.year),
              days=days(max((row.full_at - now).total_seconds() / 86400, 0)))  # fmt: skip


def _why_no_day(row: ForecastRow) -> str:
    if row.reason is ForecastReason.TOO_SHORT:
        return tr("Too little data for a forecast: it takes 5 visits over at least 14 days.")
    return tr("It does not grow: at this pace it is not full within ten years.")
