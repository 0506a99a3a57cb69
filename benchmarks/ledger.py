"""What the ledger costs: bringing a spool in, and verifying.

`python -m benchmarks.ledger [--tasks 10000] [--entries 100000]` runs on one processor, the database with
`synchronous=FULL` as everywhere. Gates: at least 5,000 tasks from the spool into the signed ledger in a second of that
processor, at most 3 such seconds to verify 100,000 entries, both without bodies and with one each; the exit code is 1
where one is missed. Beside them the wall clock, which also counts the disk and whatever else the machine does.

Every task of the spool has a result of its own, so that no body is stored once for many: the dearest case.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Cost, describe_machine, median
from itcare.core.clock import SystemClock, write_instant
from itcare.core.words import RunState
from itcare.drive.importing import bring, read_import
from itcare.drive.orders import Ended, Ending
from itcare.ledger.check import check_log
from itcare.ledger.log import LogRef
from tests.support.driving import Bench, make_bench
from tests.support.open_runs import OpenRun
from tests.support.spools import SpoolText

TASKS_PER_HOST = 40
ROUNDS = 5
ENTRIES_AT_ONCE = 10_000
TASKS_GATE = 5_000
VERIFY_GATE_SECONDS = 3.0
GATE_ENTRIES = 100_000


def write_spool(run: OpenRun, hosts: tuple[str, ...]) -> int:
    """The spool of a run that did every task on every host; returns the number of tasks."""
    begin, text = datetime(2026, 11, 2, 7, tzinfo=UTC), SpoolText().header(run.identity).file().play(*hosts)
    for number in range(TASKS_PER_HOST):
        for host in hosts:
            at = write_instant(begin + timedelta(milliseconds=len(text.lines)))
            result = {"changed": False, "rc": 0, "stdout": os.urandom(100).hex(), "msg": f"{host} {number}"}
            text.start(host, f"t{number}", at=at)
            text.end(host, f"t{number}", at=at, result=result)
    text.close().write(run.folder.path)
    Ended(Ending.FINISHED, 0).write(run.folder)
    return len(hosts) * TASKS_PER_HOST


class Stopwatch:
    """Wall and processor seconds of this process since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def read(self) -> Cost:
        return Cost(time.monotonic() - self._wall, time.process_time() - self._cpu)


def measure_import(folder: Path, tasks: int) -> Cost:
    """Seconds a task, from the spool file to the signed checkpoint; the median of the rounds."""
    bench = make_bench(folder)
    hosts = tuple(f"pc{number:03}" for number in range(max(1, tasks // TASKS_PER_HOST)))
    costs = []
    for number in range(1, ROUNDS + 1):
        run = OpenRun(bench, number, hosts)
        count = write_spool(run, hosts)
        watch = Stopwatch()
        content = read_import(run.row, run.folder, run.plan)
        report = bring(bench.ledger, run.log, content, run.row.fence, SystemClock())
        cost = watch.read()
        costs.append(Cost(cost.wall / count, cost.cpu / count))
        assert report.state is RunState.COMPLETE, report
    return median(costs)


def fill_log(bench: Bench, entries: int, *, with_bodies: bool) -> LogRef:
    """A client's log of so many entries of ordinary size, signed."""
    log = bench.ledger.client_log("BODIES" if with_bodies else "PLAIN", "Pomiar sp. z o.o.")
    for start in range(1, entries, ENTRIES_AT_ONCE):
        with bench.ledger.append(log) as batch:
            for number in range(start, min(start + ENTRIES_AT_ONCE, entries)):
                event = {"type": "run.host", "run": number, "host": f"pc{number % 50}", "outcome": "ok", "tasks": []}
                event["detail"] = batch.body({"message": os.urandom(100).hex()}) if with_bodies else None
                batch.add(event)
        bench.ledger.sign(log)
    return log


def measure_verify(bench: Bench, log: LogRef, entries: int) -> Cost:
    """Seconds of one full verification, the median of three."""
    costs = []
    for _ in range(3):
        watch = Stopwatch()
        found = check_log(bench.settings, bench.ledger.engine, log)
        costs.append(watch.read())
        assert (found.sound, found.size) == (True, entries), found.message
    return median(costs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=GATE_ENTRIES)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    processors = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(processors)})
        task = measure_import(_fresh(folder, "import"), options.tasks)
        bench = make_bench(_fresh(folder, "verify"))
        checks = {}
        for name, with_bodies in (("without bodies", False), ("with a body each", True)):
            log = fill_log(bench, options.entries, with_bodies=with_bodies)
            checks[name] = measure_verify(bench, log, options.entries)
        os.sched_setaffinity(0, processors)
    finally:
        shutil.rmtree(folder)
    print(f"ledger: one processor, synchronous=FULL, {options.tasks} tasks, {TASKS_PER_HOST} on each computer")
    print(describe_machine())
    print(f"{'':40}{'wall':>16}{'CPU':>16}")
    print(f"{'spool into signed ledger':40}{1 / task.wall:8.0f} tasks/s{1 / task.cpu:8.0f} tasks/s")
    for name, cost in checks.items():
        print(f"{f'verify {options.entries} entries, {name}':40}{cost.wall:14.2f} s{cost.cpu:14.2f} s")
    # the figure of a smaller log is scaled: the work is linear
    rate, slowest = 1 / task.cpu, max(cost.cpu for cost in checks.values()) * GATE_ENTRIES / options.entries
    held = rate >= TASKS_GATE and slowest <= VERIFY_GATE_SECONDS
    print(
        f"gate: >= {TASKS_GATE} tasks/s, <= {VERIFY_GATE_SECONDS:.0f} s to verify {GATE_ENTRIES} entries: "
        f"{'held' if held else 'MISSED'} ({rate:.0f} tasks/s, {slowest:.2f} s)"
    )
    return 0 if held else 1


def _fresh(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


if __name__ == "__main__":
    sys.exit(main())
