"""The visits that benchmarks generate have the shape of a real visit of this computer, down to the last key."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fleet import DUTY, Computer, Kind
from itcare.core.clock import SystemClock
from itcare.core.words import RunState
from tests.support.driving import make_bench, write_contract
from tests.support.years import Event, make_small_years, opened, read_events

REAL = "PRAWDA"
# What a computer has or lacks differs from one to the next: reasons for which files were left alone, and by name
# which parts of the health could be asked. Below these the names of the members are data.
_NAMES_ARE_DATA = ("skipped", "services", "outcomes")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """A visit of this computer as it was recorded: opening, leaf, closing. Nothing is cleaned up."""
    bench = make_bench(tmp_path_factory.mktemp("real"))
    loaded = write_contract(bench.folder, REAL, {"pc01": {"connection": "local", "python": sys.executable}})
    report = bench.perform(loaded)
    assert report.state is RunState.COMPLETE, report
    return read_events(bench.ledger, REAL)[1:]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The same, generated."""
    home: Path = tmp_path_factory.mktemp("made") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Computer, "kind_on", lambda *_: Kind.SEEN)
        make_small_years(home, 1, 1, SystemClock().now().date() - timedelta(days=1))
    with opened(home) as ledger:
        return read_events(ledger)[1:]


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where the keys or the types of two values differ. Null is a value of any type, an empty list of any elements."""
    if one is None or other is None:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        found = [] if path.endswith(_NAMES_ARE_DATA) else [f"{path}.{name}" for name in one.keys() ^ other.keys()]
        for name in one.keys() & other.keys():
            found += differences(one[name], other[name], f"{path}.{name}")
        return found
    if isinstance(one, list) and isinstance(other, list):
        return [line for mine in one[:1] for theirs in other for line in differences(mine, theirs, f"{path}[]")]
    kinds = (_kind_of(one), _kind_of(other))
    return [] if kinds[0] == kinds[1] else [f"{path}: {kinds[0]}, {kinds[1]}"]


def _kind_of(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_differences_are_seen() -> None:
    one = {"a": 1, "b": [{"c": "x"}], "skipped": {"too_young": 1}}
    assert differences(one, {"a": 2.5, "b": [{"c": None}], "skipped": {}}) == []
    assert differences(one, {"a": "1", "b": [], "skipped": {}}) == [".a: number, str"]
    assert differences(one, {"a": 1, "b": [{"d": "x"}], "skipped": {}, "e": 1}) != []


def test_opening_leaf_and_closing_have_the_same_members(real: list[Event], made: list[Event]) -> None:
    assert [event["type"] for event in real] == [event["type"] for event in made]
    for mine, theirs in zip(real, made, strict=True):
        assert differences({**mine, "tasks": None}, {**theirs, "tasks": None}) == []


def test_the_same_tasks_are_recorded(real: list[Event], made: list[Event]) -> None:
    def told(events: list[Event]) -> list[dict[str, Any]]:
        plain = ("position", "name", "module", "file", "line", "args", "ignored", "truncated")
        return [{name: task[name] for name in plain} for task in events[1]["tasks"]]

    assert real[0]["duty"] == DUTY
    assert told(real) == told(made)


def test_the_results_have_the_same_members(real: list[Event], made: list[Event]) -> None:
    assert len(real[1]["tasks"]) == 4
    for mine, theirs in zip(real[1]["tasks"], made[1]["tasks"], strict=True):
        assert differences(mine, theirs) == [], mine["module"]


def test_every_source_of_the_health_is_told(real: list[Event], made: list[Event]) -> None:
    sources = [set(events[1]["tasks"][1]["result"]["health"]["sources"]) for events in (real, made)]
    assert sources[0] == sources[1]
