"""Runs in progress, drawn anew every few seconds, and two lists behind numbers of the overview of clients."""

from datetime import datetime, timedelta

import streamlit as st

import past_evidence
import widgets
from itcare.access import StaffScope
from itcare.core.clock import SystemClock
from itcare.publish.progress import RunInProgress, read_progress
from itcare.publish.rows import MeasureRow
from past_evidence import Part
from scene import Scene
from states import duty_name, task_word
from views.frame import quiet
from words import lasting, tr, trn

EVERY_SECONDS = 5
SILENT = timedelta(minutes=5)  # longer than most tasks take: somebody should look
MOST_RUNS, MOST_STEPS = 12, 4
SOON = timedelta(days=30)
_CHUNK = 1000


def show(door: StaffScope) -> None:
    """The section; only this part of the page is drawn anew."""
    st.header(tr("In progress"), anchor=False)

    @st.fragment(run_every=EVERY_SECONDS)
    def live() -> None:
        runs = read_progress(door)
        if not runs:
            st.text(tr("No run is in progress."))
        now = SystemClock().now()
        for run in runs[:MOST_RUNS]:
            with st.container(border=True, gap="xsmall"):
                _run(run, now)
        if len(runs) > MOST_RUNS:
            quiet(trn("{n} more run is in progress.", "{n} more runs are in progress.", len(runs) - MOST_RUNS))

    live()


def _run(run: RunInProgress, now: datetime) -> None:
    widgets.text(f"{run.run}: {duty_name(run.duty)}")
    whole = len(run.hosts)
    words = tr("{begun} of {whole} computers begun", begun=run.begun, whole=whole)
    st.progress(run.begun / whole if whole else 0.0, text=words)
    last = run.last_at
    if last is None:
        quiet(tr("No computer has answered yet."))
    elif now - last > SILENT:
        st.warning(tr("Silent for {time}: it hangs, or its driver died.", time=lasting((now - last).total_seconds())))
    else:
        quiet(tr("Last sign: {time} ago", time=lasting(max((now - last).total_seconds(), 0))))
    steps = sorted((host for host in run.hosts if host.at is not None), key=lambda host: host.at or now, reverse=True)
    for step in steps[:MOST_STEPS]:
        state = tr("runs now") if step.outcome is None else task_word(step.outcome)
        widgets.text(f"{step.host}: {widgets.plain(step.task, 80)}, {state}")


def open_full_disks(scene: Scene, title: str) -> None:
    """The newest measure of every disk that is expected to be full within a month."""
    rows: list[MeasureRow] = []
    until = scene.meta.published_at + SOON
    while chunk := scene.snapshot.forecasts_until(until, limit=_CHUNK, offset=len(rows)):
        rows += (MeasureRow(row.host, row.name, row.subject, row.at, row.value, row.capacity, row.run) for row in chunk)
    past_evidence.open_measures(scene, rows, title)


def open_to_verify(scene: Scene, title: str) -> None:
    """The newest run of every computer whose result somebody has to look at."""
    hosts = scene.snapshot.hosts_to_verify()
    parts = [Part(host.last_run, host.name) for host in hosts if host.last_run is not None]
    past_evidence.open_parts(scene, parts, title)
