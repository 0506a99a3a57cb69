"""What is shown for a state, an outcome, a finding and a reason: glyph, colour and words.

The glyphs exist in the fonts that Streamlit ships, so that they look alike on every machine.
States are strokes and findings are shapes: the two are never mixed up, even without colour.
"""

from itcare.core.words import (
    FindingStatus,
    HostOutcome,
    NoDataReason,
    NotReachedReason,
    ObligationState,
    RunState,
    TaskOutcome,
)
from words import mark, tr

# glyph, message
STATES = {
    ObligationState.DONE: ("✓", mark("done on time")),
    ObligationState.DONE_LATE: ("✓»", mark("done late")),
    ObligationState.FAILED: ("×", mark("not done – error")),
    ObligationState.NOT_REACHED: ("○", mark("not reached")),
    ObligationState.NO_DATA: ("?", mark("no data")),
    ObligationState.ATTEMPTED: ("…", mark("in progress")),
    ObligationState.PLANNED: ("·", mark("planned")),
    ObligationState.WAIVED: ("–", mark("waived")),
}
WORST_FIRST = (
    ObligationState.FAILED, ObligationState.NO_DATA, ObligationState.NOT_REACHED, ObligationState.ATTEMPTED,
    ObligationState.WAIVED, ObligationState.DONE_LATE, ObligationState.PLANNED, ObligationState.DONE,
)  # fmt: skip
DELIVERED = (ObligationState.DONE, ObligationState.DONE_LATE)
UNDONE = (ObligationState.FAILED, ObligationState.NO_DATA, ObligationState.NOT_REACHED, ObligationState.WAIVED)

FINDINGS = {
    FindingStatus.FAIL: ("■", mark("problem")),
    FindingStatus.WARN: ("▲", mark("remark")),
    FindingStatus.UNKNOWN: ("?", mark("unknown")),
    FindingStatus.OK: ("●", mark("fine")),
}

# A run and a task have no due date: never "on time" or "late".
RUNS = {
    RunState.RUNNING: ("…", "attempted", mark("in progress")),
    RunState.CANCELLED: ("–", "waived", mark("cancelled")),
    RunState.INTERRUPTED: ("?", "no_data", mark("interrupted")),
    RunState.INCOMPLETE: ("?", "no_data", mark("record incomplete")),
    RunState.PARTIAL: ("○", "not_reached", mark("done in part")),
    RunState.COMPLETE: ("✓", "done", mark("carried out")),
}
OUTCOMES = {
    HostOutcome.OK: ("✓", mark("carried out, nothing changed")),
    HostOutcome.CHANGED: ("✓", mark("carried out, with changes")),
    HostOutcome.FAILED: ("×", mark("error")),
    HostOutcome.NOT_REACHED: ("○", mark("no answer")),
    HostOutcome.UNKNOWN: ("?", mark("contact lost, outcome not known")),
    HostOutcome.INTERRUPTED: ("?", mark("interrupted")),
    HostOutcome.NOT_RUN: ("·", mark("not begun")),
}
TASKS = {
    TaskOutcome.OK: ("✓", mark("carried out")),
    TaskOutcome.CHANGED: ("✓", mark("changed something")),
    TaskOutcome.FAILED: ("×", mark("error")),
    TaskOutcome.SKIPPED: ("–", mark("skipped")),
    TaskOutcome.UNREACHABLE: ("○", mark("no answer")),
    TaskOutcome.TIMED_OUT: ("?", mark("time ran out")),
    TaskOutcome.UNFINISHED: ("?", mark("end not recorded")),
}
REASONS = {
    NotReachedReason.REFUSED: mark("the computer refused the connection"),
    NotReachedReason.TIMEOUT: mark("the computer did not answer in time"),
    NotReachedReason.NAME: mark("the name of the computer could not be resolved"),
    NotReachedReason.HOST_KEY: mark("the computer's key is not the one we know"),
    NotReachedReason.AUTH: mark("the computer did not accept our sign-in"),
    NotReachedReason.OTHER: mark("the connection failed for another reason"),
    NoDataReason.NOT_ATTEMPTED: mark("nobody tried"),
    NoDataReason.INTERRUPTED: mark("the work was interrupted"),
    NoDataReason.UNREADABLE: mark("the result could not be read"),
    NoDataReason.UNSUPPORTED: mark("the system of the computer is not supported"),
}
DUTIES = {"visit.daily": mark("Daily remote check")}
ROLES = {"server": mark("server"), "workstation": mark("workstation"), "laptop": mark("laptop")}


def state_word(state: str) -> str:
    return tr(STATES[ObligationState(state)][1])


def state_glyph(state: str) -> str:
    return STATES[ObligationState(state)][0]


def finding_word(status: str) -> str:
    return tr(FINDINGS[FindingStatus(status)][1])


def finding_glyph(status: str) -> str:
    return FINDINGS[FindingStatus(status)][0]


def run_word(state: str) -> str:
    glyph, _, message = RUNS[RunState(state)]
    return f"{glyph} {tr(message)}"


def outcome_word(outcome: str) -> str:
    glyph, message = OUTCOMES[HostOutcome(outcome)]
    return f"{glyph} {tr(message)}"


def task_word(outcome: str) -> str:
    glyph, message = TASKS[TaskOutcome(outcome)]
    return f"{glyph} {tr(message)}"


def reason_word(reason: str | None) -> str:
    """Our words for a reason code; a code without words is shown as it stands."""
    return tr(REASONS[reason]) if reason in REASONS else (reason or "")  # type: ignore[index]  # StrEnum keys equal their words


def duty_name(duty: str) -> str:
    return tr(DUTIES[duty]) if duty in DUTIES else duty


def role_name(role: str | None) -> str:
    return tr(ROLES[role]) if role in ROLES else (role or "")


def worst(states: list[ObligationState]) -> ObligationState:
    return min(states, key=WORST_FIRST.index)
