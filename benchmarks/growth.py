"""How the database grows with each further daily visit of a computer on which nothing changes, part by part.

`python -m benchmarks.growth [--visits 12]` visits this computer with the collection's own playbook; the first visit,
which brings what stays the same (software, files of the collection), is not counted. Gate: a visit makes the database
file at most 5,000 bytes larger, the mean of all; the exit code is 1 where it is missed.

Content is what is stored in rows, hashes and digests included; unpacked, the same before it was packed. The rest of the
file's growth is indexes and what pages have free. Checkpoints are small files beside the database.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import describe_machine
from benchmarks.sizes import measure_state
from itcare.core.words import RunState
from itcare.store.packing import unpack_leaf
from tests.support.driving import Bench, make_bench, write_contract

GATE_BYTES = 5_000
CLIENT = "POMIAR"


@dataclass
class Content:
    """Bytes by part: as stored, and unpacked. Of bodies that several entries name, the first entry decides."""

    stored: Counter[str] = field(default_factory=Counter)
    unpacked: Counter[str] = field(default_factory=Counter)

    def add(self, part: str, stored: int, unpacked: int) -> None:
        self.stored[part] += stored
        self.unpacked[part] += unpacked

    def since(self, before: "Content", visits: int) -> dict[str, tuple[float, float]]:
        """What was added by a visit, the mean, the largest part first."""
        parts = self.stored - before.stored  # a Counter's difference has only what is positive
        return {
            part: (size / visits, (self.unpacked[part] - before.unpacked[part]) / visits)
            for part, size in parts.most_common()
        }


def name_bodies(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The bodies that an entry names, each with what it is."""
    for key in ("asked", "files", "detail", "cancelled"):
        if event.get(key):
            yield event[key], key
    for task in event.get("tasks", ()):
        short = task["module"].rpartition(".")[2]
        if task["result"]:
            yield task["result"], short
        for name, digest in task.get("attachments", {}).items():
            yield digest, f"{short}, {name}"


def measure_content(bench: Bench) -> Content:
    """What the rows of the client's log hold, and those of runs."""
    log = bench.ledger.find_log(CLIENT)
    content, kinds = Content(), {}
    events: dict[int, dict[str, Any]] = {entry.index: entry.event for entry in bench.ledger.entries(log)}
    bench.ledger.engine.dispose()
    for event in events.values():
        kinds = dict(name_bodies(event)) | kinds
    with closing(sqlite3.connect(bench.settings.database)) as connection:
        for index, data, leaf_hash in connection.execute(
            "SELECT idx, bytes, hash FROM leaf WHERE log_id = ?", (log.id,)
        ):
            here = len(leaf_hash)
            content.add(f"leaf {events[index]['type']}", len(data) + here, len(unpack_leaf(data)) + here)
        for digest, data, size in connection.execute("SELECT digest, zstd, size FROM body WHERE log_id = ?", (log.id,)):
            content.add(f"body {kinds.get(digest, 'of no entry')}", len(data) + len(digest), size + len(digest))
        for row in connection.execute("SELECT * FROM run"):
            size = sum(len(str(value)) for value in row if value is not None)
            content.add("row of the run", size, size)
    return content


def measure_growth(folder: Path, visits: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Bytes that a visit adds: to the files by part of the state directory, and to the content of the database."""
    bench = make_bench(folder)
    loaded = write_contract(folder, CLIENT, {"pc01": {"connection": "local", "python": sys.executable}})
    visit(bench, loaded)
    files, content = measure_state(bench.settings.home), measure_content(bench)
    for _ in range(visits):
        visit(bench, loaded)
    after, grown = measure_state(bench.settings.home), measure_content(bench).since(content, visits)
    return {part: (after[part] - files[part]) / visits for part in after}, grown


def visit(bench: Bench, loaded: Any) -> None:
    report = bench.perform(loaded)
    assert report.state in (RunState.COMPLETE, RunState.PARTIAL), report
    bench.ledger.engine.dispose()  # the files that SQLite has beside an open database are no growth


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=12)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    try:
        files, content = measure_growth(folder, options.visits)
    finally:
        shutil.rmtree(folder)
    print(f"growth: bytes that an unchanged visit of one computer adds, the mean of {options.visits}")
    print(describe_machine())
    print(f"{'':44}{'stored':>10}{'unpacked':>10}")
    for part, (stored, unpacked) in content.items():
        print(f"{part:44}{stored:10.0f}{unpacked:10.0f}")
    total = sum(stored for stored, _ in content.values())
    print(f"{'content of the database':44}{total:10.0f}{sum(unpacked for _, unpacked in content.values()):10.0f}")
    print(f"{'indexes and free space of pages':44}{files['database'] - total:10.0f}")
    print(f"{'database file':44}{files['database']:10.0f}")
    print(f"{'checkpoints beside it':44}{files['checkpoints']:10.0f}")
    print(f"{'anything else in the state directory':44}{files['rest']:10.0f}")
    held = files["database"] <= GATE_BYTES
    print(
        f"gate: database file <= {GATE_BYTES} bytes a visit: {'held' if held else 'MISSED'} ({files['database']:.0f})"
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
