"""Sums that pages draw agree with the rows they are sums of, also where there are more rows than one answer has."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.access import find_scope, list_scopes
from itcare.core.words import FindingStatus, HostOutcome, ObligationState, SoftwareChange
from itcare.publish.reader import MAXIMUM_ROWS, Amount, Jobs, Snapshot
from tests.support.snapshots import NOW, make_rows, plan_client, write_client

MONTH = "2026-03"
HOSTS, RUNS = 12, 40
ORDER = [FindingStatus.FAIL, FindingStatus.WARN, FindingStatus.UNKNOWN, FindingStatus.OK]
AWAY = (ObligationState.NOT_REACHED, ObligationState.ATTEMPTED)


def attempts_not_reached(rows):
    """Every second open attempt found its computer away."""
    return replace(rows, obligations=tuple(
        replace(row, last_outcome=HostOutcome.NOT_REACHED if row.id % 2 else HostOutcome.FAILED)
        if row.state is ObligationState.ATTEMPTED else row for row in rows.obligations
    ))  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return attempts_not_reached(make_rows(plan_client(1, hosts=HOSTS, runs=RUNS)))


@pytest.fixture(scope="module")
def snapshot(rows, tmp_path_factory):
    published = tmp_path_factory.mktemp("sums") / "published"
    write_client(published, 1, rows)
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as opened:
        yield opened


def is_away(row):
    return row.state is ObligationState.NOT_REACHED or (
        row.state is ObligationState.ATTEMPTED and row.last_outcome is HostOutcome.NOT_REACHED
    )


CHOICES = st.builds(
    Jobs, month=st.sampled_from([MONTH, "2026-02", "2030-01"]), duty=st.sampled_from([None, "visit.daily", "other"]),
    states=st.frozensets(st.sampled_from(ObligationState)), is_away=st.booleans(),
)  # fmt: skip


@given(CHOICES, st.integers(1, 50), st.integers(0, 300))
def test_jobs_are_those_that_are_meant_newest_first_and_counted(snapshot, rows, which, limit, offset):
    meant = [
        row for row in rows.obligations
        if row.month == which.month and which.duty in (None, row.duty) and row.state in which.states
        and (not which.is_away or is_away(row))
    ]  # fmt: skip
    meant.sort(key=lambda row: (-row.nominal_date.toordinal(), row.host, row.duty))
    assert snapshot.job_count(which) == len(meant)
    assert snapshot.job_hosts(which) == len({row.host for row in meant})
    assert list(snapshot.jobs(which, limit=limit, offset=offset)) == meant[offset : offset + limit]


@pytest.mark.parametrize("text", ["", "\ud800", "x\x00", "2026-03' --"])
def test_a_strange_month_or_duty_has_no_jobs(snapshot, text):
    assert snapshot.job_count(Jobs(text)) == snapshot.job_count(Jobs(MONTH, text)) == 0
    assert snapshot.undone(text, tuple(ObligationState)) == ()


def test_why_jobs_were_not_done_names_each_computer_once(snapshot, rows):
    states = (*AWAY, ObligationState.FAILED, ObligationState.WAIVED)
    expected = {}
    for row in rows.obligations:
        if row.month == MONTH and row.state in states:
            expected.setdefault((row.duty, row.reason or str(row.state)), set()).add(row.host)
    found = snapshot.undone(MONTH, states)
    assert {(row.duty, row.reason or str(row.state)): set(row.hosts) for row in found} == expected
    assert all(len(set(row.hosts)) == len(row.hosts) for row in found)


def test_the_worst_of_each_rule_is_that_of_its_findings(snapshot, rows):
    expected = {}
    for row in rows.findings:
        expected[row.rule] = min(expected.get(row.rule, row.status), row.status, key=ORDER.index)
    assert snapshot.worst_by_rule() == expected


def test_briefs_are_the_findings_of_the_computers_asked_for(snapshot, rows):
    names = [rows.hosts[0].name, rows.hosts[7].name, "nobody", "' OR 1=1 --"]
    found = snapshot.briefs(names)
    assert set(found) == {row.host for row in rows.findings if row.host in names}
    for name, briefs in found.items():
        shown = [(row.rule, row.status, row.fact, row.values) for row in snapshot.host_findings(name)]
        assert [(row.rule, row.status, row.fact, row.values) for row in briefs] == shown


@pytest.mark.parametrize("status", FindingStatus)
def test_findings_of_a_state_are_those_on_computers_without_worse(snapshot, rows, status):
    worst = snapshot.worst_by_host()
    meant = sorted(
        (row for row in rows.findings if row.status is status and worst[row.host] is status),
        key=lambda row: (row.host, row.rule, row.id),
    )
    assert list(snapshot.worst_findings(status)) == meant
    assert snapshot.worst_finding_count(status) == len(meant)
    assert snapshot.worst_findings(status, limit=2, offset=1) == tuple(meant[1:3])


def test_computers_to_be_looked_at_are_those_that_say_so(snapshot, rows):
    assert (
        {row.name for row in snapshot.hosts_to_verify()}
        == {row.name for row in rows.hosts if row.needs_verify}
        != set()
    )
    assert snapshot.host_names() == tuple(sorted(row.name for row in rows.hosts))


def test_disks_that_will_be_full_are_those_with_a_day_until_then(snapshot, rows):
    until = NOW + timedelta(days=91)
    expected = [row for row in rows.forecasts if row.full_at is not None and row.full_at <= until]
    assert list(snapshot.forecasts_until(until)) == sorted(expected, key=lambda row: (row.host, row.subject)) != []
    assert snapshot.forecasts_until(NOW) == ()


def test_forecasts_and_intervals_of_some_computers_are_theirs(snapshot, rows):
    names = [rows.hosts[3].name, rows.hosts[1].name]
    assert {row.host for row in snapshot.forecasts(hosts=names)} == set(names)
    assert len(snapshot.forecasts(hosts=names)) == len([row for row in rows.forecasts if row.host in names])
    assert {(row.host, row.current) for row in snapshot.current_intervals(names)} == {(name, True) for name in names}
    assert snapshot.forecasts(hosts=[]) == snapshot.current_intervals([]) == ()


def test_changes_of_the_newest_list_are_counted_by_kind(snapshot, rows):
    names = [row.name for row in rows.hosts]
    lists = snapshot.newest_lists([*names, "nobody"])
    assert lists == {look.host: look.run for look in rows.software_looks}
    counts = snapshot.change_counts(lists)
    expected = Counter((row.host, row.kind) for row in rows.software_changes if lists[row.host] == row.run)
    assert {(host, kind): count for host, kinds in counts.items() for kind, count in kinds.items() if count} == expected
    assert snapshot.change_counts({names[0]: 1, names[1]: 999}) == {
        name: dict.fromkeys(SoftwareChange, 0) for name in names[:2]
    }
    assert snapshot.changes_of_run(RUNS, names[0]) == snapshot.software_changes(names[0])
    assert set(snapshot.changing_looks(names[0], since=NOW - timedelta(days=366))) == {RUNS}


@given(st.integers(1, 60), st.integers(0, 45))
def test_amounts_are_thinned_evenly_and_the_newest_stays(snapshot, rows, most, days):
    since = NOW - timedelta(days=days)
    places = [(rows.hosts[0].name, "/"), (rows.hosts[1].name, "/srv"), ("nobody", "/"), (rows.hosts[0].name, None)]
    found = snapshot.amounts(places, since=since, most=most)
    for place, amounts in zip(places, found, strict=True):
        measures = [row for row in rows.measures if (row.host, row.subject) == place and row.at >= since]
        measures = [Amount(row.value, row.capacity) for row in sorted(measures, key=lambda row: row.at)]
        step = max(1, -(-len(measures) // most))
        assert list(amounts) == measures[::-1][::step][::-1] and len(amounts) <= most


def test_the_newest_clean_up_of_each_computer_is_found(snapshot, rows):
    names = [row.name for row in rows.hosts]
    found = snapshot.newest_clean_ups([*names, "nobody"])
    assert {name: (row.run, row.at) for name, row in found.items()} == {
        row.host: (row.run, row.at) for row in rows.temps
    }
    assert snapshot.temps_of_run(RUNS, names[0]) == snapshot.temps(names[0])
    assert snapshot.temp_count(RUNS) == len(rows.temps)


def test_one_result_and_the_number_of_tasks_are_those_of_the_run(snapshot, rows):
    for host in rows.hosts[:3]:
        (expected,) = [row for row in rows.host_results if row.host == host.name and row.run == 7]
        assert snapshot.host_result(7, host.name) == expected
    assert snapshot.host_result(7, "nobody") is snapshot.host_result(999, rows.hosts[0].name) is None
    assert snapshot.task_count(7) == len([row for row in rows.tasks if row.run == 7])
    assert snapshot.task_count(999) == snapshot.temp_count(999) == 0
    assert snapshot.software_count(rows.hosts[0].name) == 2


def test_more_findings_than_one_answer_has_are_all_counted_and_reached(tmp_path):
    rows = make_rows(plan_client(1, hosts=2, runs=1))
    first = rows.findings[0]
    many = tuple(replace(first, id=n + 1, rule=f"rule.{n % 9}", subject=str(n)) for n in range(MAXIMUM_ROWS + 2500))
    write_client(tmp_path / "published", 1, replace(rows, findings=many))
    with Snapshot.open(find_scope(list_scopes(tmp_path / "published"), "ACME")) as snapshot:
        assert sum(snapshot.finding_counts().values()) == len(many)
        assert snapshot.worst_finding_count(first.status) == len(many)
        assert len(snapshot.briefs([first.host])[first.host]) == len(many)
        assert len(snapshot.worst_findings(first.status, limit=10**6, offset=MAXIMUM_ROWS)) == 2500
