"""The reader: bounded, indexed, and closed to everything that is not this client's snapshot."""

import os
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from threading import Lock
from time import sleep

import pytest

from itcare.access import find_scope, list_scopes
from itcare.core.errors import NotFoundError, UnsafeError
from itcare.core.words import FindingStatus, HostOutcome, ObligationState
from itcare.publish import month_queries, queries
from itcare.publish.measures import KEPT
from itcare.publish.reader import MAXIMUM_ROWS, Jobs, Snapshot
from itcare.publish.rows import SeenSoftwareRow
from tests.support.questions import count_statements
from tests.support.snapshots import NOW, make_rows, make_snapshot, plan_client, with_meta, write_client

MONTH = "2026-03"


def open_client(published, code="ACME"):
    return Snapshot.open(find_scope(list_scopes(published), code))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return make_snapshot(tmp_path_factory.mktemp("read"), clients=2, hosts=12, runs=5)


@pytest.fixture
def snapshot(published):
    with open_client(published) as opened:
        yield opened


def seen_software(rows):
    runs = {(look.host, look.source): look.run for look in rows.software_looks}
    return [SeenSoftwareRow(*astuple(row), runs[row.host, row.source]) for row in rows.software]


def test_every_row_that_was_written_is_read_back_equal(snapshot):
    rows = make_rows(plan_client(1, hosts=12, runs=5))
    assert snapshot.meta() == rows.meta
    assert set(snapshot.hosts()) == set(rows.hosts)
    assert list(reversed(snapshot.runs())) == list(rows.runs)
    assert [row for run in rows.runs for row in snapshot.host_results(run.number)] == sorted(
        rows.host_results, key=lambda row: (row.run, row.host)
    )
    assert [row for run in rows.runs for row in snapshot.tasks(run.number)] == sorted(
        rows.tasks, key=lambda row: (row.run, row.host, row.position)
    )
    assert {row for run in rows.runs for row in snapshot.files(run.number)} == set(rows.files)
    assert sorted(snapshot.findings(limit=MAXIMUM_ROWS), key=lambda row: row.id) == list(rows.findings)
    assert [row for host in rows.hosts for row in snapshot.facts(host.name)] == list(rows.facts)
    assert [row for host in sorted(rows.hosts, key=lambda h: h.name) for row in snapshot.host_forecasts(host.name)] == (
        sorted(rows.forecasts, key=lambda row: (row.host, row.subject))
    )
    assert list(snapshot.forecasts()) == sorted(rows.forecasts, key=lambda row: (row.host, row.subject))
    assert [row for host in rows.hosts for row in snapshot.measures(host.name)] == list(rows.measures)
    assert {row for host in rows.hosts for row in snapshot.finding_intervals(host.name)} == set(rows.finding_intervals)
    assert set(snapshot.current_intervals()) == {row for row in rows.finding_intervals if row.current}
    assert [row for host in rows.hosts for row in snapshot.software(host.name)] == seen_software(rows)
    assert set(snapshot.software_changes()) == set(rows.software_changes)
    assert [row for host in rows.hosts for row in snapshot.software_changes(host.name)] == list(rows.software_changes)
    assert {row.host for row in snapshot.temps_of_run(5)} == {row.host for row in rows.temps}
    assert [row for host in rows.hosts for row in snapshot.temps(host.name)] == list(rows.temps)
    months = snapshot.months()
    assert {row for month in months for row in snapshot.obligations(month, limit=MAXIMUM_ROWS)} == set(rows.obligations)


def test_counts_name_every_state_and_agree_with_the_rows(snapshot):
    counts = snapshot.obligation_counts(MONTH)
    assert set(counts) == set(ObligationState)
    assert sum(counts.values()) == len(snapshot.obligations(MONTH, limit=MAXIMUM_ROWS))
    assert snapshot.obligation_counts_by_duty(MONTH)["visit.daily"] == counts
    by_status = snapshot.finding_counts()
    assert {status: len(snapshot.findings(status)) for status in FindingStatus} == by_status
    settled = [
        row for row in snapshot.obligations(MONTH, limit=MAXIMUM_ROWS) if not row.is_open and row.state != "waived"
    ]
    delivered = [row for row in settled if row.state in ("done", "done_late")]
    assert snapshot.settled_counts(MONTH) == (len(delivered), len(settled))


def test_a_month_without_obligations_has_nothing_due(snapshot):
    assert snapshot.settled_counts("2030-01") == (0, 0)
    assert snapshot.obligation_counts_by_duty("2030-01") == {}


def test_findings_come_worst_first(snapshot):
    order = [FindingStatus.FAIL, FindingStatus.WARN, FindingStatus.UNKNOWN, FindingStatus.OK]
    shown = [order.index(row.status) for row in snapshot.findings()]
    assert shown == sorted(shown) and set(shown) == {0, 1, 2, 3}
    worst = snapshot.worst_by_host()
    assert all(worst[row.host] == snapshot.host_findings(row.host)[0].status for row in snapshot.findings())


def test_obligations_can_be_asked_by_state_and_duty(snapshot):
    missed = snapshot.obligations(MONTH, state=ObligationState.NOT_REACHED)
    assert {row.state for row in missed} == {ObligationState.NOT_REACHED}
    assert snapshot.obligations(MONTH, duty="visit.daily", limit=3, offset=2) == snapshot.obligations(MONTH)[2:5]
    assert snapshot.obligations(MONTH, duty="other") == ()
    assert {row.host for row in snapshot.host_obligations("pc01")} == {"pc01"}


def test_runs_come_newest_first_in_pages(snapshot):
    assert [run.number for run in snapshot.runs(limit=2)] == [5, 4]
    assert [run.number for run in snapshot.runs(limit=2, offset=4)] == [1]
    assert snapshot.run_count() == 5
    assert [row.run for row in snapshot.host_history("pc01")] == [5, 4, 3, 2, 1]


NONSENSE = [0, -1, 99, 2**31, 2**63, 10**30, "1", None, 1.5, "1 OR 1=1"]


@pytest.mark.parametrize("number", NONSENSE)
def test_a_run_that_is_not_there_a_foreign_one_and_nonsense_answer_the_same(snapshot, number):
    assert snapshot.run(number) is None
    assert snapshot.finding(number if number != 99 else 9999) is None
    assert snapshot.host_results(number) == snapshot.tasks(number) == snapshot.files(number) == ()


@pytest.mark.parametrize("name", ["pc99", "", "PC01", "pc01 ", "pc01\x00", "\ud800", "%", "' OR 1=1 --", "x" * 10**6])
def test_a_host_that_is_not_there_a_foreign_one_and_nonsense_answer_the_same(snapshot, name):
    assert snapshot.host(name) is None
    assert snapshot.host_findings(name) == snapshot.facts(name) == snapshot.host_history(name) == ()
    assert snapshot.measures(name) == snapshot.software(name) == snapshot.software_changes(name) == ()
    assert snapshot.temps(name) == snapshot.finding_intervals(name) == snapshot.host_forecasts(name) == ()
    assert snapshot.tasks(5, name) == snapshot.host_obligations(name) == ()


@pytest.mark.parametrize("text", ["", "\ud800", "x\x00", "2026-03' --"])
def test_a_strange_month_or_duty_has_no_obligations(snapshot, text):
    assert snapshot.obligations(text) == snapshot.obligations(MONTH, duty=text) == ()
    assert sum(snapshot.obligation_counts(text).values()) == 0


@pytest.mark.parametrize(("limit", "offset", "rows"), [(0, 0, 1), (-5, -5, 1), (10**30, 0, 12), (5, 10**30, 0)])
def test_limits_are_kept_within_bounds(snapshot, limit, offset, rows):
    assert len(snapshot.hosts(limit=limit, offset=offset)) == rows


QUESTIONS = {
    "meta": lambda s: s.meta(),
    "months": lambda s: s.months(),
    "counts": lambda s: s.obligation_counts(MONTH),
    "settled": lambda s: s.settled_counts(MONTH),
    "obligations": lambda s: s.obligations(MONTH),
    "hosts": lambda s: s.hosts(),
    "worst": lambda s: s.worst_by_host(),
    "findings": lambda s: s.findings(),
    "finding counts": lambda s: s.finding_counts(),
    "runs": lambda s: s.runs(),
    "host results": lambda s: s.host_results(1),
    "tasks": lambda s: s.tasks(1),
    "files": lambda s: s.files(1),
    "measures": lambda s: s.measures("pc01"),
    "forecasts": lambda s: s.forecasts(),
    "host forecasts": lambda s: s.host_forecasts("pc01"),
    "intervals": lambda s: s.finding_intervals("pc01"),
    "current intervals": lambda s: s.current_intervals(),
    "software": lambda s: s.software("pc01"),
    "software named": lambda s: s.software_named("bash"),
    "changes": lambda s: s.software_changes(),
    "changes of a host": lambda s: s.software_changes("pc01"),
    "temps": lambda s: s.temps("pc01"),
    "temps of a run": lambda s: s.temps_of_run(1),
    "runs of a month": lambda s: s.runs_of_month(MONTH),
    "runs with a host": lambda s: s.runs_with_host(MONTH, "pc01"),
    "host history": lambda s: s.host_history("pc01"),
    "host result": lambda s: s.host_result(1, "pc01"),
    "task count": lambda s: s.task_count(1),
    "temp count": lambda s: s.temp_count(1),
    "host names": lambda s: s.host_names(),
    "hosts to verify": lambda s: s.hosts_to_verify(),
    "jobs": lambda s: s.jobs(Jobs(MONTH)),
    "job count": lambda s: s.job_count(Jobs(MONTH)),
    "job hosts": lambda s: s.job_hosts(Jobs(MONTH)),
    "undone": lambda s: s.undone(MONTH, tuple(ObligationState)),
    "worst by rule": lambda s: s.worst_by_rule(),
    "briefs": lambda s: s.briefs(["pc01", "pc02"]),
    "worst findings": lambda s: s.worst_findings(FindingStatus.WARN),
    "worst finding count": lambda s: s.worst_finding_count(FindingStatus.WARN),
    "forecasts of hosts": lambda s: s.forecasts(hosts=["pc01", "pc02"]),
    "forecasts until": lambda s: s.forecasts_until(NOW),
    "intervals of hosts": lambda s: s.current_intervals(["pc01", "pc02"]),
    "software count": lambda s: s.software_count("pc01"),
    "newest lists": lambda s: s.newest_lists(["pc01", "pc02"]),
    "change counts": lambda s: s.change_counts({"pc01": 1}),
    "changes of a run": lambda s: s.changes_of_run(1, "pc01"),
    "amounts": lambda s: s.amounts([("pc01", "/"), ("pc02", "/")], since=NOW - KEPT),
    "clean-ups": lambda s: s.newest_clean_ups(["pc01"]),
    "changing looks": lambda s: s.changing_looks("pc01", since=NOW - KEPT),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_no_question_takes_more_statements_when_there_are_more_rows(tmp_path, published, ask):
    small = make_snapshot(tmp_path, clients=1, hosts=1, runs=1)
    with open_client(small) as few, open_client(published) as many:
        assert count_statements(few, ask) == count_statements(many, ask) <= 2


SELECTS = {
    name: (module, statement)
    for module in (queries, month_queries)
    for name, statement in vars(module).items()
    if name[0].isupper() and isinstance(statement, str) and "SELECT" in statement
}
# A count of all rows reads one index from end to end, once: there is no shorter way. HOSTS_TO_VERIFY reads the hosts,
# DOUBTS the results of a month, for the command line alone.
READS_ALL = {
    "META", "MONTH_FILES", "HOSTS", "HOST_NAMES", "HOSTS_TO_VERIFY", "FINDINGS", "FINDING_COUNTS", "WORST_BY_HOST",
    "WORST_BY_RULE", "RUNS", "RUN_COUNT", "DOUBTS",
}  # fmt: skip
# What is grouped, or sorted by something else than an index, and how far that goes.
SORTS = {
    "JOBS": "the jobs of one day", "JOB_HOSTS": "hosts of a month", "UNDONE": "duties and reasons",
    "WORST_BY_RULE": "rules", "BRIEFS": "the hosts asked for", "FORECASTS_OF_HOSTS": "the hosts asked for",
    "CURRENT_INTERVALS_OF_HOSTS": "the hosts asked for", "CHANGE_COUNTS": "hosts asked for and kinds",
    "CHANGING_LOOKS": "the looks of a host in a month", "WORST_FINDINGS": "nothing",
}  # fmt: skip


@pytest.mark.parametrize("name", SELECTS)
def test_every_statement_goes_by_an_index_and_sorts_nothing_of_many_rows(snapshot, name):
    module, statement = SELECTS[name]
    names = set(re.findall(r":([a-z]+)", statement))
    values = dict.fromkeys(names, 1) | dict.fromkeys(names & {"hosts", "states", "runs", "looks", "places"}, "[]")
    database = snapshot if module is queries else snapshot._months.of(MONTH)
    plan = database._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    steps = [row["detail"] for row in plan]
    if name not in SORTS:
        assert not [step for step in steps if "TEMP B-TREE" in step], steps
    if name not in READS_ALL:
        # The lists that are asked for, and subqueries that were searched for, are read from end to end.
        assert not [step for step in steps if re.match(r"SCAN (?!asked|place|look|json_each|found|named)", step)], steps


def test_every_statement_has_a_limit_or_a_bounded_answer():
    bounded = {
        "HOST", "FINDING", "RUN", "RUN_COUNT", "SETTLED", "OBLIGATION_COUNTS", "FINDING_COUNTS", "MONTH_OF_RUN",
        "MONTHS_OF_RUNS", "BRIEFS", "JOB_COUNT", "JOB_HOSTS", "WORST_FINDING_COUNT", "SOFTWARE_COUNT", "NEWEST_LISTS",
        "HOST_HISTORY_COUNT", "HOST_RESULT", "TASK_COUNT", "AMOUNTS", "SOFTWARE_CHANGE_COUNT", "RUN_TEMP_COUNT",
        "HOST_SOFTWARE_CHANGE_COUNT", "CHANGE_COUNTS", "LAST_LOOKS", "HOST_TEMP_COUNT", "NEWEST_CLEAN_UPS",
    }  # fmt: skip
    assert {name for name, (_, statement) in SELECTS.items() if "LIMIT :limit" not in statement} == bounded


def change(published, *statements):
    """Change the snapshot of ACME as somebody with write access could."""
    connection = sqlite3.connect(published / "1" / "current.sqlite")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("version", ["0", "1", "2", "4", "3.0", "", "x"])
def test_an_unknown_version_is_refused_with_the_remedy(tmp_path, version):
    published = make_snapshot(tmp_path, clients=1)
    change(published, f"UPDATE meta SET value = '{version}' WHERE key = 'snapshot_version'")  # noqa: S608 fixed texts
    with pytest.raises(UnsafeError) as caught:
        open_client(published)
    assert "Publish again with this itcare, or upgrade the dashboard" in caught.value.remedy


def test_a_snapshot_without_a_version_is_refused(tmp_path):
    published = make_snapshot(tmp_path, clients=1)
    change(published, "DELETE FROM meta WHERE key = 'snapshot_version'")
    with pytest.raises(UnsafeError, match="version is None"):
        open_client(published)


def test_another_clients_file_in_the_folder_is_refused(tmp_path):
    published = make_snapshot(tmp_path, clients=2)
    (published / "2" / "current.sqlite").replace(published / "1" / "current.sqlite")
    with pytest.raises(UnsafeError, match="of another client"):
        open_client(published, "ACME")


def test_a_link_to_another_clients_file_is_refused(tmp_path):
    published = make_snapshot(tmp_path, clients=2)
    target = published / "1" / "current.sqlite"
    target.unlink()
    target.symlink_to(published / "2" / "current.sqlite")
    with pytest.raises(UnsafeError, match="not a regular file"):
        open_client(published, "ACME")


def test_nothing_published_yet_says_how_to_publish(tmp_path):
    published = make_snapshot(tmp_path, clients=1)
    (published / "1" / "current.sqlite").unlink()
    with pytest.raises(NotFoundError) as caught:
        open_client(published)
    assert "itcare publish" in caught.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\x00" + b"\xff" * 200, b"text"], ids=["empty", "header", "text"]
)
def test_a_damaged_file_is_told_without_a_traceback(tmp_path, content):
    published = make_snapshot(tmp_path, clients=1)
    (published / "1" / "current.sqlite").write_bytes(content)
    with pytest.raises(UnsafeError, match="damaged|version is None"):
        open_client(published)


def test_a_cut_file_is_told_as_damaged_by_the_question_that_meets_the_cut(tmp_path):
    published = make_snapshot(tmp_path, clients=1, hosts=22, runs=12)
    path = published / "1" / "current.sqlite"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(UnsafeError, match="damaged"), open_client(published) as snapshot:
        for run in range(1, 13):
            snapshot.tasks(run)
        snapshot.findings()
        snapshot.obligations(MONTH)


def test_nothing_can_be_written_through_the_reader(snapshot):
    with pytest.raises(UnsafeError, match="readonly|read-only"):
        snapshot._fetch("DELETE FROM run", {})


def test_a_newer_snapshot_in_its_place_is_noticed(tmp_path):
    published = make_snapshot(tmp_path, clients=1)
    with open_client(published) as snapshot:
        assert not snapshot.is_replaced()
        rows = with_meta(make_rows(plan_client(1)), tree_size=999)
        write_client(published, 1, rows)
        assert snapshot.is_replaced()
        assert snapshot.meta().tree_size != 999, "the old file is read to its end"
        with open_client(published) as newer:
            assert newer.meta().tree_size == 999


def test_folders_with_signs_that_mean_something_in_a_uri_are_opened(tmp_path):
    published = make_snapshot(tmp_path / "a?b=c#d%20 ż", clients=1)
    with open_client(published) as snapshot:
        assert snapshot.meta().client == "ACME"


def test_hostile_texts_are_read_back_whole_but_for_what_no_reader_can_take(tmp_path):
    published = make_snapshot(tmp_path, clients=1, hosts=12, runs=3, hostile=True)
    with open_client(published) as snapshot:
        texts = {task.name for task in snapshot.tasks(3)} | {run.reason for run in snapshot.runs()}
        assert "<script>alert('x')</script>" in texts
        everything = repr((snapshot.tasks(3), snapshot.findings(), snapshot.facts("pc01"), snapshot.host_results(3)))
        assert "\\x00" not in everything and "\\ud800" not in everything


def test_a_word_that_nobody_knows_is_damage_not_a_state(tmp_path):
    published = make_snapshot(tmp_path, clients=1)
    change(published, "PRAGMA ignore_check_constraints = ON", "UPDATE host SET last_outcome = 'splendid'")
    with open_client(published) as snapshot, pytest.raises(UnsafeError, match="damaged"):
        snapshot.hosts()


def test_the_answer_does_not_depend_on_the_thread(snapshot):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: snapshot.findings(), range(20)))
    assert all(answer == answers[0] for answer in answers)


def test_two_threads_never_use_the_connection_at_once(snapshot, monkeypatch):
    """Else both would step one cached statement and get each other's rows; that shows only now and then."""
    connection, busy, overlaps = snapshot._connection, Lock(), []

    class Watched:
        def execute(self, *arguments):
            overlaps.append(not busy.acquire(blocking=False))
            sleep(0.01)
            try:
                return connection.execute(*arguments)
            finally:
                if not overlaps[-1]:
                    busy.release()

    monkeypatch.setattr(snapshot, "_connection", Watched())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: snapshot.run_count(), range(12)))
    assert overlaps == [False] * 12


def test_a_lock_that_somebody_holds_on_the_file_does_not_stop_a_reader(published):
    """A finished file needs no locks: without `immutable` this answers "database is locked"."""
    holder = sqlite3.connect(published / "1" / "current.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with open_client(published) as snapshot:
            assert snapshot.run_count() == 5
    finally:
        holder.close()


def test_a_scope_for_another_folder_opens_only_that_folder(published):
    scope = find_scope(list_scopes(published), "ACME")
    with pytest.raises(UnsafeError, match="of another client"):
        Snapshot.open(replace(scope, path=published / "2"))


def test_all_words_of_an_outcome_survive(snapshot):
    assert {row.outcome for row in snapshot.host_results(5)} == set(HostOutcome)
