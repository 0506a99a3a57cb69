"""What changed in the software of a computer between two visits, out of the changes from look to look. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from itcare.core.words import SoftwareChange
from itcare.publish.rows import SoftwareChangeRow


@dataclass(frozen=True)
class Look:
    """One visit that listed the software."""

    at: datetime
    run: int


@dataclass(frozen=True)
class NetChange:
    """What became of one package from the first visit to the last; versions are None where it was not there."""

    name: str
    scope: str
    source: str
    architecture: str | None
    kind: SoftwareChange
    old_version: str | None
    new_version: str | None
    run: int


def looks(known: Mapping[int, datetime]) -> list[Look]:
    """Visits to choose from, newest first, of the runs that listed the software and when they did."""
    return [Look(at, run) for run, at in sorted(known.items(), key=lambda item: (item[1], item[0]), reverse=True)]


def between(rows: Iterable[SoftwareChangeRow], after: datetime, until: datetime) -> list[NetChange]:
    """The changes later than `after` and not later than `until`, added up by package and sorted by name.

    What was installed and removed again leaves nothing; two updates are one. A package with several
    versions at once is never updated: its versions come and go one by one.
    """
    packages: dict[tuple[str, str, str, str], list[SoftwareChangeRow]] = {}
    for row in sorted(rows, key=lambda row: (row.at, row.run)):
        if after < row.at <= until:
            packages.setdefault((row.name, row.source, row.scope, row.architecture or ""), []).append(row)
    return [change for _, changes in sorted(packages.items()) for change in _net(changes)]


def _net(rows: Sequence[SoftwareChangeRow]) -> Iterable[NetChange]:
    gone: list[str] = []
    come: list[str] = []
    for row in rows:
        if row.old_version is not None:
            _move(row.old_version, come, gone)
        if row.new_version is not None:
            _move(row.new_version, gone, come)
    if len(gone) == len(come) == 1:
        yield _change(rows[-1], SoftwareChange.UPDATED, gone[0], come[0])
        return
    for version in gone:
        yield _change(rows[-1], SoftwareChange.REMOVED, version, None)
    for version in come:
        yield _change(rows[-1], SoftwareChange.INSTALLED, None, version)


def _move(version: str, back: list[str], onto: list[str]) -> None:
    """A version that comes after it went, or goes after it came, is as if nothing had been."""
    if version in back:
        back.remove(version)
    else:
        onto.append(version)


def _change(row: SoftwareChangeRow, kind: SoftwareChange, old: str | None, new: str | None) -> NetChange:
    return NetChange(row.name, row.scope, row.source, row.architecture, kind, old, new, row.run)
