"""Find and kill every process of one run, and none that is not the run's.

Three nets, since each has a hole: the run's cgroup (where there is one), the mark `ITCARE_RUN` in
the environment (an ssh master overwrites its own and sudo drops it), and ssh processes that name
the run's private socket folder. To these come the descendants of whatever was found.
"""

import ctypes
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from itcare.drive.isolation import belongs_to_run, remove_cgroup

MARK = "ITCARE_RUN"
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_PAUSE_SECONDS = 0.03
_PROC = Path("/proc")


@dataclass(frozen=True)
class RunProcesses:
    """What tells the processes of one run: its id, its socket folder and its cgroup, if known."""

    run_id: str
    sockets: Path | None = None
    cgroup: Path | None = None


@dataclass(frozen=True)
class Swept:
    """Process ids that were killed, and those that would not die within the time allowed."""

    killed: tuple[int, ...] = ()
    survivors: tuple[int, ...] = ()


@dataclass(frozen=True, order=True)
class _Member:
    """One process beyond doubt: a pid alone may be given to another process after its death."""

    pid: int
    started: int = field(compare=True)  # clock ticks since boot, field 22 of /proc/PID/stat


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    started: int
    command: str


def become_subreaper() -> None:
    """Make orphans of this process's tree come back to it instead of to init. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def living(run: RunProcesses, spare: frozenset[int] = frozenset()) -> tuple[int, ...]:
    """Process ids of the run that are alive now; zombies are not."""
    return tuple(sorted(member.pid for member in _find(run, spare)))


def sweep(run: RunProcesses, *, spare: frozenset[int] = frozenset(), seconds: float = 10.0) -> Swept:
    """Kill every process of the run and wait until nothing of it lives, at most `seconds`.

    `spare`: process ids to leave alone (a supervisor that sweeps its own tree). The calling process
    and its ancestors are always left alone.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + seconds
    quiet = 0
    while True:
        members = _find(run, spare)
        if not members:
            # Twice in a row: a process in the middle of exec shows no environment for a moment.
            quiet += 1
            if quiet == 2:
                if run.cgroup is not None and not spare:
                    remove_cgroup(run.cgroup)
                return Swept(tuple(sorted(killed)))
        else:
            quiet = 0
            if time.monotonic() > deadline:
                return Swept(tuple(sorted(killed)), tuple(sorted(member.pid for member in members)))
            if not spare:
                _kill_cgroup(run)
            # All stand still before the first dies: a shell whose `sleep` is killed would go on to its
            # next command.
            for member in members:
                _send(member, signal.SIGSTOP)
            killed.update(member.pid for member in members if _send(member, signal.SIGKILL))
        time.sleep(_PAUSE_SECONDS)


def _kill_cgroup(run: RunProcesses) -> None:
    """Kill the whole cgroup at one stroke where the kernel can (5.14); forks cannot outrun that."""
    if run.cgroup is None or not belongs_to_run(run.cgroup, run.run_id):
        return
    try:
        (run.cgroup / "cgroup.kill").write_text("1", encoding="ascii")
    except OSError:
        return  # older kernel, or gone: the members are killed one by one


def _send(member: _Member, what: signal.Signals) -> bool:
    """Send a signal to exactly the process that was found; False when it is gone or not ours to signal."""
    try:
        handle = os.pidfd_open(member.pid)
    except OSError:
        return False
    try:
        # The handle pins the process; only now does comparing the start time prove anything.
        stat = _stat(member.pid)
        if stat is None or stat.started != member.started:
            return False
        signal.pidfd_send_signal(handle, what)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _find(run: RunProcesses, spare: frozenset[int]) -> set[_Member]:
    table = {pid: stat for pid in _pids() if (stat := _stat(pid)) is not None}
    ours = {pid for pid in _cgroup_pids(run) if pid in table}
    ours |= {pid for pid, stat in table.items() if _is_marked(pid, stat, run)}
    ours |= _descendants(table, ours)
    left_alone = spare | _ancestry(table, os.getpid())
    return {
        _Member(pid, table[pid].started)
        for pid in ours
        if pid not in left_alone and table[pid].state not in ("Z", "X")
    }  # fmt: skip


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command stands in parentheses and may hold any character, parentheses too.
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return _Stat(fields[0], int(fields[1]), int(fields[19]), head.partition("(")[2])


def _cgroup_pids(run: RunProcesses) -> set[int]:
    if run.cgroup is None or not belongs_to_run(run.cgroup, run.run_id):
        return set()
    found: set[int] = set()
    for folder, _, _ in os.walk(run.cgroup):
        try:
            found.update(int(line) for line in (Path(folder) / "cgroup.procs").read_text("ascii").split())
        except OSError:
            continue  # removed while we walk: then nothing lives in it
    return found


def _is_marked(pid: int, stat: _Stat, run: RunProcesses) -> bool:
    mark = f"\0{MARK}={run.run_id}\0".encode()
    if mark in b"\0" + _read(pid, "environ") + b"\0":
        return True
    if run.sockets is None or not stat.command.startswith("ssh"):
        return False
    # An ssh master shows `ssh: SOCKET [mux]` in place of its command line and has no environment.
    return os.fsencode(run.sockets) + b"/" in _read(pid, "cmdline")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""  # gone, or another user's


def _descendants(table: dict[int, _Stat], roots: set[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, stat in table.items():
        children.setdefault(stat.parent, []).append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found and child not in roots:
                found.add(child)
                waiting.append(child)
    return found


def _ancestry(table: dict[int, _Stat], pid: int) -> frozenset[int]:
    chain = set()
    while pid in table and pid not in chain:
        chain.add(pid)
        pid = table[pid].parent
    return frozenset(chain)
