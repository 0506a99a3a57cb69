"""Was everything done? Every number here opens the evidence it was counted from."""

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

import evidence
import grids
import widgets
from behind import Findings
from findings import sentence, summary
from itcare.core.words import FindingStatus, ObligationState
from itcare.publish.reader import Jobs, Undone
from itcare.publish.rows import FindingRow
from scene import Scene
from states import (
    DELIVERED,
    FINDINGS,
    STATES,
    UNDONE,
    WORST_FIRST,
    duty_name,
    finding_glyph,
    finding_word,
    reason_word,
    state_glyph,
    state_word,
    worst,
)
from views import frame
from words import alphabetical, month_name, number, of, tr, trn

SHOWN_FINDINGS = 12
Counts = Mapping[ObligationState, int]


def show(scene: Scene) -> None:
    if scene.is_before_the_start:
        frame.before_the_start(scene)
        return
    if scene.is_before_the_publication:
        frame.not_published(scene)
        return
    by_duty = scene.snapshot.obligation_counts_by_duty(scene.month_key)
    counts = {state: sum(duty[state] for duty in by_duty.values()) for state in ObligationState}
    st.title(headline(scene, counts), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        frame.freshness(scene)
        if st.button(tr("Proof"), key="ledger", type="tertiary", icon=":material/verified:"):
            evidence.open_ledger(scene)
    if not scene.snapshot.host_names(limit=1):
        st.info(tr("The contract names no computers."), icon=":material/info:")
        return
    pressed = grids.badges("states", _state_badges(scene, counts))
    st.header(tr("What was due"), anchor=False)
    if not by_duty:
        st.text(tr("Nothing was due."))
    else:
        pressed = grids.bars("duties", _bar_head(), _bar_rows(scene, by_duty)) or pressed
        frame.quiet(
            tr(
                "Counts: done out of due, waived and future ones left out. "
                "Press a number or a field to see the evidence."
            )
        )
    if pressed:
        _open_jobs(scene, pressed)
    if scene.is_latest_month:
        findings(scene)
    st.header(tr("Your contact"), anchor=False)
    frame.technician(scene)


def headline(scene: Scene, counts: Counts) -> str:
    """One sentence whose numbers add up to what was due; parts that are zero are left out."""
    total = sum(counts.values())
    month = month_name(scene.month)
    if total == 0:
        return tr("{month}: nothing was due.", month=month)
    undone = sum(counts[state] for state in UNDONE)
    parts = [
        (counts[ObligationState.DONE], tr("{n} done on time", n=counts[ObligationState.DONE])),
        (counts[ObligationState.DONE_LATE], tr("{n} late", n=counts[ObligationState.DONE_LATE])),
        (undone, tr("{n} not done", n=undone)),
        (counts[ObligationState.ATTEMPTED], tr("{n} in progress", n=counts[ObligationState.ATTEMPTED])),
        (counts[ObligationState.PLANNED], tr("{n} still ahead", n=counts[ObligationState.PLANNED])),
    ]
    told = ", ".join(text for count, text in parts if count)
    return f"{month}: " + trn("{n} job due", "{n} jobs due", total) + f" – {told}."


def _away(scene: Scene) -> Jobs:
    """Jobs for which the computer itself could not be reached, closed or still open."""
    states = frozenset((ObligationState.NOT_REACHED, ObligationState.ATTEMPTED))
    return Jobs(scene.month_key, states=states, is_away=True)


def _state_badges(scene: Scene, counts: Counts) -> list[dict[str, object]]:
    total = sum(counts.values())
    fields: list[dict[str, object]] = []
    if total:
        text = trn("{n} job", "{n} jobs", total)
        fields.append({"id": "*|", "state": "whole", "glyph": "", "text": text, "title": text})
    order = (*DELIVERED, *(state for state in WORST_FIRST if state not in DELIVERED))
    fields += [
        _field("*", state, counts[state], scene.is_stale, f"{state_word(state)} {number(counts[state])}")
        for state in order
        if counts[state]
    ]
    hosts = scene.snapshot.job_hosts(_away(scene))
    if hosts:
        text = trn("{n} computer could not be reached", "{n} computers could not be reached", hosts)
        fields.append({"id": "away", "state": "plainly", "glyph": "", "text": text, "title": text})
    return fields


def _field(duty: str, state: ObligationState, count: int, stale: bool, text: str) -> dict[str, object]:
    name = "" if duty == "*" else f"{widgets.plain(duty_name(duty))}: "
    return {
        "id": f"{duty}|{state}",
        "state": "faded" if stale and state in DELIVERED else str(state),
        "glyph": state_glyph(state),
        "text": text,
        "count": count,
        "title": f"{name}{state_word(state)}, {number(count)}",
    }


def _bar_head() -> list[str]:
    return [tr("Work"), "", tr("done"), tr("Why not all")]


def _bar_rows(scene: Scene, by_duty: Mapping[str, Counts]) -> list[dict[str, object]]:
    # The jobs that need a reason: everything but done, late and planned.
    undone = scene.snapshot.undone(scene.month_key, (*UNDONE, ObligationState.ATTEMPTED))
    order = sorted(by_duty, key=lambda duty: WORST_FIRST.index(worst([s for s in by_duty[duty] if by_duty[duty][s]])))
    return [_bar_row(scene, duty, by_duty[duty], [row for row in undone if row.duty == duty]) for duty in order]


def _bar_row(scene: Scene, duty: str, counts: Counts, undone: list[Undone]) -> dict[str, object]:
    delivered = sum(counts[state] for state in DELIVERED)
    owed = sum(counts.values()) - counts[ObligationState.WAIVED] - counts[ObligationState.PLANNED]
    parts = [
        _field(duty, state, counts[state], scene.is_stale, number(counts[state]))
        for state in (*DELIVERED, *(s for s in WORST_FIRST if s not in DELIVERED))
        if counts[state]
    ]
    name = widgets.plain(duty_name(duty))
    total = {"id": f"{duty}|", "text": of(delivered, owed), "title": f"{name}: {of(delivered, owed)}"}
    return {"label": name, "parts": parts, "total": total, "why": _why(undone)}


def _why(rows: list[Undone]) -> str:
    """The reasons with the computers they concern, the commonest first, at most two."""
    hosts: dict[str, set[str]] = {}
    for row in rows:
        reason = widgets.plain(reason_word(row.reason) or state_word(row.state), 120)
        hosts.setdefault(reason, set()).update(row.hosts)
    told = []
    for reason, names in sorted(hosts.items(), key=lambda item: (-len(item[1]), item[0]))[:2]:
        shown = ", ".join(widgets.host_label(name) for name in sorted(names, key=alphabetical)[:2])
        more = f" {tr('and {n} more', n=len(names) - 2)}" if len(names) > 2 else ""
        told.append(f"{shown}{more}: {reason}")
    return "; ".join(told)


def _open_jobs(scene: Scene, pressed: str) -> None:
    """`away`, or `duty|state` where `*` is every duty and an empty state every state."""
    if pressed == "away":
        evidence.open_obligations(scene, _away(scene), tr("Computers that could not be reached"))
        return
    duty, _, state = pressed.rpartition("|")  # no state has a bar in it; a duty might
    if state and state not in tuple(ObligationState):
        return
    wanted = ObligationState(state) if state else None
    states = frozenset(ObligationState if wanted is None else (wanted,))
    which = Jobs(scene.month_key, None if duty == "*" else duty, states)
    month = month_name(scene.month)
    evidence.open_obligations(scene, which, f"{month}: {tr(STATES[wanted][1])}" if wanted else month)


def findings(scene: Scene) -> None:
    """What the newest observations show: counts to press, then the worst in two lines each."""
    counts = scene.snapshot.finding_counts()
    st.header(tr("What the latest checks show"), anchor=False)
    if not sum(counts.values()):
        st.text(tr("No computer has been observed yet."))
        return
    fields = [
        {
            "id": str(status),
            "state": "faded" if scene.is_stale and status is FindingStatus.OK else str(status),
            "glyph": finding_glyph(status),
            "text": f"{finding_word(status)} {number(counts[status])}",
            "title": f"{finding_word(status)}, {number(counts[status])}",
        }
        for status in FINDINGS
        if counts[status]
    ]
    pressed = grids.badges("findings", fields)
    if pressed in tuple(FindingStatus):
        status = FindingStatus(pressed)
        evidence.open_findings(scene, Findings(status), f"{finding_glyph(status)} {finding_word(status)}")
    worst_rows = [row for row in scene.snapshot.findings(limit=SHOWN_FINDINGS) if row.status is not FindingStatus.OK]
    standing = scene.snapshot.current_intervals(sorted({row.host for row in worst_rows}))
    with st.container(gap="xsmall"):
        since = {(row.host, row.rule, row.subject, row.status): row.first_seen for row in standing}
        for row in worst_rows:
            finding(scene, row, since.get((row.host, row.rule, row.subject, row.status)))
    rest = sum(counts.values()) - len(worst_rows)
    bad = sum(counts.values()) - counts[FindingStatus.OK]
    if bad > len(worst_rows):
        frame.quiet(
            tr("The first {shown} of {bad} are shown; the fields above open all.", shown=len(worst_rows), bad=bad)
        )
    elif rest:
        frame.quiet(tr("The other checks ({n}): fine.", n=rest))


def finding(scene: Scene, row: FindingRow, since: datetime | None) -> None:
    """Two lines: what is so, and by which rule; the button opens the evidence."""
    with st.container(border=True, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            evidence.badge(row.status, faded=scene.is_stale)
            widgets.strong(row.host)
            widgets.text(sentence(row, scene.zone))
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            frame.quiet(summary(row, scene.zone, since), width="stretch")
            if st.button(_evidence_label(scene, row), key=f"finding{row.id}", type="tertiary"):
                evidence.open_findings(scene, (row,), tr("Evidence"))


def _evidence_label(scene: Scene, row: FindingRow) -> str:
    return tr("Evidence") if row.run is None else tr("Evidence: run {run}", run=frame.run_name(scene, row.run))
