"""Commands around the installation: init, contracts, clients, trust."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from itcare.cli.console import print_json, print_table, remark, say
from itcare.cli.session import Session
from itcare.core.errors import ExitCode

if TYPE_CHECKING:
    from itcare.contract.loader import LoadedContract


def init(
    recovery_key: Annotated[
        Path, typer.Option("--recovery-key", help="Where the offline recovery key is written; not below ITCARE_HOME.")
    ],
    contracts: Annotated[Path | None, typer.Option("--contracts", help="Folder with the clients' contracts.")] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="DNS name of the firm; part of each ledger's name.")
    ] = None,
) -> None:
    """Make a new, empty state: database, signing key, recovery key, firm's log.

    Example: itcare init --recovery-key /media/usb/recovery.key --contracts contracts/
    """
    from itcare.cli.initialise import initialise

    settings = initialise(recovery_key, contracts, origin)
    say(f"State is in {settings.home}, contracts are read from {settings.contracts}.")
    say(f"The recovery key is in {recovery_key}. Move it off this computer: it is the only way on after a lost key.")


def check_contract(
    file: Annotated[Path, typer.Argument(help="Contract file (YAML).")],
) -> None:
    """Check one contract and name file, line and key of everything that is wrong.

    Example: itcare contract check inventories/demo/domowa.yml
    """
    from itcare.assess.policy import known_thresholds, rule_id
    from itcare.contract.loader import check_thresholds, load_contract
    from itcare.contract.problems import ContractError, render_problems

    try:
        loaded = load_contract(file)
        problems = check_thresholds(loaded, known_thresholds(), rule_id)
    except ContractError as error:
        problems = error.problems
    if problems:
        remark(render_problems(problems))
        raise typer.Exit(int(ExitCode.BAD_INPUT))
    contract = loaded.contract
    say(
        f"{file}: sound. {contract.client.code}, contract {contract.contract.number} version "
        f"{contract.contract.version}; computers: {len(contract.hosts)}, duties: {len(contract.duties)}."
    )


def clients(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """List the clients whose contracts are here.

    Example: itcare clients --json
    """
    from itcare.contract.loader import survey_contracts
    from itcare.contract.problems import render_problems

    session = Session.open()
    survey = survey_contracts(session.settings.contracts)
    rows = [_client_row(session, code, loaded) for code, loaded in survey.contracts.items()]
    if as_json:
        print_json(rows)
    elif not rows:
        remark(f"No usable contract in {session.settings.contracts}.")
    else:
        print_table(
            ["client", "name", "contract", "computers today", "duties"],
            [
                [row["code"], row["legal_name"], row["contract"], _join(row["hosts"]), _join(row["duties"])]
                for row in rows
            ],
        )
    if survey.problems:
        remark(render_problems(survey.problems))
        raise typer.Exit(int(ExitCode.BAD_INPUT))


def _client_row(session: Session, code: str, loaded: "LoadedContract") -> dict[str, object]:
    contract = loaded.contract
    today = session.clock.now().astimezone(contract.zone).date()
    return {
        "code": code,
        "legal_name": contract.client.legal_name,
        "contract": contract.contract.number,
        "version": contract.contract.version,
        "commit": loaded.commit,
        "dirty": loaded.dirty,
        "hosts": [host.name for host in contract.hosts_on(today)],
        "duties": sorted(contract.duties),
        "file": str(loaded.path),
    }


def _join(values: object) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def trust(
    target: Annotated[str, typer.Argument(help="CLIENT/HOST")],
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="Accept without asking if the key has exactly this fingerprint.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a key that was trusted before.")] = False,
) -> None:
    """Show the ssh host key of a computer, ask, and keep it in the client's own known_hosts.

    Example: itcare trust ACME/srv01
    """
    from itcare.cli.trusting import trust_target

    trust_target(Session.open(), target, fingerprint, replace=replace)
