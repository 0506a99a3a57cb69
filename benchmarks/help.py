"""How soon the command line answers: `itcare --help` beside an empty Typer application of as many commands.

`python -m benchmarks.help [--rounds 15]` runs both in alternating rounds, each a process of its own, and prints the
medians. Gate: at most 1.5 times the empty one, in wall and in CPU; the exit code is 1 where it is missed. With
`--imports` the modules that cost most are listed instead.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Cost, describe_machine, measure, median

ROOT = Path(__file__).resolve().parents[1]
GATE = 1.5
EMPTY = """
import typer

app = typer.Typer(
    name="empty", help="Nothing.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

def nothing() -> None:
    '''Do nothing.'''

for number in range({commands}):
    app.command(f"command{{number}}")(nothing)

app()
"""


def count_commands() -> int:
    """Commands and groups that the first page of help lists."""
    import typer

    from itcare.cli.app import app

    group = typer.main.get_command(app)
    return len(group.commands)  # type: ignore[attr-defined]  # a group, which Typer's types do not say


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8", "COLUMNS": "100"}


def list_imports(command: list[str]) -> None:
    """The twenty modules with the most time of their own."""
    timed = [command[0], "-X", "importtime", *command[1:]]
    told = subprocess.run(timed, env=environment(), capture_output=True, text=True, check=True).stderr
    found = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", told)
    for own, whole, name in sorted(found, key=lambda row: -int(row[0]))[:20]:
        print(f"{name:44}{int(own) / 1000:9.1f} ms of its own{int(whole) / 1000:9.1f} ms in all")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    ours = [sys.executable, "-m", "itcare", "--help"]
    if options.imports:
        list_imports(ours)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    costs: dict[str, list[Cost]] = {"itcare --help": [], "empty --help": []}
    try:
        (folder / "empty.py").write_text(EMPTY.format(commands=count_commands()))
        commands = {"itcare --help": ours, "empty --help": [sys.executable, str(folder / "empty.py"), "--help"]}
        for command in commands.values():
            measure(command, folder, environment(), folder / "log")  # compiled files and caches are there for both
        for number in range(options.rounds):
            for name in sorted(commands, reverse=bool(number % 2)):
                costs[name].append(measure(commands[name], folder, environment(), folder / "log"))
    finally:
        shutil.rmtree(folder)
    print(f"help: {count_commands()} commands, medians of {options.rounds} alternating rounds")
    print(describe_machine())
    for name, measured in costs.items():
        middle = median(measured)
        print(f"{name:16} wall {middle.wall:6.3f} s  CPU {middle.cpu:6.3f} s")
    one, other = (median(measured) for measured in costs.values())
    ratios = (one.wall / other.wall, one.cpu / other.cpu)
    held = max(ratios) <= GATE
    print(f"gate: itcare <= {GATE} x empty: {'held' if held else 'MISSED'} (wall {ratios[0]:.2f}, CPU {ratios[1]:.2f})")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
