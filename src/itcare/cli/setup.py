"""Commands around the installation: init, contracts, clients, trust."""

from pathlib import Path
from typing import Annotated

import typer

from itcare.cli.console import print_json, print_table, remark, say
from itcare.cli.session import Session


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

    Example: itcare contract check inventories/demo/home.yml
    """
    from itcare.assess.policy import known_thresholds
    from itcare.contract.loader import check_thresholds, load_contract

    loaded = load_contract(file)
    check_thresholds(loaded, known_thresholds())
    contract = loaded.contract
    say(
        f"{file}: sound. {contract.client.code}, contract {contract.contract.number} version "
        f"{contract.contract.version}, {len(contract.hosts)} computers, {len(contract.duties)} duties."
    )


def clients(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """List the clients whose contracts are here.

    Example: itcare clients --json
    """
    session = Session.open()
    rows = []
    for code, loaded in sorted(session.contracts.items()):
        contract = loaded.contract
        today = session.clock.now().astimezone(contract.zone).date()
        rows.append(
            {
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
        )
    if as_json:
        print_json(rows)
        return
    if not rows:
        remark(f"No contract in {session.settings.contracts}.")
    print_table(
        ["client", "name", "contract", "computers today", "duties"],
        [
            (
                row["code"],
                row["legal_name"],
                f"{row['contract']} v{row['version']}",
                len(row["hosts"]),
                ", ".join(row["duties"]),
            )
            for row in rows
        ],
    )


def trust(
    target: Annotated[str, typer.Argument(help="CLIENT/HOST")],
    yes: Annotated[
        str | None, typer.Option("--fingerprint", help="Accept without asking if the key has exactly this fingerprint.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a key that was trusted before.")] = False,
) -> None:
    """Show the ssh host key of a computer, ask, and keep it in the client's own known_hosts.

    Example: itcare trust ACME/srv01
    """
    from itcare.cli.trusting import trust_target

    trust_target(Session.open(), target, yes, replace, confirm=typer.confirm)
