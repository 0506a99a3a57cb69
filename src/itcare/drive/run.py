"""One run from the request to the signed record; the only way a playbook is started."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from itcare.contract.loader import LoadedContract
from itcare.core.clock import Clock, SystemClock
from itcare.core.errors import BusyError
from itcare.drive import rows
from itcare.drive.controller import Operator, identify_operator
from itcare.drive.ending import end_processes
from itcare.drive.folder import remove_run_files
from itcare.drive.importing import bring, read_import
from itcare.drive.launch import Launch, Request, check_request, open_launch
from itcare.drive.orders import Ended, Ending
from itcare.drive.progress import Progress, ProgressFile, ProgressReader
from itcare.drive.recover import recover_all
from itcare.drive.report import RunReport
from itcare.drive.supervision import StopSignals, follow_supervisor, start_supervisor
from itcare.ledger.log import Ledger
from itcare.store.engine import write

_LOG = logging.getLogger(__name__)
_PAGE_SECONDS = 1.0


def perform(
    ledger: Ledger,
    loaded: LoadedContract,
    duty: str,
    *,
    limit: Sequence[str] = (),
    check: bool = False,
    operator: Operator | None = None,
    reason: str | None = None,
    playbook: Path | None = None,
    job_timeout: int | None = None,
    reruns: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    clock: Clock | None = None,
) -> RunReport:
    """Perform a duty on its hosts of today and record it.

    `limit`: names of hosts, empty for all. `playbook`: a file instead of the collection's playbook
    of the duty. `job_timeout`: seconds, None for the installation's setting. `reruns`: number of the
    run that this one repeats (see `rerun`). SIGINT and SIGTERM cancel the run in the operator's name.

    Raises BadInputError for an unknown duty or host, UnsafeError when the controller is not fit or
    the ledger cannot record, BusyError when another run has one of the hosts. An error after the
    start leaves the run open; `recover_all` closes it.
    """
    clock = clock or SystemClock()
    recover_all(ledger, clock)
    request = Request(
        loaded, duty, operator or identify_operator(), tuple(limit), check, reason, playbook, job_timeout,
        reruns,
    )  # fmt: skip
    checked = check_request(ledger.settings, request, clock)
    signals = StopSignals()
    with signals.caught():
        began = clock.monotonic()
        launch = open_launch(ledger, request, checked, clock)
        try:
            _drive(ledger, launch, request.operator, signals, on_progress or (lambda step: None), clock)
            report = _record(ledger, launch, clock)
        finally:
            launch.lock.release()
    return _tidy(launch, replace(report, seconds=clock.monotonic() - began))


def _drive(
    ledger: Ledger, launch: Launch, operator: Operator, signals: StopSignals,
    on_progress: Callable[[Progress], None], clock: Clock,
) -> None:  # fmt: skip
    """Start the playbook and stay until nothing of it lives."""
    name = f"{launch.row.client}/{launch.row.number}"
    reader = ProgressReader(launch.folder.spool, [host.name for host in launch.plan.hosts])
    page = ProgressFile(ledger.settings.home, launch.row.id, name, launch.row.duty)
    try:
        process = start_supervisor(launch.folder, launch.isolation.prefix, launch.environment)
    except OSError as error:
        Ended(Ending.ERROR, console=str(error)).write(launch.folder)
        return
    try:
        follow_supervisor(
            process, launch.folder, limit=launch.job_timeout, clock=clock, signals=signals,
            who={"by": str(operator), "user": operator.user}, renew=lambda: _renew(ledger, launch, clock),
            look=_looker(reader, page, on_progress),
        )  # fmt: skip
    finally:
        end_processes(launch.folder, launch.row.sockets, clock)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        page.remove()


def _looker(reader: ProgressReader, page: ProgressFile, on_progress: Callable[[Progress], None]) -> Callable[[], None]:
    written = 0.0

    def look() -> None:
        nonlocal written
        steps = list(reader.read())
        for step in steps:
            on_progress(step)
        if steps and time.monotonic() - written > _PAGE_SECONDS:
            page.write(reader.current)
            written = time.monotonic()

    return look


def _renew(ledger: Ledger, launch: Launch, clock: Clock) -> bool:
    try:
        with write(ledger.engine) as connection:
            return rows.renew_leases(connection, launch.row.id, launch.row.fence, clock.now())
    except BusyError:
        return True  # the database was not to be had; the leases last for some more tries


def _record(ledger: Ledger, launch: Launch, clock: Clock) -> RunReport:
    content = read_import(_current_row(ledger, launch), launch.folder, launch.plan)
    return bring(ledger, launch.log, content, launch.row.fence, clock)


def _current_row(ledger: Ledger, launch: Launch) -> rows.RunRow:
    """The row with what came in meanwhile: somebody may have asked to cancel."""
    with ledger.engine.connect() as connection:
        return rows.find_run(connection, launch.row.id) or launch.row


def _tidy(launch: Launch, report: RunReport) -> RunReport:
    try:
        remove_run_files(launch.folder, launch.row.sockets)
    except OSError as error:
        _LOG.warning("run folder %s stays: %s", launch.folder.path, error)
        return replace(report, note=f"The folder {launch.folder.path} could not be removed: {error}")
    return report
