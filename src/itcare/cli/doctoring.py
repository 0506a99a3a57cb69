"""The command that looks at the controller itself: doctor."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from itcare.cli.console import plain, print_json, say
from itcare.cli.session import Session
from itcare.core.errors import ExitCode
from itcare.core.words import Severity

_WORDS = {Severity.OK: "ok", Severity.WARNING: "WARNING", Severity.ERROR: "ERROR"}


def doctor(
    strict: Annotated[bool, typer.Option("--strict", help="A warning ends with exit code 1 too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list and nothing else.")] = False,
) -> None:
    """Say what is missing or unsafe on this controller, each with the remedy; changes nothing.

    Exit code 1 when there is an error. Example: itcare doctor --strict
    """
    from itcare.upkeep.doctor import examine

    session = Session.open()
    found = examine(session.settings, session.clock, Path.cwd())
    if as_json:
        print_json([asdict(diagnosis) for diagnosis in found])
    else:
        for diagnosis in found:
            say(f"{_WORDS[diagnosis.severity]:<8}{diagnosis.check}: {plain(diagnosis.found, 1000)}")
            if diagnosis.remedy:
                say(f"        next: {plain(diagnosis.remedy, 1000)}")
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if any(diagnosis.severity in bad for diagnosis in found):
        raise typer.Exit(int(ExitCode.BAD_NEWS))
