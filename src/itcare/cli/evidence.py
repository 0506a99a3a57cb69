"""Commands that let anybody check the ledger: verify, export-proof."""

from pathlib import Path
from typing import Annotated

import typer

from itcare.cli.console import print_json, progress_console, say
from itcare.cli.session import Session
from itcare.core.errors import ExitCode


def verify(
    client: Annotated[
        str | None, typer.Argument(help="Client code, or `firm` for the firm's own log; without it every log.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="A checkpoint kept outside (file) that its log must extend.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """Compute everything again, bodies included, and name what does not fit.

    Exit code 0: sound; 1: not sound. Example: itcare verify ACME --against kept-in-march.txt
    """
    from itcare.cli.verifying import verify_logs

    session = Session.open()
    with progress_console().status("Verifying"):
        rows = verify_logs(session, client, against)
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            _say(row)
    if not all(row["sound"] for row in rows):
        raise typer.Exit(int(ExitCode.BAD_NEWS))


def _say(row: dict[str, object]) -> None:
    if row["sound"]:
        say(f"{row['log']}: sound. {row['message']}")
        return
    problems = row["problems"]
    for problem in problems if isinstance(problems, list) and problems else [row["message"]]:
        say(f"{row['log']}: NOT SOUND. {problem}")


def export_proof(
    client: Annotated[str, typer.Argument(help="Client code.")],
    out: Annotated[Path, typer.Option("--out", help="New or empty folder for the proof bundle.")],
) -> None:
    """Write everything with which the client can check its own ledger, without a server of ours.

    Example: itcare export-proof ACME --out acme-proof && python acme-proof/verify.py acme-proof
    """
    from itcare.ledger.bundle import export_proof as export

    session = Session.open()
    log = session.log_named(client)
    with progress_console().status("Writing the proof bundle"):
        path = export(session.ledger, log, out)
    say(f"The proof of {client} is in {path}. Check it with: python {path / 'verify.py'} {path}")
    say(f"The key to compare, told to the client by another way: {session.ledger.verifier_key(log)}")
