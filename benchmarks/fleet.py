"""An invented client: its computers, what is peculiar to each of them, and its contract.

Everything follows from a computer's name by a hash: the same on every machine and for every length of history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import yaml

from benchmarks.programs import CYCLE_DAYS, Updates

CLIENT: Final = "LATA"
LEGAL_NAME: Final = "Trzy Lata Sp. z o.o. (invented)"
DUTY: Final = "visit.daily"
ZONE: Final = "Europe/Warsaw"
_NETWORK = IPv4Address("198.18.0.0")  # for benchmarks (RFC 2544), so that it is nobody's
_GIB = 1024**3


class Kind(StrEnum):
    """How one visit of one computer goes."""

    SEEN = "seen"
    FAILED = "failed"  # the list of software could not be made
    LOST = "lost"  # no contact any more after the look at its health
    NOT_REACHED = "not_reached"  # switched off


class Draw:
    """Numbers that follow from some words: the same words, the same numbers."""

    def __init__(self, *words: object) -> None:
        self._bytes = blake2b("/".join(map(str, words)).encode(), digest_size=64).digest()

    def whole(self, place: int, below: int) -> int:
        """The number at a place (0 to 15), from 0 to `below` - 1."""
        return int.from_bytes(self._bytes[place * 4 : place * 4 + 4], "big") % below

    def share(self, place: int) -> float:
        """The number at a place (0 to 15), from 0 to below 1."""
        return int.from_bytes(self._bytes[place * 4 : place * 4 + 4], "big") / 2**32

    def byte(self, place: int) -> int:
        """The number at a place (0 to 63), from 0 to 255."""
        return self._bytes[place]


@dataclass(frozen=True)
class Computer:
    """One computer, by its number from 1."""

    number: int

    @property
    def name(self) -> str:
        return f"{'srv' if self.role == 'server' else 'pc'}{self.number:04}"

    @property
    def role(self) -> str:
        if self.number % 25 == 0:
            return "server"
        return "laptop" if self.number % 4 == 0 else "workstation"

    @property
    def site(self) -> str:
        return ("warszawa", "gdansk", "krakow")[self.number % 3]

    @property
    def address(self) -> str:
        return str(_NETWORK + self.number)

    @cached_property
    def own(self) -> Draw:
        """What is peculiar to this computer on every day."""
        return Draw("computer", self.number)

    @cached_property
    def updates(self) -> Updates:
        return Updates(self.own.whole(0, CYCLE_DAYS), self.number % 7200)

    @property
    def disk_bytes(self) -> int:
        return (256, 512, 512, 1024)[self.own.whole(1, 4)] * _GIB

    def used_bytes(self, day: date, draw: Draw) -> int:
        """How full its disk is: it fills for some months, then somebody tidies up. Some come close to the end."""
        period = 150 + self.own.whole(2, 500)
        start, end = 0.2 + 0.4 * self.own.share(3), 0.55 + 0.43 * self.own.share(4)
        phase = (day.toordinal() + self.own.whole(5, period)) % period / period
        share = start + max(0.0, end - start) * phase + 0.004 * draw.share(0)
        return int(self.disk_bytes * share) // 4096 * 4096

    def kind_on(self, day: date, draw: Draw) -> Kind:
        """How its visit of a day goes; some are away for weeks."""
        away_every = {"laptop": 40, "workstation": 300, "server": 4000}[self.role]
        chance, absence = draw.whole(1, 100_000), (day.toordinal() + self.own.whole(6, 9000)) % 9000
        if absence < 18 or chance < 100_000 // away_every:
            return Kind.NOT_REACHED
        if chance >= 99_500:
            return Kind.FAILED if chance < 99_900 else Kind.LOST
        return Kind.SEEN

    def as_contract(self) -> dict[str, object]:
        return {"site": self.site, "role": self.role, "first_day": date(2020, 1, 1), "address": self.address}


def make_computers(count: int) -> Sequence[Computer]:
    """The first `count` computers of the client."""
    return [Computer(number) for number in range(1, count + 1)]


def write_fleet_contract(folder: Path, computers: Sequence[Computer]) -> Path:
    """Write the client's contract; its file."""
    site = {"reach": "vpn", "connection": "ssh", "user": "itcare", "become": True}
    content = {
        "schema": "itcare/contract/v1",
        "contract": {"number": "IT/LATA/2020", "version": 1, "signed_on": date(2019, 12, 1),
                     "first_day": date(2020, 1, 1)},
        "client": {
            "code": CLIENT, "legal_name": LEGAL_NAME, "nip": "0000000000", "locale": "pl", "tz": ZONE,
            "dpa": "DPA/LATA",
        },
        "team": {"technician": "Technik Przykładowy", "phone": "+48 00 000 00 01"},
        "sites": {name: dict(site) for name in ("warszawa", "gdansk", "krakow")},
        "hosts": {computer.name: computer.as_contract() for computer in computers},
        "administrators": ["root", "%sudo"],
        "listeners": ["tcp/22"],
        "requires": ["firewall"],
        "duties": {
            DUTY: {
                "title": "Codzienny przegląd", "per": ["host"], "select": "all", "cadence": {"daily": "all"},
                "options": {"temp_clean": True},
            }
        },
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{CLIENT.lower()}.yml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
