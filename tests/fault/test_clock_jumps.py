"""The controller's clock is put back or forward: order comes from numbers, durations from a clock that never jumps."""

import os
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from itcare.cli.publishing import publish_log
from itcare.cli.session import Session
from itcare.core.clock import SystemClock, read_instant
from itcare.core.words import HostOutcome, RunState
from itcare.drive import rows
from itcare.drive.recover import recover_all
from itcare.drive.spool import read_spool
from itcare.ledger.check import check_log
from itcare.store.engine import read
from tests.support.driving import (
    LOCAL,
    OffsetClock,
    RunInMotion,
    finish_driver,
    make_bench,
    write_contract,
    write_playbook,
)
from tests.support.open_runs import OpenRun
from tests.support.spools import SpoolText

CLIENT = "DOMEK"
HOUR = timedelta(hours=1)


class JumpingClock(SystemClock):
    """The clock of this computer until somebody sets it."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


@pytest.mark.parametrize("jump", [-2 * HOUR, 2 * HOUR], ids=["back", "forward"])
def test_a_jump_in_the_middle_of_a_run_changes_neither_its_order_nor_its_length(
    tmp_path: Path, jump: timedelta
) -> None:
    clock = JumpingClock()
    bench = make_bench(tmp_path, clock)
    loaded = write_contract(bench.settings.contracts.parent, CLIENT, {"pc01": LOCAL})
    playbook = write_playbook(tmp_path / "play")

    def set_the_clock(step: object) -> None:
        clock.offset = jump

    began = time.monotonic()
    first = bench.perform(loaded, playbook, clock=clock, on_progress=set_the_clock, job_timeout=600)
    lasted = time.monotonic() - began
    second = bench.perform(loaded, playbook, clock=clock)

    assert [report.state for report in (first, second)] == [RunState.COMPLETE] * 2
    assert 0 < first.seconds <= lasted < 600  # by the clock on the wall it were two hours, or less than nothing
    events = bench.events(CLIENT)
    assert [event["entry"] for event in events] == list(range(len(events)))
    assert [event["run"] for event in events if event["type"] == "run.opened"] == [1, 2]
    at = [read_instant(event["at"]) for event in events if event.get("run") == 1]
    assert abs(at[-1] - at[0] - jump) < timedelta(minutes=5)  # the jump did reach the record, which tells it as it was
    assert check_log(bench.settings, bench.ledger.engine, bench.ledger.find_log(CLIENT)).sound
    assert [run.number for run in bench.history(CLIENT).runs] == [1, 2]
    with read(bench.ledger.engine) as connection:
        assert rows.open_runs(connection) == []


def test_a_run_that_ended_before_it_began_is_published_like_any_other(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, OffsetClock(-2 * HOUR))
    bench.settings.contracts.mkdir()
    write_contract(bench.settings.contracts, CLIENT, {"pc01": LOCAL, "pc02": LOCAL})
    run = OpenRun(bench)
    report = run.bring(run.whole())
    assert report.seconds >= 0
    line = publish_log(Session(bench.settings, SystemClock()), run.log)
    assert "published" in line


def test_a_spool_keeps_order_and_durations_whatever_its_instants_say(tmp_path: Path) -> None:
    text = SpoolText().header().play("pc01")
    text.start("pc01", "t1", at="2026-10-25T02:30:00.000000Z", mono=100.0)
    text.end("pc01", "t1", at="2026-10-25T01:30:00.500000Z", mono=107.5)
    text.start("pc01", "t2", at="2026-10-25T04:30:00.000000Z", mono=108.0)
    text.end("pc01", "t2", at="2026-10-25T00:00:00.000000Z", mono=109.0)
    spool = read_spool(text.close().write(tmp_path))
    assert spool.complete
    assert [(task.task, task.position, task.seconds) for task in spool.tasks] == [("t1", 0, 7.5), ("t2", 1, 1.0)]
    assert spool.tasks[0].ended_at < spool.tasks[0].started_at  # told as it was written, and nothing is made of it


def test_a_clock_put_back_does_not_keep_a_dead_run_alive(tmp_path: Path) -> None:
    """Its leases run for two hours more by the new time; the lock that died with the driver decides."""
    bench = make_bench(tmp_path)
    victim = RunInMotion(bench, CLIENT).wait_for_the_task()
    victim.kill_driver()
    earlier = OffsetClock(-2 * HOUR)
    with read(bench.ledger.engine) as connection:
        assert not rows.leases_expired(connection, victim.row.id, earlier.now())
    assert [report.state for report in recover_all(bench.ledger, earlier)] == [RunState.INTERRUPTED]


def test_a_clock_put_forward_never_lets_two_runs_have_one_computer(tmp_path: Path) -> None:
    """By the new time the leases of a living driver are over. It loses the run: late, but never double."""
    bench = make_bench(tmp_path)
    victim = RunInMotion(bench, CLIENT, hosts=("pc01",)).wait_for_the_task()
    os.kill(victim.driver.pid, signal.SIGSTOP)  # it must not renew them while we look
    later = OffsetClock(2 * HOUR)
    reports = recover_all(bench.ledger, later)
    assert [report.state for report in reports] == [RunState.INTERRUPTED]
    report = bench.perform(victim.loaded, write_playbook(tmp_path / "other"), clock=later)
    os.kill(victim.driver.pid, signal.SIGCONT)
    assert finish_driver(victim.driver)["kind"] in ("ClosedRunError", "TakenOverError")
    assert [host.outcome for host in report.hosts] == [HostOutcome.OK]
    time.sleep(3)
    assert not victim.late.exists()
    assert [event["run"] for event in bench.events(CLIENT, "run.closed")] == [1, 2]
