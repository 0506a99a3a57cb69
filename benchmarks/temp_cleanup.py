"""The cleanup beside find(1) and beside Ansible's own modules: `python -m benchmarks.temp_cleanup [FILES] [ROUNDS]`.

Beside find, on the same files in alternating rounds: the time inside the module's work, without the start of Ansible
and of Python, against the time of a `find` with the same predicates less that of a `find` in an empty folder. Ours
includes listing the open files of the computer, which find does not do.

Beside Ansible: whole runs of ansible-playbook with one playbook each, the module against `ansible.builtin.find` and one
`ansible.builtin.file` with `state: absent` per file. The loop is stopped when it has taken a tenth more than the gate
demands, as it would go on for very long; then the table says how many files it had removed.

Ends with 1 when a gate is missed. Set `TMPDIR` to measure another file system.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost, describe_machine, measure, median
from benchmarks.temp_ansible import PLAYBOOKS, prepare, run_playbook
from tests.support.temp_trees import AGE_DAYS, DAY, Tree, fill, make_tree

ROOT = Path(__file__).resolve().parents[1]
FILES, ROUNDS = 200_000, 3
LOOP_FILES = 2_000
MOST_PLAN, MOST_CLEAN, LEAST_LOOP = 3.0, 2.0, 50.0
OURS = """
import json, sys, time
from pathlib import Path
from tests.support.temp_trees import Tree, import_module_util
tree, cleans = Tree(Path(sys.argv[1])), sys.argv[2] == "clean"
import_module_util("_temp.cleanup")
wall, cpu = time.perf_counter(), time.process_time()
result = tree.run(cleans=cleans)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
assert result["total"]["deleted_files" if cleans else "planned_files"] == int(sys.argv[3]), result["total"]
print(json.dumps([wall, cpu]))
"""


def run_ours(tree: Tree, mode: str, files: int) -> Cost:
    """The cost inside the module's work."""
    command = [sys.executable, "-c", OURS, str(tree.root), mode, str(files)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return Cost(*json.loads(finished.stdout))


def run_find(folder: Path, log: Path, *action: str) -> Cost:
    """find with the same age: neither time later than a day before the clock that our run is given."""
    cutoff = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + DAY))
    young = ["!", "-newermt", cutoff, "!", "-newerct", cutoff]
    return measure(["find", str(folder), "-xdev", "-mindepth", "1", *young, *action], ROOT, os.environ, log)


def run_find_alone(folder: Path, log: Path, *action: str) -> Cost:
    """The same without the start of the process: less the cost of a run in a folder that is empty."""
    empty = log.parent / "empty"
    empty.mkdir(exist_ok=True)
    start, whole = run_find(empty, log, *action), run_find(folder, log, *action)
    return Cost(whole.wall - start.wall, whole.cpu - start.cpu)


def measure_walks(folder: Path, files: int, rounds: int) -> dict[str, list[Cost]]:
    """Both removals meet files that were just made and looked at three times; the order changes from round to round."""
    log = folder / "log"
    costs: dict[str, list[Cost]] = {"plan": [], "find": [], "clean": [], "find -delete": []}
    for number in range(rounds):
        tree = make_tree(folder / f"{number}")
        actions: dict[str, Callable[[], Cost]] = {
            "plan": partial(run_ours, tree, "plan", files),
            "find": partial(run_find_alone, tree.temp, log, "-printf", "%s\n"),
            "clean": partial(run_ours, tree, "clean", files),
            "find -delete": partial(run_find_alone, tree.temp, log, "-delete"),
        }
        looks, removals = ["plan", "find"], ["clean", "find -delete"]
        if number % 2:
            looks.reverse()
            removals.reverse()
        for removal in removals:
            fill(tree.temp, files)
            for _time in range(1 if removal == removals[0] else 3):
                run_find(tree.temp, log, "-printf", "%s\n")
            for name in [*looks, removal] if removal == removals[0] else [removal]:
                costs[name].append(actions[name]())
        shutil.rmtree(tree.root)
    return costs


def measure_playbooks(folder: Path, files: int) -> bool:
    """One whole run of each, printed; whether the gate held."""
    prepare(folder)
    costs: dict[str, Cost] = {}
    most_seconds = 600.0
    for name in PLAYBOOKS:
        tree = folder / f"crash-{name.replace(' ', '')}"
        fill(tree, files)
        costs[name] = run_playbook(folder, name, tree, most_seconds)
        most_seconds = costs[name].wall * LEAST_LOOP * 1.1
        gone = files - sum(path.is_file() for path in tree.rglob("*"))
        print(f"{name:<22} wall {costs[name].wall:8.3f} s  processor {costs[name].cpu:8.3f} s  {gone} files removed")
        if name == "temp_cleanup" and gone != files:
            raise RuntimeError(f"{name} removed {gone} of {files} files")
    ratio = costs["find and file"].wall / costs["temp_cleanup"].wall
    per_file = ratio * files / max(gone, 1)
    holds = ratio >= LEAST_LOOP
    print(
        f"find and file / temp_cleanup: wall {ratio:.0f}, about {per_file:.0f} had the loop gone on to its end"
        f"  gate: at least {LEAST_LOOP:g}, {'held' if holds else 'MISSED'}"
    )
    return holds


def print_costs(costs: dict[str, list[Cost]]) -> None:
    for name, measured in costs.items():
        middle = median(measured)
        print(f"{name:<22} wall {middle.wall:8.3f} s  processor {middle.cpu:8.3f} s")


def compare(costs: dict[str, list[Cost]], one: str, other: str) -> Cost:
    """The medians over the rounds of how many times `one` costs what `other` does."""
    pairs = list(zip(costs[one], costs[other], strict=True))
    return Cost(
        statistics.median(first.wall / second.wall for first, second in pairs),
        statistics.median(first.cpu / second.cpu for first, second in pairs),
    )


def judge(label: str, ratio: Cost, most: float) -> bool:
    """Print a ratio beside its gate, which both figures have to hold."""
    holds = max(ratio.wall, ratio.cpu) <= most
    verdict = "held" if holds else "MISSED"
    print(f"{label:<22} wall {ratio.wall:6.2f}  processor {ratio.cpu:6.2f}  gate: at most {most:g}, {verdict}")
    return holds


def name_file_system(folder: Path) -> str:
    command = ["findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main(arguments: Sequence[str]) -> int:
    """Print the figures of each command and the ratios; 1 when a gate is missed."""
    files = int(arguments[0]) if arguments else FILES
    rounds = int(arguments[1]) if len(arguments) > 1 else ROUNDS
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    try:
        system = name_file_system(folder)
        print(f"{describe_machine()}; {system}; {files} files, {rounds} rounds, clock {AGE_DAYS + 1} days ahead")
        walks = measure_walks(folder, files, rounds)
        print_costs(walks)
        sys.stdout.flush()
        held = [
            judge("plan / find", compare(walks, "plan", "find"), MOST_PLAN),
            judge("clean / find -delete", compare(walks, "clean", "find -delete"), MOST_CLEAN),
        ]
        held.append(measure_playbooks(folder, LOOP_FILES))
    finally:
        shutil.rmtree(folder)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
