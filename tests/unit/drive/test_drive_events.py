"""Runner's events beside the spool: what has no counterpart is a forgery, and nothing hostile stops the writer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.core.clock import SystemClock
from itcare.drive.events import EventWriter, find_forged, read_events
from itcare.drive.spool import read_spool
from tests.support.spools import SpoolText


def event(host: str, task: str, kind: str = "runner_on_ok") -> dict[str, Any]:
    return {"event": kind, "host": host, "task": task, "n": 1}


def genuine_spool(folder: Path) -> Any:
    text = SpoolText().header().play("pc01")
    for task, outcome in (("t1", "ok"), ("t2", "failed"), ("t3", "skipped"), ("t4", "timed_out")):
        text.start("pc01", task).end("pc01", task, outcome)
    text.start("pc01", "t5")
    return read_spool(text.write(folder)).tasks


GENUINE = [
    event("pc01", "t1"),
    event("pc01", "t2", "runner_on_failed"),
    event("pc01", "t3", "runner_on_skipped"),
    event("pc01", "t4", "runner_on_failed"),
    event("pc01", "t5"),
]


def test_genuine_events_raise_no_alarm(tmp_path: Path) -> None:
    assert find_forged(iter(GENUINE), genuine_spool(tmp_path)) == ()


@pytest.mark.parametrize(
    "forged",
    [
        event("pc02", "t1"),  # another host
        event("pc01", "t9"),  # a task that was not
        event("pc01", "t1"),  # once more
        event("pc01", "t1", "runner_on_failed"),  # another result beside the true one
        event("pc01", "t2", "runner_on_ok"),
        event("pc01", "", "runner_on_ok"),
        {"event": "unreadable"},
    ],
)
def test_every_event_that_the_spool_does_not_explain_is_found(tmp_path: Path, forged: Mapping[str, Any]) -> None:
    found = find_forged(iter([*GENUINE, forged]), genuine_spool(tmp_path))
    assert [(one.host, one.kind) for one in found] == [(forged.get("host", ""), forged["event"])]


_SCALAR = st.none() | st.integers() | st.floats() | st.text(max_size=8)
HOSTILE = _SCALAR | st.lists(_SCALAR, max_size=3) | st.dictionaries(st.text(max_size=8), _SCALAR, max_size=3)


@given(st.dictionaries(st.sampled_from(["event", "event_data", "stdout", "counter", "uuid"]), HOSTILE))
def test_the_handler_takes_anything_and_keeps_no_file(value: dict[str, Any]) -> None:
    writer = EventWriter(Path("never-opened"), SystemClock())
    assert writer.handle(value) is False


@given(HOSTILE)
def test_a_result_event_of_any_shape_is_written_as_something(data: object) -> None:
    writer = EventWriter(Path("never-opened"), SystemClock())
    writer.handle({"event": "runner_on_ok", "event_data": data, "counter": 1})
    line = json.loads(writer._queue.get_nowait() or "")
    assert line["event"] in ("runner_on_ok", "unreadable")


def test_events_are_written_in_a_thread_and_read_back(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.jsonl", SystemClock())
    writer.start()
    for number in range(100):
        data = {"host": "pc01", "task_uuid": f"t{number}", "res": {"secret": "canary"}}
        writer.handle({"event": "runner_on_ok", "event_data": data, "counter": number, "stdout": "canary"})
    writer.handle({"event": "error", "event_data": {"playbook": "x"}, "stdout": "[ERROR]: no such group\n"})
    writer.finish()
    assert [one["n"] for one in read_events(tmp_path / "events.jsonl")] == list(range(100))
    assert writer.console == "[ERROR]: no such group"
    assert "canary" not in (tmp_path / "events.jsonl").read_text()


def test_a_full_disk_costs_events_and_says_so() -> None:
    writer = EventWriter(Path("/dev/full"), SystemClock())
    writer.start()
    writer.handle({"event": "runner_on_ok", "event_data": {"host": "a", "task_uuid": "b"}, "counter": 1})
    writer.finish()
    assert writer.lost == 1
