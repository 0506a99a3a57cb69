"""`itcare …`: the commands. Heavy imports happen inside them, so that --help answers at once."""

import sys


def main() -> None:
    """Entry point: runs a command, prints an ItcareError without a traceback, exits with its code."""
    from itcare.cli.app import app
    from itcare.cli.console import complain
    from itcare.core.errors import ItcareError

    try:
        app()
    except ItcareError as error:
        complain(error)
        sys.exit(int(error.exit_code))
