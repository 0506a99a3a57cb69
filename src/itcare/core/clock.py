"""Time comes in as a `Clock`; nothing else in the package asks for the time of day."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Source of time: UTC instants for records, monotonic seconds for durations."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never jump."""


class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class FixedClock:
    """A clock for tests and replays: stands still until it is moved."""

    instant: datetime
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, step: timedelta) -> None:
        """Move both the instant and the monotonic seconds on by `step`."""
        self.instant += step
        self.seconds += step.total_seconds()


def write_instant(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`, the one form used in files and leaves.

    Raises ValueError for a naive datetime.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    # a tenth of what strftime costs, which an import does twice a task; and years before 1000 keep four digits
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def read_instant(text: str) -> datetime:
    """The instant that `write_instant` wrote; ValueError for anything without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant.astimezone(UTC)
