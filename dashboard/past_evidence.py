"""The drawer behind numbers that look back: connections, disks over time, changes of software, clean-ups."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import widgets
from changes import NetChange
from disks import left
from evidence import Lookup, open_rows, run_evidence
from itcare.core.words import SoftwareChange, TempState
from itcare.publish.rows import MeasureRow, SeenSoftwareRow, TempRow
from scene import Scene
from states import outcome_word
from views.frame import quiet
from words import mark, moment, number, size, tr

SOFTWARE_MODULE = "itcare.maintenance.software_info"
TEMP_MODULE = "itcare.maintenance.temp_cleanup"
KINDS = {
    SoftwareChange.INSTALLED: mark("installed"),
    SoftwareChange.REMOVED: mark("removed"),
    SoftwareChange.UPDATED: mark("updated"),
}
CATEGORIES = {
    "system_temp": mark("temporary files of the system"),
    "user_cache": mark("caches of users"),
    "package_cache": mark("downloaded packages"),
    "browser_cache": mark("caches of browsers"),
    "trash": mark("recycle bins"),
    "crash_reports": mark("crash reports"),
    "journal": mark("old system logs"),
}
SKIPPED = {
    "in_use": mark("in use"),
    "too_young": mark("too new"),
    "not_owned": mark("of another user"),
    "changed": mark("changed meanwhile"),
    "link": mark("links"),
    "mount": mark("on another disk"),
    "excluded": mark("excluded"),
    "immutable": mark("protected"),
    "over_ceiling": mark("over the agreed limit"),
    "cannot_see_open_files": mark("not known whether in use"),
    "error": mark("errors"),
}


class Part(NamedTuple):
    """One computer's part in one run."""

    run: int
    host: str


class Changed(NamedTuple):
    """One change of one package on one computer."""

    host: str
    change: NetChange


def open_parts(scene: Scene, rows: Sequence[Part], title: str) -> None:
    """Connections to computers."""
    open_rows(scene, rows, title, _part)


def open_measures(scene: Scene, rows: Sequence[MeasureRow], title: str) -> None:
    """What a figure was drawn from, the newest first; all of one computer and one file system."""
    newest_first = sorted(rows, key=lambda row: (row.at, row.run), reverse=True)
    open_rows(scene, newest_first, title, _measure)


def open_changes(scene: Scene, rows: Sequence[Changed], title: str) -> None:
    """Changes of software and the visits that noticed them."""
    open_rows(scene, rows, title, _change)


def open_package(scene: Scene, row: SeenSoftwareRow, title: str) -> None:
    """One installed program and the visit that listed it."""
    open_rows(scene, (row,), title, _package)


def open_temps(scene: Scene, rows: Sequence[TempRow], title: str) -> None:
    """Clean-ups, category by category."""
    open_rows(scene, rows, title, _temp)


def _part(scene: Scene, lookup: Lookup, row: Part) -> None:
    result = lookup.result(row.run, row.host)
    widgets.text(f"{row.host}, {outcome_word(result.outcome)}" if result else row.host)
    run_evidence(scene, lookup, row.run, row.host)


def _measure(scene: Scene, lookup: Lookup, row: MeasureRow) -> None:
    widgets.text(f"{row.host}, {row.subject or ''}")
    capacity = None if row.capacity is None else size(row.capacity)
    widgets.facts([
        (tr("Measured"), moment(scene.local(row.at), year=True)),
        (tr("Used"), f"{size(row.value)} ({number(row.value)} B)"),
        (tr("Capacity"), capacity),
        (tr("Free"), left_of(row)),
    ])  # fmt: skip
    run_evidence(scene, lookup, row.run, row.host)


def left_of(row: MeasureRow) -> str:
    """Free of all, where the capacity is known."""
    return left(row) if row.capacity else ""


def _change(scene: Scene, lookup: Lookup, row: Changed) -> None:
    widgets.text(f"{row.host}: {row.change.name}")
    widgets.facts([
        (tr("What"), tr(KINDS[row.change.kind])),
        (tr("Version"), versions(row.change)),
        (tr("Installed for"), scope_name(row.change.scope)),
        (tr("Source"), row.change.source),
    ])  # fmt: skip
    run_evidence(scene, lookup, row.change.run, row.host, module=SOFTWARE_MODULE)


def _package(scene: Scene, lookup: Lookup, row: SeenSoftwareRow) -> None:
    widgets.text(f"{row.host}: {row.name}")
    widgets.facts([
        (tr("Version"), row.version),
        (tr("Publisher"), row.publisher),
        (tr("Architecture"), row.architecture),
        (tr("Installed for"), scope_name(row.scope)),
        (tr("Source"), row.source),
    ])  # fmt: skip
    run_evidence(scene, lookup, row.run, row.host, module=SOFTWARE_MODULE)


def versions(change: NetChange) -> str:
    """`1.0 → 1.1`, or the only one."""
    return " → ".join(filter(None, (change.old_version, change.new_version)))


def scope_name(scope: str) -> str:
    """For all users of the computer, or for one."""
    if scope == "machine":
        return tr("all users")
    kind, _, name = scope.partition(":")
    return tr("user {name}", name=name) if kind == "user" else scope


def _temp(scene: Scene, lookup: Lookup, row: TempRow) -> None:
    widgets.text(f"{row.host}: {category_name(row.category)}")
    widgets.facts([
        (tr("State"), temp_state(row)),
        (tr("Could be deleted"), amount(row, row.planned_files, row.planned_bytes)),
        (tr("Deleted"), amount(row, row.deleted_files, row.deleted_bytes)),
        (tr("Left alone"), left_alone(row)),
    ])  # fmt: skip
    run_evidence(scene, lookup, row.run, row.host, module=TEMP_MODULE)


def category_name(category: str) -> str:
    return tr(CATEGORIES[category]) if category in CATEGORIES else category


def temp_state(row: TempRow) -> str:
    """What became of one category, with the reason where it was not looked at."""
    words = {
        TempState.OK: tr("looked at"),
        TempState.ABSENT: tr("there is none"),
        TempState.SKIPPED: tr("left out"),
        TempState.UNAVAILABLE: tr("could not be read"),
    }
    return ", ".join(filter(None, (words[row.state], row.reason)))


def amount(row: TempRow, files: int | None, size_bytes: int | None) -> str:
    """Files and bytes; empty where they are not known or there was nothing to look at."""
    if size_bytes is None or row.state is not TempState.OK:
        return ""
    return size(size_bytes) if files is None else tr("{size}, files: {files}", size=size(size_bytes), files=files)


def left_alone(row: TempRow) -> str:
    """Files that a clean-up did not touch, by reason."""
    told = []
    for reason, counts in (row.skipped if isinstance(row.skipped, Mapping) else {}).items():
        files = counts.get("files") if isinstance(counts, Mapping) else None
        if isinstance(files, int) and files:
            told.append(f"{tr(SKIPPED[reason]) if reason in SKIPPED else reason}: {number(files)}")
    return ", ".join(told)


def show_all(scene: Scene, rows: Sequence[TempRow], key: str) -> None:
    """Clean-ups as a table; a pressed cell opens its evidence."""
    table = [
        (moment(scene.local(row.at), year=True) if row.at else "", row.host, category_name(row.category),
         temp_state(row), amount(row, row.planned_files, row.planned_bytes),
         amount(row, row.deleted_files, row.deleted_bytes), left_alone(row))
        for row in rows
    ]  # fmt: skip
    columns = {
        tr("Day"): 190, tr("Computer"): 90, tr("What"): 210, tr("State"): 110, tr("Could be deleted"): 150,
        tr("Deleted"): 150, tr("Left alone"): None,
    }  # fmt: skip
    pressed = widgets.cells(key, columns, table, tr("Clean-ups of temporary files, the newest first"))
    if pressed is not None:
        open_temps(scene, (rows[pressed[0]],), tr("Evidence"))
    quiet(tr("Press a cell to see its evidence."))
