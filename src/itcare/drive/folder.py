"""The private folder of one run: what lies where, who may read it, and who is alive behind it."""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itcare.core.errors import UnsafeError
from itcare.drive.isolation import belongs_to_run, find_cgroup
from itcare.drive.process import RunProcesses

# sun_path holds 108 bytes with the closing NUL (unix(7)).
_SOCKET_PATH_LIMIT = 107
# The longest names of sockets below the folder: ansible-core's own (multiprocessing.connection), and a
# control path, which ssh first binds under a name with 17 characters more.
_RESERVE_BYTES = 32 * 1024
_TEMPORARY = "tmp"
_LONGEST_NAMES = (f"/{_TEMPORARY}/pymp-xxxxxxxx/listener-xxxxxxxx", "/xxxxx.xxxxxxxxxxxxxxxx")


@dataclass(frozen=True)
class RunFolder:
    """Paths inside `<home>/runs/<run id>`, mode 0700. The folder is removed after the import."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def lock(self) -> Path:
        """Locked (flock) by the driver as long as it lives; a kill -9 releases it."""
        return self.path / "driver.lock"

    @property
    def orders(self) -> Path:
        """What the supervisor is to start, JSON."""
        return self.path / "orders.json"

    @property
    def plan(self) -> Path:
        """Hosts and digests of the run, JSON."""
        return self.path / "plan.json"

    @property
    def spool(self) -> Path:
        return self.path / "spool.jsonl"

    @property
    def events(self) -> Path:
        """Runner's view of results: host, task, kind; compared with the spool, never evidence."""
        return self.path / "events.jsonl"

    @property
    def connections(self) -> Path:
        """Openings and closings of ssh masters as the supervisor saw them."""
        return self.path / "connections.jsonl"

    @property
    def ended(self) -> Path:
        """How the playbook ended, JSON; absent when the supervisor died first."""
        return self.path / "ended.json"

    @property
    def reserve(self) -> Path:
        """Space held back, given free so that the ending can be written on a full disk."""
        return self.path / "reserve"

    @property
    def cancel(self) -> Path:
        """Its presence tells the supervisor to stop; content: who asked."""
        return self.path / "cancel.json"

    @property
    def cgroup_note(self) -> Path:
        """Path of the run's cgroup, written before anything is started in it."""
        return self.path / "cgroup"

    @property
    def configuration(self) -> Path:
        return self.path / "ansible.cfg"

    @property
    def inventory(self) -> Path:
        return self.path / "hosts.itcare.json"

    @property
    def secrets(self) -> Path:
        """Values that the recorder replaces, one a line; absent where the driver knows none."""
        return self.path / "secrets"

    @property
    def private(self) -> Path:
        """private_data_dir of ansible-runner; fresh, never used twice."""
        return self.path / "runner"

    @property
    def temporary(self) -> Path:
        return self.path / "tmp"

    @property
    def output(self) -> Path:
        """What the supervisor itself says on stdout and stderr."""
        return self.path / "supervisor.log"


def make_folder(runs: Path, run_id: str) -> RunFolder:
    """Make a fresh private folder; raises UnsafeError when that cannot be done."""
    folder = RunFolder(runs / run_id)
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.path.mkdir(mode=0o700)
        folder.temporary.mkdir(mode=0o700)
        folder.private.mkdir(mode=0o700)
        (folder.private / "env").mkdir(mode=0o700)
        with folder.reserve.open("xb") as reserve:
            os.posix_fallocate(reserve.fileno(), 0, _RESERVE_BYTES)
    except OSError as error:
        raise UnsafeError(
            "make the run folder", str(folder.path), str(error), "Check free space and the owner of the runs folder."
        ) from error
    return folder


def make_socket_folder(environ: Mapping[str, str]) -> Path:
    """A private folder whose socket paths fit into the kernel's limit. Raises UnsafeError."""
    bases = [base for base in (environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()) if base]
    longest = len("/itcare-xxxxxxxx") + max(map(len, _LONGEST_NAMES))
    for base in bases:
        too_long = len(os.fsencode(base)) + longest > _SOCKET_PATH_LIMIT
        # ssh expands per cent signs in a control path, and Ansible does too.
        if too_long or "%" in base or not os.path.isabs(base) or not os.access(base, os.W_OK):
            continue
        folder = Path(tempfile.mkdtemp(prefix="itcare-", dir=base))
        temporary_folder(folder).mkdir(mode=0o700)
        return folder
    raise UnsafeError(
        "make the socket folder", ", ".join(bases), "no writable folder with a path short enough for a Unix socket",
        "Set TMPDIR to a short path such as /tmp.",
    )  # fmt: skip


def temporary_folder(sockets: Path) -> Path:
    """TMPDIR of a run: it lies with the sockets, since ansible-core makes one there."""
    return sockets / _TEMPORARY


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that a reader sees either nothing or all of it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file of ours; None when it is missing, cut or something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def processes_of(folder: RunFolder, sockets: Path | None) -> RunProcesses:
    """What tells the run's processes; the cgroup only if it is the run's own."""
    try:
        cgroup: Path | None = Path(folder.cgroup_note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        cgroup = find_cgroup(folder.run_id)
    if cgroup is not None and not belongs_to_run(cgroup, folder.run_id):
        cgroup = None
    return RunProcesses(folder.run_id, sockets, cgroup)


def remove_run_files(folder: RunFolder, sockets: Path | None) -> None:
    """Remove the run's folder and its socket folder. Raises OSError when something stays."""
    if folder.path.exists():
        shutil.rmtree(folder.path)
    if sockets is not None and sockets.exists():
        shutil.rmtree(sockets)


class DriverLock:
    """Held by whoever drives or recovers a run; the kernel lets go of it when that process dies."""

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.lock
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False while another process holds it. Raises OSError without the folder."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def driver_lives(folder: RunFolder) -> bool:
    """Whether some process holds the run's lock now."""
    try:
        handle = os.open(folder.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
