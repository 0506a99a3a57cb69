"""Runs of the whole driver on this computer: what is recorded, and what cannot happen."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from itcare.core.clock import SystemClock
from itcare.core.errors import BadInputError, BusyError, ExitCode, NotFoundError
from itcare.core.names import RunName
from itcare.core.words import HostOutcome, RunState
from itcare.drive.cancel import request_cancel
from itcare.drive.controller import Operator
from itcare.drive.isolation import Isolation
from itcare.drive.process import RunProcesses, living
from itcare.drive.recover import recover_all
from itcare.publish.run_list import find_doubts, tell_doubts
from tests.support.driving import (
    LOCAL,
    ROOT,
    Bench,
    RunInMotion,
    finish_driver,
    living_of,
    make_bench,
    sleep_then_touch,
    write_contract,
    write_playbook,
)

CLIENT = "DOMEK"
OPERATOR = Operator("root", "jan", None, "Jan Testowy")
LIBRARY = ROOT / "tests" / "support" / "ansible" / "library"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def touch(path: Path) -> dict[str, Any]:
    return {"name": "Write", "ansible.builtin.file": {"path": str(path), "state": "touch"}, "timeout": 30}


def hostile(kind: str, text: str = "", **keywords: Any) -> dict[str, Any]:
    return {"name": "Ask a hostile computer", "hostile": {"kind": kind, "text": text}, "timeout": 30, **keywords}


def with_library(playbook: Path) -> Path:
    """Put the tests' modules where Ansible finds them: beside the playbook."""
    (playbook.parent / "library").symlink_to(LIBRARY)
    return playbook


def test_a_visit_is_recorded_from_the_request_to_the_signature(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})

    report = bench.perform(loaded, operator=OPERATOR, reason="weekly visit")

    assert (report.state, report.exit_code) == (RunState.COMPLETE, ExitCode.OK)
    opened, closed = bench.events(CLIENT, "run.opened")[0], bench.events(CLIENT, "run.closed")[0]
    event = bench.host_event(CLIENT, 1, "pc01")
    log = bench.ledger.find_log(CLIENT)
    asked: Any = bench.ledger.body(log, opened["asked"])
    assert (asked["operator"]["stated"], asked["operator"]["login"], asked["reason"]) == (
        "Jan Testowy", "jan", "weekly visit",
    )  # fmt: skip
    assert asked["clock"]["synchronised"] in (True, False)
    files: Any = bench.ledger.body(log, opened["files"])
    kinds = {file["kind"] for file in files}
    assert {"playbook", "role", "module", "plugin"} <= kinds
    used: Any = bench.ledger.body(log, closed["files"])
    before = {(file["path"], file["sha256"]) for file in files}
    assert {
        (file["path"], file["sha256"])
        for file in used
        if file["kind"] == "module" and file["name"].startswith("itcare")
    } <= before
    assert opened["playbook"]["path"] == "playbooks/visit.yml"
    assert closed["outcomes"] == {"ok": 1}
    assert event["opened_at"] == event["tasks"][0]["start"]
    assert event["closed_at"] == event["tasks"][-1]["end"]
    health = bench.task_result(CLIENT, 1, "pc01", 1)
    assert health["health"]["schema"] == "itcare/health/v1"
    assert bench.ledger.latest_checkpoint(log).size == 4
    assert list(bench.settings.runs.iterdir()) == []
    people = json.dumps(bench.events(CLIENT))
    assert "Jan Testowy" not in people


def test_a_changed_file_and_a_failed_task_are_told_apart(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL, "pc02": LOCAL})
    playbook = write_playbook(
        tmp_path / "play",
        {"name": "Fail", "ansible.builtin.command": "false", "when": "inventory_hostname == 'pc02'"},
        touch(tmp_path / "made"),
    )
    report = bench.perform(loaded, playbook)
    assert {host.name: host.outcome for host in report.hosts} == {
        "pc01": HostOutcome.CHANGED,
        "pc02": HostOutcome.FAILED,
    }
    assert (report.state, report.exit_code) == (RunState.COMPLETE, ExitCode.BAD_NEWS)


def test_a_dry_run_says_so_changes_nothing_and_leaves_nothing_to_the_next(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    playbook = write_playbook(tmp_path / "play", touch(tmp_path / "made"))
    report = bench.perform(loaded, playbook, check=True)
    assert report.state is RunState.COMPLETE
    assert bench.events(CLIENT, "run.opened")[0]["check"] is True
    assert not (tmp_path / "made").exists()
    assert bench.perform(loaded, playbook).hosts[0].outcome is HostOutcome.CHANGED
    assert bench.events(CLIENT, "run.opened")[1]["check"] is False
    assert (tmp_path / "made").exists()


def test_a_run_of_nothing_is_an_error(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    with pytest.raises(BadInputError, match="pc01"):
        bench.perform(loaded, limit=["pc02"])
    late = write_contract(tmp_path, "PUSTA", {"pc01": {**LOCAL, "last_day": loaded.contract.contract.first_day}})
    with pytest.raises(BadInputError, match="no host is in scope"):
        bench.perform(late)
    group = write_playbook(tmp_path / "play", hosts="servers")
    report = bench.perform(loaded, group)
    assert (report.state, report.hosts[0].outcome) == (RunState.INCOMPLETE, HostOutcome.NOT_RUN)
    assert "servers" in report.console


def test_the_driver_s_environment_reaches_no_playbook(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "no_such_callback")
    monkeypatch.setenv("ANSIBLE_CHECK_MODE_MARKERS", "stale")
    monkeypatch.setenv("SECRET_OF_THE_OPERATOR", "canary-in-the-environment")
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    seen = tmp_path / "environment"
    playbook = write_playbook(
        tmp_path / "play", {"name": "Look", "ansible.builtin.shell": f"env > {seen}", "changed_when": False}
    )
    assert bench.perform(loaded, playbook).state is RunState.COMPLETE
    text = seen.read_text()
    assert "canary" not in text
    assert "stale" not in text
    assert "PYTHONPATH" not in text


def test_a_computer_in_one_run_is_refused_to_the_next(bench: Bench, tmp_path: Path) -> None:
    first = RunInMotion(bench, CLIENT, seconds=60).wait_for_the_task()

    with pytest.raises(BusyError, match=f"{CLIENT}/1") as refusal:
        bench.perform(first.loaded, limit=["pc02"])
    assert "pc02" in str(refusal.value)
    assert recover_all(bench.ledger, SystemClock()) == []

    first.driver.send_signal(signal.SIGINT)
    assert finish_driver(first.driver)["state"] == "cancelled"
    report = bench.perform(first.loaded, limit=["pc02"])
    assert report.name == RunName(CLIENT, 2)
    assert report.state is RunState.COMPLETE
    assert find_doubts(tell_doubts(bench.history(CLIENT))) == {1: ["pc01"]}
    bench.perform(first.loaded, limit=["pc01"])
    assert find_doubts(tell_doubts(bench.history(CLIENT))) == {}  # somebody has looked


def test_a_cancelled_run_says_by_whom_and_its_task_never_takes_effect(bench: Bench) -> None:
    run = RunInMotion(bench, CLIENT, seconds=4, hosts=("pc01",)).wait_for_the_task()
    began = time.monotonic()

    closed = request_cancel(bench.ledger, RunName(CLIENT, 1), operator=OPERATOR, clock=SystemClock())

    assert closed.state is RunState.CANCELLED
    assert living_of(run.row) == ()
    finish_driver(run.driver)
    event = bench.events(CLIENT, "run.closed")[0]
    who: Any = bench.ledger.body(bench.ledger.find_log(CLIENT), event["cancelled"])
    assert (who["by"], who["user"]) == ("Jan Testowy", "root")
    assert bench.host_event(CLIENT, 1, "pc01")["outcome"] == HostOutcome.INTERRUPTED
    time.sleep(max(0.0, 6 - (time.monotonic() - began)))  # the task would have written by now
    assert not run.late.exists()
    with pytest.raises(BadInputError, match="closed"):
        request_cancel(bench.ledger, RunName(CLIENT, 1), operator=OPERATOR, clock=SystemClock())
    with pytest.raises(NotFoundError):
        request_cancel(bench.ledger, RunName(CLIENT, 7), operator=OPERATOR, clock=SystemClock())


@pytest.mark.parametrize("fence", ["the best there is", "the mark alone"])
def test_the_job_timeout_ends_the_run_in_time_and_the_task_with_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fence: str
) -> None:
    if fence == "the mark alone":
        monkeypatch.setattr("itcare.drive.launch.choose_isolation", lambda run_id: Isolation("mark"))
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    late = tmp_path / "late"
    began = time.monotonic()
    report = bench.perform(loaded, write_playbook(tmp_path / "play", sleep_then_touch(late, 30)), job_timeout=6)
    assert 6 <= time.monotonic() - began < 20
    assert (report.state, report.reason) == (RunState.INTERRUPTED, "timeout")
    assert report.hosts[0].outcome is HostOutcome.INTERRUPTED
    assert not late.exists()


def test_a_forged_event_raises_an_alarm_and_costs_the_neighbours_nothing(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {f"pc0{number}": LOCAL for number in (1, 2, 3)})
    who = "{{ client_id | default('none') }}-{{ inventory_hostname }}"
    playbook = with_library(
        write_playbook(
            tmp_path / "play",
            hostile("forged", "victim", when="inventory_hostname == 'pc02'"),
            hostile("facts", "pc03", when="inventory_hostname == 'pc02'"),
            {"name": "Say who I am", "ansible.builtin.command": f"touch {tmp_path}/{who}", "changed_when": False},
        )
    )
    report = bench.perform(loaded, playbook)
    assert {host.outcome for host in report.hosts} == {HostOutcome.OK}
    assert {path.name for path in tmp_path.glob("*-pc0?")} == {"none-pc01", "none-pc02", "none-pc03"}
    assert [alarm.kind for alarm in report.alarms] == ["forged_event"]
    assert "victim" in report.alarms[0].text
    assert report.exit_code is ExitCode.BAD_NEWS
    assert bench.events(CLIENT, "run.closed")[0]["alarms"][0]["kind"] == "forged_event"
    assert {event["host"] for event in bench.events(CLIENT, "run.host")} == {"pc01", "pc02", "pc03"}
    assert all(len(event["tasks"]) == 4 for event in bench.events(CLIENT, "run.host"))


def test_two_clients_leave_nothing_of_one_in_the_other(bench: Bench, tmp_path: Path) -> None:
    """In sequence and in parallel: the canaries of A are in no file, event or process of B."""
    contracts, seen = {}, {}
    for code, mark in (("KLIENTA", "canary-of-a"), ("KLIENTB", "canary-of-b")):
        contracts[code] = write_contract(tmp_path, code, {"pc01": LOCAL})
        seen[code] = tmp_path / f"seen-{mark}"
        file = seen[code]
        look = f"echo {mark}; env > {file}; cat /proc/self/cmdline $ANSIBLE_CONFIG $ITCARE_SPOOL >> {file}"
        write_playbook(
            tmp_path / mark, {"name": mark, "ansible.builtin.shell": look, "changed_when": False, "timeout": 30}
        )
    plays = {"KLIENTA": tmp_path / "canary-of-a/play.yml", "KLIENTB": tmp_path / "canary-of-b/play.yml"}
    reports = {}

    def drive(code: str) -> None:
        reports[code] = bench.perform(contracts[code], plays[code])

    for code in contracts:
        drive(code)
    threads = [threading.Thread(target=drive, args=(code,)) for code in contracts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {report.state for report in reports.values()} == {RunState.COMPLETE}
    assert {report.name.number for report in reports.values()} == {2}
    for code, other in (("KLIENTA", "canary-of-b"), ("KLIENTB", "canary-of-a")):
        log = bench.ledger.find_log(code)
        told = json.dumps(bench.events(code))
        bodies = json.dumps(
            [bench.ledger.body(log, digest) for event in bench.events(code) for digest in event.get("bodies", [])]
        )
        for text in (told, bodies, seen[code].read_text()):
            assert other not in text
        assert other.replace("canary-of-", "canary-of-") not in told


def test_a_playbook_that_dies_of_a_signal_leaves_an_interrupted_run(bench: Bench) -> None:
    run = RunInMotion(bench, CLIENT, seconds=5, hosts=("pc01",)).wait_for_the_task()
    row = run.row
    found = subprocess.run(["pgrep", "-f", f"ansible-playbook.*{row.id}"], capture_output=True, text=True, check=True)
    main = min(int(pid) for pid in found.stdout.split() if int(pid) in living(RunProcesses(row.id)))
    os.kill(main, signal.SIGKILL)
    report = finish_driver(run.driver)
    assert (report["state"], report["hosts"]) == ("interrupted", {"pc01": "interrupted"})
    assert not run.late.exists()
    assert living_of(row) == ()
