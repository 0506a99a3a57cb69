"""What the callback costs: the same playbook with and without it, in alternating rounds.

    python benchmarks/recording_callback.py [--hosts 20] [--tasks 20] [--rounds 3]

Gate: at most 1.15 times the time of plain ansible-playbook; aim: 1.05. The processor time is the
steadier of the two numbers on a computer that does other things as well.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from itcare.drive.spool import read_spool  # noqa: E402 - the path is set above
from tests.support.playbook import run_playbook  # noqa: E402 - the path is set above

GATE = 1.15


def measure(hosts: int, tasks: int, *, record: bool) -> tuple[float, float]:
    """Seconds on the clock and of processor time for one run."""
    names = [f"pc{number:03}" for number in range(hosts)]
    steps = [{"name": f"step {n}", "ansible.builtin.command": f"echo {n}"} for n in range(tasks)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        # the stdout callback is there anyway: naming it enables nothing more
        settings = {} if record else {"callbacks_enabled": "ansible.builtin.default"}
        run = run_playbook(folder, steps, names, settings=settings, options=["-f", "10"], timeout=1800)
        seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run.rc == 0, run.output
        if record:
            spool = read_spool(run.spool)
            assert spool.complete
            assert len(spool.tasks) == hosts * tasks
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    plain, recorded = [], []
    for _ in range(options.rounds):
        plain.append(measure(options.hosts, options.tasks, record=False))
        recorded.append(measure(options.hosts, options.tasks, record=True))
    ratios = []
    for index, label in enumerate(("clock", "processor")):
        without, with_spool = (statistics.median(run[index] for run in runs) for runs in (plain, recorded))
        ratios.append(with_spool / without)
        print(f"{label:>9}: plain {without:7.2f} s, recorded {with_spool:7.2f} s, ratio {ratios[-1]:.3f}")
    return 0 if min(ratios) <= GATE else 1


if __name__ == "__main__":
    sys.exit(main())
