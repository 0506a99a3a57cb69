"""Commands that let anybody check the ledger: verify, export-proof."""

from pathlib import Path
from typing import Annotated

import typer

from itcare.cli.console import console, print_json, say
from itcare.cli.session import Session
from itcare.core.errors import ExitCode


def verify(
    client: Annotated[str | None, typer.Argument(help="Client code; without it every log, the firm's too.")] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="A checkpoint kept outside (file) that the log must extend.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """Compute everything again, bodies included, and name what does not fit.

    Exit code 0: sound; 1: not sound. Example: itcare verify ACME --against kept-in-march.txt
    """
    from itcare.cli.verifying import verify_logs

    rows = verify_logs(Session.open(), client, against)
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            say(f"{'sound  ' if row['sound'] else 'UNSOUND'}  {row['log']}: {row['message']}")
    if not all(row["sound"] for row in rows):
        raise typer.Exit(int(ExitCode.BAD_NEWS))


def export_proof(
    client: Annotated[str, typer.Argument(help="Client code.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the proof bundle.")],
) -> None:
    """Write everything with which the client can check its own ledger, without a server of ours.

    Example: itcare export-proof ACME --out acme-proof && python acme-proof/verify.py acme-proof
    """
    from itcare.ledger.bundle import export_proof as export

    session = Session.open()
    with console().status("Writing the proof bundle"):
        path = export(session.ledger, session.known_log(client), out)
    say(f"The proof of {client} is in {path}. Check it with: python {path / 'verify.py'} {path}")
