"""Run a program again and again, each time with one of its system calls failing or killing it.

One traced run finds every system call from the moment a named file is first touched; then each
chosen call is repeated with a fault in its place (`strace -e inject`). Needs strace and the right
to trace.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "fcntl",
    "close", "mmap", "lseek", "read", "pread64", "newfstatat", "mkdir", "fchmod",
)  # fmt: skip
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
_LINE = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?([a-z0-9_]+)\(")


@dataclass(frozen=True)
class Injection:
    """`fault` in place of the `number`-th call (from 1) of `call`."""

    call: str
    number: int
    fault: str

    def __str__(self) -> str:
        return f"{self.call}-{self.number}-{self.fault}"


@dataclass(frozen=True)
class Outcome:
    """What the tormented program did.

    `hit`: whether the fault really struck. `code`: negative when a signal ended the program.
    """

    hit: bool
    code: int
    output: str
    errors: str


def find_calls(
    command: Sequence[str], environment: Mapping[str, str], touched: str, trace: Path
) -> list[tuple[str, int]]:
    """Run `command` once, traced into `trace`; every call after the first that names `touched`, in order.

    Raises RuntimeError when the program fails or never touches that file.
    """
    options = ["-f", "-qq", "-o", str(trace), "-e", f"trace={','.join(CALLS)}"]
    done = subprocess.run(
        ["strace", *options, *command], env=dict(environment), capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the traced program failed: {done.stdout}{done.stderr}")
    counts: Counter[str] = Counter()
    calls: list[tuple[str, int]] = []
    begun = False
    for line in trace.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        counts[match[1]] += 1
        begun = begun or touched in line
        if begun:
            calls.append((match[1], counts[match[1]]))
    if not calls:
        raise RuntimeError(f"the traced program never touched {touched}")
    return calls


def choose(calls: Sequence[tuple[str, int]], count: int | None) -> list[Injection]:
    """`count` injections spread evenly over all calls and faults; every one when None."""
    every = [Injection(call, number, fault) for call, number in calls for fault in FAULTS]
    if count is None or count >= len(every):
        return every
    return [every[place * len(every) // count] for place in range(count)]


def run_with(injection: Injection, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Outcome:
    """Run `command` with the fault in place, 60 seconds at most."""
    inject = f"inject={injection.call}:{injection.fault}:when={injection.number}"
    options = ["-f", "-qq", "-o", str(log), "-e", f"trace={injection.call}", "-e", inject]
    done = subprocess.run(
        ["strace", *options, *command], env=dict(environment), capture_output=True, text=True, timeout=60, check=False
    )
    struck = done.returncode == -9 if "KILL" in injection.fault else "(INJECTED)" in log.read_text(errors="replace")
    return Outcome(struck, done.returncode, done.stdout, done.stderr)


@dataclass
class Tally:
    """Figures of one sweep, for the reader of a test's output.

    `lost`: entries, lines or publications that were acknowledged and are not there; never above 0.
    `missed`: faults that met no call, since that run did a call less of this kind than the traced one.
    """

    name: str
    calls: int
    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    missed: int = 0

    def __str__(self) -> str:
        told = f"{self.calls} system calls, {self.faults} faults, {self.acknowledged} acknowledged, {self.lost} lost"
        return f"sweep of {self.name}: {told}" + (f", {self.missed} missed their call" if self.missed else "")


def report(tally: Tally, say: Callable[[str, object], None]) -> None:
    """Print the figures and hand them to pytest's record (`record_property`); fails when anything was lost."""
    sys.stdout.write(f"{tally}\n")
    say(tally.name, str(tally))
    assert tally.lost == 0, tally
    assert tally.missed * 50 <= tally.faults, tally  # else the trace says nothing about the other runs
