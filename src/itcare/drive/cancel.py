"""Stop a run from another process, and say by whom."""

import time

from itcare.core.clock import Clock
from itcare.core.errors import BadInputError, BusyError, NotFoundError
from itcare.core.names import RunName
from itcare.drive import rows
from itcare.drive.controller import Operator
from itcare.drive.folder import RunFolder
from itcare.drive.recover import recover_run
from itcare.drive.rows import RunRow
from itcare.drive.supervision import order_cancel
from itcare.ledger.log import Ledger
from itcare.store.engine import read, write

_POLL_SECONDS = 0.2


def request_cancel(ledger: Ledger, name: RunName, *, operator: Operator, clock: Clock, seconds: float = 60.0) -> RunRow:
    """Ask for the end of a run and wait until it is closed; returns its closed row.

    A run that had played out before the order reached it closes as what it was. Raises NotFoundError
    for an unknown run, BadInputError for one that is closed, BusyError when it is still open after
    `seconds`.
    """
    row = _find(ledger, name)
    if not row.is_open:
        raise BadInputError("cancel run", str(name), f"it is closed: {row.state}", "Nothing needs to be done.")
    with write(ledger.engine) as connection:
        rows.ask_to_cancel(connection, row.id, str(operator))
    folder = RunFolder(row.folder)
    if folder.path.is_dir():
        order_cancel(folder, {"by": str(operator), "user": operator.user, "how": "command"})
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row = _find(ledger, name)
        if not row.is_open:
            return row
        recover_run(ledger, row, clock)  # does nothing as long as the driver lives
        time.sleep(_POLL_SECONDS)
    raise BusyError(
        "cancel run", str(name), f"it is still open after {seconds:.0f} s", "The order stands; look again: itcare runs"
    )


def _find(ledger: Ledger, name: RunName) -> RunRow:
    with read(ledger.engine) as connection:
        row = rows.find_run_by_number(connection, name.client, name.number)
    if row is None:
        raise NotFoundError("find run", str(name), "there is none", "See: itcare runs")
    return row
