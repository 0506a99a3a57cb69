"""Run a program again and again, each time with one of its system calls failing or killing it (see stage.py).

One traced run finds every system call from the moment a named file is first touched; then each
chosen call is repeated with a fault in its place (`strace -e inject`). Needs strace and the right
to trace.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.stage import Stage

CALLS = (
    "openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "fcntl",
    "close", "mmap", "lseek", "read", "pread64", "newfstatat", "mkdir", "fchmod",
)  # fmt: skip
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
PROPERTY = "sweep"
"""Name of the recorded figures of a sweep; tests/conftest.py prints them at the end of every session."""

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

    @property
    def kind(self) -> str:
        """How it ended, in a word for the figures."""
        if self.code < 0:
            return "killed"
        return "ended with an error" if self.code else "went on"


def find_calls(stage: Stage, arguments: Sequence[str], touched: str, trace: Path) -> list[tuple[str, int]]:
    """Run the program once, traced into `trace`; every call after the first that names `touched`, in order.

    Raises RuntimeError when the program fails or never touches that file.
    """
    done = stage.run(arguments, ["-o", str(trace), "-e", f"trace={','.join(CALLS)}"])
    if done.code:
        raise RuntimeError(f"the traced program failed: {done}")
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
    """`count` injections spread evenly over all calls, the faults in turn; every call with every fault when None."""
    if count is None or count >= len(calls) * len(FAULTS):
        return [Injection(call, number, fault) for call, number in calls for fault in FAULTS]
    chosen = [calls[place * len(calls) // count] for place in range(count)]
    return [Injection(*call, FAULTS[place % len(FAULTS)]) for place, call in enumerate(chosen)]


def run_with(
    stage: Stage, injection: Injection, arguments: Sequence[str], log: Path, more: Mapping[str, str] | None = None
) -> Outcome:
    """Run the program with the fault in place; `more`: further environment variables."""
    inject = f"inject={injection.call}:{injection.fault}:when={injection.number}"
    done = stage.run(arguments, ["-o", str(log), "-e", f"trace={injection.call}", "-e", inject], more)
    struck = done.code == -9 if "KILL" in injection.fault else "(INJECTED)" in log.read_text(errors="replace")
    return Outcome(struck, done.code, done.output, done.errors)


@dataclass
class Tally:
    """Figures of one sweep, for the reader of a test's output.

    `acknowledged`, `lost`: entries, lines, bodies or publications that the program called done, and how many of these
    are not there; `lost` is never above 0. `missed`: faults that met no call, since that run did a call less of this
    kind than the traced one. `ends`: how the program ended, and how often.
    """

    name: str
    calls: int
    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    missed: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    def add(self, done: Outcome, *, acknowledged: int, lost: int) -> None:
        """Count one run of the program."""
        self.faults += done.hit
        self.missed += not done.hit
        self.acknowledged += acknowledged
        self.lost += lost
        self.ends[done.kind] += done.hit

    def __str__(self) -> str:
        told = f"{self.calls} system calls, {self.faults} faults, {self.acknowledged} acknowledged, {self.lost} lost"
        ends = ", ".join(f"{kind} {count}" for kind, count in sorted(self.ends.items()))
        missed = f"; {self.missed} missed their call" if self.missed else ""
        return f"{self.name}: {told}; {ends}{missed}"


def report(tally: Tally, say: Callable[[str, object], None]) -> None:
    """Hand the figures to pytest's record (`record_property`), which prints them; fails when anything was lost."""
    say(PROPERTY, str(tally))
    assert tally.lost == 0, tally
    assert tally.missed * 50 <= tally.faults, tally  # else the trace says nothing about the other runs
