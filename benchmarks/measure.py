"""Times whole processes: wall clock and the CPU seconds of the process and all it waited for."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds (user and system, children included) of one process; `peak`: most bytes of memory."""

    wall: float
    cpu: float
    peak: int = 0


def measure(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, accept: Sequence[int] = (0,)
) -> Cost:
    """Run a command to its end and return its cost; RuntimeError, with the end of its output, if it failed."""
    begin = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accept:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    return Cost(time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs), max(c.peak for c in costs)
    )


def describe_machine() -> str:
    """Processors, memory and kernel in one line, without a host name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown processor",
    )
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {os.uname().release.split('-')[0]}"
