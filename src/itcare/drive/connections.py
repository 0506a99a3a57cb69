"""When each host's ssh connection was opened and closed, told by the run's own control sockets.

Every run has its own control path per host, so that one `Accepted` line of a host's sshd belongs
to one run, and both logs can be laid side by side.
"""

import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from itcare.core.clock import Clock, read_instant, write_instant

POLL_SECONDS = 0.25
_EXIT_SECONDS = 5.0


@dataclass(frozen=True)
class Connection:
    """One ssh connection to one host; `closed_at` is None when its end was not observed."""

    opened_at: datetime
    closed_at: datetime | None


class ConnectionWatch:
    """Looks at the control sockets again and again and writes what changed, one JSON line each.

    `sockets`: host name to control path. The file outlives this process: a recovery reads it.
    """

    def __init__(self, sockets: Mapping[str, Path], journal: Path, clock: Clock) -> None:
        self._sockets = sockets
        self._journal = journal
        self._clock = clock
        self._seen: dict[str, tuple[int, int]] = {}

    def look(self) -> None:
        """Compare every socket with the last look; call it every `POLL_SECONDS`.

        Raises OSError when the journal cannot be written; the next look tells what this one could not.
        """
        for host, path in self._sockets.items():
            now = self._clock.now()
            try:
                stat = path.stat()
            except OSError:
                if host in self._seen:
                    append_change(self._journal, host, "closed", now)
                    del self._seen[host]
                continue
            identity = (stat.st_ino, stat.st_mtime_ns)
            if self._seen.get(host) == identity:
                continue
            # ssh binds the socket right after the host let it in: its own time beats our poll.
            born = min(now, datetime.fromtimestamp(stat.st_mtime_ns / 1e9, tz=UTC))
            if host in self._seen:
                append_change(self._journal, host, "closed", born)
                del self._seen[host]
            append_change(self._journal, host, "opened", born)
            self._seen[host] = identity


def append_change(journal: Path, host: str, change: str, at: datetime) -> None:
    """Add one line to the journal of connections. Raises OSError."""
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"host": host, "change": change, "at": write_instant(at)}) + "\n")


def read_connections(journal: Path) -> dict[str, tuple[Connection, ...]]:
    """Connections of each host in the order they were opened; lines that are cut are left out."""
    found: dict[str, list[Connection]] = {}
    try:
        lines = journal.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            entry = json.loads(line)
            host, change, at = str(entry["host"]), entry["change"], read_instant(entry["at"])
        except (ValueError, KeyError, TypeError):
            continue
        links = found.setdefault(host, [])
        if change == "opened":
            links.append(Connection(at, None))
        elif links and links[-1].closed_at is None:
            links[-1] = Connection(links[-1].opened_at, at)
    return {host: tuple(links) for host, links in found.items()}


def close_masters(sockets: Path | None, seconds: float = _EXIT_SECONDS) -> tuple[Path, ...]:
    """Ask every ssh master in a socket folder to exit; those that do not are for the sweep.

    Returns the sockets behind which a master answered: those connections ended now.
    """
    if sockets is None or not sockets.is_dir():
        return ()
    deadline = time.monotonic() + seconds
    asked = [(path, _ask_to_exit(path)) for path in sorted(sockets.iterdir()) if path.is_socket()]
    answered = []
    for path, asker in asked:
        try:
            if asker.wait(max(0.0, deadline - time.monotonic())) == 0:
                answered.append(path)
        except subprocess.TimeoutExpired:
            asker.kill()
            asker.wait()
    return tuple(answered)


def _ask_to_exit(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={path}", "itcare"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def note_closed(journal: Path, at: datetime, hosts: Iterable[str] | None = None) -> None:
    """Close the connections that are still open in the journal, of some hosts or of all, at `at`.

    To be called once nothing of the run lives any more: only then is the time true.
    """
    chosen = None if hosts is None else set(hosts)
    for host, links in read_connections(journal).items():
        if links[-1].closed_at is None and (chosen is None or host in chosen):
            append_change(journal, host, "closed", max(at, links[-1].opened_at))
