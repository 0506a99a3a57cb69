"""How fast the pages are over three years of 500 computers, beside ARA's list of hosts, and how soon one is seen.

`python -m benchmarks.pages [--home DIR] [--computers 500] [--days 1096] [--calls 30] [--without-ara]`

Page data is the time in the readers of the published snapshots while the real script of a page runs, in this process,
warm, in a new session each time, with another month, computer, run or filter each time. Gate: the 95th percentile is
at most 150 ms of the processor for every page (ambition 50 ms). Beside it the same by the wall, which also counts what
else the machine does, and the whole script; of a page over the ambition, the methods that took the most.

First paint is the wall time from the navigation of a fresh Chromium context to the Overview's first figure being
visible, with the real server; the median of five. Gate: at most 2 s (ambition 1.5 s). In turns with it the emptiest
page of Streamlit is opened (benchmarks.first_paint): the ratio says how much of the time is ours.

The peer is ARA with 500 computers and 90 daily playbooks (benchmarks.ara_history): our page data of Computers over a
home of that size is to be below the 95th percentile of the quickest of ARA's own lists of hosts, by the wall. ARA's
figure includes its web framework and ours does not include Streamlit, so the whole script stands beside it.
The exit code is 1 where a gate is missed.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from random import Random

from benchmarks.first_paint import measure_first_paints
from benchmarks.fleet import CLIENT, make_computers
from benchmarks.homes import FULL_COMPUTERS, FULL_DAYS, ROOT, Home, add_size_options, prepared_home
from benchmarks.measure import describe_machine
from benchmarks.page_data import Opened, Pages, Timing, percentile_95

DATA_GATE, DATA_AMBITION = 0.150, 0.050
PAINT_GATE, PAINT_AMBITION = 2.0, 1.5
PEER = "benchmarks.ara_history"
PEER_CALLS = 20  # its slowest list takes seconds
PEER_WAY = "latest"  # the newest of each computer, as Computers shows it; plain rows of all days are no such list
PEER_DAYS = 90
COMPUTERS_PAGE = "Computers"


def months_of(home: Home) -> list[str]:
    """Every month with a run, newest first."""
    first, month = date.fromisoformat(home.made.first_day), date.fromisoformat(home.made.last_day).replace(day=1)
    found = []
    while month >= first.replace(day=1):
        found.append(f"{month:%Y-%m}")
        month = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    return found


def ways_to_open(home: Home, calls: int) -> Mapping[str, Sequence[Opened]]:
    """For every page `calls` ways to open it; the same ones for homes of the same size."""
    chance, months = Random(1), months_of(home)
    names = [computer.name for computer in make_computers(home.made.computers)]
    older = months[1:] or months

    def month(number: int) -> dict[str, str]:
        return {"month": months[number % len(months)]}

    numbers = range(calls)
    return {
        "Overview, this month": [Opened("", {"month": months[0]}) for _ in numbers],
        "Overview, any month": [Opened("", month(number)) for number in numbers],
        COMPUTERS_PAGE: [Opened("computers", month(number)) for number in numbers],
        "One computer": [Opened("computers", {"host": chance.choice(names)}) for _ in numbers],
        "Work log, this month": [Opened("worklog", {"month": months[0]}) for _ in numbers],
        "Work log, older months": [Opened("worklog", {"month": chance.choice(older)}) for _ in numbers],
        "Work log of one computer": [
            Opened("worklog", {"month": chance.choice(months)}, {"Computer": 1 + chance.randrange(len(names))})
            for _ in numbers
        ],
        "Work log of one day": [
            Opened("worklog", {"month": chance.choice(months)}, {"Day": 1, "Who": number % 2}) for number in numbers
        ],
        "One run": [Opened("worklog", {"run": str(chance.randint(1, home.made.runs))}) for _ in numbers],
        "All clients": [Opened("clients", {}) for _ in numbers],
    }


def time_pages(home: Home, calls: int, only: str | None = None) -> dict[str, list[Timing]]:
    """Timings by page, of all pages or of one."""
    pages = Pages(home.published, CLIENT)
    ways = ways_to_open(home, calls)
    return {name: pages.time_page(ways[name]) for name in ways if only in (None, name)}


def ask_peer(computers: int) -> dict[str, float] | None:
    """95th percentile of each of ARA's lists of hosts, in seconds; None where the module is absent."""
    if importlib.util.find_spec(PEER) is None:
        return None
    words = ["--hosts", str(computers), "--days", str(PEER_DAYS), "--calls", str(PEER_CALLS), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", PEER, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{PEER} failed:\n{done.stderr[-3000:]}")
    return {str(way): float(seconds) for way, seconds in json.loads(done.stdout)["p95_seconds"].items()}


def show_pages(timings: Mapping[str, Sequence[Timing]]) -> list[str]:
    """Print the table; the gates that were missed."""
    missed = []
    print(f"{'95th percentile':30}{'data, CPU':>12}{'data, wall':>12}{'whole script':>14}")
    for name, calls in timings.items():
        cpu, wall, whole = (
            percentile_95([getattr(call, part) for call in calls]) for part in ("data_cpu", "data", "script")
        )
        held = "" if cpu <= DATA_AMBITION else "  over the ambition" if cpu <= DATA_GATE else "  MISSED"
        print(f"{name:30}{cpu * 1000:9.1f} ms{wall * 1000:9.1f} ms{whole * 1000:11.0f} ms{held}")
        if held:
            print(f"{'':30}  mostly {_most(calls)}")
        if cpu > DATA_GATE:
            missed.append(f"page data of {name}: {cpu * 1000:.0f} ms")
    return missed


def _most(calls: Sequence[Timing]) -> str:
    """The three methods that took the most of the processor, in milliseconds of a mean call."""
    sums: Counter[str] = Counter()
    for call in calls:
        sums.update(call.by_method)
    return ", ".join(f"{name} {seconds / len(calls) * 1000:.0f} ms" for name, seconds in sums.most_common(3))


def show_first_paint(ours: Sequence[float], bare: Sequence[float]) -> list[str]:
    """Print how soon Overview and the empty page of Streamlit are seen; the gate if it was missed."""
    paint, floor = statistics.median(ours), statistics.median(bare)
    held = "" if paint <= PAINT_AMBITION else "  over the ambition" if paint <= PAINT_GATE else "  MISSED"
    print(f"first paint of Overview: {paint:.2f} s, median of {', '.join(f'{s:.2f}' for s in ours)}{held}")
    print(f"the empty page of Streamlit: {floor:.2f} s, median of {', '.join(f'{s:.2f}' for s in bare)}; "
          f"ours takes {paint / floor:.2f} times as long")  # fmt: skip
    return [f"first paint of Overview: {paint:.2f} s"] if paint > PAINT_GATE else []


def show_peer(home: Home, calls: int, computers: int, *, is_whole: bool, parent: Path | None) -> list[str]:
    """Compare with ARA and print it; the gates that were missed."""
    peer = ask_peer(computers)
    if peer is None:
        print(f"ARA: not compared, {PEER} is not there" + ("" if is_whole else " (no gate for a part of the size)"))
        return [f"ARA: {PEER} is not there"] if is_whole else []
    if home.made.computers == computers and home.made.runs == PEER_DAYS:
        timings = time_pages(home, calls, COMPUTERS_PAGE)[COMPUTERS_PAGE]
    else:
        with prepared_home(parent, computers, PEER_DAYS) as small:
            if not small.is_published():
                small.publish()
            timings = time_pages(small, calls, COMPUTERS_PAGE)[COMPUTERS_PAGE]
    ours = percentile_95([call.data for call in timings])
    whole = percentile_95([call.script for call in timings])
    theirs = peer[PEER_WAY]
    told = ", ".join(f"{way} {seconds * 1000:.1f} ms" for way, seconds in peer.items())
    print(f"{computers} computers x {PEER_DAYS} days, 95th percentile by the wall: ours, page data of Computers "
          f"{ours * 1000:.1f} ms (whole script {whole * 1000:.0f} ms); ARA's lists of hosts: {told}")  # fmt: skip
    return [] if ours < theirs else [f"page data of Computers {ours * 1000:.0f} ms, ARA {theirs * 1000:.0f} ms"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_size_options(parser)
    parser.add_argument("--calls", type=int, default=30, help="of each page")
    parser.add_argument("--without-ara", action="store_true", help="leave the peer out")
    options = parser.parse_args()
    is_whole = (options.computers, options.days) == (FULL_COMPUTERS, FULL_DAYS)
    with prepared_home(options.home, options.computers, options.days) as home:
        if not home.is_published():
            cost = home.publish()
            print(f"published first, in {cost.wall:.0f} s")
        print(f"pages: {home.size}; {options.calls} calls of each page")
        print(describe_machine())
        missed = show_pages(time_pages(home, options.calls))
        missed += show_first_paint(*measure_first_paints(home))
        if not options.without_ara:
            beside = None if options.home is None else Path(f"{options.home.absolute()}-{PEER_DAYS}")
            missed += show_peer(home, options.calls, home.made.computers, is_whole=is_whole, parent=beside)
    print(f"gate: page data <= {DATA_GATE * 1000:.0f} ms, first paint <= {PAINT_GATE:.0f} s, below ARA: "
          + ("held" if not missed else "MISSED: " + "; ".join(missed)))  # fmt: skip
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
