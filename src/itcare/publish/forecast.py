"""When a disk will be full, by a straight line through what was measured. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from itcare.core.words import ForecastReason

WINDOW = timedelta(weeks=8)
"""Only measures of so long before the newest one count: older growth says little about the next."""

SHORTEST_SPAN = timedelta(days=14)
FEWEST_POINTS = 5
FARTHEST_DAYS = 3650.0
"""A line that needs longer than ten years to the top is called not growing."""

_DAY_SECONDS = 86400.0


class Measure(Protocol):
    """A measured value; `capacity`: the value at which there is no more room."""

    @property
    def at(self) -> datetime: ...
    @property
    def value(self) -> float: ...
    @property
    def capacity(self) -> float | None: ...


@dataclass(frozen=True)
class Forecast:
    """`days` from the newest measure until `full_at`; or both None, and the `reason` for naming no day."""

    full_at: datetime | None
    days: float | None
    reason: ForecastReason | None


def days_to_full(measures: Sequence[Measure]) -> Forecast:
    """When the newest value, growing on as the least-squares line does, reaches the newest capacity.

    The order of the measures does not matter. No day is named with fewer than `FEWEST_POINTS` of the
    last `WINDOW`, when they span less than `SHORTEST_SPAN` (`too_short`), when the line does not rise, or
    not within `FARTHEST_DAYS` (`not_growing`).
    """
    points = sorted(measures, key=lambda measure: (measure.at, measure.value))
    recent = [point for point in points if points[-1].at - point.at <= WINDOW]
    if len(recent) < FEWEST_POINTS or recent[-1].at - recent[0].at < SHORTEST_SPAN or recent[-1].capacity is None:
        return Forecast(None, None, ForecastReason.TOO_SHORT)
    newest, room = recent[-1], recent[-1].capacity - recent[-1].value
    growth = _growth_per_day(recent)
    days = max(room, 0.0) / growth if growth > 0 else None
    if days is None or days > FARTHEST_DAYS:
        return Forecast(None, None, ForecastReason.NOT_GROWING)
    return Forecast(newest.at + timedelta(days=days), days, None)


def _growth_per_day(points: Sequence[Measure]) -> float:
    """Slope of the least-squares line; values are taken relative to their mean, so that large ones lose no digits."""
    days = [(point.at - points[0].at).total_seconds() / _DAY_SECONDS for point in points]
    middle = sum(days) / len(days)
    mean = sum(point.value for point in points) / len(points)
    spread = sum((day - middle) ** 2 for day in days)
    return sum((day - middle) * (point.value - mean) for day, point in zip(days, points, strict=True)) / spread
