"""One whole `itcare run` with a playbook of one's own: lease, ledger, runner, import, checkpoint."""

import sys
from pathlib import Path


def main() -> int:
    from itcare.cli.session import Session
    from itcare.drive.run import perform

    client, duty, playbook = sys.argv[1:]
    session = Session.open()
    report = perform(session.ledger, session.contract(client), duty, playbook=Path(playbook), clock=session.clock)
    print(report.name, report.state, dict(report.outcomes), report.console)
    return int(report.exit_code)


if __name__ == "__main__":
    sys.exit(main())
