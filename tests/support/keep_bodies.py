"""Record one entry that names four bodies, one of them twice: the process that the fault sweep torments.

Usage: python keep_bodies.py HOME. Prints `ACK n` as soon as the entry n is committed, and with it its bodies.
"""

import os
import random
import sys
from pathlib import Path

from itcare.core.errors import ItcareError
from itcare.core.settings import Settings
from itcare.ledger.log import Ledger
from itcare.store.engine import open_engine

BODIES: tuple[dict[str, object], ...] = (
    {"text": "short"},
    {"text": "x" * 100_000},
    {"text": random.Random(1).randbytes(15_000).hex()},  # does not compress: many pages
    {"text": "short"},
)


def main(home: Path) -> int:
    settings = Settings(home=home, contracts=home / "contracts", origin="firm.example")
    try:
        ledger = Ledger(settings, open_engine(settings.database))
        with ledger.append(ledger.find_log("ACME")) as batch:
            index = batch.add({"type": "host.result", "kept": [batch.body(content) for content in BODIES]})
        os.write(1, b"ACK %d\n" % index)  # at once: a killed process does not flush
    except ItcareError as error:
        os.write(1, f"REFUSED {type(error).__name__}\n".encode())
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
