"""Publish an invented client of twelve hosts: the process that the fault sweep torments.

Usage: python publish_once.py PUBLISHED. Prints `PUBLISHED`, or `REFUSED why` and ends with 3.
"""

import os
import sys
from pathlib import Path

from itcare.core.errors import ItcareError
from tests.support.snapshots import make_rows, plan_client, with_meta, write_client

HOSTS, SIZE = 12, 8


def main() -> int:
    try:
        write_client(Path(sys.argv[1]), 1, with_meta(make_rows(plan_client(1, hosts=HOSTS)), tree_size=SIZE))
    except ItcareError as error:
        os.write(1, f"REFUSED {error.why}\n".encode())
        return 3
    os.write(1, b"PUBLISHED\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
