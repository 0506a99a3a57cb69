"""One computer over time: its disks with a forecast, its software and what changed, its clean-ups."""

from datetime import date, datetime, timedelta

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
    SeenSoftwareRow,
    SoftwareChangeRow,
)
from past_evidence import KINDS, Changed, scope_name, versions
from scene import Scene
from views import frame
from words import day, moment, size, table_day, tr, trn

DRAWN = 2  # file systems with a figure of their own; the others are in the table
SHOWN_PACKAGES = 200
SHOWN = timedelta(days=366)  # of visits to choose from, as of measures
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
    drawn = _drawn(scene, forecasts)
    for place, (column, (forecast, used)) in enumerate(zip(st.columns(DRAWN, gap="medium"), drawn, strict=False)):
        with column:
            _figure(scene, place, forecast, used)
    rows = [
        (row.subject, left(row), until_full(row, scene.now), moment(scene.local(row.at), year=True))
        for row in forecasts
    ]
    columns = {tr("Mounted at"): 200, tr("Free"): 220, tr("Full in"): 180, tr("Measured"): None}
    pressed = widgets.cells(f"disks {scene.scope.code} {host.name}", columns, rows, tr("Disks, the fullest first"))
    if pressed is not None:
        forecast = forecasts[pressed[0]]
        _open_disk(scene, host, scene.snapshot.measures(host.name, forecast.name, forecast.subject))


def _drawn(scene: Scene, forecasts: list[ForecastRow]) -> list[tuple[ForecastRow, tuple[MeasureRow, ...]]]:
    """The fullest file systems that were measured within the time that is shown, with their measures."""
    drawn: list[tuple[ForecastRow, tuple[MeasureRow, ...]]] = []
    for row in forecasts:
        if len(drawn) < DRAWN and (used := scene.snapshot.measures(row.host, row.name, row.subject)):
            drawn.append((row, used))
    return drawn


def _figure(scene: Scene, place: int, forecast: ForecastRow, rows: tuple[MeasureRow, ...]) -> None:
    free = left(forecast)
    sentence = f"{free[:1].upper()}{free[1:]}. {told(forecast, scene.now)}"
    figures.draw(figures.disk(scene, rows, forecast), f"disk{place}", f"{widgets.plain(forecast.subject)}: {sentence}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        frame.quiet(sentence)
        label = trn("Evidence: {n} measurement", "Evidence: {n} measurements", len(rows))
        if st.button(label, key=f"measures{place}", type="tertiary"):
            past_evidence.open_measures(scene, rows, tr("Evidence"))


def _open_disk(scene: Scene, host: HostRow, rows: tuple[MeasureRow, ...]) -> None:
    past_evidence.open_measures(scene, rows, tr("{host}: disk over time", host=widgets.host_label(host.name)))


def show_software(scene: Scene, host: HostRow) -> None:
    """What is installed, with a search, and what changed between two visits."""
    st.header(tr("Programs"), anchor=False)
    count = scene.snapshot.software_count(host.name)
    visits = _visits(scene, host)
    if not count and not visits:
        st.text(tr("No visit has listed the programs of this computer yet."))
        return
    st.subheader(tr("What changed between two visits"), anchor=False)
    _changes(scene, host, visits, between_chosen(scene, host, visits))
    st.subheader(tr("What is installed"), anchor=False)
    _installed(scene, host, count)


def _visits(scene: Scene, host: HostRow) -> list[Look]:
    """Those that counted the software, and those that found a change though they could not ask every source."""
    counted = scene.snapshot.measures(host.name, "software_count")
    changed = scene.snapshot.changing_looks(host.name, since=scene.meta.published_at - SHOWN)
    return looks({**{row.run: row.at for row in counted}, **changed})


def _packages(scene: Scene, host: HostRow) -> list[SeenSoftwareRow]:
    found: list[SeenSoftwareRow] = []
    while chunk := scene.snapshot.software(host.name, limit=_CHUNK, offset=len(found)):
        found += chunk
        if len(chunk) < _CHUNK:
            break
    return found


def _changes_since(scene: Scene, host: HostRow, since: datetime) -> list[SoftwareChangeRow]:
    found: list[SoftwareChangeRow] = []
    while chunk := scene.snapshot.software_changes(host.name, since=since, limit=_CHUNK, offset=len(found)):
        found += chunk
        if len(chunk) < _CHUNK:
            break
    return found


def between_chosen(scene: Scene, host: HostRow, visits: list[Look]) -> list[NetChange] | None:
    """The changes between the two visits that are chosen; None where there are no two."""
    if len(visits) < 2:
        return None

    key = f"{scene.scope.code} {host.name}"

    def name(place: int) -> str:
        return f"{moment(scene.local(visits[place].at), year=True)} ({frame.run_name(scene, visits[place].run)})"

    left_column, right_column = st.columns(2, gap="medium")
    with left_column:
        earlier = st.selectbox(
            tr("From the visit of"),
            range(1, len(visits)),
            format_func=name,
            key=f"earlier {key}",
        )
    with right_column:
        later = st.selectbox(tr("to the visit of"), range(earlier), format_func=name, key=f"later {key}")
    return between(_changes_since(scene, host, visits[earlier].at), visits[earlier].at, visits[later or 0].at)


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


def _installed(scene: Scene, host: HostRow, count: int) -> None:
    key = f"search {scene.scope.code} {host.name}"
    asked = st.text_input(
        tr("Search by name, version or publisher"), key=key, max_chars=100,
        icon=":material/search:",
    )  # fmt: skip
    words = (asked or "").casefold().split()
    if words:
        found = [row for row in _packages(scene, host) if _holds(row, words)]
    else:  # what is not shown need not be fetched
        found = list(scene.snapshot.software(host.name, limit=SHOWN_PACKAGES))
    if not found:
        st.info(tr("No program matches. Clear the search to see all of them."))
        return
    st.text(
        trn("{n} program is installed.", "{n} programs are installed.", count)
        if not words
        else tr("{found} of {all} programs match.", found=len(found), all=count)
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
    if (len(found) if words else count) > SHOWN_PACKAGES:
        frame.quiet(tr("The first {shown} are shown; the search finds the rest.", shown=SHOWN_PACKAGES))
    if pressed is not None:
        past_evidence.open_package(scene, found[pressed[0]], tr("Evidence"))


def _holds(row: SeenSoftwareRow, words: list[str]) -> bool:
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
