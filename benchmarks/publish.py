"""What publishing costs over three years of 500 computers: from nothing, again, and after one more visit.

`python -m benchmarks.publish [--home DIR] [--computers 500] [--days 1096] [--quick 3] [--keep]`

Each publication is that of `itcare publish CLIENT` in a process of its own, check of the ledger and signature included;
the start of the program is not part of it, and the whole process stands beside it:

* first, from nothing: stated, no gate; `--keep` leaves a home as it is published and does not measure this;
* with the check of the whole ledger, as once a day: stated;
* again, this month and the one before it made anew (`--rebuild --quick`): at most what the check of the whole ledger
  costs in the same run, since a night that does both may at most double; the aim is 30 s;
* after one more visit of one computer (`--quick`): at most 1 s, the median of three;
* after one more visit of every computer (`--quick`): stated.

Gated is time of the processor; the wall beside it also counts what else the machine does. The rebuild has its gate at
the whole size only, and a peer for it: the same work took 29 s and 36 s within one hour of a virtual machine, and what
is checked beside it swings with it. The exit code is 1 where a gate is missed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.homes import Home, add_size_options, prepared_home
from benchmarks.measure import Cost, describe_machine, median
from benchmarks.years import add_visit

REBUILD, QUICK = "--rebuild", "--quick"
REBUILD_AMBITION, QUICK_GATE = 30.0, 1.0


@dataclass(frozen=True)
class Step:
    """One kind of publication. `words`: the options it was called with. `gate`, `ambition`: seconds, None without."""

    name: str
    words: Sequence[str]
    cost: Cost
    gate: float | None = None
    whole: Cost | None = None
    ambition: float | None = None

    @property
    def is_missed(self) -> bool:
        return self.gate is not None and self.cost.cpu > self.gate


def measure_steps(home: Home, quick: int, *, keeps: bool = False) -> list[Step]:
    """Publish the home in each way, in this order."""
    steps = []
    if not (keeps and home.is_published()):
        home.forget_publications()
        steps.append(_publish(home, "first, from nothing", []))
    checked = _publish(home, "the whole ledger checked", [])
    again = _publish(home, "this month and the last one again", [REBUILD, QUICK])
    if home.is_whole:
        again = replace(again, gate=checked.cost.cpu, ambition=REBUILD_AMBITION)
    steps += [checked, again]
    costs = []
    for number in range(quick):
        add_visit(home.folder, [1 + number % home.made.computers])
        costs.append(home.publish_once(QUICK))
    middle, whole = (median([pair[place] for pair in costs]) for place in (0, 1))
    steps.append(Step(f"one visit more, median of {quick}", [QUICK], middle, QUICK_GATE, whole))
    add_visit(home.folder)
    steps.append(_publish(home, "a visit of every computer more", [QUICK]))
    return steps


def _publish(home: Home, name: str, words: Sequence[str]) -> Step:
    cost, whole = home.publish_once(*words)
    return Step(name, words, cost, whole=whole)


def show(steps: Sequence[Step]) -> list[str]:
    """Print the table; the gates that were missed."""
    print(f"{'':36}{'wall':>10}{'CPU':>10}{'process':>10}{'memory':>10}   called with")
    for step in steps:
        cost, words = step.cost, " ".join(step.words) or "no option"
        verdict = "" if step.gate is None else f", gate {step.gate:.1f} s: {'MISSED' if step.is_missed else 'held'}"
        if step.ambition is not None:
            verdict += f", aim {step.ambition:.0f} s: {'missed' if cost.cpu > step.ambition else 'reached'}"
        whole = (step.whole or cost).cpu
        seconds = "".join(f"{figure:8.2f} s" for figure in (cost.wall, cost.cpu, whole))
        print(f"{step.name:36}{seconds}{cost.peak / 2**20:6.0f} MiB   {words}{verdict}")
    return [f"{step.name}: {step.cost.cpu:.1f} s" for step in steps if step.is_missed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_size_options(parser)
    parser.add_argument("--quick", type=int, default=3, help="publications after one more visit each")
    parser.add_argument("--keep", action="store_true", help="begin with the publication that is there, if one is")
    options = parser.parse_args()
    with prepared_home(options.home, options.computers, options.days) as home:
        print(f"publication: {home.size}, {home.made.bytes / 1e6:.0f} MB of ledger")
        print(describe_machine())
        missed = show(measure_steps(home, max(1, options.quick), keeps=options.keep))
        print(f"published: {home.measure_published() / 1e6:.0f} MB")
    print("gate: " + ("held" if not missed else "MISSED: " + "; ".join(missed)))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
