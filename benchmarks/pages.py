"""How long pages wait for their data when a client has 500 computers and three years of visits.

`python -m benchmarks.pages [FOLDER]`: writes a snapshot of that size with the real writer (into FOLDER, where it is
found again, else into a temporary one), draws every page with Streamlit's own test driver, and adds up the time
inside the reader: opening, asking, decoding, closing. The target is a p95 of 150 ms a page, the ambition 50 ms.

Tasks are written for the newest two months only: no page asks for those of a month but that of a run in it.
"""

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from benchmarks.large_client import CLIENT, LAST_RUN, MONTHS_SHOWN, NAMES, NOW, write_large_client
from benchmarks.measure import describe_machine
from itcare.access import find_scope, list_scopes
from itcare.core.clock import SystemClock
from itcare.core.words import FindingStatus
from itcare.publish.reader import Jobs, Snapshot

ROUNDS = 12
TARGET_SECONDS, AMBITION_SECONDS = 0.150, 0.050
DASHBOARD = Path(__file__).resolve().parents[1] / "dashboard"
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "overview": ("", {}),
    "computers": ("computers", {}),
    "one computer": ("computers", {"host": NAMES[0]}),
    "work log": ("worklog", {}),
    "work log, three years ago": ("worklog", {"month": MONTHS_SHOWN[-1]}),
    "one run": ("worklog", {"run": str(LAST_RUN)}),
}
DRAWERS: dict[str, Callable[[Snapshot], object]] = {
    "all jobs of a month": lambda s: (s.job_count(Jobs(MONTHS_SHOWN[0])), s.jobs(Jobs(MONTHS_SHOWN[0]), limit=8)),
    "their last page": lambda s: s.jobs(Jobs(MONTHS_SHOWN[0]), limit=8, offset=15_490),
    "all remarks": lambda s: (
        s.worst_finding_count(FindingStatus.WARN), s.worst_findings(FindingStatus.WARN, limit=8, offset=400)
    ),
    "search in programs": lambda s: s.software(NAMES[7]),
    "history of a computer": lambda s: s.host_history(NAMES[7], limit=50, offset=1000),
    "a program everywhere": lambda s: s.software_named("package-0007"),
}  # fmt: skip


class Stopwatch:
    """Adds up the time in the outermost calls of the reader."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*values: Any, **options: Any) -> Any:
            self._depth += 1
            begun = time.perf_counter()
            try:
                return function(*values, **options)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - begun

        return timed


@contextmanager
def timed_reader(watch: Stopwatch) -> Iterator[None]:
    """Every public method of the reader under the watch."""
    undo = []
    for owner in Snapshot.__mro__[:-1]:
        for name, value in list(vars(owner).items()):
            if name.startswith("_"):
                continue
            plain = value.__func__ if isinstance(value, classmethod) else value
            if callable(plain):
                wrapped = watch.around(plain)
                undo.append((owner, name, value))
                setattr(owner, name, classmethod(wrapped) if isinstance(value, classmethod) else wrapped)
    try:
        yield
    finally:
        for owner, name, value in undo:
            setattr(owner, name, value)


def draw(published: Path, path: str, query: dict[str, str]) -> tuple[float, float]:
    """Seconds in the reader, and of the whole page without a browser."""
    os.environ |= {"ITCARE_PUBLISHED": str(published), "ITCARE_DASHBOARD_TOKEN": "t" * 43}
    test = AppTest.from_file(str(DASHBOARD / "app.py"), default_timeout=120)
    for name, value in {"token": "t" * 43, "client": CLIENT, **query}.items():
        test.query_params[name] = value
    if path:
        test._page_hash = calc_hash(path)
    watch = Stopwatch()
    with timed_reader(watch), patch.object(SystemClock, "now", lambda _: NOW):
        begun = time.perf_counter()
        test.run()
        whole = time.perf_counter() - begun
    if test.exception or not test.title:
        raise RuntimeError(f"{path} {query}: {test.exception}")
    return watch.seconds, whole


def percentile(seconds: Sequence[float], share: float) -> float:
    return sorted(seconds)[math.ceil(share * len(seconds)) - 1]


def show(name: str, seconds: Sequence[float], whole: Sequence[float] = ()) -> float:
    worst = percentile(seconds, 0.95)
    page = f"{percentile(whole, 0.5) * 1000:9.0f}" if whole else ""
    print(f"{name:28}{percentile(seconds, 0.5) * 1000:9.1f}{worst * 1000:9.1f}{page}")
    return worst


def measure_all(published: Path) -> bool:
    """Print a table; whether every page holds the target."""
    print(f"page data: {len(NAMES)} computers, {LAST_RUN} runs, {len(MONTHS_SHOWN)} months, {ROUNDS} rounds")
    print(describe_machine())
    print(f"{'ms':28}{'median':>9}{'p95':>9}{'page':>9}")
    held = True
    for name, (path, query) in PAGES.items():
        draw(published, path, query)
        rounds = [draw(published, path, query) for _ in range(ROUNDS)]
        held &= show(name, [data for data, _ in rounds], [whole for _, whole in rounds]) <= TARGET_SECONDS
    scope = find_scope(list_scopes(published), CLIENT)
    assert scope is not None
    for name, ask in DRAWERS.items():
        found = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            with Snapshot.open(scope) as snapshot:
                ask(snapshot)
            found.append(time.perf_counter() - begun)
        held &= show(name, found) <= TARGET_SECONDS
    print(f"target: p95 <= {TARGET_SECONDS * 1000:.0f} ms: {'held' if held else 'MISSED'}")
    return held


def main() -> None:
    """Write the client where it is not yet, measure, and exit with 1 when the target is missed."""
    sys.path.append(str(DASHBOARD))
    with tempfile.TemporaryDirectory() as temporary:
        published = Path(sys.argv[1] if len(sys.argv) > 1 else temporary) / "published"
        if not (published / "1" / "client.json").exists():
            begun = time.perf_counter()
            write_large_client(published)
            print(f"written in {time.perf_counter() - begun:.0f} s")
        sys.exit(0 if measure_all(published) else 1)


if __name__ == "__main__":
    main()
