"""Commands that keep an installation: backup, restore, upgrade."""

from pathlib import Path
from typing import Annotated

import typer

from itcare.cli.console import progress_console, remark, say
from itcare.cli.session import Session


def backup(
    out: Annotated[Path, typer.Option("--out", help="New folder for the backup; better on another disk.")],
) -> None:
    """Write a verified backup of ledger, checkpoints, settings and trusted host keys; no private key is in it.

    Example: itcare backup --out /media/backup/itcare-monday
    """
    from itcare.upkeep.backup import make_backup

    session = Session.open()
    with progress_console().status("Backing up"):
        made = make_backup(session.ledger, out, session.clock)
    logs = ", ".join(f"{name} {size}" for name, size in made.logs)
    say(f"The backup is in {made.path}; every log in it verifies. Entries: {logs}.")
    remark("Not in it: signing key, keys of computers, contracts, published files. Keep the signing key elsewhere.")
    if made.open_runs:
        remark(f"{made.open_runs} runs are going on; what they have not yet imported is not in it.")


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of the backup.")],
    into: Annotated[Path, typer.Option("--into", help="New or empty state directory.")],
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against", help="A checkpoint kept outside (file), several times if need be: an older backup is refused."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Verifier key of the firm's log, as you kept it outside.")
    ] = None,
) -> None:
    """Put a backup back into a new state directory, once everything in it verifies.

    Exit code 1: damaged, not sound, or older than a checkpoint kept outside; nothing is put there then.
    Example: itcare restore /media/backup/itcare-monday --into /var/lib/itcare --against kept-by-acme.txt
    """
    from itcare.store.engine import is_older
    from itcare.upkeep.restore import restore_backup

    session = Session.open()
    with progress_console().status("Verifying and restoring"):
        restored = restore_backup(session.settings, folder, into, against=against or (), key=key)
    say(f"The state of {restored.made_at} is in {restored.home}; every log in it verifies.")
    for log in restored.facts.logs:
        say(f"  {log.log}: {log.size} entries, root {log.root}")
    if key is None:
        remark(f"The key was not pinned; compare it with the one you kept: {restored.key}")
    if not against:
        remark("No checkpoint from outside was compared: whether a newer backup exists cannot be told from this one.")
    remark(f"Put back by hand: {restored.home}/keys/signing.key (mode 0600) and {restored.home}/credentials.")
    first = "itcare upgrade, " if is_older(restored.facts.revision) else ""
    remark(f"Then, with ITCARE_HOME set to it: {first}itcare doctor, itcare recover, itcare publish.")


def upgrade(
    backup: Annotated[
        Path | None, typer.Option("--backup", help="New folder for the backup; default below the state directory.")
    ] = None,
) -> None:
    """Bring the database of an older itcare to the schema of this one, after a verified backup.

    Example: itcare upgrade --backup /media/backup/itcare-before-upgrade
    """
    from itcare.upkeep.upgrade import upgrade as upgrade_state

    session = Session.open()
    with progress_console().status("Upgrading"):
        done = upgrade_state(session.settings, session.clock, backup)
    if done.backup is None:
        say(f"Nothing to do: the database has schema {done.before}, the one of this itcare.")
        return
    say(f"The database went from schema {done.before} to {done.after}, and every log verifies.")
    say(f"The backup made before is in {done.backup}. Next: itcare doctor, itcare publish.")
