"""Processor time of one health observation, with everything that it starts: `python benchmarks/health_cpu.py [PYTHON]`.

Runs the module as Ansible runs it on a computer (arguments on standard input, a fresh interpreter) and reads the
kernel's account of the finished process and its children. The target is below 0.5 s.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE = "ansible_collections.itcare.maintenance.plugins.modules.health_info"
ROUNDS = 7
TARGET_SECONDS = 0.5
# Ansible's own wrapper sets this serialization profile before it starts the module
START = f"""
import json, runpy, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
runpy.run_module({MODULE!r}, run_name="__main__")
"""


def observe_once(python: str) -> tuple[float, float, dict]:
    """Processor seconds, wall seconds and the result of one run."""
    import ansible

    search = os.pathsep.join([str(ROOT / "collections"), str(Path(ansible.__file__).parents[1])])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    run = subprocess.run(
        [python, "-c", START],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {}}),
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": search},
    )
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent, wall, json.loads(run.stdout)


def main() -> None:
    """Print the figures."""
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    runs = [observe_once(python) for _ in range(ROUNDS)]
    spent = [run[0] for run in runs]
    print(f"python                {python}")
    print(
        f"processor time, s     median {statistics.median(spent):.3f}  worst {max(spent):.3f}  target {TARGET_SECONDS}"
    )
    print(f"wall time, s          median {statistics.median(run[1] for run in runs):.3f}")
    for name, answer in runs[-1][2]["health"]["sources"].items():
        print(f"  {name:<12} {answer['state']:<12} {answer['reason'] or '':<14} {answer['seconds']:.3f}")


if __name__ == "__main__":
    main()
