"""The software of an invented computer: about 150 programs, some of them with a new version every thirty days.

A list is a function of the computer and the day alone, so that a visit of any day can be told without those before it.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from benchmarks.holes import Template, hole, json_plain
from itcare.core.clock import write_instant

COUNT = 150
CYCLE_DAYS = 30  # between two days on which a computer is updated
_CYCLES = 30  # until the same program is updated again: so five programs a time
_START = date(2020, 1, 1).toordinal()
_ROOTS = (
    "lib", "python3-", "perl-", "fonts-", "gir1.2-", "firmware-", "printer-driver-", "libreoffice-", "xserver-",
    "gstreamer-",
)  # fmt: skip
_EXTRA = "zz-remote-desk"  # there for some months, away for some: so that programs come and go too


def name_of(number: int) -> str:
    """The name of a program. Invented, as long as real ones are."""
    letters = string.ascii_lowercase
    return f"{_ROOTS[number % 10]}{letters[number % 26]}{letters[number * 7 % 26]}mod{number:03}"


_NAMES = sorted(name_of(number) for number in range(COUNT))


@dataclass(frozen=True)
class Updates:
    """When one computer is updated: days by which its turn differs from the others', and seconds after 03:00 UTC."""

    offset: int
    second: int

    def cycle_of(self, day: date) -> int:
        """How many updates the computer has had until a day."""
        return (day.toordinal() - _START + self.offset) // CYCLE_DAYS

    def moment_of(self, cycle: int) -> str:
        """The instant of an update."""
        day = date.fromordinal(_START + cycle * CYCLE_DAYS - self.offset)
        return write_instant(datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(seconds=self.second))


def list_programs(updates: Updates, day: date) -> list[dict[str, str | None]]:
    """The list as `itcare.maintenance.software_info` gives it, sorted as it sorts it."""
    return [_program(name, version, updates.moment_of(cycle)) for name, version, cycle in _listed(updates, day)]


def write_programs(updates: Updates, day: date) -> bytes:
    """The canonical bytes of `list_programs`."""
    moments: dict[int, bytes] = {}
    written = []
    for name, version, cycle in _listed(updates, day):
        if cycle not in moments:
            moments[cycle] = json_plain(updates.moment_of(cycle))
        written.append(_template(name, version).fill({"installed_at": moments[cycle]}))
    return b"[" + b",".join(written) + b"]"


def count_programs(updates: Updates, day: date) -> int:
    """How many programs are on the list."""
    return COUNT + _has_extra(updates.cycle_of(day))


def _has_extra(cycle: int) -> bool:
    return cycle % 12 < 5


def _listed(updates: Updates, day: date) -> Iterator[tuple[str, int, int]]:
    """Name, number of the version and cycle of the last update of each program."""
    cycle = updates.cycle_of(day)
    for number, name in enumerate(_NAMES):
        version, behind = divmod(cycle + number, _CYCLES)
        yield name, version, cycle - behind
    if _has_extra(cycle):
        yield _EXTRA, cycle // 12, cycle - cycle % 12


def _program(name: str, version: int, installed_at: str) -> dict[str, str | None]:
    return {
        "name": name, "version": f"{version + 1}.{len(name)}.2-1+deb12u1", "publisher": "Debian Example Maintainers",
        "architecture": "amd64", "scope": "machine", "installed_at": installed_at, "source": "dpkg",
    }  # fmt: skip


@cache
def _template(name: str, version: int) -> Template:
    return Template(_program(name, version, hole("installed_at")))
