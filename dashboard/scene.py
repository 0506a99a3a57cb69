"""What one page is drawn from: one client's snapshot, the time, the chosen month.

A scene lives for one run of the script. Nothing of it is kept between runs, so that a newly
published snapshot is seen at once and no client's data can be left lying for another session.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from itcare.access import ClientScope
from itcare.publish.reader import Snapshot
from itcare.publish.rows import Meta


@dataclass(frozen=True)
class Scene:
    """One client, seen now; `month` is the first day of the month that the visitor chose."""

    scope: ClientScope
    snapshot: Snapshot
    meta: Meta
    now: datetime
    month: date

    @property
    def zone(self) -> ZoneInfo:
        """The client's time zone; UTC if this machine does not know it."""
        return zone_of(self.meta)

    @property
    def month_key(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def is_stale(self) -> bool:
        """Whether the data is older than the firm promises: an old green is no green."""
        return self.now - self.meta.published_at > timedelta(hours=self.meta.stale_after_hours)

    @property
    def is_before_the_start(self) -> bool:
        return self.meta.kept_since is None or self.month < self.meta.kept_since.replace(day=1)

    @property
    def is_before_the_publication(self) -> bool:
        """Whether the month is older than the jobs in the snapshot, though itcare was in use then."""
        published = self.snapshot.months()
        return bool(published) and self.month_key < published[-1]

    @property
    def is_latest_month(self) -> bool:
        return self.month == months(self.meta)[0]

    def local(self, instant: datetime) -> datetime:
        """An instant in the client's own time."""
        return instant.astimezone(self.zone)


def zone_of(meta: Meta) -> ZoneInfo:
    try:
        return ZoneInfo(meta.tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def months(meta: Meta) -> tuple[date, ...]:
    """Months to choose from, newest first; one before the start, which explains where it begins."""
    last = meta.published_at.astimezone(zone_of(meta)).date().replace(day=1)
    first = min(last, (meta.kept_since or last).replace(day=1))
    shown = []
    month = last
    while month >= first:
        shown.append(month)
        month = _month_before(month)
    return (*shown, month)


def read_month(text: str | None, choices: tuple[date, ...]) -> date | None:
    """The month that an address names, if it is one of the choices; the newest when it names none."""
    if text is None:
        return choices[0]
    return next((month for month in choices if f"{month:%Y-%m}" == text), None)


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
