"""A driver as a process: HOME CONTRACT [PLAYBOOK]; prints the report, or the error, as JSON."""

import json
import sys
from pathlib import Path

from itcare.contract.loader import load_contract
from itcare.core.errors import ItcareError
from itcare.core.settings import Settings
from itcare.drive.run import perform
from itcare.ledger.log import Ledger
from itcare.store.engine import open_engine
from tests.support.driving import DUTY


def main() -> int:
    home, contract, playbook = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    settings = Settings(home=home, contracts=home.parent / "contracts")
    ledger = Ledger(settings, open_engine(settings.database))
    try:
        report = perform(ledger, load_contract(contract), DUTY, playbook=Path(playbook) if playbook else None)
    except ItcareError as error:
        sys.stdout.write(json.dumps({"error": str(error), "kind": type(error).__name__}))
        return int(error.exit_code)
    hosts = {host.name: host.outcome for host in report.hosts}
    sys.stdout.write(
        json.dumps({"run": str(report.name), "state": report.state, "hosts": hosts, "reason": report.reason})
    )
    return int(report.exit_code)


if __name__ == "__main__":
    sys.exit(main())
