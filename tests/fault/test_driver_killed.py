"""Whatever is killed, whenever: nothing of the run lives on, and every host has a true state."""

import os
import random
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from itcare.core.clock import SystemClock
from itcare.core.names import RunName
from itcare.core.words import HostOutcome, RunState
from itcare.drive import rows
from itcare.drive.cancel import request_cancel
from itcare.drive.controller import Operator
from itcare.drive.folder import RunFolder
from itcare.drive.isolation import find_cgroup
from itcare.drive.recover import recover_all, recover_run
from itcare.drive.rows import RunRow
from itcare.drive.supervision import order_cancel
from itcare.store.engine import write
from tests.support.driving import Bench, OffsetClock, RunInMotion, finish_driver, living_of, make_bench

CLIENT = "DOMEK"
CLOCK = SystemClock()
OPERATOR = Operator("root", None, None, "Jan Testowy")
SETTLED = {outcome.value for outcome in HostOutcome}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def wait_until_nothing_lives(row: RunRow, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while living_of(row):
        assert time.monotonic() < deadline, living_of(row)
        time.sleep(0.05)


def assert_closed(bench: Bench, row: RunRow, state: RunState) -> dict[str, Any]:
    """Nothing of the run lives, it is closed in the ledger, and each planned host has one leaf."""
    assert living_of(row) == ()
    closed = bench.events(CLIENT, "run.closed")
    assert [event["state"] for event in closed] == [state.value]
    hosts = bench.events(CLIENT, "run.host")
    assert [event["host"] for event in hosts] == ["pc01", "pc02"]
    assert {event["outcome"] for event in hosts} <= SETTLED
    assert list(bench.settings.runs.iterdir()) == []
    assert row.sockets is not None
    assert not row.sockets.exists()
    return {event["host"]: event["outcome"] for event in hosts}


def test_a_driver_killed_in_a_task_takes_its_processes_along_and_recovery_closes_the_run(
    bench: Bench, tmp_path: Path
) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    victim.kill_driver()
    wait_until_nothing_lives(victim.row, 2.0)  # the supervisor saw the pipe close; nobody else helped

    reports = recover_all(bench.ledger, CLOCK)

    assert [(report.state, report.reason) for report in reports] == [(RunState.INTERRUPTED, "driver_died")]
    outcomes = assert_closed(bench, victim.row, RunState.INTERRUPTED)
    assert outcomes["pc01"] == HostOutcome.INTERRUPTED
    tasks = bench.host_event(CLIENT, 1, "pc01")["tasks"]
    assert [task["outcome"] for task in tasks] == ["ok", "unfinished"]
    time.sleep(3)
    assert not victim.late.exists()
    assert recover_all(bench.ledger, CLOCK) == []


def test_with_driver_and_supervisor_killed_recovery_kills_what_goes_on(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT, seconds=30).wait_for_the_task()
    deadline = time.monotonic() + 20  # the line of a task comes before what it starts
    while not victim.begun.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(victim.driver.pid, signal.SIGSTOP)  # so that it cannot clean up after its supervisor
    os.kill(victim.supervisor, signal.SIGKILL)
    victim.kill_driver()
    # its terminal hangs up with the supervisor, which may end the playbook; what the task started goes on
    assert living_of(victim.row)

    reports = recover_all(bench.ledger, CLOCK)

    assert [(report.state, report.reason) for report in reports] == [(RunState.INTERRUPTED, "died")]
    assert_closed(bench, victim.row, RunState.INTERRUPTED)
    time.sleep(6)
    assert not victim.late.exists()


def test_a_killed_supervisor_leaves_nothing_to_the_driver_but_the_end(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    os.kill(victim.supervisor, signal.SIGKILL)
    report = finish_driver(victim.driver)
    assert (report["state"], report["reason"]) == ("interrupted", "died")
    assert_closed(bench, victim.row, RunState.INTERRUPTED)
    time.sleep(3)
    assert not victim.late.exists()


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_a_run_ends_with_a_state_for_every_host(bench: Bench, tmp_path: Path, seed: int) -> None:
    victim = RunInMotion(bench, CLIENT, seconds=1)
    chance = random.Random(seed)
    time.sleep(chance.uniform(0, 3))
    target = victim.driver.pid
    if seed % 2 and psutil.pid_exists(target) and (children := psutil.Process(target).children(recursive=True)):
        target = chance.choice(children).pid
    if psutil.pid_exists(target) and target != os.getpid():
        os.kill(target, signal.SIGKILL)
    victim.driver.wait(30)
    victim.driver.communicate()
    recover_all(bench.ledger, CLOCK)
    assert len(bench.events(CLIENT, "run.closed")) == 1
    outcomes = assert_closed(bench, victim.row, RunState(bench.events(CLIENT, "run.closed")[0]["state"]))
    existed = victim.late.exists()
    if outcomes["pc01"] in (HostOutcome.OK, HostOutcome.NOT_RUN):
        assert not existed
    time.sleep(1.5)
    assert victim.late.exists() == existed  # nothing takes effect after the close


def test_a_driver_killed_before_its_process_started_leaves_hosts_that_were_not_run(
    bench: Bench, tmp_path: Path
) -> None:
    victim = RunInMotion(bench, CLIENT)
    victim.kill_driver()  # the row has just been written
    recover_all(bench.ledger, CLOCK)
    closed = bench.events(CLIENT, "run.closed")[0]
    if closed["spool"]["problems"] == ["missing"]:
        assert closed["outcomes"] == {"not_run": 2}
    assert_closed(bench, victim.row, RunState.INTERRUPTED)


def test_a_run_whose_folder_is_gone_is_closed_from_what_the_ledger_knows(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    victim.kill_driver()
    wait_until_nothing_lives(victim.row, 2.0)
    for path in sorted(victim.row.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    victim.row.folder.rmdir()
    recover_all(bench.ledger, CLOCK)
    assert assert_closed(bench, victim.row, RunState.INTERRUPTED) == {"pc01": "not_run", "pc02": "not_run"}
    assert find_cgroup(victim.row.id) is None


def test_a_recovery_that_dies_is_itself_recovered(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    victim.kill_driver()

    def die(*ignored: object) -> None:
        raise KeyboardInterrupt

    for place in ("end_processes", "read_import", "bring", "remove_run_files"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(f"itcare.drive.recover.{place}", die)
            recover_run(bench.ledger, victim.row, CLOCK)
    recover_all(bench.ledger, CLOCK)
    assert_closed(bench, victim.row, RunState.INTERRUPTED)


def test_many_recoveries_at_once_close_a_run_once(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    victim.kill_driver()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.extend(recover_all(bench.ledger, CLOCK))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert_closed(bench, victim.row, RunState.INTERRUPTED)


def test_a_cancel_of_a_dead_run_closes_it_as_cancelled(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    victim.kill_driver()
    closed = request_cancel(bench.ledger, RunName(CLIENT, 1), operator=OPERATOR, clock=CLOCK)
    assert closed.state is RunState.CANCELLED
    assert_closed(bench, victim.row, RunState.CANCELLED)


def test_a_driver_that_slept_beyond_its_leases_cannot_write_any_more(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    os.kill(victim.driver.pid, signal.SIGSTOP)
    assert recover_all(bench.ledger, CLOCK) == []  # it may come back in time
    later = OffsetClock(timedelta(seconds=rows.LEASE.total_seconds() + 5))

    reports = recover_all(bench.ledger, later)

    assert [report.state for report in reports] == [RunState.INTERRUPTED]
    os.kill(victim.driver.pid, signal.SIGCONT)
    answer = finish_driver(victim.driver)
    assert answer["kind"] in ("ClosedRunError", "TakenOverError")
    assert_closed(bench, victim.row, RunState.INTERRUPTED)
    assert not victim.late.exists()


def test_an_owner_with_an_old_fencing_number_is_refused(bench: Bench, tmp_path: Path) -> None:
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    with write(bench.ledger.engine) as connection:
        rows.take_over(connection, victim.row.id, CLOCK.now())
    order_cancel(RunFolder(victim.row.folder), {"by": "test"})
    answer = finish_driver(victim.driver)
    assert answer["kind"] == "TakenOverError"
    assert bench.events(CLIENT, "run.closed") == []
    recover_all(bench.ledger, CLOCK)
    assert_closed(bench, victim.row, RunState.CANCELLED)
