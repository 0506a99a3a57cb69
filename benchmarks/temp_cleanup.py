"""The cleanup beside find(1) on the same files: `python -m benchmarks.temp_cleanup [FILES] [ROUNDS]`.

Alternates plan, `find` with the same predicates, cleaning and `find -delete`, each as a process of its own with its
start included. A cleaning plans first, so it walks twice, looks at every file again before it removes it and compares;
find does none of this.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Cost, describe_machine, measure, median
from tests.support.temp_trees import AGE_DAYS, DAY, Tree, fill, make_tree

ROOT = Path(__file__).resolve().parents[1]
FILES, ROUNDS = 100_000, 5
CLEAN = """
import sys
from pathlib import Path
from tests.support.temp_trees import Tree
result = Tree(Path(sys.argv[1])).run(cleans=sys.argv[2] == "clean")
assert result["total"][sys.argv[3]] == int(sys.argv[4]), result["total"]
"""


def ours(tree: Tree, mode: str, files: int) -> list[str]:
    count = "deleted_files" if mode == "clean" else "planned_files"
    return [sys.executable, "-c", CLEAN, str(tree.root), mode, count, str(files)]


def find(tree: Tree, *action: str) -> list[str]:
    """find with the same age: neither time later than a day before the clock that our run is given."""
    cutoff = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + DAY))
    young = ["!", "-newermt", cutoff, "!", "-newerct", cutoff]
    return ["find", str(tree.temp), "-xdev", "-mindepth", "1", *young, *action]


def run(command: Sequence[str], folder: Path) -> Cost:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return measure(command, ROOT, environment, folder / "log")


def main() -> None:
    """Print the figures of each command and the two ratios."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    costs: dict[str, list[Cost]] = {"plan": [], "find": [], "clean": [], "find -delete": []}
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    try:
        for number in range(rounds):
            tree = make_tree(folder / f"{number}")
            fill(tree.temp, files)
            run(find(tree, "-printf", ""), folder)  # both meet a warm cache
            costs["plan"].append(run(ours(tree, "plan", files), folder))
            costs["find"].append(run(find(tree, "-printf", "%s\n"), folder))
            costs["clean"].append(run(ours(tree, "clean", files), folder))
            fill(tree.temp, files)
            costs["find -delete"].append(run(find(tree, "-delete"), folder))
            shutil.rmtree(tree.root)
    finally:
        shutil.rmtree(folder)
    print(f"{describe_machine()}; {files} files, {rounds} rounds, clock {AGE_DAYS + 1} days ahead")
    for name, measured in costs.items():
        middle = median(measured)
        print(f"{name:<14} wall {middle.wall:7.3f} s  processor {middle.cpu:7.3f} s")
    for name, one, other in (("plan ÷ find", "plan", "find"), ("clean ÷ find -delete", "clean", "find -delete")):
        first, second = median(costs[one]), median(costs[other])
        print(f"{name:<21} wall {first.wall / second.wall:5.1f}  processor {first.cpu / second.cpu:5.1f}")


if __name__ == "__main__":
    main()
