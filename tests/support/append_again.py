"""Append to the log of ACME, and again in the same process after the first try failed.

Usage: python append_again.py HOME [trusting]. `trusting` switches off what a Ledger remembers of a
failed write, to show what it is for. Prints `ACK n` or `REFUSED why` for each try.
"""

import os
import sys
from pathlib import Path

from itcare.core.errors import ItcareError, UnsafeError
from itcare.core.settings import Settings
from itcare.ledger.log import Ledger
from itcare.store.engine import open_engine


def _forget_failures(ledger: Ledger) -> None:
    distrust = ledger._distrust

    def forget(error: Exception, cause: object, *, full: bool) -> UnsafeError:
        told = distrust(error, cause, full=full)
        ledger._distrusted = None  # the defence, off
        return told

    ledger._distrust = forget  # type: ignore[method-assign]  # of this one object


def main(home: Path, trusting: bool) -> None:
    settings = Settings(home=home, contracts=home / "contracts", origin="firm.example")
    ledger = Ledger(settings, open_engine(settings.database))
    if trusting:
        _forget_failures(ledger)
    log = ledger.find_log("ACME")
    for _ in range(2):
        try:
            with ledger.append(log) as batch:
                index = batch.add({"type": "a.b"})
            os.write(1, b"ACK %d\n" % index)
        except ItcareError as error:
            os.write(1, f"REFUSED {error.why}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] == ["trusting"])
