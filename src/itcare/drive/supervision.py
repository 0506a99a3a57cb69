"""The driver's side of a running playbook: start the supervisor, follow it, stop it in time."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType

from itcare.core.clock import Clock
from itcare.core.errors import BusyError
from itcare.drive.folder import RunFolder, write_private
from itcare.drive.rows import RENEWAL

_TICK_SECONDS = 0.1
_GRACE_SECONDS = 20.0  # from a cancel or a limit until the supervisor has to be gone


def start_supervisor(
    folder: RunFolder, prefix: tuple[str, ...], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start `drive.child` for a run, in a session of its own. Raises OSError.

    Its stdin is a pipe that this process holds: the end of this process, however it comes, is the
    end of the pipe.
    """
    with folder.output.open("xb") as output:
        return subprocess.Popen(
            [*prefix, sys.executable, "-P", "-m", "itcare.drive.child", str(folder.path)],
            stdin=subprocess.PIPE, stdout=output, stderr=output, env=dict(environment), cwd=folder.path,
            start_new_session=True,  # a Ctrl-C in the terminal is for the driver alone
        )  # fmt: skip


def order_cancel(folder: RunFolder, who: Mapping[str, str]) -> None:
    """Tell the supervisor to stop the run; the first order stays. Raises OSError."""
    if not folder.cancel.exists():
        write_private(folder.cancel, json.dumps(dict(who)))


class StopSignals:
    """Remembers SIGINT and SIGTERM instead of dying of them; only where Python allows it."""

    def __init__(self) -> None:
        self.received: str | None = None

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Signals of the block are remembered; the former handlers come back after it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, self._remember) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def follow_supervisor(
    process: subprocess.Popen[bytes], folder: RunFolder, *, limit: float, clock: Clock, signals: StopSignals,
    who: Mapping[str, str], renew: Callable[[], bool], look: Callable[[], None],
) -> None:  # fmt: skip
    """Wait until the supervisor has ended, at most `limit` seconds and a grace.

    `renew` is called often enough to keep the leases, `look` at every tick. On return the supervisor
    may still live only if it would not end; the caller sweeps. Raises BusyError when the leases are
    in other hands.
    """
    started = renewed = clock.monotonic()
    stop_by = started + limit + _GRACE_SECONDS
    is_cancelled = False
    while not _has_ended(process):
        look()
        now = clock.monotonic()
        if now - renewed > RENEWAL.total_seconds():
            renewed = now
            if not renew():
                raise BusyError(
                    "go on with run", folder.run_id, "another process has taken it over", "See its state: itcare runs"
                )
        if signals.received and not is_cancelled:
            order_cancel(folder, {**who, "how": signals.received})
        if not is_cancelled and folder.cancel.exists():
            is_cancelled = True
            stop_by = min(stop_by, now + _GRACE_SECONDS)
        if now > stop_by:
            return
    look()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_TICK_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
