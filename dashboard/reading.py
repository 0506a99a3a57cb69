"""Typed access to what a computer reported, whatever shape it has.

The data was checked by nobody but the computer: what does not fit is left out or shown as it stands.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from itcare.core.clock import read_instant
from words import moment


class Reading:
    """Typed access to one JSON value that may have any shape."""

    def __init__(self, value: object, zone: ZoneInfo) -> None:
        self._fields = value if isinstance(value, Mapping) else {}
        self._zone = zone

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        return "" if value is None or isinstance(value, Mapping | list) else str(value)

    def number(self, name: str) -> float | None:
        value = self._fields.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def flag(self, name: str) -> bool | None:
        value = self._fields.get(name)
        return value if isinstance(value, bool) else None

    def moment(self, name: str) -> str:
        try:
            return moment(self.instant(name).astimezone(self._zone), year=True)
        except (ValueError, OverflowError):
            return self.text(name)

    def instant(self, name: str) -> datetime:
        return read_instant(self.text(name))

    def inner(self, name: str) -> "Reading":
        return Reading(self._fields.get(name), self._zone)

    def rows(self, name: str) -> list["Reading"]:
        return readings(self._fields.get(name), self._zone)

    def items(self) -> list[tuple[str, str]]:
        return [(str(name), self.text(name)) for name in self._fields]


def readings(value: object, zone: ZoneInfo) -> list[Reading]:
    return [Reading(row, zone) for row in value[:200]] if isinstance(value, list) else []
