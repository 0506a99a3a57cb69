"""Commands about runs that were: rerun, adopt."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from itcare.cli.session import Session
from itcare.core.errors import BadInputError
from itcare.core.names import RunName


def rerun(
    name: Annotated[str, typer.Argument(help="CLIENT/NUMBER")],
    failed: Annotated[
        bool, typer.Option("--failed", help="Only hosts that did not end well; without it every host of the run.")
    ] = False,
    operator: Annotated[str | None, typer.Option("--operator", help="Who asks; recorded as stated.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; recorded.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, progress on stderr.")] = False,
) -> None:
    """Perform the duty of a run again, on those of its hosts that were not ok or changed.

    It is a run of its own, which names the one it repeats; exit codes as of `itcare run`.
    Example: itcare rerun ACME/12 --failed
    """
    from itcare.cli.driving import drive_run
    from itcare.cli.history import recollect_client
    from itcare.drive.rerun import plan_rerun

    session, run = Session.open(), RunName.parse(name)

    def find_events() -> Iterator[Mapping[str, object]]:
        known = recollect_client(session, session.ledger.find_log(run.client))
        return (entry.event or {} for entry in known.entries_of([run.number]))

    again = plan_rerun(session.ledger, run, find_events, failed_only=failed)
    code = drive_run(
        session, run.client, again.duty, limit=again.hosts, check=again.check, operator=operator, reason=reason,
        as_json=as_json, reruns=run.number,
    )  # fmt: skip
    raise typer.Exit(int(code))


def adopt(
    spool: Annotated[Path, typer.Argument(help="Spool of a plain ansible-playbook run.")],
    client: Annotated[str, typer.Option("--client", help="Whose computers it was about.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it was not run through itcare; recorded.")],
    operator: Annotated[str | None, typer.Option("--operator", help="Who adopts; recorded as stated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object and nothing else.")] = False,
) -> None:
    """Take the record of a run without itcare into the client's ledger, graded `unannounced`.

    It keeps no promise of the contract and is shown as what it is. Exit codes as of `itcare run`.
    Example: itcare adopt itcare-spool/20260318T070000Z-1f2e.jsonl --client ACME --reason "urgent repair"
    """
    from itcare.cli.driving import show_report
    from itcare.drive.adopt import adopt as take
    from itcare.drive.controller import identify_operator

    if not reason.strip():
        raise BadInputError("adopt", str(spool), "the reason is empty", "Say why it was not run through itcare.")
    session = Session.open()
    report = take(
        session.ledger, session.contract(client), spool, reason=reason, operator=identify_operator(operator),
        clock=session.clock,
    )  # fmt: skip
    show_report(report, as_json=as_json)
    raise typer.Exit(int(report.exit_code))
