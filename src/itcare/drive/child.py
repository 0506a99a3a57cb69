"""Supervisor of one run: `python -m itcare.drive.child FOLDER`, started by the driver only.

It lives in the run's own process tree, starts the playbook through ansible-runner and stays above
it. When the driver dies, when somebody cancels or when time is up it kills the whole tree at once:
runner's own cancel reaches the playbook's process group only, and ansible-core's workers, each in a
session of its own, would finish their tasks after the run was closed.
"""

import contextlib
import os
import select
import sys
import threading
from pathlib import Path
from typing import Any

from itcare.core.clock import Clock, SystemClock
from itcare.drive.connections import POLL_SECONDS, ConnectionWatch, close_masters, note_closed
from itcare.drive.events import EventWriter
from itcare.drive.folder import RunFolder, processes_of, write_private
from itcare.drive.isolation import belongs_to_run, join_cgroup, own_cgroup
from itcare.drive.orders import Ended, Ending, Orders
from itcare.drive.process import become_subreaper, sweep

_GUARD_SECONDS = 0.1
_DISK_RESERVE_BYTES = 64 * 1024
_BACKSTOP_SECONDS = 10  # runner's own limits fire only if the guard's did not


class Guard(threading.Thread):
    """Watches for every reason to stop, and on the first kills all but this process itself."""

    def __init__(self, folder: RunFolder, orders: Orders, writer: EventWriter, clock: Clock) -> None:
        super().__init__(name="guard", daemon=True)
        self._folder = folder
        self._orders = orders
        self._writer = writer
        self._clock = clock
        self._since = clock.monotonic()
        self._done = threading.Event()
        self.reason: Ending | None = None

    @property
    def has_fired(self) -> bool:
        return self.reason is not None

    def run(self) -> None:
        while not self._done.wait(_GUARD_SECONDS):
            if self.reason is None:
                self.reason = self.reason_to_stop()
            if self.reason is not None:
                self.kill_all_below()

    def finish(self) -> None:
        """Stop watching; the caller sweeps from here on."""
        self._done.set()
        self.join()

    def reason_to_stop(self) -> Ending | None:
        """The first reason that applies now, None to go on."""
        if self._folder.cancel.exists():
            return Ending.CANCELLED
        if _driver_is_gone():
            return Ending.DRIVER_DIED
        now = self._clock.monotonic()
        if now - self._since > self._orders.job_timeout:
            return Ending.TIMEOUT
        if now - self._writer.last_event > self._orders.idle_limit:
            return Ending.IDLE
        return Ending.DISK_FULL if _disk_is_full(self._folder.path) else None

    def kill_all_below(self) -> None:
        sockets = Path(self._orders.socket_folder)
        sweep(processes_of(self._folder, sockets), spare=frozenset({os.getpid()}), seconds=_GUARD_SECONDS)


class Watcher(threading.Thread):
    """Follows the control sockets for as long as the run lasts."""

    def __init__(self, watch: ConnectionWatch) -> None:
        super().__init__(name="connections", daemon=True)
        self._watch = watch
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(POLL_SECONDS):
            with contextlib.suppress(OSError):  # a full disk: the last look tells it, the reserve being free then
                self._watch.look()

    def finish(self) -> None:
        self._done.set()
        self.join()
        self._watch.look()


def _disk_is_full(folder: Path) -> bool:
    """Whether so little is left that the next line of the spool may not fit: on a full disk the
    playbook hangs, and nothing more could be written about it."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _DISK_RESERVE_BYTES


def _driver_is_gone() -> bool:
    """Whether the pipe on stdin was closed: the driver holds its other end until it dies."""
    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable) and os.read(0, 1) == b""


def _enter_own_tree(folder: RunFolder, orders: Orders) -> None:
    """Be inside the run's cgroup, and have it written down, before there is any child."""
    if orders.cgroup is not None:
        join_cgroup(Path(orders.cgroup))
    if orders.in_scope and (scope := own_cgroup()) is not None and belongs_to_run(scope, folder.run_id):
        write_private(folder.cgroup_note, str(scope))
    become_subreaper()


def _runner_arguments(folder: RunFolder, orders: Orders) -> dict[str, Any]:
    """Arguments of ansible_runner.run; `env/settings` is written here since runner, told to write no
    files, ignores the argument of that name."""
    settings = (
        f"job_timeout: {orders.job_timeout + _BACKSTOP_SECONDS}\n"
        f"idle_timeout: {orders.idle_limit + _BACKSTOP_SECONDS}\n"
        "pexpect_timeout: 1\n"
        "suppress_output_file: true\n"
    )
    write_private(folder.private / "env" / "settings", settings)
    return {
        "private_data_dir": str(folder.private),
        "ident": folder.run_id,
        "rotate_artifacts": 0,
        "suppress_env_files": True,
        "quiet": True,
        "playbook": orders.playbook,
        "inventory": str(folder.inventory),
        "forks": orders.forks,
        "cmdline": "--check" if orders.check else None,
    }


def _play(folder: RunFolder, orders: Orders, guard: Guard, writer: EventWriter) -> tuple[Ending, int | None]:
    """Run the playbook to its end; never raises."""
    if (reason := guard.reason_to_stop()) is not None:
        guard.reason = reason
        return reason, None
    guard.start()
    try:
        import ansible_runner  # heavy, and of no use to a run that was cancelled before its start

        runner = ansible_runner.run(
            **_runner_arguments(folder, orders),
            event_handler=writer.handle,
            # The status event carries the whole environment: nothing of it is kept.
            status_handler=lambda status, runner_config: None,
            cancel_callback=lambda: guard.has_fired,
        )
        return guard.reason or _reading(runner.status), runner.rc if isinstance(runner.rc, int) else None
    except Exception as error:  # noqa: BLE001 - whatever runner raises, the end must be written down
        writer.say(f"{type(error).__name__}: {error}")
        return guard.reason or Ending.ERROR, None
    finally:
        guard.finish()


def _reading(status: str) -> Ending:
    return {"timeout": Ending.TIMEOUT, "canceled": Ending.CANCELLED}.get(status, Ending.FINISHED)


def supervise(folder: RunFolder, clock: Clock) -> Ended:
    """Start, watch and end one run; on return nothing of it lives but this process."""
    orders = Orders.read(folder)
    _enter_own_tree(folder, orders)
    sockets = {host: Path(path) for host, path in orders.sockets.items()}
    watcher = Watcher(ConnectionWatch(sockets, folder.connections, clock))
    writer = EventWriter(folder.events, clock)
    watcher.start()
    writer.start()
    ending, rc = _play(folder, orders, Guard(folder, orders, writer, clock), writer)
    writer.finish()
    close_masters(Path(orders.socket_folder))
    sweep(processes_of(folder, Path(orders.socket_folder)), spare=frozenset({os.getpid()}))
    folder.reserve.unlink(missing_ok=True)
    watcher.finish()
    note_closed(folder.connections, clock.now())
    ended = Ended(ending, rc, writer.console, writer.lost)
    ended.write(folder)
    return ended


def main() -> int:
    # Only this process needs to find our package; Ansible must not load it by accident.
    os.environ.pop("PYTHONPATH", None)
    supervise(RunFolder(Path(sys.argv[1])), SystemClock())
    return 0


if __name__ == "__main__":
    sys.exit(main())
