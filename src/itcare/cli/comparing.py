"""Commands for the ledger in trouble: compare two views of one log, declare a lost range."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from itcare.cli.console import print_json, progress_console, remark, say
from itcare.cli.session import Session
from itcare.core.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from itcare.ledger.log import LogRef
    from itcare.ledger.verify import VerifierKey


def compare(
    first: Annotated[Path, typer.Argument(help="A checkpoint (file) or a proof bundle (folder).")],
    second: Annotated[Path, typer.Argument(help="Another one of the same log.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Verifier key; default the one of this installation, else the bundle's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object and nothing else.")] = False,
) -> None:
    """Find out whether two readers were shown one history, or a fork of it.

    Exit code 0: one history; 1: a fork. Example: itcare ledger compare kept-in-march.txt acme-proof/
    """
    from itcare.ledger.compare import compare_views, read_origin, read_view

    origin = read_origin(first)
    if read_origin(second) != origin:
        raise BadInputError("compare", f"{first} and {second}", "they are of two logs", "Name two views of one log.")
    session = Session.open()
    own = _find_own(session, origin)
    with progress_console().status("Comparing"):
        chosen = _choose_key(session, own, key, (first, second))
        result = compare_views(read_view(first, chosen), read_view(second, chosen), _leaves_of(session, own))
    if as_json:
        print_json(asdict(result))
    else:
        say(f"{result.origin}: {result.message}.")
        for path, size, root in zip((first, second), result.sizes, result.roots, strict=True):
            say(f"  {path}: {size} entries, root {root}")
    if not result.consistent:
        remark("Keep both files as they are: together they prove that the holder of the key showed two histories.")
        raise typer.Exit(int(ExitCode.BAD_NEWS))


def new_epoch(
    client: Annotated[str, typer.Argument(help="Client code, or `firm` for the firm's own log.")],
    lost: Annotated[
        list[Path], typer.Option("--lost", help="A checkpoint of lost entries, kept outside (file); several times.")
    ],
    recovery_key: Annotated[
        Path, typer.Option("--recovery-key", help="The offline recovery key that `itcare init` wrote.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why they are lost; recorded.")],
) -> None:
    """Declare that signed entries of a log are lost, after a restore of an older backup; before anything is appended.

    Example: itcare ledger new-epoch ACME --lost kept-by-acme.txt --recovery-key /media/usb/recovery.key --reason disk
    """
    from itcare.drive.controller import identify_operator
    from itcare.ledger.epoch import declare_epoch
    from itcare.ledger.note import load_recovery_key, load_recovery_signer

    session = Session.open()
    recovery = load_recovery_signer(recovery_key, load_recovery_key(session.settings.keys))
    target = session.log_named(client)
    who = {"operator": asdict(identify_operator()), "reason": reason}
    with progress_console().status("Declaring"):
        epoch = declare_epoch(session.ledger, target, lost, recovery, who)
    say(f"Recorded in the firm's log. {epoch}.")
    remark("Take the recovery key off this computer again. Tell the client; its next proof bundle shows the epoch.")


def _find_own(session: Session, origin: str) -> "LogRef | None":
    """The log of that name, when this computer has an installation that keeps it."""
    if not session.settings.database.exists():
        return None
    return next((log for log in session.ledger.logs() if log.origin == origin), None)


def _choose_key(session: Session, own: "LogRef | None", given: str | None, paths: tuple[Path, Path]) -> "VerifierKey":
    from itcare.ledger.compare import read_bundle_key
    from itcare.ledger.verify import NoteError, VerifierKey

    if given is not None:
        try:
            return VerifierKey.parse(given)
        except NoteError as error:
            raise BadInputError(
                "read key", ascii(given[:80]), str(error), "A key looks like name+0123abcd+base64."
            ) from error
    if own is not None:
        return session.ledger.verifier_key(own)
    for path in paths:
        if found := read_bundle_key(path):
            remark(f"The key was not pinned; it is the one that {path} names: {found}")
            return found
    raise BadInputError(
        "compare", f"{paths[0]} and {paths[1]}", "no key is known here to check them with", "Pass it with --key."
    )


def _leaves_of(session: Session, own: "LogRef | None") -> "Callable[[], list[bytes] | None]":
    def read_leaves() -> list[bytes] | None:
        if own is None:
            return None
        return [bytes.fromhex(entry.leaf_hash) for entry in session.ledger.entries(own)]

    return read_leaves
