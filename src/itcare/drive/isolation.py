"""A run's own cgroup: the one fence that no process of the run can leave by itself.

A process group does not do: ansible-core gives every worker a session of its own, an ssh master
daemonises, and both outlive the group. Where no cgroup can be had the environment mark remains
(`process.py`), and the run says so.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_MOUNTS = Path("/proc/self/mounts")
_SYSTEMD_IS_INIT = Path("/run/systemd/system")
_PROBE_SECONDS = 5
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Isolation:
    """How the tree of one run is held together.

    `cgroup`: version 2 directory of the run; None for `mark`, and for `scope` until the run's own
    supervisor has told it (systemd chooses where a scope lies).
    `prefix`: words to put before the supervisor's command line.
    """

    kind: Literal["scope", "cgroup", "mark"]
    cgroup: Path | None = None
    prefix: tuple[str, ...] = ()


def unit_name(run_id: str) -> str:
    """Name of the run's cgroup directory and of its systemd scope without the suffix."""
    return f"itcare-{run_id}"


def cgroup_mount(mounts: str) -> Path | None:
    """Mount point of the version 2 hierarchy in the text of /proc/self/mounts, None without one."""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) >= 3 and fields[2] == "cgroup2":
            return Path(fields[1])
    return None


def cgroup_path(membership: str) -> str | None:
    """Path inside the version 2 hierarchy, from the text of /proc/PID/cgroup."""
    for line in membership.splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


def own_cgroup() -> Path | None:
    """Directory of this process in the version 2 hierarchy, None where there is none."""
    try:
        mount = cgroup_mount(_MOUNTS.read_text(encoding="utf-8"))
        path = cgroup_path(Path("/proc/self/cgroup").read_text(encoding="utf-8"))
    except OSError:
        return None
    if mount is None or path is None:
        return None
    return mount / path.lstrip("/")


def belongs_to_run(cgroup: Path, run_id: str) -> bool:
    """Whether a directory is the run's own cgroup and not one that others share."""
    return unit_name(run_id) in cgroup.name


def find_cgroup(run_id: str) -> Path | None:
    """The run's cgroup wherever it lies, by its name alone: for a run whose folder is gone."""
    try:
        mount = cgroup_mount(_MOUNTS.read_text(encoding="utf-8"))
    except OSError:
        return None
    if mount is None:
        return None
    names = {unit_name(run_id), f"{unit_name(run_id)}.scope"}
    return next((Path(parent) / name for parent, folders, _ in os.walk(mount) for name in names & set(folders)), None)


def choose_isolation(run_id: str) -> Isolation:
    """The strongest fence this machine offers: systemd scope, else a cgroup directory, else the mark."""
    scope = _scope_prefix(run_id)
    if scope is not None:
        return Isolation("scope", prefix=scope)
    cgroup = _make_cgroup(run_id)
    if cgroup is not None:
        return Isolation("cgroup", cgroup=cgroup)
    return Isolation("mark")


def _scope_prefix(run_id: str) -> tuple[str, ...] | None:
    if not _SYSTEMD_IS_INIT.is_dir():
        return None
    words = ["systemd-run", "--scope", "--quiet", "--collect"]
    if os.geteuid() != 0:
        # The user's manager is found through this variable, which a run's environment does not hold.
        words = ["env", f"XDG_RUNTIME_DIR={os.environ.get('XDG_RUNTIME_DIR', '')}", *words, "--user"]
    # A scope needs a manager that answers and lets us in; only trying it tells.
    if not _succeeds([*words, f"--unit={unit_name(run_id)}-probe", "true"]):
        return None
    return (*words, "--property=KillMode=control-group", f"--unit={unit_name(run_id)}", "--")


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS, env={"PATH": _SYSTEM_PATH}
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _make_cgroup(run_id: str) -> Path | None:
    parent = own_cgroup()
    if parent is None:
        return None
    cgroup = parent / unit_name(run_id)
    try:
        cgroup.mkdir()
    except OSError:
        return None
    # Making the directory is not enough: without delegation nobody may be moved into it.
    if _lets_a_process_in(cgroup):
        return cgroup
    remove_cgroup(cgroup)
    return None


def _lets_a_process_in(cgroup: Path) -> bool:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as trial:
        try:
            (cgroup / "cgroup.procs").write_text(str(trial.pid), encoding="ascii")
        except OSError:
            return False
    return True


def join_cgroup(cgroup: Path) -> None:
    """Move this process, before it has any child, into the run's cgroup. Raises OSError."""
    (cgroup / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def remove_cgroup(cgroup: Path) -> None:
    """Remove an emptied cgroup with what hangs below it; one that is in use or gone is left alone."""
    for folder, _, _ in os.walk(cgroup, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return
