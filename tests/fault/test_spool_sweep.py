"""Kill the writer of a spool, or fail one of its system calls, wherever it stands."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from itcare.core.words import TaskOutcome
from itcare.drive.spool import read_spool
from tests.support import spool_once
from tests.support.memory import folder_in_memory
from tests.support.playbook import COLLECTIONS
from tests.support.stage import Stage
from tests.support.syscall_sweep import FAULTS, Injection, Outcome, Tally, choose, find_calls, report, run_with

pytestmark = pytest.mark.component("strace")
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
SOUND_PROBLEMS = {"missing", "empty", "half_line", "unfinished", "no_end"}


@dataclass(frozen=True)
class Base:
    """The writer on its stage, and its calls from the first touch of the spool on."""

    stage: Stage
    folder: Path
    calls: list[tuple[str, int]]

    @property
    def spool(self) -> Path:
        return self.folder / "spool.jsonl"


@pytest.fixture(scope="module")
def base() -> Iterator[Base]:
    with folder_in_memory() as folder, Stage(spool_once.__file__, ENVIRONMENT, folder) as stage:
        arguments = [str(COLLECTIONS), str(folder / "spool.jsonl")]
        yield Base(stage, folder, find_calls(stage, arguments, "spool.jsonl", folder / "trace"))


def strike(base: Base, injection: Injection, **more: str) -> Outcome:
    base.spool.unlink(missing_ok=True)
    return run_with(base.stage, injection, [str(COLLECTIONS), str(base.spool)], base.folder / "log", more)


def torment(base: Base, injection: Injection, tally: Tally) -> int:
    """One injection and everything that must hold after it; returns how many lines are there."""
    done = strike(base, injection)
    assert done.hit, (injection, done)
    spool = read_spool(base.spool)
    acknowledged = max(map(int, re.findall(r"ACK (\d+)", done.output)), default=0)
    tally.add(done, acknowledged=acknowledged, lost=max(0, acknowledged - spool.lines))
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


def test_no_fault_in_any_system_call_harms_the_spool(base: Base, record_property) -> None:
    tally = Tally("spool write", len(base.calls))
    lines = {torment(base, injection, tally) for injection in choose(base.calls, None)}
    report(tally, record_property)
    assert tally.faults == len(base.calls) * len(FAULTS)
    assert lines == set(range(8))  # before and after every line


def test_a_writer_that_went_on_after_a_fault_would_leave_a_gap(base: Base) -> None:
    """What the writer's refusal to go on is for: without it a line is missing in the middle of a closed spool."""
    number = next(number for call, number in base.calls if call == "write") + 6  # each line is followed by its ACK
    injection = Injection("write", number, "error=ENOSPC")
    assert strike(base, injection).code == 74
    assert (read_spool(base.spool).lines, read_spool(base.spool).problems) == (3, ("unfinished", "no_end"))
    strike(base, injection, **{spool_once.AFTER: "1"})
    assert len(base.spool.read_bytes().splitlines()) == 6
    assert read_spool(base.spool).problems[0] in ("malformed", "counts_disagree", "counter_gap")
