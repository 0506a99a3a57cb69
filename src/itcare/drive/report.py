"""What a run came to, as the operator is told it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from itcare.core.errors import ExitCode
from itcare.core.names import RunName
from itcare.core.words import HostOutcome, RunState

_CUT_SHORT = {RunState.CANCELLED, RunState.INTERRUPTED, RunState.INCOMPLETE}


@dataclass(frozen=True)
class Alarm:
    """Something that must not happen in a run: `kind` is a word, `text` one sentence, `host` one of
    the planned hosts or None."""

    kind: str
    text: str
    host: str | None = None

    def as_record(self) -> dict[str, str]:
        return {"kind": self.kind, "text": self.text, **({"host": self.host} if self.host else {})}


@dataclass(frozen=True)
class HostReport:
    """One host of a run. `message` is text of the host or of ssh: show it as plain text."""

    name: str
    outcome: HostOutcome
    reason: str | None
    message: str | None

    @property
    def needs_verify(self) -> bool:
        return self.outcome.needs_verify


@dataclass(frozen=True)
class RunReport:
    """A closed run. `seconds`: from its opening to its close. `rc`: of ansible-playbook, None for none.

    `console`: what Ansible said that belongs to no host; kept nowhere else. `note`: what the
    operator should still know, such as a folder that could not be removed.
    """

    name: RunName
    state: RunState
    hosts: tuple[HostReport, ...]
    alarms: tuple[Alarm, ...]
    seconds: float
    reason: str | None = None
    rc: int | None = None
    console: str = ""
    note: str | None = None

    @property
    def exit_code(self) -> ExitCode:
        if self.state in _CUT_SHORT:
            return ExitCode.CUT_SHORT
        if self.alarms or any(host.outcome is HostOutcome.FAILED for host in self.hosts):
            return ExitCode.BAD_NEWS
        return ExitCode.PARTIAL if self.state is RunState.PARTIAL else ExitCode.OK

    @property
    def outcomes(self) -> Mapping[HostOutcome, int]:
        return count_outcomes([host.outcome for host in self.hosts])


def count_outcomes(outcomes: Sequence[HostOutcome]) -> dict[HostOutcome, int]:
    """How many hosts had each outcome, in the order of the enum, without zeros."""
    return {outcome: outcomes.count(outcome) for outcome in HostOutcome if outcome in outcomes}
