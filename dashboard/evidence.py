"""The drawer behind every number: which run, computer, task, time, person, contract, ledger entry.

A drawer runs again on its own when its pages are turned, so it opens the snapshot for itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

import widgets
from behind import Listed, Obligations, Rows
from findings import choice_of, rule_of, sentence, threshold_of
from itcare.core.words import FindingStatus, TaskOutcome
from itcare.publish.reader import Jobs, Snapshot
from itcare.publish.rows import FindingRow, HostResultRow, ObligationRow, RunRow, TaskRow
from observed import source_name
from scene import Scene
from states import duty_name, finding_glyph, finding_word, outcome_word, reason_word, state_glyph, state_word, task_word
from views.frame import host_link, quiet, run_link, run_name
from words import day, lasting, moment, tr, trn

PER_PAGE = 8
BADGE_COLOURS = {
    "done": "green", "done_late": "yellow", "failed": "red", "not_reached": "orange", "no_data": "violet",
    "attempted": "blue", "planned": "gray", "waived": "gray",
    "ok": "green", "warn": "orange", "fail": "red", "unknown": "violet",
}  # fmt: skip
GOOD = ("done", "done_late", "ok")
_BAD_TASKS = (TaskOutcome.FAILED, TaskOutcome.UNREACHABLE, TaskOutcome.TIMED_OUT, TaskOutcome.UNFINISHED)


HEALTH = "itcare.maintenance.health_info"


@dataclass
class Lookup:
    """Runs, results and tasks that several rows of one drawer share, asked for once."""

    snapshot: Snapshot
    _runs: dict[int, RunRow | None] = field(default_factory=dict)
    _results: dict[tuple[int, str], HostResultRow | None] = field(default_factory=dict)

    def run(self, number: int) -> RunRow | None:
        if number not in self._runs:
            self._runs[number] = self.snapshot.run(number)
        return self._runs[number]

    def result(self, number: int, host: str) -> HostResultRow | None:
        if (number, host) not in self._results:
            self._results[number, host] = self.snapshot.host_result(number, host)
        return self._results[number, host]

    def task(self, number: int, host: str, position: int | None, module: str) -> TaskRow | None:
        """The task at `position`; without one, the task that decided: the bad one, that of `module`, the last."""
        tasks = self.snapshot.tasks(number, host)
        if position is not None:
            return next((task for task in tasks if task.position == position), None)
        wanted = [task for task in tasks if task.module == module]
        bad = [task for task in tasks if task.outcome in _BAD_TASKS and not task.ignored]
        # What a number was read from is its evidence, whatever went wrong elsewhere in the run.
        order = (*bad, *reversed(wanted)) if module == HEALTH else (*reversed(wanted), *bad)
        return next(iter((*order, *reversed(tasks))), None)


def badge(state: str, *, faded: bool = False) -> None:
    """A state or finding in colour, glyph and words; `faded` when the data is too old to be good news."""
    if state in tuple(FindingStatus):
        label = f"{finding_glyph(state)} {finding_word(state)}"
    else:
        label = f"{state_glyph(state)} {state_word(state)}"
    colour = "gray" if faded and state in GOOD else BADGE_COLOURS[state]
    st.badge(label, color=colour)  # type: ignore[arg-type]  # one of Streamlit's colour names, see the table


def open_rows[Row](
    scene: Scene, rows: Rows[Row] | Sequence[Row], title: str, card: Callable[[Scene, Lookup, Row], None]
) -> None:
    """Open the drawer with one card a row, page by page; `title` is our own words."""
    behind = Listed(rows) if isinstance(rows, Sequence) else rows

    @st.dialog(title, width="medium", position="right")
    def drawer() -> None:
        with Snapshot.open(scene.scope) as snapshot:
            lookup = Lookup(snapshot)
            for row in _page(snapshot, behind):
                with st.container(border=True, gap="xsmall"):
                    card(scene, lookup, row)

    drawer()


def open_obligations(scene: Scene, which: Jobs, title: str) -> None:
    """Open the drawer with obligations, newest first."""
    open_rows(scene, Obligations(which), title, _obligation)


def open_findings(scene: Scene, rows: Rows[FindingRow] | Sequence[FindingRow], title: str) -> None:
    """Open the drawer with findings and what each was judged from."""
    open_rows(scene, rows, title, finding_card)


def open_ledger(scene: Scene) -> None:
    """Open the drawer with the signed state of the ledger."""

    @st.dialog(tr("The ledger behind these pages"), width="medium", position="right")
    def drawer() -> None:
        meta = scene.meta
        quiet(
            tr(
                "Every run leaves entries in a ledger that can only grow. The signed checkpoint below fixes all of "
                "them: if one entry were changed or left out later, it would no longer match."
            )
        )
        widgets.facts([
            (tr("Entries"), widgets.count(meta.tree_size)),
            (tr("Checked"), moment(scene.local(meta.ledger_checked_at), year=True)),
            (tr("Contract"), f"{meta.contract_number or ''} {(meta.contract_commit or '')[:12]}".strip()),
            (tr("Rules of judgement"), meta.policy_version),
            (tr("Program"), f"itcare {meta.code_version}"),
        ])  # fmt: skip
        quiet(tr("Root of the tree"))
        widgets.block(meta.tree_root)
        quiet(tr("Signed checkpoint"))
        widgets.block(meta.checkpoint)

    drawer()


def _page[Row](snapshot: Snapshot, rows: Rows[Row]) -> Sequence[Row]:
    count = rows.count(snapshot)
    if not count:
        quiet(tr("There is nothing behind this number."))
    page = 1
    if count > PER_PAGE:
        quiet(trn("{n} entry, the newest first.", "{n} entries, the newest first.", count))
        page = st.pagination(-(-count // PER_PAGE), key="drawer_page")
    return rows.page(snapshot, PER_PAGE, (page - 1) * PER_PAGE)


def _obligation(scene: Scene, lookup: Lookup, row: ObligationRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(row.state, faded=scene.is_stale)
        widgets.text(f"{row.host}, {day(row.nominal_date, weekday=True)}")
    why = reason_word(row.reason)
    widgets.facts([
        (tr("Work"), duty_name(row.duty)),
        (tr("Due"), _window(scene, row)),
        (tr("Why"), why),
        (tr("Can be made up until"), _made_up_until(scene, row)),
    ])  # fmt: skip
    if row.run is None:
        quiet(tr("No run belongs to this job."))
        return
    run_evidence(scene, lookup, row.run, row.host)


def finding_card(scene: Scene, lookup: Lookup, row: FindingRow) -> None:
    """One finding, the rule and threshold it was judged by, and the task it was read from."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(row.status, faded=scene.is_stale)
        widgets.text(row.host)
    widgets.text(sentence(row, scene.zone))
    observed = "" if row.observed_at is None else moment(scene.local(row.observed_at), year=True)
    widgets.facts([
        (tr("Observed"), observed),
        (tr("Source"), source_name(row.source)),
        (tr("Rule"), rule_of(row)),
        (tr("Threshold"), threshold_of(row)),
        (tr("Threshold set by"), choice_of(row)),
    ])  # fmt: skip
    if row.run is None:
        quiet(tr("No run belongs to this finding."))
        host_link(scene, row.host)
        return
    run_evidence(scene, lookup, row.run, row.host, position=row.task_position)


def run_evidence(
    scene: Scene, lookup: Lookup, number: int, host: str, *, position: int | None = None, module: str = HEALTH
) -> None:
    """The run behind a number, one computer's part in it, and the task: that at `position`, else that of `module`."""
    run, result = lookup.run(number), lookup.result(number, host)
    if run is None:
        quiet(tr("No run belongs to this job."))
        return
    task = lookup.task(number, host, position, module)
    widgets.facts([
        (tr("Run"), run_name(scene, number)),
        (tr("Computer"), host),
        (tr("Result"), "" if result is None else outcome_word(result.outcome)),
        (tr("Task"), "" if task is None else f"{task_word(task.outcome)}: {widgets.plain(task.name, 120)}"),
        (tr("Message"), None if task is None else task.message),
        (tr("Time"), _time(scene, run, result, task)),
        (tr("Operator"), person(run)),
        (tr("Contract"), contract(run)),
    ])  # fmt: skip
    entry, leaf = (run.entry_opened, run.leaf_opened) if result is None else (result.entry, result.leaf_sha256)
    if entry is not None and leaf is not None:
        widgets.block(f"{tr('ledger entry')} {entry}\n{leaf}")
    run_link(scene, number)


def _made_up_until(scene: Scene, row: ObligationRow) -> str:
    """For a job that is not done yet and may still be."""
    if not row.is_open or row.state in GOOD:
        return ""
    return moment(scene.local(row.catch_up_to), year=True)


def _window(scene: Scene, row: ObligationRow) -> str:
    start, end = scene.local(row.due_from), scene.local(row.due_to)
    return f"{day(row.nominal_date, year=True)}, {start:%H:%M}–{end:%H:%M}"


def _time(scene: Scene, run: RunRow, result: HostResultRow | None, task: TaskRow | None) -> str:
    if task is not None and task.started_at is not None:
        return span(scene, task.started_at, task.ended_at)
    if result is not None and result.opened_at is not None:
        return span(scene, result.opened_at, result.closed_at)
    return span(scene, run.opened_at, run.closed_at)


def span(scene: Scene, begun: datetime, ended: datetime | None) -> str:
    """From when to when, and how long: `18 marca 2026, 08:30:10–08:30:14 (4,0 s)`."""
    start = scene.local(begun)
    text = f"{day(start.date(), year=True)}, {start:%H:%M:%S}"
    if ended is None:
        return text
    return f"{text}–{scene.local(ended):%H:%M:%S} ({lasting((ended - begun).total_seconds())})"


def person(run: RunRow) -> str:
    """Who ran it: what the system says first, what was only stated marked as such."""
    known = run.operator or run.login or ""
    return f"{known}, {tr('stated')}: {run.stated_operator}" if run.stated_operator else known


def contract(run: RunRow) -> str:
    dirty = f" ({tr('with uncommitted changes')})" if run.contract_dirty else ""
    return f"{run.contract_number or ''}, commit {(run.contract_commit or '?')[:12]}{dirty}".lstrip(", ")
