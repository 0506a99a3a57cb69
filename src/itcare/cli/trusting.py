"""Trusting a host key: show it, ask, keep it."""

import typer

from itcare.cli.console import remark, say
from itcare.cli.session import Session
from itcare.core.errors import BadInputError


def trust_target(session: Session, target: str, fingerprint: str | None, *, replace: bool) -> None:
    """Scan the host key of CLIENT/HOST, have it confirmed, pin it and record it in the firm's log.

    Raises BadInputError for a wrong name or another fingerprint than the expected one, NotFoundError for an
    unknown client or host, HostKeyChangedError for a changed key without `replace`.
    """
    from itcare.drive.controller import identify_operator
    from itcare.drive.trust import find_ssh_host, known_hosts_name, scan_host_key, trust_host

    client, slash, host_name = target.partition("/")
    if not slash:
        raise BadInputError("trust", ascii(target[:80]), "a computer is written CLIENT/HOST", "Example: ACME/srv01")
    loaded = session.contract(client)
    host = find_ssh_host(loaded, host_name, session.clock)
    address, port = host.address or host.name, host.port or 22
    key = scan_host_key(address, port)
    say(f"{target} at {known_hosts_name(address, port)} shows a key of kind {key.kind}:")
    say(f"  {key.fingerprint}")
    if fingerprint is not None and fingerprint != key.fingerprint:
        raise BadInputError(
            "trust", target, f"its key is {key.fingerprint}, expected was {fingerprint}",
            "Find out which computer answers at this address before going on.",
        )  # fmt: skip
    if fingerprint is None:
        remark("Compare it with what the computer itself says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        if not typer.confirm("Is it the same?"):
            raise BadInputError("trust", target, "it was not confirmed", "Nothing was kept.")
    kept = trust_host(session.ledger, loaded, host, key, operator=identify_operator(), replace=replace)
    say("Kept, and recorded in the firm's log." if kept else "It was trusted already; nothing changed.")
