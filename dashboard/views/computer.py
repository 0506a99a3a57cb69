"""One computer: its findings with evidence, what it reported, who was on it."""

import streamlit as st

import evidence
import observed
import widgets
from findings import sentence, summary
from itcare.core.words import FindingStatus, SourceState
from itcare.publish.rows import FindingRow, HostRow
from scene import Scene
from states import outcome_word, reason_word, role_name
from views import frame, past
from words import moment, tr, trn

HISTORY = 50  # runs


def show(scene: Scene, host: HostRow) -> None:
    if st.button(tr("All computers"), icon=":material/arrow_back:", type="tertiary"):
        st.query_params.pop("host", None)
        st.rerun()
    findings = scene.snapshot.host_findings(host.name)
    st.title(headline(host, findings), anchor=False)
    frame.freshness(scene)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.header(tr("About this computer"), anchor=False)
        _about(scene, host)
    with right:
        st.header(tr("Findings"), anchor=False)
        _findings(scene, host, findings)
    past.show_disks(scene, host)
    past.show_software(scene, host)
    past.show_temps(scene, host)
    st.header(tr("What the computer reported"), anchor=False)
    _reported(scene, host)
    st.header(tr("Who was on this computer"), anchor=False)
    _history(scene, host)


def headline(host: HostRow, findings: tuple[FindingRow, ...]) -> str:
    """The verdict in one sentence of our own words; what exactly is so follows in the findings."""
    name = widgets.host_label(host.name)
    states = [row.status for row in findings]
    fail, warn, unknown = (states.count(s) for s in (FindingStatus.FAIL, FindingStatus.WARN, FindingStatus.UNKNOWN))
    if not host.current:  # nobody looks any more: never "all fine"
        verdict = tr("no longer in the contract")
    elif not states:
        verdict = tr("not observed yet")
    elif fail + warn + unknown == 0:
        verdict = tr("all fine")
    else:
        parts = (
            trn("{n} problem", "{n} problems", fail) if fail else "",
            trn("{n} remark", "{n} remarks", warn) if warn else "",
            trn("{n} thing not known", "{n} things not known", unknown) if unknown else "",
        )
        verdict = ", ".join(part for part in parts if part)
    return f"{name}: {verdict}."


def _about(scene: Scene, host: HostRow) -> None:
    attempt = None if host.last_attempt_at is None else moment(scene.local(host.last_attempt_at), year=True)
    seen = tr("never") if host.last_observed_at is None else moment(scene.local(host.last_observed_at), year=True)
    outcome = None
    if host.last_outcome is not None:
        outcome = ", ".join(filter(None, (outcome_word(host.last_outcome), reason_word(host.last_reason))))
    widgets.facts([
        (tr("Role"), role_name(host.role)),
        (tr("Site"), host.site),
        (tr("System"), host.os),
        (tr("Last observed"), seen),
        (tr("Last attempt"), attempt),
        (tr("Its result"), outcome),
    ])  # fmt: skip
    if host.last_run is not None:
        frame.run_link(scene, host.last_run)


def _findings(scene: Scene, host: HostRow, findings: tuple[FindingRow, ...]) -> None:
    bad = [row for row in findings if row.status is not FindingStatus.OK]
    good = [row for row in findings if row.status is FindingStatus.OK]
    if not host.current:
        st.text(tr("We no longer check this computer."))
    elif not findings:
        st.text(tr("There is nothing to judge yet."))
    since = past.since_when(scene.snapshot.current_intervals((host.name,)))
    for row in bad:
        interval = past.first_seen(since, row)
        with st.container(border=True, gap="xxsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                evidence.badge(row.status, faded=scene.is_stale)
                widgets.text(sentence(row, scene.zone))
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                frame.quiet(summary(row, scene.zone, interval.first_seen if interval else None), width="stretch")
                if st.button(_label(scene, row), key=f"finding{row.id}", type="tertiary"):
                    evidence.open_findings(scene, (row,), tr("Evidence"))
    if good:
        label = trn("{n} check: fine", "{n} checks: fine", len(good))
        if st.button(label, key="good", type="tertiary"):
            evidence.open_findings(scene, good, label)


def _label(scene: Scene, row: FindingRow) -> str:
    return tr("Evidence") if row.run is None else tr("Evidence: run {run}", run=frame.run_name(scene, row.run))


def _reported(scene: Scene, host: HostRow) -> None:
    facts = {fact.source: fact for fact in scene.snapshot.facts(host.name)}
    if not facts:
        st.text(tr("No readable observation of this computer exists."))
        return
    observed_at = next((fact.observed_at for fact in facts.values() if fact.observed_at), None)
    if observed_at is not None:
        frame.quiet(tr("Observed on {moment}", moment=moment(scene.local(observed_at), year=True)))
    known = [source for source in observed.SOURCES if source in facts]
    for source in (*known, *(source for source in facts if source not in observed.SOURCES)):
        fact = facts[source]
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                if source in observed.SOURCES:
                    st.markdown(f"**{observed.source_name(source)}**", width="content")
                else:
                    widgets.text(source)
                if fact.state is SourceState.UNAVAILABLE:
                    evidence.badge("unknown")
            observed.show(fact, scene.zone)


def _history(scene: Scene, host: HostRow) -> None:
    results = scene.snapshot.host_history(host.name, limit=HISTORY)
    if not results:
        st.text(tr("Nobody has connected to this computer yet."))
        return
    rows = []
    for result in results:
        connected = "" if result.opened_at is None else evidence.span(scene, result.opened_at, result.closed_at)
        why = ". ".join(filter(None, (reason_word(result.reason), result.message)))
        rows.append(
            (frame.run_name(scene, result.run), outcome_word(result.outcome), connected, result.remote_user, why)
        )
    columns = {tr("Run"): 100, tr("Result"): 240, tr("Connected"): 340, tr("As"): 100, tr("Message"): None}
    picked = widgets.table(
        f"history {scene.scope.code}", columns, rows, tr("Connections, the newest first"), selectable=True
    )
    frame.quiet(tr("Tick a row to open that run."))
    if picked is not None and picked < len(results):
        st.switch_page(
            st.session_state["pages"]["worklog"], query_params=frame.address(scene, run=str(results[picked].run))
        )
