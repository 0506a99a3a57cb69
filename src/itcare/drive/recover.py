"""Close the runs whose driver is no more: kill first, then bring in what the spool still tells.

Safe to run at any time, by several processes at once, and again after it was itself killed: the
lock and the fencing number let one of them in, and the transaction that closes a run is the last
thing that happens to it.
"""

from pathlib import Path

from itcare.core.clock import Clock
from itcare.drive import rows
from itcare.drive.ending import end_processes
from itcare.drive.folder import DriverLock, RunFolder, driver_lives, processes_of, remove_run_files
from itcare.drive.importing import ClosedRunError, TakenOverError, bring, planned_hosts, read_import
from itcare.drive.orders import Orders
from itcare.drive.plan import RunPlan
from itcare.drive.process import sweep
from itcare.drive.progress import ProgressFile
from itcare.drive.report import RunReport
from itcare.drive.rows import RunRow
from itcare.ledger.log import Ledger
from itcare.store.engine import read, write


def recover_all(ledger: Ledger, clock: Clock) -> list[RunReport]:
    """Close every open run that nobody drives any more; runs with a living driver are left alone.

    Raises UnsafeError when a process of a dead run cannot be killed: no new run may start then.
    """
    with read(ledger.engine) as connection:
        waiting = rows.open_runs(connection)
    reports = [report for row in waiting if (report := recover_run(ledger, row, clock)) is not None]
    _remove_orphans(ledger, clock)
    return reports


def recover_run(ledger: Ledger, row: RunRow, clock: Clock) -> RunReport | None:
    """Close one open run; None when its driver lives or somebody else was quicker."""
    folder = RunFolder(row.folder)
    lock = _claim(ledger, row, folder, clock)
    if lock is None:
        return None
    try:
        with write(ledger.engine) as connection:
            owner = rows.take_over(connection, row.id, clock.now())
        end_processes(folder, row.sockets, clock)
        log = ledger.find_log(row.client)
        plan = RunPlan.read(folder) or RunPlan.of_names(planned_hosts(ledger, log, row))
        report = bring(ledger, log, read_import(row, folder, plan), owner, clock)
    except (ClosedRunError, TakenOverError):
        return None  # by another recovery, or by the driver itself
    finally:
        lock.release()
    # A killed driver leaves it; a page would show the run as in progress for ever.
    ProgressFile(ledger.settings.home, row.id, str(report.name), row.duty).remove()
    remove_run_files(folder, row.sockets)
    return report


def _claim(ledger: Ledger, row: RunRow, folder: RunFolder, clock: Clock) -> DriverLock | None:
    """The run's lock, when its driver is dead. A driver that sleeps beyond its leases loses them,
    though it keeps the lock: the fencing number shuts it out."""
    lock = DriverLock(folder)
    try:
        if not folder.path.is_dir() or lock.acquire():
            return lock
    except FileNotFoundError:
        return None  # removed while we looked: its driver has just closed the run
    with read(ledger.engine) as connection:
        return lock if rows.leases_expired(connection, row.id, clock.now()) else None


def _remove_orphans(ledger: Ledger, clock: Clock) -> None:
    """Folders without an open run: a crash before the run was opened, or after it was closed."""
    runs = ledger.settings.runs
    for path in sorted(runs.iterdir()) if runs.is_dir() else []:
        folder = RunFolder(path)
        with read(ledger.engine) as connection:
            row = rows.find_run(connection, folder.run_id)
        if (row is None or not row.is_open) and path.is_dir() and not driver_lives(folder):
            sockets = _socket_folder(folder)
            sweep(processes_of(folder, sockets))
            remove_run_files(folder, sockets)


def _socket_folder(folder: RunFolder) -> Path | None:
    try:
        return Path(Orders.read(folder).socket_folder)
    except (OSError, ValueError, TypeError):
        return None
