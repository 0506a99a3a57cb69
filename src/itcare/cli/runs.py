"""Commands that begin, end and show runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from itcare.cli.console import join, print_json, print_table, remark
from itcare.cli.session import Session
from itcare.core.errors import BadInputError, NotFoundError
from itcare.core.names import RunName
from itcare.core.words import RunGrade

if TYPE_CHECKING:
    from itcare.publish.records import History


def run(
    client: Annotated[str, typer.Argument(help="Client code.")],
    duty: Annotated[str, typer.Argument(help="Duty of the contract, for example visit.daily.")],
    limit: Annotated[str | None, typer.Option("--limit", help="Only these hosts, separated by commas.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Look only; satisfies no obligation.")] = False,
    operator: Annotated[str | None, typer.Option("--operator", help="Who asks; recorded as stated.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; recorded.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, progress on stderr.")] = False,
) -> None:
    """Perform a duty now: one run over the hosts that it covers today.

    Exit code 0: every host well; 1: a host failed; 3: a host was not reached, is unknown or was not run;
    4: cancelled, interrupted or incomplete; 5: a host is in another run. Example: itcare run ACME visit.daily
    """
    from itcare.cli.driving import drive_run

    hosts = [name.strip() for name in limit.split(",") if name.strip()] if limit is not None else []
    if limit is not None and not hosts:
        raise BadInputError("limit the run to", repr(limit), "it names no host", "Write --limit pc01,pc02.")
    code = drive_run(
        Session.open(), client, duty, limit=hosts, check=check, operator=operator, reason=reason, as_json=as_json
    )
    raise typer.Exit(int(code))


def cancel(
    name: Annotated[str, typer.Argument(help="CLIENT/NUMBER")],
) -> None:
    """Stop a run: every process of it here is killed; what already runs on a computer is to be verified.

    Example: itcare cancel ACME/12
    """
    from itcare.cli.driving import cancel_run

    cancel_run(Session.open(), RunName.parse(name))


def recover() -> None:
    """Close every run whose driver died: kill what is left of it, record what its spool holds.

    Every `itcare run` does this first. Example: itcare recover
    """
    from itcare.cli.driving import recover_runs

    recover_runs(Session.open())


def list_(
    client: Annotated[str | None, typer.Argument(help="Client code; without it all clients.")] = None,
    needs_verify: Annotated[
        bool,
        typer.Option("--needs-verify", help="Only runs that left a host in doubt which no later run has looked at."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """List runs, newest first.

    Example: itcare runs ACME --needs-verify
    """
    from itcare.access import find_scope, list_scopes
    from itcare.cli.history import describe_run, recollect_client
    from itcare.publish.run_list import list_runs

    session = Session.open()
    if client is not None:
        session.require_known(client)
    scopes = list_scopes(session.settings.published)
    rows: list[dict[str, object]] = []
    for log in session.client_logs():
        if client in (None, log.client):
            code = str(log.client)
            rows += [
                {**describe_run(code, run.row), "to_verify": list(run.to_verify)}
                for run in list_runs(recollect_client(session, log), find_scope(scopes, code))
            ]
    rows = [row for row in rows if row["to_verify"] or not needs_verify]
    rows.sort(key=lambda row: str(row["opened_at"]), reverse=True)
    if as_json:
        print_json(rows)
    elif not rows:
        remark("No run matches." if needs_verify else "No run yet.")
    else:
        print_table(
            ["run", "duty", "state", "opened", "computers well", "to verify", "operator"],
            [
                [
                    f"{row['client']}/{row['number']}", row["duty"], _state(row), row["opened_at"],
                    f"{row['hosts_good']} of {row['hosts_total']}", join(row["to_verify"]), row["operator"],
                ]
                for row in rows
            ],
        )  # fmt: skip


def _state(row: Mapping[str, object]) -> str:
    return str(row["state"]) if row["grade"] == RunGrade.ANNOUNCED else f"{row['state']}, {row['grade']}"


def show(
    name: Annotated[str, typer.Argument(help="CLIENT/NUMBER")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object and nothing else.")] = False,
) -> None:
    """Show one run to its last task: who, when, on which computer, which tasks and files, with what result.

    Example: itcare show ACME/12
    """
    from itcare.cli.history import describe_run_fully

    session = Session.open()
    history = _find(session, RunName.parse(name))
    details = describe_run_fully(name.split("/")[0], history)
    if as_json:
        print_json(details)
        return
    from itcare.cli.showing import show_run

    show_run(details)


def _find(session: Session, name: RunName) -> "History":
    """The history of that run alone."""
    from itcare.cli.history import recollect_client

    try:
        history = recollect_client(session, session.ledger.find_log(name.client)).read_runs([name.number])
    except NotFoundError:
        raise _no_run(name) from None
    if not history.runs:
        raise _no_run(name)
    return history


def _no_run(name: RunName) -> NotFoundError:
    return NotFoundError("find run", str(name), "there is no such run", "`itcare runs` lists them.")
