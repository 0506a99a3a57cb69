"""Append one entry to the log of ACME and sign: the process that the fault sweep torments.

Usage: python append_one.py HOME. Prints `ACK n` as soon as entry n is committed. With CHECKPOINT_BYTES in its
environment the write-ahead log is brought in from that size on. Started as a
program of its own, so that the traced part is only what a command of ours does with its state.
"""

import os
import sys
from pathlib import Path

from itcare.core.errors import ItcareError
from itcare.core.settings import Settings
from itcare.ledger.log import Ledger
from itcare.store import dialect
from itcare.store.engine import open_engine


def main(home: Path) -> int:
    dialect.CHECKPOINT_BYTES = int(os.environ.get("CHECKPOINT_BYTES", dialect.CHECKPOINT_BYTES))
    settings = Settings(home=home, contracts=home / "contracts", origin="firm.example")
    try:
        ledger = Ledger(settings, open_engine(settings.database))
        log = ledger.find_log("ACME")
        with ledger.append(log) as batch:
            who = batch.body({"user": "operator", "padding": "x" * 3000})
            index = batch.add({"type": "run.closed", "who": who})
        os.write(1, b"ACK %d\n" % index)  # at once: a killed process does not flush
        ledger.sign(log)
    except ItcareError as error:
        os.write(1, f"REFUSED {type(error).__name__}\n".encode())
        return 3
    os.write(1, b"SIGNED\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
