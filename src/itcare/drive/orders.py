"""What a driver tells its supervisor to start, and what the supervisor tells at the end."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from itcare.drive.folder import RunFolder, read_object, write_private

IDLE_TIMEOUT_MINIMUM_SECONDS = 60  # start-up counts as idle: 3 s killed a clean run on a loaded machine


_LAST_WORDS = 4096


class Ending(StrEnum):
    """Why the playbook process is no more."""

    FINISHED = "finished"  # it ended by itself, whatever its return code
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"  # the job's own limit
    IDLE = "idle"  # nothing happened for too long
    DISK_FULL = "disk_full"
    DRIVER_DIED = "driver_died"
    ERROR = "error"  # the supervisor could not start or follow it
    DIED = "died"  # the supervisor itself was killed: nobody wrote an ending


@dataclass(frozen=True)
class Orders:
    """One playbook run as the supervisor is to start it; paths absolute, times in seconds.

    `sockets`: host name to ssh control path. `cgroup`: directory to join first, None for a scope or
    a run without one. `in_scope`: started by systemd-run in a scope of its own.
    """

    playbook: str
    check: bool
    forks: int
    job_timeout: int
    idle_timeout: int
    sockets: Mapping[str, str]
    socket_folder: str
    cgroup: str | None
    in_scope: bool

    @property
    def idle_limit(self) -> int:
        """Seconds without any event after which the run is stopped."""
        return max(self.idle_timeout, IDLE_TIMEOUT_MINIMUM_SECONDS)

    def write(self, folder: RunFolder) -> None:
        write_private(folder.orders, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: RunFolder) -> "Orders":
        """Raises TypeError or OSError for a file that this version did not write."""
        return cls(**json.loads(folder.orders.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Ended:
    """How it ended. `rc`: return code of ansible-playbook, None if a signal ended it.

    `console`: last lines that belong to no host, for the operator's eyes only.
    `lost_events`: events that could not be written down; more than 0 makes the comparison with the
    spool incomplete.
    """

    ending: Ending
    rc: int | None = None
    console: str = ""
    lost_events: int = 0

    def write(self, folder: RunFolder) -> None:
        """Write it, on a full disk into the space that was held back. Raises OSError."""
        folder.reserve.unlink(missing_ok=True)
        write_private(folder.ended, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: RunFolder) -> "Ended":
        """The ending that was written, else `died`."""
        value = read_object(folder.ended) or {}
        try:
            rc = value["rc"]
            return cls(
                Ending(value["ending"]), rc if isinstance(rc, int) else None, str(value["console"]),
                int(value["lost_events"]),
            )  # fmt: skip
        except (KeyError, ValueError, TypeError):
            return cls(Ending.DIED, console=_last_words(folder))


def _last_words(folder: RunFolder) -> str:
    try:
        return folder.output.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:]
    except OSError:
        return ""


def who_cancelled(folder: RunFolder) -> Mapping[str, Any] | None:
    """What the cancel file says; an empty mapping for one that cannot be read, None without one."""
    if not Path(folder.cancel).exists():
        return None
    return read_object(folder.cancel) or {}
