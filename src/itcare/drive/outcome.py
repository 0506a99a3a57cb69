"""What became of each host and of the run, judged from the spool alone. Pure.

The words and their order are those of core.words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from itcare.core.words import HostOutcome, NotReachedReason, RunState, TaskOutcome
from itcare.drive.orders import Ending
from itcare.drive.reach import classify
from itcare.drive.spool import Spool, SpoolTask

# Return code of ansible-playbook is a bit mask (ansible-core, TaskQueueManager): 2 a host failed,
# 4 a host was unreachable, 8 a play was broken off; 1 and 255 are errors of the playbook itself.
_RETURN_CODES_OF_A_WHOLE_RUN = frozenset({0, 2, 4, 6, 8, 10, 12, 14})

# Tasks that change nothing whatever becomes of them: only after one of these is "unreachable" known
# to mean that nothing was touched.
_READ_ONLY_MODULES = frozenset({
    "ansible.builtin.ping", "ansible.builtin.setup", "ansible.builtin.gather_facts",
    "ansible.builtin.wait_for_connection", "ansible.windows.win_ping", "ansible.windows.setup",
    "itcare.maintenance.health_info", "itcare.maintenance.software_info",
})  # fmt: skip

# ssh says these before a command could reach the host.
_BEFORE_ANY_COMMAND = frozenset({
    NotReachedReason.REFUSED, NotReachedReason.NAME, NotReachedReason.HOST_KEY, NotReachedReason.AUTH,
})  # fmt: skip


@dataclass(frozen=True)
class HostVerdict:
    """Outcome of one host. `reason` only for `not_reached`; `message` is the host's or ssh's text."""

    outcome: HostOutcome
    reason: NotReachedReason | None = None
    message: str | None = None


def judge_host(tasks: Sequence[SpoolTask], *, ran_to_end: bool) -> HostVerdict:
    """The outcome of one host from its tasks, in the order of their positions.

    `ran_to_end`: the playbook itself closed the spool. Without that a host whose tasks all ended may
    have had more to come, so it was still in work.
    """
    if not tasks:
        return HostVerdict(HostOutcome.NOT_RUN)
    outcomes = {task.outcome for task in tasks}
    if TaskOutcome.UNREACHABLE in outcomes:
        return _judge_unreachable(tasks)
    if TaskOutcome.TIMED_OUT in outcomes:
        return HostVerdict(HostOutcome.UNKNOWN, message=_message(tasks, TaskOutcome.TIMED_OUT))
    if TaskOutcome.UNFINISHED in outcomes:
        return HostVerdict(HostOutcome.INTERRUPTED)
    if any(task.outcome is TaskOutcome.FAILED and not task.ignored for task in tasks):
        return HostVerdict(HostOutcome.FAILED, message=_message(tasks, TaskOutcome.FAILED))
    if not ran_to_end:
        return HostVerdict(HostOutcome.INTERRUPTED)
    return HostVerdict(HostOutcome.CHANGED if TaskOutcome.CHANGED in outcomes else HostOutcome.OK)


def _judge_unreachable(tasks: Sequence[SpoolTask]) -> HostVerdict:
    message = _message(tasks, TaskOutcome.UNREACHABLE)
    reason = classify(message or "")
    first = tasks[0]
    alone = all(task.outcome in (TaskOutcome.UNREACHABLE, TaskOutcome.SKIPPED) for task in tasks)
    harmless = first.module in _READ_ONLY_MODULES or reason in _BEFORE_ANY_COMMAND
    if first.outcome is TaskOutcome.UNREACHABLE and alone and harmless:
        return HostVerdict(HostOutcome.NOT_REACHED, reason, message)
    return HostVerdict(HostOutcome.UNKNOWN, message=message)


def _message(tasks: Iterable[SpoolTask], outcome: TaskOutcome) -> str | None:
    for task in tasks:
        if task.outcome is outcome and not task.ignored and isinstance(task.result, Mapping):
            text = task.result.get("msg")
            return text if isinstance(text, str) else None
    return None


def played_out(spool: Spool, ending: Ending, rc: int | None) -> bool:
    """Whether the playbook itself closed its spool, so that no host had more to come.

    A cancel or a limit that struck after the closing line cut nothing off.
    """
    closed = spool.complete or spool.problems == ("unfinished",)
    return closed and (ending is not Ending.FINISHED or rc in _RETURN_CODES_OF_A_WHOLE_RUN)


def judge_run(spool: Spool, ending: Ending, rc: int | None, outcomes: Iterable[HostOutcome]) -> RunState:
    """The state of a closed run: the first that applies."""
    if not played_out(spool, ending, rc):
        if ending is Ending.CANCELLED:
            return RunState.CANCELLED
        return RunState.INCOMPLETE if ending is Ending.FINISHED else RunState.INTERRUPTED
    if not spool.complete:
        return RunState.INCOMPLETE
    unsettled = {HostOutcome.NOT_REACHED, HostOutcome.UNKNOWN, HostOutcome.INTERRUPTED, HostOutcome.NOT_RUN}
    return RunState.PARTIAL if unsettled & set(outcomes) else RunState.COMPLETE
