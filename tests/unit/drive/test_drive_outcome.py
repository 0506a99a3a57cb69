"""From tasks to the outcome of a host, and from hosts to the state of a run."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.core.words import HostOutcome as Host
from itcare.core.words import NotReachedReason, RunState
from itcare.core.words import TaskOutcome as Task
from itcare.drive.orders import Ending
from itcare.drive.outcome import judge_host, judge_run, played_out
from itcare.drive.spool import Spool, SpoolTask

NOW = datetime(2026, 8, 3, 10, 0, tzinfo=UTC)
PING = "ansible.builtin.ping"
REFUSED = "ssh: connect to host 192.0.2.1 port 22: Connection refused"
SLOW = "ssh: connect to host 192.0.2.1 port 22: Connection timed out"


def task(outcome: Task, position: int = 0, *, ignored: bool = False, module: str = PING, msg: str = "") -> SpoolTask:
    ended = None if outcome is Task.UNFINISHED else NOW
    result = None if outcome is Task.UNFINISHED else {"msg": msg}
    return SpoolTask(
        "pc01", f"t{position}", position, "x", module, "play.yml", 1, {}, False, NOW, ended, outcome, ignored, result
    )


def tasks(*outcomes: Task) -> list[SpoolTask]:
    return [task(outcome, position) for position, outcome in enumerate(outcomes)]


def spool(*, complete: bool = True, problems: tuple[str, ...] = ()) -> Spool:
    return Spool(None, (), (), (), complete, problems, 0, "", 0)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], Host.NOT_RUN),
        ([Task.OK], Host.OK),
        ([Task.OK, Task.SKIPPED], Host.OK),
        ([Task.OK, Task.CHANGED, Task.OK], Host.CHANGED),
        ([Task.OK, Task.FAILED], Host.FAILED),
        ([Task.OK, Task.CHANGED, Task.FAILED], Host.FAILED),
        ([Task.OK, Task.TIMED_OUT], Host.UNKNOWN),
        ([Task.TIMED_OUT], Host.UNKNOWN),
        ([Task.OK, Task.FAILED, Task.TIMED_OUT], Host.UNKNOWN),
        ([Task.OK, Task.UNREACHABLE], Host.UNKNOWN),
        ([Task.OK, Task.UNFINISHED], Host.INTERRUPTED),
        ([Task.UNFINISHED], Host.INTERRUPTED),
    ],
)
def test_the_tasks_of_a_host_decide_its_outcome(outcomes: list[Task], expected: Host) -> None:
    assert judge_host(tasks(*outcomes), ran_to_end=True).outcome is expected


def test_unreachable_at_the_probe_touched_nothing_and_says_why() -> None:
    verdict = judge_host([task(Task.UNREACHABLE, msg=REFUSED)], ran_to_end=True)
    assert (verdict.outcome, verdict.reason) == (Host.NOT_REACHED, NotReachedReason.REFUSED)
    assert verdict.message == REFUSED


def test_unreachable_at_a_first_task_that_acts_is_known_only_before_the_login() -> None:
    def judge(message: str) -> Host:
        acting = task(Task.UNREACHABLE, module="ansible.builtin.command", msg=message)
        return judge_host([acting], ran_to_end=True).outcome

    assert judge(REFUSED) is Host.NOT_REACHED
    assert judge(SLOW) is Host.UNKNOWN  # the link may have been lost after the command had arrived


def test_a_probe_that_came_through_later_was_not_the_end() -> None:
    done = [task(Task.UNREACHABLE, ignored=True, msg=REFUSED), task(Task.CHANGED, 1)]
    assert judge_host(done, ran_to_end=True).outcome is Host.UNKNOWN


def test_an_ignored_failure_is_no_failure() -> None:
    assert judge_host([task(Task.OK), task(Task.FAILED, 1, ignored=True)], ran_to_end=True).outcome is Host.OK


def test_without_the_closing_line_a_host_was_still_in_work() -> None:
    assert judge_host(tasks(Task.OK, Task.CHANGED), ran_to_end=False).outcome is Host.INTERRUPTED
    assert judge_host(tasks(Task.OK, Task.FAILED), ran_to_end=False).outcome is Host.FAILED
    assert judge_host([], ran_to_end=False).outcome is Host.NOT_RUN


@given(st.lists(st.builds(task, st.sampled_from(Task), ignored=st.booleans()), max_size=6), st.booleans())
def test_a_doubt_never_reads_as_done(done: list[SpoolTask], whole: bool) -> None:
    verdict = judge_host(done, ran_to_end=whole)
    doubtful = {Task.UNREACHABLE, Task.TIMED_OUT, Task.UNFINISHED} & {one.outcome for one in done}
    if doubtful or not whole or not done:
        assert verdict.outcome not in (Host.OK, Host.CHANGED)
    assert (verdict.reason is not None) == (verdict.outcome is Host.NOT_REACHED)


@pytest.mark.parametrize(
    ("ending", "rc", "read", "outcomes", "expected"),
    [
        (Ending.FINISHED, 0, spool(), [Host.OK], RunState.COMPLETE),
        (Ending.FINISHED, 2, spool(), [Host.OK, Host.FAILED], RunState.COMPLETE),
        (Ending.FINISHED, 4, spool(), [Host.OK, Host.NOT_REACHED], RunState.PARTIAL),
        (Ending.FINISHED, 6, spool(), [Host.FAILED, Host.UNKNOWN], RunState.PARTIAL),
        (Ending.FINISHED, 0, spool(), [Host.OK, Host.NOT_RUN], RunState.PARTIAL),
        (Ending.FINISHED, 0, spool(complete=False, problems=("no_end",)), [Host.OK], RunState.INCOMPLETE),
        (Ending.FINISHED, 0, spool(complete=False, problems=("unfinished",)), [Host.INTERRUPTED], RunState.INCOMPLETE),
        (Ending.FINISHED, 74, spool(), [Host.OK], RunState.INCOMPLETE),
        (Ending.FINISHED, 1, spool(), [Host.OK], RunState.INCOMPLETE),
        (Ending.FINISHED, None, spool(), [Host.OK], RunState.INTERRUPTED),
        (Ending.CANCELLED, None, spool(complete=False), [Host.INTERRUPTED], RunState.CANCELLED),
        (Ending.CANCELLED, None, spool(), [Host.OK], RunState.COMPLETE),  # the order came too late to cut anything
        (Ending.TIMEOUT, None, spool(complete=False), [Host.INTERRUPTED], RunState.INTERRUPTED),
        (Ending.IDLE, None, spool(complete=False), [Host.INTERRUPTED], RunState.INTERRUPTED),
        (Ending.DIED, None, spool(complete=False), [Host.NOT_RUN], RunState.INTERRUPTED),
        (Ending.DRIVER_DIED, None, spool(complete=False), [Host.OK], RunState.INTERRUPTED),
        (Ending.ERROR, None, spool(complete=False), [Host.NOT_RUN], RunState.INTERRUPTED),
    ],
)
def test_the_state_of_a_run_is_the_first_that_applies(
    ending: Ending, rc: int | None, read: Spool, outcomes: list[Host], expected: RunState
) -> None:
    assert judge_run(read, ending, rc, outcomes) is expected


@given(st.sampled_from(Ending), st.integers(0, 255), st.lists(st.sampled_from(Host)))
def test_a_cut_spool_is_never_a_complete_run(ending: Ending, rc: int, outcomes: list[Host]) -> None:
    cut = spool(complete=False, problems=("half_line", "no_end"))
    assert not played_out(cut, ending, rc)
    assert judge_run(cut, ending, rc, outcomes) not in (RunState.COMPLETE, RunState.PARTIAL)
