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
    file: Annotated[
        Path | None, typer.Argument(help="JSON file with one health observation; - for standard input.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--again", help="Judge this client's recorded looks again, and tell the differences.")
    ] = None,
    client: Annotated[str | None, typer.Option("--client", help="Judge by this client's thresholds.")] = None,
    service: Annotated[list[str] | None, typer.Option("--service", help="A service that must be active.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """Judge one recorded observation, so that a rule can be tried without a run; or all of a client's again.

    With --again every look that a publication judged is judged under today's thresholds, and what
    is different now is listed. Nothing is recorded. Example: itcare assess observation.json --json,
    itcare assess --again ACME
    """
    if (file is None) is (again is None):
        raise BadInputError("assess", "", "a file or --again CLIENT is needed, not both", "See: itcare assess --help")
    if again is not None:
        _assess_again(again, as_json=as_json)
    elif file is not None:
        _assess_file(file, client, service or [], as_json=as_json)


def _assess_again(client: str, *, as_json: bool) -> None:
    from itcare.assess.policy import POLICY_VERSION
    from itcare.cli.publishing import judge_history_again

    session = Session.open()
    session.require_known(client)
    result = judge_history_again(session, session.client_logs(client)[0])
    rows: list[dict[str, Any]] = [
        {"host": d.host, "rule": d.rule, "subject": d.subject, "run": d.run, "was": d.was, "is": d.now_is}
        for d in result.differences
    ]
    if as_json:
        print_json(rows)
        return
    if result.gone:
        remark(f"{result.gone} looks can be judged no more: their evidence was erased or is doubted.")
    if not result.looks:
        remark("No judged look to compare with: publish first.")
    elif not rows:
        say(f"{result.looks} looks judged again by thresholds {POLICY_VERSION}: nothing is different.")
    else:
        print_table(
            ["computer", "rule", "what", "run", "was", "is"],
            [[r["host"], r["rule"], r["subject"], r["run"], r["was"] or "nothing", r["is"] or "nothing"] for r in rows],
            f"{len(rows)} judgements differ; then {result.policy_then}, now {POLICY_VERSION}",
        )


def _assess_file(file: Path, client: str | None, services: list[str], *, as_json: bool) -> None:
    from itcare.assess.engine import assess as judge
    from itcare.assess.policy import policy_for
    from itcare.assess.reading import load_observation

    thresholds = Session.open().contract(client).contract.thresholds if client else {}
    findings = judge(load_observation(_read(file)), policy_for(thresholds), services=services)
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
