"""One computer over time: its disks with a forecast, its software and what changed, its clean-ups."""

from datetime import date, timedelta

import streamlit as st

import figures
import past_evidence
import widgets
from changes import Look, NetChange, between, looks
from disks import fullest, left, told, until_full
from itcare.publish.rows import (
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostRow,
    MeasureRow,
    SoftwareChangeRow,
    SoftwareRow,
)
from past_evidence import KINDS, Changed, scope_name, versions
from scene import Scene
from views import frame
from words import day, moment, size, table_day, tr, trn

DRAWN = 2  # file systems with a figure of their own; the others are in the table
SHOWN_PACKAGES = 200
MOST_PACKAGES = 20_000  # as many as are published
_CHUNK = 5000
_FOUR_DAYS = timedelta(days=4)  # from the 28th into the next month
Since = dict[tuple[str, str | None, str], FindingIntervalRow]


def since_when(intervals: tuple[FindingIntervalRow, ...]) -> Since:
    """What stands now, by rule, subject and status."""
    return {(row.rule, row.subject, row.status): row for row in intervals if row.current}


def first_seen(since: Since, row: FindingRow) -> FindingIntervalRow | None:
    """The interval that a finding continues."""
    return since.get((row.rule, row.subject, row.status))


def show_disks(scene: Scene, host: HostRow) -> None:
    """How full, since when, until when; a figure for the fullest."""
    st.header(tr("Disks over time"), anchor=False)
    forecasts = [row for row in fullest(scene.snapshot.host_forecasts(host.name)) if row.name == "disk_used_bytes"]
    if not forecasts:
        st.text(tr("No visit has measured the disks of this computer yet."))
        return
    used: dict[str | None, list[MeasureRow]] = {}
    for row in scene.snapshot.measures(host.name):
        used.setdefault(row.subject, []).append(row)
    drawn = [row for row in forecasts if used.get(row.subject)][:DRAWN]
    for place, (column, forecast) in enumerate(zip(st.columns(DRAWN, gap="medium"), drawn, strict=False)):
        with column:
            _figure(scene, place, forecast, used[forecast.subject])
    rows = [
        (row.subject, left(row), until_full(row, scene.now), moment(scene.local(row.at), year=True))
        for row in forecasts
    ]
    columns = {tr("Mounted at"): 200, tr("Free"): 220, tr("Full in"): 180, tr("Measured"): None}
    pressed = widgets.cells(f"disks {scene.scope.code} {host.name}", columns, rows, tr("Disks, the fullest first"))
    if pressed is not None:
        _open_disk(scene, host, used.get(forecasts[pressed[0]].subject, []))


def _figure(scene: Scene, place: int, forecast: ForecastRow, rows: list[MeasureRow]) -> None:
    sentence = f"{left(forecast)}. {told(forecast, scene.now)}"
    figures.draw(figures.disk(scene, rows, forecast), f"disk{place}", f"{widgets.plain(forecast.subject)}: {sentence}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        frame.quiet(sentence)
        label = trn("Evidence: {n} measurement", "Evidence: {n} measurements", len(rows))
        if st.button(label, key=f"measures{place}", type="tertiary"):
            past_evidence.open_measures(scene, rows, tr("Evidence"))


def _open_disk(scene: Scene, host: HostRow, rows: list[MeasureRow]) -> None:
    past_evidence.open_measures(scene, rows, tr("{host}: disk over time", host=widgets.host_label(host.name)))


def show_software(scene: Scene, host: HostRow) -> None:
    """What is installed, with a search, and what changed between two visits."""
    st.header(tr("Programs"), anchor=False)
    packages = _packages(scene, host)
    rows = scene.snapshot.software_changes(host.name, limit=_CHUNK)
    if not packages and not rows:
        st.text(tr("No visit has listed the programs of this computer yet."))
        return
    st.subheader(tr("What changed between two visits"), anchor=False)
    visits = looks(scene.snapshot.measures(host.name, "software_count"), rows)
    _changes(scene, host, visits, between_chosen(scene, host, visits, rows))
    st.subheader(tr("What is installed"), anchor=False)
    _installed(scene, host, packages)


def _packages(scene: Scene, host: HostRow) -> list[SoftwareRow]:
    found: list[SoftwareRow] = []
    while len(found) < MOST_PACKAGES:
        chunk = scene.snapshot.software(host.name, limit=_CHUNK, offset=len(found))
        found += chunk
        if len(chunk) < _CHUNK:
            break
    return found


def between_chosen(
    scene: Scene, host: HostRow, visits: list[Look], rows: tuple[SoftwareChangeRow, ...]
) -> list[NetChange] | None:
    """The changes between the two visits that are chosen; None where there are no two."""
    if len(visits) < 2:
        return None

    def name(place: int) -> str:
        return f"{moment(scene.local(visits[place].at), year=True)} ({frame.run_name(scene, visits[place].run)})"

    left_column, right_column = st.columns(2, gap="medium")
    with left_column:
        earlier = st.selectbox(
            tr("From the visit of"),
            range(1, len(visits)),
            format_func=name,
            key=f"earlier {scene.scope.code} {host.name}",
        )
    with right_column:
        later = st.selectbox(
            tr("to the visit of"), range(earlier), format_func=name, key=f"later {scene.scope.code} {host.name}"
        )
    return between(rows, visits[earlier].at, visits[later or 0].at)


def _changes(scene: Scene, host: HostRow, visits: list[Look], changes: list[NetChange] | None) -> None:
    if changes is None:
        st.text(tr("It takes two visits that listed the programs; there is one so far."))
        return
    if not changes:
        st.text(tr("No program changed between these visits."))
        return
    st.text(trn("{n} program changed.", "{n} programs changed.", len(changes)))
    rows = [(tr(KINDS[row.kind]), row.name, versions(row), scope_name(row.scope), row.source) for row in changes]
    columns = {tr("What"): 130, tr("Program"): 260, tr("Version"): 330, tr("Installed for"): 160, tr("Source"): None}
    pressed = widgets.cells(f"changes {scene.scope.code} {host.name}", columns, rows, tr("Changes of programs"))
    frame.quiet(tr("Press a cell to see its evidence."))
    if pressed is not None:
        chosen = Changed(host.name, changes[pressed[0]])
        past_evidence.open_changes(scene, (chosen,), tr("Evidence"))


def _installed(scene: Scene, host: HostRow, packages: list[SoftwareRow]) -> None:
    asked = st.text_input(
        tr("Search by name, version or publisher"), key=f"search {scene.scope.code} {host.name}", max_chars=100,
        icon=":material/search:",
    )  # fmt: skip
    words = (asked or "").casefold().split()
    found = [row for row in packages if _holds(row, words)]
    if not found:
        st.info(tr("No program matches. Clear the search to see all of them."))
        return
    st.text(
        trn("{n} program is installed.", "{n} programs are installed.", len(packages))
        if not words
        else tr("{found} of {all} programs match.", found=len(found), all=len(packages))
    )
    rows = [
        (row.name, row.version, row.publisher, scope_name(row.scope),
         "" if row.installed_at is None else table_day(scene.local(row.installed_at).date()), row.source)
        for row in found[:SHOWN_PACKAGES]
    ]  # fmt: skip
    columns = {
        tr("Program"): 250, tr("Version"): 220, tr("Publisher"): 230, tr("Installed for"): 130, tr("Since"): 110,
        tr("Source"): None,
    }  # fmt: skip
    pressed = widgets.cells(f"software {scene.scope.code} {host.name}", columns, rows, tr("Installed programs"))
    if len(found) > SHOWN_PACKAGES:
        frame.quiet(tr("The first {shown} are shown; the search finds the rest.", shown=SHOWN_PACKAGES))
    if pressed is not None:
        past_evidence.open_package(scene, found[pressed[0]], tr("Evidence"))


def _holds(row: SoftwareRow, words: list[str]) -> bool:
    text = f"{row.name} {row.version} {row.publisher or ''}".casefold()
    return all(word in text for word in words)


def show_temps(scene: Scene, host: HostRow) -> None:
    """What clean-ups freed by month, and each of them."""
    st.header(tr("Temporary files"), anchor=False)
    rows = scene.snapshot.temps(host.name)
    if not rows:
        st.text(tr("No clean-up has looked at this computer yet."))
        return
    freed = by_month(scene, scene.snapshot.measures(host.name, "temp_freed_bytes"))
    if freed:
        newest, value = list(freed.items())[-1]
        title = tr("Freed by clean-ups, by month")
        alt = f"{title}: {day(newest, year=True)}, {size(value)}"
        left_column, _ = st.columns(2)
        with left_column:
            figures.draw(figures.months(freed, title), "freed", alt)
    else:
        frame.quiet(tr("So far clean-ups have only looked; nothing was deleted."))
    past_evidence.show_all(scene, rows, f"temps {scene.scope.code} {host.name}")


def by_month(scene: Scene, rows: tuple[MeasureRow, ...]) -> dict[date, float]:
    """Sums by first day of the month in the client's time, oldest first; months between without any are zero."""
    sums: dict[date, float] = {}
    for row in rows:
        month = scene.local(row.at).date().replace(day=1)
        sums[month] = sums.get(month, 0.0) + row.value
    if not sums:
        return {}
    every: dict[date, float] = {}
    month = min(sums)
    while month <= max(sums):
        every[month] = sums.get(month, 0.0)
        month = (month.replace(day=28) + _FOUR_DAYS).replace(day=1)
    return every
