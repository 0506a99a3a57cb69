"""The words for outcomes and states.

Each is spelt once, here, and is the same on a page, in JSON, in the spool and in the ledger.
"""

from enum import StrEnum


class TaskOutcome(StrEnum):
    """What became of one task on one host, as the spool tells it."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"  # the task's own timeout: what happened on the host is not known
    UNFINISHED = "unfinished"  # started, and no end was recorded


class HostOutcome(StrEnum):
    """What became of one host in one run."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"  # unreachable at the read-only probe: nothing was touched
    UNKNOWN = "unknown"  # contact lost or a task timed out after the probe
    INTERRUPTED = "interrupted"  # the run ended while this host was in work
    NOT_RUN = "not_run"  # never begun

    @property
    def needs_verify(self) -> bool:
        """Whether somebody has to look at the host before it may be believed again."""
        return self in (HostOutcome.UNKNOWN, HostOutcome.INTERRUPTED)


class NotReachedReason(StrEnum):
    """Why the probe did not get through."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    NAME = "name"
    HOST_KEY = "host_key"
    AUTH = "auth"
    OTHER = "other"  # the message of the connection plugin is in the body


class RunState(StrEnum):
    """State of a run; where several apply, the first in this order."""

    RUNNING = "running"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    PARTIAL = "partial"
    COMPLETE = "complete"


class RunGrade(StrEnum):
    """How far the record of a run can be believed."""

    ANNOUNCED = "announced"  # opened in the ledger before it began
    UNANNOUNCED = "unannounced"  # adopted afterwards, from a spool that no driver had ordered


class ObligationState(StrEnum):
    """State of an obligation; derived from evidence and time, never typed in."""

    PLANNED = "planned"
    ATTEMPTED = "attempted"
    DONE = "done"
    DONE_LATE = "done_late"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    WAIVED = "waived"
    NO_DATA = "no_data"


class NoDataReason(StrEnum):
    """Why an obligation closed with nothing usable."""

    NOT_ATTEMPTED = "not_attempted"
    INTERRUPTED = "interrupted"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"


class FindingStatus(StrEnum):
    """Judgement on one observation under one rule."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class SourceState(StrEnum):
    """Whether a source of an observation could be asked."""

    OK = "ok"
    ABSENT = "absent"  # the thing is not there: a fact, no finding
    UNAVAILABLE = "unavailable"  # it could not be asked: every rule on it is `unknown`


class TempState(StrEnum):
    """What a clean-up of temporary files did with one category of them."""

    OK = "ok"
    ABSENT = "absent"
    SKIPPED = "skipped"
    UNAVAILABLE = "unavailable"


class SoftwareChange(StrEnum):
    """What became of a package between two looks at a computer's software."""

    INSTALLED = "installed"
    REMOVED = "removed"
    UPDATED = "updated"


class ForecastReason(StrEnum):
    """Why no day can be named on which a disk will be full."""

    TOO_SHORT = "too_short"  # not enough looks, or not over enough days
    NOT_GROWING = "not_growing"  # steady, shrinking, or growing too slowly to matter


class Severity(StrEnum):
    """How bad something found on the controller is."""

    OK = "ok"
    WARNING = "warning"  # work goes on, and somebody should mend it
    ERROR = "error"  # runs, records or secrets are at risk
