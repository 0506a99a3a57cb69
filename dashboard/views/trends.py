"""Below the grid of computers: how full the fullest disk is and will be, what changed, what was cleaned up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import past_evidence
import widgets
from changes import NetChange
from disks import fullest, left, line, until_full
from itcare.core.words import SoftwareChange
from itcare.publish.reader import Amount, CleanUp
from itcare.publish.rows import ForecastRow, HostRow, SoftwareChangeRow
from past_evidence import Changed, Part
from scene import Scene
from states import outcome_word
from views.frame import quiet
from words import short_day, size, tr, trn

KEPT = timedelta(weeks=26)  # of the line in the table
POINTS = 52  # of it
Counts = Mapping[SoftwareChange, int]


@dataclass(frozen=True)
class Trend:
    """One computer over time.

    `listed`: the newest run that listed its software, and `changes` what that one found changed; None: no run did.
    """

    host: HostRow
    disk: ForecastRow | None
    used: tuple[Amount, ...]
    listed: int | None
    changes: Counts | None
    cleaned: CleanUp | None


def show(scene: Scene, hosts: Sequence[HostRow]) -> str | None:
    """The table; a pressed cell opens its evidence, a pressed name is returned."""
    trends = _gather(scene, hosts)
    columns = {
        tr("Computer"): 90, tr("Last visit"): 105, tr("Fullest disk"): 175, tr("Used over time, 0–100%"): 165,
        tr("Full in"): 115, tr("Changes of programs"): 180, tr("Temporary files"): None,
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


def _gather(scene: Scene, hosts: Sequence[HostRow]) -> list[Trend]:
    """What the table shows of all computers in it, asked for at once and without its evidence."""
    snapshot, names = scene.snapshot, [host.name for host in hosts]
    forecasts: dict[str, list[ForecastRow]] = {}
    for row in snapshot.forecasts(hosts=names):
        forecasts.setdefault(row.host, []).append(row)
    disks = {name: fullest(rows)[0] for name, rows in forecasts.items()}
    used = snapshot.amounts([(name, disk.subject) for name, disk in disks.items()], since=scene.now - KEPT, most=POINTS)
    lines = dict(zip(disks, used, strict=True))
    lists = snapshot.newest_lists(names)
    changes = snapshot.change_counts(lists)
    cleaned = snapshot.newest_clean_ups(names)
    return [
        Trend(host, disks.get(host.name), lines.get(host.name, ()), lists.get(host.name), changes.get(host.name),
              cleaned.get(host.name))
        for host in hosts
    ]  # fmt: skip


def _cleaned(scene: Scene, row: CleanUp | None) -> str:
    """What the newest clean-up freed, or would free; where there was none, that."""
    if row is None:
        return tr("no clean-up yet")
    when = "" if row.at is None else f", {short_day(scene.local(row.at).date())}"
    if row.freed is not None:
        return tr("{size} freed", size=size(row.freed)) + when
    return (tr("nothing known") if row.planned is None else _could(row.planned)) + when


def _could(value: float) -> str:
    return tr("{size} could be freed", size=size(value))


def _row(scene: Scene, trend: Trend) -> tuple[object, ...]:
    host, disk = trend.host, trend.disk
    visit = tr("never")
    if host.last_attempt_at is not None and host.last_outcome is not None:
        visit = f"{outcome_word(host.last_outcome)[0]} {short_day(scene.local(host.last_attempt_at).date())}"
    full = tr("no data") if disk is None else f"{widgets.plain(disk.subject, 20)}: {left(disk)}"
    until = tr("too little data") if disk is None else until_full(disk, scene.now)
    return (
        host.name,
        visit,
        full,
        line(trend.used),
        until,
        count_changes(trend.changes),
        _cleaned(scene, trend.cleaned),
    )


def count_changes(counts: Counts | None) -> str:
    """`3 updated, 1 new`, in counts that add up; nothing known is not "none"."""
    if counts is None:
        return tr("no data")
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
        _open_disk(scene, trend)
    elif column == 5:
        found = () if trend.listed is None else scene.snapshot.changes_of_run(trend.listed, trend.host.name)
        rows = [Changed(trend.host.name, _as_net(row)) for row in found]
        past_evidence.open_changes(scene, rows, tr("{host}: changes of programs", host=name))
    else:
        temps = () if trend.cleaned is None else scene.snapshot.temps_of_run(trend.cleaned.run, trend.host.name)
        past_evidence.open_temps(scene, temps, tr("{host}: temporary files", host=name))


def _open_disk(scene: Scene, trend: Trend) -> None:
    """The measures of the line."""
    used = () if trend.disk is None else scene.snapshot.measures(
        trend.host.name, trend.disk.name, trend.disk.subject, since=scene.now - KEPT
    )  # fmt: skip
    title = tr("{host}: fullest disk", host=widgets.host_label(trend.host.name))
    past_evidence.open_measures(scene, used, title)


def _as_net(row: SoftwareChangeRow) -> NetChange:
    return NetChange(
        row.name, row.scope, row.source, row.architecture, row.kind, row.old_version, row.new_version, row.run
    )
