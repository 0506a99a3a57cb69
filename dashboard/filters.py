"""The filters of the work log: by day, computer, operator and outcome.

Every choice is a place in a list that was read from the client's own snapshot; what a browser sends
otherwise is no place in it and chooses nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import streamlit as st

import widgets
from evidence import person
from itcare.core.words import RunGrade, RunState
from itcare.publish.rows import RunRow
from scene import Scene
from states import RUNS
from words import alphabetical, day, number, tr

UNANNOUNCED = "unannounced"
EVERY = 0  # the first place of every list: no limit


@dataclass(frozen=True)
class Filter:
    """What a visitor chose; None is no limit. `outcomes`: states of runs, and `unannounced`."""

    on: date | None = None
    runs_on_host: frozenset[int] | None = None
    operator: str | None = None
    outcomes: frozenset[str] = frozenset()

    def admits(self, scene: Scene, row: RunRow) -> bool:
        """Whether a run fits every limit."""
        return (
            (self.on is None or scene.local(row.opened_at).date() == self.on)
            and (self.runs_on_host is None or row.number in self.runs_on_host)
            and (self.operator is None or person(row) == self.operator)
            and (not self.outcomes or bool(self.outcomes & outcomes_of(row)))
        )


def outcomes_of(row: RunRow) -> frozenset[str]:
    """The state of a run, and whether it was recorded only afterwards."""
    return frozenset({str(row.state)} | ({UNANNOUNCED} if row.grade is RunGrade.UNANNOUNCED else set()))


def choose(scene: Scene, runs: Sequence[RunRow]) -> Filter:
    """Draw the filters for the runs of a month and read what is chosen."""
    scope = f"{scene.scope.code} {scene.month_key}"
    outcomes = st.pills(
        tr("Result"), _outcomes(runs), selection_mode="multi", key=f"outcomes {scope}",
        format_func=lambda outcome: _outcome_label(outcome, runs), label_visibility="collapsed",
    )  # fmt: skip
    days = sorted({scene.local(row.opened_at).date() for row in runs}, reverse=True)
    hosts = sorted(scene.snapshot.host_names(), key=alphabetical)
    people = sorted({person(row) for row in runs if person(row)}, key=alphabetical)
    left, middle, right = st.columns(3, gap="small")
    with left:
        on = _place(tr("Day"), [tr("the whole month"), *(day(when, weekday=True) for when in days)], f"day {scope}")
    with middle:
        host = _place(tr("Computer"), [tr("all computers"), *map(widgets.host_label, hosts)], f"on {scope}")
    with right:
        who = _place(tr("Who"), [tr("everybody"), *(widgets.plain(name, 60) for name in people)], f"who {scope}")
    touched = None
    if host != EVERY:
        touched = scene.snapshot.runs_with_host(scene.month_key, hosts[host - 1])
    return Filter(
        on=None if on == EVERY else days[on - 1],
        runs_on_host=touched,
        operator=None if who == EVERY else people[who - 1],
        outcomes=frozenset(outcomes or ()),
    )


def _place(label: str, words: list[str], key: str) -> int:
    """The place of what was chosen among `words`; the first without a choice."""
    chosen = st.selectbox(label, range(len(words)), format_func=words.__getitem__, key=key)
    return chosen if isinstance(chosen, int) and 0 <= chosen < len(words) else EVERY


def _outcomes(runs: Sequence[RunRow]) -> list[str]:
    """The outcomes that occur, the good one last."""
    there = {outcome for row in runs for outcome in outcomes_of(row)}
    return [outcome for outcome in (UNANNOUNCED, *RunState) if outcome in there]


def _outcome_label(outcome: str, runs: Sequence[RunRow]) -> str:
    count = number(sum(outcome in outcomes_of(row) for row in runs))
    if outcome == UNANNOUNCED:
        return f"{tr('unannounced')} {count}"
    glyph, _, message = RUNS[RunState(outcome)]
    return f"{glyph} {tr(message)} {count}"
