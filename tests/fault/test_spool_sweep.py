"""Kill the writer of a spool, or fail one of its system calls, wherever it stands."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.core.words import TaskOutcome
from itcare.drive.spool import read_spool
from tests.support import spool_once
from tests.support.playbook import COLLECTIONS
from tests.support.syscall_sweep import FAULTS, Injection, Outcome, Tally, choose, find_calls, report, run_with

pytestmark = pytest.mark.component("strace")
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
COMMAND = (sys.executable, "-S", spool_once.__file__, str(COLLECTIONS))
SAMPLE = 18
SOUND_PROBLEMS = {"missing", "empty", "half_line", "unfinished", "no_end"}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, int]]]:
    folder = tmp_path_factory.mktemp("trace")
    yield find_calls([*COMMAND, str(folder / "spool.jsonl")], ENVIRONMENT, "spool.jsonl", folder / "trace")


def strike(injection: Injection, folder: Path, **more: str) -> tuple[Outcome, Path]:
    spool = folder / "spool.jsonl"
    spool.unlink(missing_ok=True)
    return run_with(injection, [*COMMAND, str(spool)], {**ENVIRONMENT, **more}, folder / "log"), spool


def torment(injection: Injection, folder: Path, tally: Tally) -> int:
    """One injection and everything that must hold after it; returns how many lines are there."""
    done, path = strike(injection, folder)
    assert done.hit, (injection, done)
    spool = read_spool(path)
    acknowledged = max(map(int, re.findall(r"ACK (\d+)", done.output)), default=0)
    tally.faults += 1
    tally.acknowledged += acknowledged
    tally.lost += max(0, acknowledged - spool.lines)
    # A call that fails after its work, or is killed there, may leave one line more than was acknowledged.
    assert spool.lines <= acknowledged + 1, (injection, done, spool)
    assert set(spool.problems) <= SOUND_PROBLEMS, (injection, done, spool)
    assert spool.complete == (spool.lines == 7), (injection, done, spool)
    assert ("CLOSED" in done.output) <= spool.complete
    if done.code not in (0, -9):
        assert done.code == 74, (injection, done)
        assert "CLOSED" not in done.output
    unfinished = [task for task in spool.tasks if task.outcome is TaskOutcome.UNFINISHED]
    assert len(unfinished) == (spool.lines in (3, 5)), "a task is open exactly between its two lines"
    return spool.lines


def test_no_fault_in_a_sample_of_system_calls_harms_the_spool(calls, tmp_path: Path, record_property) -> None:
    tally = Tally("spool write, sample", len(calls))
    lines = {torment(injection, tmp_path, tally) for injection in choose(calls, SAMPLE)}
    report(tally, record_property)
    assert len(lines) > 4  # the faults really came in different places


@pytest.mark.slow
def test_no_fault_in_any_system_call_harms_the_spool(calls, tmp_path: Path, record_property) -> None:
    tally = Tally("spool write", len(calls))
    lines = {torment(injection, tmp_path, tally) for injection in choose(calls, None)}
    report(tally, record_property)
    assert tally.faults == len(calls) * len(FAULTS)
    assert lines == set(range(8))  # before and after every line


def test_a_writer_that_went_on_after_a_fault_would_leave_a_gap(calls, tmp_path: Path) -> None:
    """What the writer's refusal to go on is for: without it a line is missing in the middle of a closed spool."""
    number = next(number for call, number in calls if call == "write") + 6  # each line is followed by its ACK
    injection = Injection("write", number, "error=ENOSPC")
    stopped, path = strike(injection, tmp_path)
    assert stopped.code == 74
    assert (read_spool(path).lines, read_spool(path).problems) == (3, ("unfinished", "no_end"))
    _, path = strike(injection, tmp_path, **{spool_once.AFTER: "1"})
    assert len(path.read_bytes().splitlines()) == 6
    assert read_spool(path).problems[0] in ("malformed", "counts_disagree", "counter_gap")
