"""Publish one client as `itcare publish` does, and print the seconds of the publication itself as JSON.

`python -m benchmarks.publish_once CLIENT [--quick] [--rebuild]`: without the start of the program, which
`benchmarks.help` measures, and which a worker that publishes after each run has behind it.
"""

import argparse
import importlib
import json
import os
import time

from itcare.cli.publishing import publish_log
from itcare.cli.session import Session

_IMPORTED_BY_THE_COMMAND = (
    "itcare.drive.controller", "itcare.drive.rows", "itcare.ledger.check", "itcare.ledger.growth",
    "itcare.publish.judge", "itcare.publish.publication", "itcare.publish.source",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rebuild", action="store_true")
    options = parser.parse_args()
    for module in _IMPORTED_BY_THE_COMMAND:
        importlib.import_module(module)
    begin, before = time.perf_counter(), os.times()
    session = Session.open()
    (log,) = session.client_logs(options.client)
    publish_log(session, log, quick=options.quick, rebuild=options.rebuild)
    after = os.times()
    cpu = after.user - before.user + after.system - before.system
    print(json.dumps({"wall": time.perf_counter() - begin, "cpu": cpu}))


if __name__ == "__main__":
    main()
