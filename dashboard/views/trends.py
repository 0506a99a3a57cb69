"""Below the grid of computers: how full the fullest disk is and will be, what changed, what was cleaned up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import past_evidence
import widgets
from changes import NetChange
from disks import fullest, left, line, until_full
from itcare.core.words import SoftwareChange
from itcare.publish.rows import ForecastRow, HostRow, MeasureRow, SoftwareChangeRow, TempRow
from past_evidence import Changed, Part
from scene import Scene
from states import outcome_word
from views.frame import quiet
from words import short_day, size, tr, trn

KEPT = timedelta(weeks=26)  # of the line in the table
DISK, FREED, PLANNED = "disk_used_bytes", "temp_freed_bytes", "temp_planned_bytes"


@dataclass(frozen=True)
class Trend:
    """One computer over time. `changes`: what its newest list of software showed; None: there is no list."""

    host: HostRow
    disk: ForecastRow | None
    used: tuple[MeasureRow, ...]
    changes: tuple[SoftwareChangeRow, ...] | None
    temps: tuple[TempRow, ...]
    cleaned: str


def show(scene: Scene, hosts: Sequence[HostRow]) -> str | None:
    """The table; a pressed cell opens its evidence, a pressed name is returned."""
    forecasts: dict[str, list[ForecastRow]] = {}
    for forecast in scene.snapshot.forecasts():
        forecasts.setdefault(forecast.host, []).append(forecast)
    changes: dict[str, list[SoftwareChangeRow]] = {}
    for change in scene.snapshot.software_changes(limit=5000):
        changes.setdefault(change.host, []).append(change)
    trends = [_gather(scene, host, forecasts.get(host.name, ()), changes.get(host.name, ())) for host in hosts]
    columns = {
        tr("Computer"): 110, tr("Last visit"): 95, tr("Fullest disk"): 170, tr("Used over time, 0–100%"): 190,
        tr("Full in"): 130, tr("Changes of programs"): 190, tr("Temporary files"): None,
    }  # fmt: skip
    pressed = widgets.cells(
        f"trends {scene.scope.code}", columns, [_row(scene, trend) for trend in trends],
        tr("Disks, programs and temporary files by computer"), trend=3,
    )  # fmt: skip
    quiet(tr("Press a cell to see its evidence, a name to open the computer."))
    if pressed is None:
        return None
    trend, column = trends[pressed[0]], pressed[1]
    if column == 0:
        return trend.host.name
    _open(scene, trend, column)
    return None


def _gather(
    scene: Scene, host: HostRow, forecasts: Sequence[ForecastRow], changes: Sequence[SoftwareChangeRow]
) -> Trend:
    disk = next(iter(fullest(forecasts)), None)
    snapshot = scene.snapshot
    used: tuple[MeasureRow, ...] = ()
    if disk is not None:
        used = snapshot.measures(host.name, DISK, disk.subject, since=scene.now - KEPT)
    temps = snapshot.temps(host.name, limit=50)
    newest = tuple(row for row in temps if row.run == temps[0].run)
    return Trend(host, disk, used, _newest_changes(scene, host.name, changes), newest, _cleaned(scene, newest))


def _newest_changes(
    scene: Scene, host: str, changes: Sequence[SoftwareChangeRow]
) -> tuple[SoftwareChangeRow, ...] | None:
    """Of the newest visit that listed the software; nothing where that visit found none."""
    listed = [row.run for row in scene.snapshot.software(host, limit=1)]
    if not listed and not changes:
        return None
    newest = max((*listed, *(row.run for row in changes)))
    return tuple(row for row in changes if row.run == newest)


def _cleaned(scene: Scene, temps: Sequence[TempRow]) -> str:
    """What the newest clean-up freed, or would free; empty where there was none."""
    if not temps:
        return tr("no clean-up yet")
    run, host, at = temps[0].run, temps[0].host, temps[0].at
    when = "" if at is None else f", {short_day(scene.local(at).date())}"
    since = at or datetime.fromtimestamp(0, tz=scene.zone)
    for name in (FREED, PLANNED):
        for row in scene.snapshot.measures(host, name, since=since - timedelta(days=1)):
            if row.run == run:
                told = tr("{size} freed", size=size(row.value)) if name == FREED else _could(row.value)
                return told + when
    return tr("nothing known") + when


def _could(value: float) -> str:
    return tr("{size} could be freed", size=size(value))


def _row(scene: Scene, trend: Trend) -> tuple[object, ...]:
    host, disk = trend.host, trend.disk
    visit = tr("never")
    if host.last_attempt_at is not None and host.last_outcome is not None:
        visit = f"{outcome_word(host.last_outcome)[0]} {short_day(scene.local(host.last_attempt_at).date())}"
    full = tr("no data") if disk is None else f"{widgets.plain(disk.subject, 20)}: {left(disk)}"
    until = tr("too little data") if disk is None else until_full(disk, scene.now)
    return (host.name, visit, full, line(trend.used), until, count_changes(trend.changes), trend.cleaned)


def count_changes(changes: Sequence[SoftwareChangeRow] | None) -> str:
    """`3 updated, 1 new`, in counts that add up; nothing known is not "none"."""
    if changes is None:
        return tr("no data")
    counts: Mapping[SoftwareChange, int] = {
        kind: sum(row.kind is kind for row in changes) for kind in SoftwareChange
    }  # fmt: skip
    parts = [
        (counts[SoftwareChange.UPDATED], trn("{n} updated", "{n} updated", counts[SoftwareChange.UPDATED])),
        (counts[SoftwareChange.INSTALLED], trn("{n} new", "{n} new", counts[SoftwareChange.INSTALLED])),
        (counts[SoftwareChange.REMOVED], trn("{n} removed", "{n} removed", counts[SoftwareChange.REMOVED])),
    ]
    return ", ".join(text for count, text in parts if count) or tr("no changes")


def _open(scene: Scene, trend: Trend, column: int) -> None:
    name = widgets.host_label(trend.host.name)
    if column == 1:
        parts = () if trend.host.last_run is None else (Part(trend.host.last_run, trend.host.name),)
        past_evidence.open_parts(scene, parts, tr("{host}: last visit", host=name))
    elif column in (2, 3, 4):
        past_evidence.open_measures(scene, trend.used, tr("{host}: fullest disk", host=name))
    elif column == 5:
        rows = [Changed(trend.host.name, _as_net(row)) for row in trend.changes or ()]
        past_evidence.open_changes(scene, rows, tr("{host}: changes of programs", host=name))
    else:
        past_evidence.open_temps(scene, trend.temps, tr("{host}: temporary files", host=name))


def _as_net(row: SoftwareChangeRow) -> NetChange:
    return NetChange(
        row.name, row.scope, row.source, row.architecture, row.kind, row.old_version, row.new_version, row.run
    )
