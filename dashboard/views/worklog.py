"""Who was on our computers, when, and what did they do? `?run=N` opens one run."""

import streamlit as st

import filters
import widgets
from evidence import person
from itcare.core.words import RunGrade, RunState
from itcare.publish.rows import RunRow
from scene import Scene
from states import duty_name, run_word
from views import frame, run
from words import lasting, moment, month_name, of, table_day, tr, trn

_CHUNK = 1000  # runs asked for at once
PER_PAGE = 100


def show(scene: Scene) -> None:
    asked = st.query_params.get("run")
    if asked is None:
        listing(scene)
        return
    found = scene.snapshot.run(int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    if found is None:
        frame.no_such_page()
    else:
        run.show(scene, found)


def listing(scene: Scene) -> None:
    if scene.is_before_the_start:
        frame.before_the_start(scene)
        return
    runs = runs_of_month(scene)
    st.title(headline(scene, runs), anchor=False)
    frame.freshness(scene)
    if not runs:
        return
    chosen = filters.choose(scene, runs)
    shown = [row for row in runs if chosen.admits(scene, row)]
    if not shown:
        st.info(tr("No run matches. Clear the filter to see all of them."))
        return
    pages = -(-len(shown) // PER_PAGE)
    frame.quiet(of_all(len(shown), len(runs)))
    page = st.pagination(pages, key=f"runs_page {scene.month_key}") if pages > 1 else 1
    rows = shown[(page - 1) * PER_PAGE : page * PER_PAGE]
    picked = widgets.table(
        f"runs {scene.scope.code} {scene.month_key}", _columns(), [_row(scene, row) for row in rows],
        tr("Runs, the newest first"), selectable=True,
    )  # fmt: skip
    frame.quiet(tr("Tick a row to see who connected, from when to when, and every task."))
    if picked is not None and picked < len(rows):
        st.query_params["run"] = str(rows[picked].number)
        st.rerun()


def of_all(shown: int, every: int) -> str:
    """How many runs are shown of those of the month."""
    if shown == every:
        return trn("{n} run is shown.", "{n} runs are shown.", shown)
    return tr("Shown: {shown} of {every} runs.", shown=shown, every=every)


def headline(scene: Scene, runs: list[RunRow]) -> str:
    month = month_name(scene.month)
    if not runs:
        return tr("{month}: no runs.", month=month)
    odd = sum(row.state is not RunState.COMPLETE for row in runs)
    parts = [trn("{n} run", "{n} runs", len(runs))]
    if odd:
        parts.append(trn("{n} incomplete", "{n} incomplete", odd))
    unannounced = sum(row.grade is RunGrade.UNANNOUNCED for row in runs)
    if unannounced:
        parts.append(trn("{n} unannounced", "{n} unannounced", unannounced))
    parts.append(tr("the last one on {moment}", moment=moment(scene.local(runs[0].opened_at))))
    return f"{month}: {', '.join(parts)}."


def runs_of_month(scene: Scene) -> list[RunRow]:
    """All runs that were opened in the chosen month of the client's calendar, newest first."""
    found: list[RunRow] = []
    while chunk := scene.snapshot.runs_of_month(scene.month_key, limit=_CHUNK, offset=len(found)):
        found += chunk
        if len(chunk) < _CHUNK:
            break
    return found


def _columns() -> dict[str, int | None]:
    return {
        tr("Result"): 190, tr("Day"): 95, tr("From"): 60, tr("Duration"): 95, tr("Work"): 200, tr("Who"): 140,
        tr("Worked"): 65, tr("Run"): 85, tr("Reason"): None,
    }  # fmt: skip


def _row(scene: Scene, row: RunRow) -> tuple[object, ...]:
    opened = scene.local(row.opened_at)
    took = "" if row.closed_at is None else lasting((row.closed_at - row.opened_at).total_seconds())
    work = duty_name(row.duty) + (f" ({tr('trial')})" if row.check_mode else "")
    state = run_word(row.state) + (f", {tr('unannounced')}" if row.grade is RunGrade.UNANNOUNCED else "")
    if row.reruns is not None:
        work += f", {tr('repeats {run}', run=frame.run_name(scene, row.reruns))}"
    return (
        state, table_day(opened.date()), f"{opened:%H:%M}", took, work, person(row),
        of(row.hosts_good, row.hosts_total), frame.run_name(scene, row.number), row.reason,
    )  # fmt: skip
