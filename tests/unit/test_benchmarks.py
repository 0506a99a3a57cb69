"""The gates of `make bench`: one that is missed is named, and each can be missed."""

import sqlite3
from pathlib import Path

import pytest

from benchmarks.measure import Cost
from benchmarks.recording import judge
from benchmarks.sizes import measure_state

EVEN = {kind: Cost(20.0, 40.0) for kind in ("plain", "callback", "runner", "whole")} | {"ara": Cost(60.0, 90.0)}
SIZES = {"ours": 90.0, "ara": 300.0}


def missed(costs: dict[str, Cost], sizes: dict[str, float]) -> list[str]:
    return [words for words, held in judge(_in_rounds(EVEN | costs), SIZES | sizes) if not held]


def _in_rounds(costs: dict[str, Cost]) -> dict[str, list[Cost]]:
    """Three rounds of a machine that gets slower from one to the next, of ARA the first alone."""
    return {
        kind: [Cost(cost.wall * pace, cost.cpu * pace) for pace in ((1,) if kind == "ara" else (1, 2, 3))]
        for kind, cost in costs.items()
    }


def test_every_gate_holds_beside_even_peers() -> None:
    assert missed({}, {}) == []
    assert len(list(judge(_in_rounds(EVEN), SIZES))) == 4


@pytest.mark.parametrize(
    ("costs", "sizes", "named"),
    [
        ({"callback": Cost(23.2, 40.0)}, {}, "with the spool callback <= 1.15 x ansible-playbook, plain"),
        ({"callback": Cost(20.0, 46.2)}, {}, "with the spool callback <= 1.15 x ansible-playbook, plain"),
        ({"ara": Cost(19.0, 90.0)}, {}, "below ansible-playbook with ARA's callback"),
        ({"ara": Cost(60.0, 40.0)}, {}, "below ansible-playbook with ARA's callback"),
        ({"whole": Cost(23.2, 40.0)}, {}, "itcare run, whole <= 1.15 x ansible-runner alone"),
        ({}, {"ours": 301.0}, "bytes a task result"),
    ],
)
def test_a_missed_gate_is_named(costs: dict[str, Cost], sizes: dict[str, float], named: str) -> None:
    (words,) = missed(costs, sizes)
    assert named in words


def test_the_write_ahead_log_counts_as_the_database_and_so_does_nothing_twice(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "itcare.sqlite")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (a BLOB)")
    connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.commit()
    connection.close()
    (tmp_path / "checkpoints" / "1").mkdir(parents=True)
    (tmp_path / "checkpoints" / "1" / "000000000001.txt").write_text("x" * 100)
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "spool.jsonl").write_text("x" * 7)
    found = measure_state(tmp_path)
    assert (found["checkpoints"], found["rest"]) == (100, 7)
    assert found["database"] == (tmp_path / "itcare.sqlite").stat().st_size > 100_000
    assert not (tmp_path / "itcare.sqlite-wal").exists()
