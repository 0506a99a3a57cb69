"""The benchmarks of pages and publication measure what they say, and miss their gates when they should."""

import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks import first_paint, page_data, pages, publish
from benchmarks.fleet import CLIENT
from benchmarks.homes import VARIABLE, Home, prepared_home
from benchmarks.measure import Cost
from benchmarks.page_data import Opened, Pages, ReaderTimer, Timing, percentile_95
from benchmarks.years import add_visit, read_years
from itcare.access import list_scopes
from itcare.core.clock import SystemClock
from itcare.publish.reader import Snapshot
from tests.support.components import ROOT
from tests.support.years import make_small_years

LAST_DAY = SystemClock().now().date() - timedelta(days=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three computers over forty days, published."""
    folder = tmp_path_factory.mktemp("pages") / "home"
    make_small_years(folder, 3, 40, LAST_DAY)
    made = read_years(folder)
    assert made is not None
    home = Home(folder, made)
    home.publish()
    return home


def test_every_page_is_drawn_and_timed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data, "WARM_CALLS", 0)
    timings = pages.time_pages(home, 1)
    assert list(timings) == list(pages.ways_to_open(home, 1))
    for name, (call,) in timings.items():
        assert call.script > call.data > 0 < call.data_cpu, name
        assert sum(call.by_method.values()) == pytest.approx(call.data_cpu)


def test_a_page_that_is_not_there_is_not_measured(home: Home) -> None:
    with pytest.raises(RuntimeError, match="showed no page"):
        Pages(home.published, CLIENT).time_page([Opened("computers", {"host": "nobody"})])


def test_a_choice_that_a_page_does_not_offer_is_not_measured(home: Home) -> None:
    with pytest.raises(RuntimeError, match="no box 'Weather'"):
        Pages(home.published, CLIENT).time_page([Opened("worklog", {}, {"Weather": 1})])


def test_time_in_a_reader_that_asks_itself_counts_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_self: Snapshot, _month: str) -> dict[object, object]:
        time.sleep(0.05)
        return {}

    monkeypatch.setattr(Snapshot, "obligation_counts_by_duty", slow)
    timer = ReaderTimer()
    with timer.watching(), Snapshot.open(list_scopes(home.published)[0]) as snapshot:
        snapshot.obligation_counts("2026-01")
    assert timer.wall >= 0.05
    assert set(timer.by_method) == {"open", "obligation_counts", "close"}
    assert timer.cpu < timer.wall  # it slept


def test_readers_are_as_before_after_the_watch() -> None:
    before = dict(vars(Snapshot))
    with ReaderTimer().watching():
        assert dict(vars(Snapshot)) != before
    assert dict(vars(Snapshot)) == before


def test_a_page_over_the_gate_is_missed_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    fast, slow = (Timing(1.0, 0.2, cpu, {"hosts": cpu}) for cpu in (0.02, 0.2))
    assert pages.show_pages({"Overview": [fast] * 30}) == []
    # two in thirty are more than five in a hundred
    assert pages.show_pages({"Computers": [fast] * 28 + [slow] * 2}) == ["page data of Computers: 200 ms"]
    told = capsys.readouterr().out
    assert "mostly hosts" in told and "MISSED" in told


def test_the_percentile_is_a_figure_that_was_measured() -> None:
    assert percentile_95([float(number) for number in range(1, 101)]) == 95.0
    assert percentile_95([float(number) for number in range(30)]) == 28.0
    assert percentile_95([3.0]) == 3.0


def test_a_peer_that_is_absent_is_a_gate_missed_at_the_whole_size_only(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ask_peer", lambda _computers: None)
    assert pages.show_peer(home, 1, 3, is_whole=False, parent=None) == []
    assert pages.show_peer(home, 1, 3, is_whole=True, parent=None) != []


@pytest.mark.parametrize(("seconds", "missed"), [(1000.0, 0), (1e-9, 1)])
def test_page_data_is_held_against_the_list_of_the_newest_of_each_computer(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, missed: int
) -> None:
    monkeypatch.setattr(pages, "ask_peer", lambda _computers: {"api": 2000.0, "latest": seconds})
    monkeypatch.setattr(pages, "PEER_DAYS", 1)
    found = pages.show_peer(home, 1, 1, is_whole=True, parent=tmp_path / "small")
    assert len(found) == missed
    assert read_years(tmp_path / "small") is not None  # a home of the peer's size was made for it


def test_months_are_those_with_a_run_newest_first(home: Home) -> None:
    months = pages.months_of(home)
    assert months == sorted(months, reverse=True)
    assert months[0] == f"{LAST_DAY:%Y-%m}"
    assert months[-1] == f"{LAST_DAY - timedelta(days=39):%Y-%m}"


@pytest.mark.parametrize(("cpu", "missed"), [(0.5, []), (1.5, ["one visit more: 1.5 s"])])
def test_a_publication_over_its_gate_is_missed_and_named(cpu: float, missed: list[str]) -> None:
    steps = [publish.Step("first", [], Cost(900, 800)), publish.Step("one visit more", ["--quick"], Cost(9, cpu), 1.0)]
    assert publish.show(steps) == missed


@pytest.mark.parametrize(("cpu", "missed"), [(0.5, []), (1.5, ["first"])])
def test_first_paint_is_held_against_its_gate_and_told_beside_the_empty_page(
    capsys: pytest.CaptureFixture[str], cpu: float, missed: list[str]
) -> None:
    found = pages.show_first_paint([cpu * 1.5] * 5, [0.5] * 5)
    assert [words.split()[0] for words in found] == missed
    assert f"ours takes {cpu * 3:.2f} times as long" in capsys.readouterr().out


@pytest.mark.component("chromium")
def test_our_page_and_the_empty_one_are_both_seen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_paint, "PAINTS", 1)
    ours, empty = first_paint.measure_first_paints(home)
    assert len(ours) == len(empty) == 1
    assert min(ours + empty) > 0


def test_publishing_from_nothing_keeps_ledger_keys_and_contracts(tmp_path: Path) -> None:
    with prepared_home(tmp_path / "home", 1, 3) as home:
        home.publish()
        home.forget_publications()
        left = {path.name for path in home.folder.iterdir()}
        assert left - {"itcare.sqlite-wal", "itcare.sqlite-shm"} == {
            "itcare.sqlite", "keys", "checkpoints", "contracts", "years.json",
        }  # fmt: skip
        home.itcare("verify")
        home.publish()
        assert home.is_published() and home.measure_published() > 10_000


def test_a_command_that_fails_is_no_figure(home: Home) -> None:
    with pytest.raises(RuntimeError, match="ended with"):
        home.itcare("publish", "NOBODY")


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"), prepared_home(tmp_path, 1, 1):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
    with pytest.raises(ValueError, match="not made by"):
        add_visit(tmp_path)


def test_a_home_is_made_once_for_each_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with prepared_home(None, 1, 1) as first, prepared_home(None, 1, 1) as again, prepared_home(None, 1, 2) as other:
        assert first == again
        assert first.folder != other.folder
    assert first.folder.exists()
    monkeypatch.delenv(VARIABLE)
    with prepared_home(None, 1, 1) as temporary:
        assert temporary.folder.exists()
    assert not temporary.folder.exists()


def test_make_bench_runs_them_over_one_home() -> None:
    told = subprocess.run(["make", "-n", "bench"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert '"publish $keep" pages' in told and VARIABLE in told
