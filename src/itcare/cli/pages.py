"""Commands that bring results to people: publish, dashboard."""

from typing import Annotated

import typer

from itcare.cli.console import progress_console, say
from itcare.cli.session import Session


def publish(
    client: Annotated[str | None, typer.Argument(help="Client code; without it every client with a contract.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Check only what came since the whole ledger was, within 24 hours, checked.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make everything of this month and the one before it anew.")
    ] = False,
) -> None:
    """Verify a client's ledger and write the snapshot that its pages show.

    Example: itcare publish ACME --quick
    """
    from itcare.cli.publishing import publish_log

    session = Session.open()
    if client is not None:
        session.require_known(client)
    for log in session.client_logs(client):
        with progress_console().status(f"Publishing {log.client}"):
            line = publish_log(session, log, quick=quick, rebuild=rebuild)
        say(line)


def dashboard(
    client: Annotated[str | None, typer.Option("--client", help="Serve this client only.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port on 127.0.0.1; default the next free from 8501.")
    ] = None,
) -> None:
    """Serve the published pages on this computer; the printed address carries the key to them.

    Example: itcare dashboard --client ACME
    """
    from itcare.cli.serving import serve

    raise typer.Exit(serve(Session.open().settings, client, port))
