"""Runs as the operator sees them: live progress per host, then one clear summary."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from itcare.cli.console import plain, print_json, progress_console, remark, say
from itcare.cli.session import Session
from itcare.core.errors import ExitCode
from itcare.core.names import RunName

if TYPE_CHECKING:
    from itcare.drive.progress import Progress
    from itcare.drive.report import RunReport

_STYLES = {"ok": "green", "changed": "green", "failed": "red", "not_reached": "yellow", "unknown": "magenta"}


class _Board:
    """The last step of each host that has begun."""

    def __init__(self) -> None:
        self._steps: dict[str, Progress] = {}

    def take(self, step: "Progress") -> None:
        self._steps[step.host] = step

    def __rich__(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        for host, step in sorted(self._steps.items()):
            state = str(step.outcome) if step.outcome else "…"
            table.add_row(Text(host), Text(plain(step.task, 60)), Text(state, style=_STYLES.get(state, "")))
        return table


def drive_run(
    session: Session, client: str, duty: str, *, limit: Sequence[str], check: bool, operator: str | None,
    reason: str | None, as_json: bool, reruns: int | None = None,
) -> ExitCode:  # fmt: skip
    """Perform a duty, show how it goes, and return the exit code that its report asks for."""
    from itcare.drive.controller import identify_operator
    from itcare.drive.recover import recover_all
    from itcare.drive.run import perform

    loaded = session.contract(client)
    for report in recover_all(session.ledger, session.clock):
        remark(f"Closed first, because its driver had died: {_in_short(report)}")
        _notify(session, report)
    board = _Board()
    with Live(board, console=progress_console(), transient=True, refresh_per_second=4):
        report = perform(
            session.ledger, loaded, duty, limit=limit, check=check, operator=identify_operator(operator),
            reason=reason, reruns=reruns, on_progress=board.take, clock=session.clock,
        )  # fmt: skip
    show_report(report, as_json=as_json)
    _notify(session, report)
    return report.exit_code


def show_report(report: "RunReport", *, as_json: bool) -> None:
    """What a run came to, for a program or for a person."""
    if as_json:
        print_json(_as_values(report))
    else:
        _summarise(report)


def _notify(session: Session, report: "RunReport") -> None:
    """Tell of a run that did not end well; a notice that fails is told here and changes nothing else."""
    from itcare.drive.notice import notify

    if failure := notify(session.settings.notify_command, report):
        remark(plain(failure, 600))


def _summarise(report: "RunReport") -> None:
    say(_in_short(report))
    for host in report.hosts:
        why = f" ({host.reason})" if host.reason else ""
        verify = ", needs to be verified" if host.needs_verify else ""
        say(f"  {host.name}: {host.outcome}{why}{verify}" + (f" - {plain(host.message, 200)}" if host.message else ""))
    for alarm in report.alarms:
        say(f"  ALARM {alarm.kind}: {plain(alarm.text)}")
    if report.state not in ("complete", "partial") and report.console:
        remark(plain(report.console[-2000:], 2000))
    if report.note:
        remark(report.note)


def _in_short(report: "RunReport") -> str:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items())
    why = f" ({report.reason})" if report.reason else ""
    return f"Run {report.name}: {report.state}{why}. {outcomes}. {report.seconds:.1f} s."


def _as_values(report: "RunReport") -> dict[str, object]:
    return {
        "client": report.name.client,
        "number": report.name.number,
        "state": str(report.state),
        "reason": report.reason,
        "seconds": round(report.seconds, 3),
        "hosts": [
            {
                "host": h.name,
                "outcome": str(h.outcome),
                "reason": h.reason,
                "needs_verify": h.needs_verify,
                "message": h.message,
            }
            for h in report.hosts
        ],
        "alarms": [alarm.as_record() for alarm in report.alarms],
    }


def cancel_run(session: Session, name: RunName) -> None:
    """Ask for the end of a run and say how it ended."""
    from itcare.drive.cancel import request_cancel
    from itcare.drive.controller import identify_operator

    with progress_console().status(f"Cancelling {name}"):
        row = request_cancel(session.ledger, name, operator=identify_operator(), clock=session.clock)
    say(f"Run {name}: {row.state}.")


def recover_runs(session: Session) -> None:
    """Close the runs whose driver died, and say which."""
    from itcare.drive.recover import recover_all

    reports = recover_all(session.ledger, session.clock)
    for report in reports:
        _summarise(report)
        _notify(session, report)
    if not reports:
        say("Nothing to recover: every open run has a living driver.")
