"""Bringing a run's processes to their end, whoever has to do it: driver, canceller or recovery."""

from pathlib import Path

from itcare.core.clock import Clock
from itcare.core.errors import UnsafeError
from itcare.drive.connections import close_masters, note_closed
from itcare.drive.folder import RunFolder, processes_of
from itcare.drive.orders import Orders
from itcare.drive.process import sweep


def end_processes(folder: RunFolder, sockets: Path | None, clock: Clock) -> tuple[int, ...]:
    """Close the run's ssh masters, kill what is left, and note when the connections ended.

    A connection whose master was found dead keeps an unknown end. Returns the ids of the processes
    that had to be killed. Raises UnsafeError when one will not die: nothing may be closed, and no
    other run started on these hosts, while it lives.
    """
    answered = close_masters(sockets)
    swept = sweep(processes_of(folder, sockets))
    if swept.survivors:
        raise UnsafeError(
            "end the processes of run", folder.run_id, f"still alive: {', '.join(map(str, swept.survivors))}",
            "Find out what holds them (often a hanging file system), then run: itcare recover",
        )  # fmt: skip
    if answered:
        note_closed(folder.connections, clock.now(), _hosts_of(folder, answered))
    return swept.killed


def _hosts_of(folder: RunFolder, sockets: tuple[Path, ...]) -> list[str]:
    try:
        orders = Orders.read(folder)
    except (OSError, ValueError, TypeError):
        return []
    return [host for host, path in orders.sockets.items() if Path(path) in sockets]
