"""One run, down to the last task: who, from when to when, which computers, scripts, proof."""

import json

import streamlit as st

import past_evidence
import widgets
from evidence import contract, span
from itcare.core.words import RunGrade, RunState
from itcare.publish.reader import MAXIMUM_ROWS
from itcare.publish.rows import FileRow, HostResultRow, RunRow, TaskRow
from scene import Scene
from states import duty_name, outcome_word, reason_word, run_word, task_word
from views import frame
from words import lasting, number, of, tr, trn

MOST_ROWS = 500  # of one table; a run with more is shown one computer at a time


def show(scene: Scene, row: RunRow) -> None:
    if st.button(tr("All runs"), icon=":material/arrow_back:", type="tertiary"):
        st.query_params.pop("run", None)
        st.rerun()
    st.title(headline(scene, row), anchor=False)
    frame.freshness(scene)
    results = scene.snapshot.host_results(row.number)
    _grade(scene, row)
    _alarms(row, results)
    left, right = st.columns(2, gap="medium")
    with left:
        st.header(tr("Who and when"), anchor=False)
        _who(scene, row)
    with right:
        st.header(tr("By what"), anchor=False)
        _what(row)
    st.header(tr("Connections"), anchor=False)
    _connections(scene, results)
    st.header(tr("Tasks"), anchor=False)
    _tasks(scene, row, results)
    _temps(scene, row, results)
    st.header(tr("Scripts and playbooks"), anchor=False)
    _files(scene.snapshot.files(row.number))
    st.header(tr("Proof in the ledger"), anchor=False)
    _proof(scene, row, results)


def headline(scene: Scene, row: RunRow) -> str:
    name = frame.run_name(scene, row.number)
    state = run_word(row.state)[2:].lstrip() if row.state is not RunState.RUNNING else tr("in progress")
    counts = of(row.hosts_good, row.hosts_total)
    told = trn("{counts} computer", "{counts} computers", row.hosts_total, counts=counts)
    return tr("Run {run}: {state}, {counts}.", run=name, state=state, counts=told)


def _who(scene: Scene, row: RunRow) -> None:
    stated = f"{row.stated_operator} ({tr('stated, not checked')})" if row.stated_operator else None
    widgets.facts([
        (tr("Person"), row.operator),
        (tr("Stated operator"), stated),
        (tr("Signed in as"), row.login),
        (tr("Through sudo from"), row.sudo_user),
        (tr("From the computer"), row.controller),
        (tr("Reason"), row.reason),
        (tr("Closed because"), row.closed_reason),
        (tr("Cancelled by"), row.cancelled_by),
        (tr("Time"), span(scene, row.opened_at, row.closed_at)),
        (tr("Clock"), _clock(row.clock_synchronised)),
    ])  # fmt: skip


def _grade(scene: Scene, row: RunRow) -> None:
    """What a run that was recorded afterwards is worth, and which run this one repeats."""
    if row.grade is RunGrade.UNANNOUNCED:
        st.warning(
            tr(
                "**This run is unannounced.** It was not ordered through itcare; its record was added afterwards. "
                "It keeps no promise of the contract, and what it saw changes no finding."
            ),
            icon=":material/warning:",
        )
        if row.played_from is not None:
            widgets.text(
                tr("By its own record it took place: {span}", span=span(scene, row.played_from, row.played_to))
            )
    if row.reruns is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            frame.quiet(tr("This run repeats a part of another one."))
            frame.run_link(scene, row.reruns)


def _temps(scene: Scene, row: RunRow, results: tuple[HostResultRow, ...]) -> None:
    """What the run cleaned up; of a run on many computers, one computer at a time."""
    snapshot = scene.snapshot
    if not (count := snapshot.temp_count(row.number)):
        return
    st.header(tr("Temporary files"), anchor=False)
    host = _one_of(results, "temps_host") if count > MOST_ROWS else None
    temps = snapshot.temps_of_run(row.number, host)
    past_evidence.show_all(scene, temps, f"temps {scene.scope.code} {row.number}")


def _clock(is_synchronised: bool | None) -> str:
    if is_synchronised is None:
        return tr("not known whether it follows a time server")
    return tr("follows a time server") if is_synchronised else tr("follows no time server")


def _what(row: RunRow) -> None:
    widgets.facts([
        (tr("Work"), duty_name(row.duty) + (f" ({tr('trial, nothing is changed')})" if row.check_mode else "")),
        (tr("Playbook"), row.playbook),
        (tr("Collection"), row.collection_version and f"itcare.maintenance {row.collection_version}"),
        (tr("Program"), row.code_version and f"itcare {row.code_version}, {(row.code_commit or '?')[:12]}"),
        (tr("Contract"), contract(row)),
        (tr("Worked"), of(row.hosts_good, row.hosts_total)),
        (tr("To be looked at"), number(row.needs_verify) if row.needs_verify else None),
    ])  # fmt: skip


def _alarms(row: RunRow, results: tuple[HostResultRow, ...]) -> None:
    alarms = [_alarm(alarm) for alarm in row.alarms]
    alarms += [f"{result.host}: {_alarm(alarm)}" for result in results for alarm in result.alarms]
    if alarms:
        st.warning(trn("This run has {n} alarm.", "This run has {n} alarms.", len(alarms)), icon=":material/warning:")
        widgets.block("\n".join(alarms))


def _alarm(alarm: object) -> str:
    if isinstance(alarm, dict):
        return ": ".join(str(alarm[key]) for key in ("kind", "host", "text") if alarm.get(key))
    return str(alarm)


def _connections(scene: Scene, results: tuple[HostResultRow, ...]) -> None:
    rows = [
        (
            outcome_word(result.outcome) + (f" ({tr('to be looked at')})" if result.needs_verify else ""),
            result.host,
            "" if result.opened_at is None else span(scene, result.opened_at, result.closed_at),
            f"{result.connection or ''} {result.remote_user or ''}@{result.address or ''}".strip(" @"),
            ". ".join(filter(None, (reason_word(result.reason), result.message))),
        )
        for result in results
    ]
    columns = {
        tr("Result"): 230, tr("Computer"): 110, tr("Connected"): 330, tr("How"): 190, tr("Message"): None,
    }  # fmt: skip
    if rows:
        widgets.table(f"connections {scene.scope.code}", columns, rows, tr("Connections by computer"))
    else:
        st.text(tr("No computer was concerned."))


def _tasks(scene: Scene, row: RunRow, results: tuple[HostResultRow, ...]) -> None:
    count = scene.snapshot.task_count(row.number)
    if not count:
        st.text(tr("No task was begun."))
        return
    host = _one_of(results, "tasks_host") if count > MOST_ROWS else None
    tasks = scene.snapshot.tasks(row.number, host, limit=MAXIMUM_ROWS)
    columns = {
        tr("Result"): 145, tr("Computer"): 85, tr("Task"): 240, tr("Begin"): 75, tr("End"): 75, tr("Took"): 65,
        tr("Module"): 215, tr("File and line"): 215, tr("Message"): 260, tr("Arguments"): 200,
    }  # fmt: skip
    widgets.table(f"tasks {scene.scope.code}", columns, [_task(scene, task) for task in tasks], tr("Tasks in order"))


def _one_of(results: tuple[HostResultRow, ...], key: str) -> str:
    """The computer that is chosen among those of the run, the first without a choice."""
    names = [result.host for result in results]
    place = st.selectbox(
        tr("Computer"), range(len(names)), format_func=lambda at: widgets.host_label(names[at]), key=key
    )
    return names[place or 0]


def _task(scene: Scene, task: TaskRow) -> tuple[object, ...]:
    begun = "" if task.started_at is None else f"{scene.local(task.started_at):%H:%M:%S}"
    ended = "" if task.ended_at is None else f"{scene.local(task.ended_at):%H:%M:%S}"
    took = lasting((task.ended_at - task.started_at).total_seconds()) if task.started_at and task.ended_at else ""
    word = task_word(task.outcome) + (f" ({tr('ignored')})" if task.ignored else "")
    word += f" ({tr('result cut')})" if task.truncated else ""
    place = f"{task.file or ''}:{task.line}" if task.line is not None else task.file
    arguments = json.dumps(task.args, ensure_ascii=False) if task.args else ""
    return (word, task.host, task.name, begun, ended, took, task.module, place, task.message, arguments)


def _files(files: tuple[FileRow, ...]) -> None:
    if not files:
        st.text(tr("No file was recorded."))
        return
    rows = [(_kind(file.kind), file.path, file.sha256) for file in files]
    columns = {tr("Kind"): 110, tr("File"): 330, "SHA-256": None}
    widgets.table("files", columns, rows, tr("Files that the run used, with their digests"))


def _kind(kind: str) -> str:
    words = {
        "playbook": tr("playbook"), "role": tr("role"), "tasks": tr("tasks"), "module": tr("module"),
        "plugin": tr("plugin"), "script": tr("script"),
    }  # fmt: skip
    return words.get(kind, kind)


def _proof(scene: Scene, row: RunRow, results: tuple[HostResultRow, ...]) -> None:
    meta = scene.meta
    lines: list[tuple[str, int | None, str | None]] = [(tr("opened"), row.entry_opened, row.leaf_opened)]
    lines += [(result.host, result.entry, result.leaf_sha256) for result in results if result.entry is not None]
    if row.entry_closed is not None:
        lines.append((tr("closed"), row.entry_closed, row.leaf_closed))
    columns = {tr("Entry"): 70, tr("What"): 160, tr("Digest of the leaf"): None}
    widgets.table(
        f"proof {scene.scope.code}",
        columns,
        [(entry, what, leaf) for what, entry, leaf in sorted(lines, key=lambda line: line[1] or 0)],
        tr("Ledger entries"),
    )
    widgets.facts([
        (tr("Record of the run"), _record(row)),
        (tr("Digest of the record"), row.spool_sha256),
        (tr("Digest of the inventory"), row.inventory_sha256),
        (tr("Digest of the playbook"), row.playbook_sha256),
        (tr("Tree size"), number(meta.tree_size)),
    ])  # fmt: skip
    frame.quiet(tr("Signed checkpoint"))
    widgets.block(meta.checkpoint)


def _record(row: RunRow) -> str:
    return "" if row.spool_lines is None else trn("{n} line", "{n} lines", row.spool_lines)
