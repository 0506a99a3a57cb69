"""Months of a snapshot: found by the run or the time that is asked for, opened late, refused when they are strange."""

import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.access import find_scope, list_scopes
from itcare.core.errors import NotFoundError, UnsafeError
from itcare.publish.divided import month_before
from itcare.publish.reader import Snapshot
from tests.support.snapshots import NOW, change_table, make_rows, make_snapshot, month_files, plan_client

HOSTS, RUNS = 3, 100  # four months, a run a day


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return make_snapshot(tmp_path_factory.mktemp("long"), clients=1, hosts=HOSTS, runs=RUNS)


@pytest.fixture
def changed(long, tmp_path):
    """A copy to be spoiled."""
    return shutil.copytree(long, tmp_path / "published")


def open_client(published):
    return Snapshot.open(find_scope(list_scopes(published), "ACME"))


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that are opened from now on."""
    names = []
    real = sqlite3.connect

    def connect(path, *args, **options):
        names.append(str(path).rpartition("/")[2].partition("?")[0])
        return real(path, *args, **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    return names


def test_a_question_about_now_opens_no_month(long, opened):
    with open_client(long) as snapshot:
        assert snapshot.runs() and snapshot.hosts() and snapshot.findings() and snapshot.software("pc01")
        assert snapshot.runs_of_month("2026-02") and snapshot.obligation_counts("2026-03")
    assert opened == ["current.sqlite"]


def test_a_run_leads_to_its_own_month_only(long, opened):
    with open_client(long) as snapshot:
        assert len(snapshot.host_results(1)) == HOSTS and snapshot.tasks(1) and snapshot.files(1)
        assert snapshot.run(1).month == "2025-12"
    assert [name[:7] for name in opened[1:]] == ["2025-12"], "and opened once"


def test_a_look_back_stops_at_the_month_in_which_it_has_enough(long, opened):
    with open_client(long) as snapshot:
        assert [row.run for row in snapshot.host_history("pc01", limit=30)] == list(range(100, 70, -1))
    assert [name[:7] for name in opened[1:]] == ["2026-03", "2026-02"]


def test_a_time_that_is_asked_for_opens_no_month_before_it_but_the_one_whose_last_night_may_reach_into_it(long, opened):
    with open_client(long) as snapshot:
        since = datetime(2026, 3, 5, tzinfo=UTC)
        rows = snapshot.measures("pc01", subject="/", since=since)
        assert [row.run for row in rows] == list(range(87, 101)) and rows[0].at >= since
    assert [name[:7] for name in opened[1:]] == ["2026-03", "2026-02"]


@given(st.integers(1, 120), st.integers(0, 120))
def test_pages_of_a_history_are_those_of_the_whole(long, limit, offset):
    with open_client(long) as snapshot:
        whole = snapshot.host_history("pc02", limit=1000)
        assert [row.run for row in whole] == list(range(RUNS, 0, -1))
        assert snapshot.host_history("pc02", limit=limit, offset=offset) == whole[offset : offset + limit]


def test_every_row_of_every_month_is_read_back(long):
    rows = make_rows(plan_client(1, hosts=HOSTS, runs=RUNS))
    with open_client(long) as snapshot:
        results = [row for host in rows.hosts for row in snapshot.host_history(host.name, limit=1000)]
        assert sorted(results, key=lambda row: (row.run, row.host)) == sorted(
            rows.host_results, key=lambda row: (row.run, row.host)
        )
        assert [row for host in rows.hosts for row in snapshot.measures(host.name)] == sorted(
            rows.measures, key=lambda row: (row.host, row.subject, row.at)
        )
        months = sorted({run.month for run in rows.runs})
        listed = [run for month in months for run in reversed(snapshot.runs_of_month(month))]
        assert listed == list(rows.runs)
        touched = {run for month in months for run in snapshot.runs_with_host(month, "pc03")}
        assert touched == {row.run for row in rows.host_results if row.host == "pc03"}


def test_a_limit_leaves_out_the_oldest_measures(long):
    with open_client(long) as snapshot:
        assert [row.run for row in snapshot.measures("pc01", subject="/", limit=40)] == list(range(61, 101))


def test_a_month_that_is_not_there_is_missing_with_the_remedy(changed):
    month_files(changed)[0].unlink()
    with open_client(changed) as snapshot:
        assert snapshot.host_results(100), "the others are read"
        with pytest.raises(NotFoundError) as caught:
            snapshot.host_results(1)
        assert "itcare publish" in caught.value.remedy
        with pytest.raises(NotFoundError):
            snapshot.host_history("pc01", limit=1000)  # never shortened in silence
        with pytest.raises(NotFoundError):
            snapshot.check_files()


def test_another_month_under_the_name_is_refused(changed):
    first, second, *_ = month_files(changed)
    shutil.copy(second, first)
    with open_client(changed) as snapshot, pytest.raises(UnsafeError, match="of another month"):
        snapshot.host_results(1)


@pytest.mark.parametrize("version", ["2", "4", ""])
def test_a_month_of_another_version_is_refused(changed, version):
    file = month_files(changed)[-1]
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'snapshot_version'", (version,))
    connection.close()
    with open_client(changed) as snapshot, pytest.raises(UnsafeError, match="its version is"):
        snapshot.tasks(RUNS)


def test_a_month_without_a_word_about_itself_is_refused(changed):
    change_table(changed, "task", "DELETE FROM meta WHERE key IN ('client', 'month')")
    with open_client(changed) as snapshot, pytest.raises(UnsafeError, match="of another client"):
        snapshot.tasks(RUNS)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" + b"\xff" * 200, b"text"])
def test_a_damaged_month_is_told_by_the_question_that_needs_it(changed, content):
    month_files(changed)[-1].write_bytes(content)
    with open_client(changed) as snapshot:
        assert snapshot.run_count() == RUNS
        with pytest.raises(UnsafeError, match="damaged|version is None"):
            snapshot.tasks(RUNS)


def test_a_cut_month_is_told_as_damaged(changed):
    file = month_files(changed)[-1]
    os.truncate(file, file.stat().st_size // 2)
    with open_client(changed) as snapshot, pytest.raises(UnsafeError, match="damaged"):
        for run in range(85, RUNS + 1):
            snapshot.tasks(run)
            snapshot.host_results(run)
        snapshot.measures("pc01", since=NOW - timedelta(days=10))
        snapshot.temps("pc01")


def test_a_folder_in_the_place_of_a_month_is_refused(changed):
    file = month_files(changed)[-1]
    file.unlink()
    file.mkdir()
    with open_client(changed) as snapshot, pytest.raises(UnsafeError, match="not a regular file"):
        snapshot.tasks(RUNS)


def test_values_of_another_type_are_damage(changed):
    file = month_files(changed)[-1]
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'measure'")
    connection.close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE measure SET value = 'much'")
    connection.close()
    with open_client(changed) as snapshot, pytest.raises(UnsafeError, match="value is of the type str"):
        snapshot.measures("pc01")


def test_nothing_can_be_written_to_a_month(long):
    with open_client(long) as snapshot, pytest.raises(UnsafeError, match="readonly|read-only"):
        snapshot._months.of("2026-03").fetch("DELETE FROM task", {})


def test_closing_the_snapshot_closes_its_months_and_opens_none(long):
    snapshot = open_client(long)
    snapshot.check_files()
    held = len(os.listdir("/proc/self/fd"))
    snapshot.close()
    assert len(os.listdir("/proc/self/fd")) == held - 5, "four months and the present"
    with pytest.raises(UnsafeError, match="closed"):
        snapshot.host_history("pc01")


def test_threads_that_share_a_snapshot_open_each_month_once(long, opened):
    with open_client(long) as snapshot, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: snapshot.host_history("pc01", limit=100), range(12)))
    assert all(answer == answers[0] for answer in answers)
    assert len(opened) == 5


@pytest.mark.parametrize("month", ["2026-07", "", "../1", "2026-03' --", "\ud800"])
def test_a_month_without_runs_answers_nothing(long, month):
    with open_client(long) as snapshot:
        assert snapshot.runs_of_month(month) == ()
        assert snapshot.runs_with_host(month, "pc01") == frozenset()


@given(st.dates(date(1970, 2, 1)), st.times())
def test_the_month_before_is_the_calendars(day, at):
    before = month_before(datetime.combine(day, at, UTC))
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    assert before == ("" if day.year <= 1970 else f"{year:04}-{month:02}")


def test_without_a_time_every_month_is_asked():
    assert month_before(None) == month_before(datetime.min.replace(tzinfo=UTC)) == ""
