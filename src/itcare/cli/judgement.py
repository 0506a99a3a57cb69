"""Commands that judge: assess one recorded observation, list findings."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from itcare.cli.console import print_json, print_table, remark, say
from itcare.cli.session import Session
from itcare.core.errors import BadInputError

_MAX_BYTES = 8 * 2**20 + 1


def assess(
    file: Annotated[Path, typer.Argument(help="JSON file with one health observation; - for standard input.")],
    client: Annotated[str | None, typer.Option("--client", help="Judge by this client's thresholds.")] = None,
    service: Annotated[list[str] | None, typer.Option("--service", help="A service that must be active.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """Judge one recorded observation, so that a rule can be tried without a run.

    Example: itcare assess observation.json --json
    """
    from itcare.assess.engine import assess as judge
    from itcare.assess.policy import policy_for
    from itcare.assess.reading import load_observation

    thresholds = Session.open().contract(client).contract.thresholds if client else {}
    findings = judge(load_observation(_read(file)), policy_for(thresholds), services=service or [])
    rows = [finding.to_dict() for finding in findings]
    if as_json:
        print_json(rows)
    elif not rows:
        say("Nothing to judge: every source is absent, or no rule reads it.")
    else:
        print_table(
            ["status", "rule", "what", "reason"], [[r["status"], r["rule"], r["subject"], r["reason"]] for r in rows]
        )


def _read(file: Path) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(_MAX_BYTES)
        with file.open("rb") as source:
            return source.read(_MAX_BYTES)
    except OSError as error:
        raise BadInputError("read observation", str(file), str(error), "Name a JSON file, or - for stdin.") from error


def findings(
    client: Annotated[str | None, typer.Argument(help="Client code; without it all clients.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """List what the newest look at each computer showed, worst first.

    Example: itcare findings ACME --json
    """
    from itcare.cli.publishing import find_findings

    session = Session.open()
    if client is not None:
        session.require_known(client)
    rows: list[dict[str, Any]] = []
    for log in session.client_logs():
        if client in (None, log.client):
            rows += find_findings(session, log)
    if as_json:
        print_json(rows)
    elif not rows:
        remark("No computer has been looked at yet.")
    else:
        print_table(
            ["client", "computer", "status", "rule", "what", "reason", "run"],
            [[r["client"], r["host"], r["status"], r["rule"], r["subject"], r["reason"], r["run"]] for r in rows],
        )
