import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import journal, log_group, observation, ok


def with_log(*groups, **other):
    return observation(journal=ok(journal(list(groups), **other)))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("oom_kill", "warn"),
        ("disk_io", "fail"),
        ("filesystem", "fail"),
        ("remount_read_only", "fail"),
        ("machine_check", "fail"),
    ],
)
def test_each_grave_kind_is_judged(kind, status):
    finding = judge_one(with_log(log_group(kind)), "log.errors")
    assert (finding.status, finding.fact, finding.subject) == (status, f"log.errors.{kind}", "kernel")
    assert "count: 3, last at 2026-11-25 02:30 UTC, logged by kernel: an entry of the log." in finding.reason


def test_other_errors_are_facts_and_leave_the_log_clean():
    finding = judge_one(with_log(log_group("other", source="cups", count=9000)), "log.errors")
    assert (finding.status, finding.fact) == ("ok", "log.errors.ok")
    assert finding.reason == "No grave errors are in the system log since 2026-11-19 08:00 UTC."


def test_a_log_that_was_not_read_to_its_end_is_never_called_clean():
    assert judge_one(with_log(truncated=True), "log.errors").fact == "log.errors.incomplete"


def test_what_was_found_in_a_cut_log_stands_beside_the_gap():
    findings = judge(with_log(log_group("oom_kill"), truncated=True), "log.errors")
    assert [finding.fact for finding in findings] == ["log.errors.oom_kill", "log.errors.incomplete"]


def test_noise_that_was_cut_leaves_the_log_clean():
    finding = judge_one(with_log(log_group("other"), truncated=True, grave_truncated=False), "log.errors")
    assert (finding.status, finding.fact, finding.rule_version) == ("ok", "log.errors.ok", 2)


@pytest.mark.parametrize("truncated", [False, True])
def test_grave_entries_that_were_cut_are_a_gap(truncated):
    finding = judge_one(with_log(truncated=truncated, grave_truncated=True), "log.errors")
    assert (finding.status, finding.fact) == ("unknown", "log.errors.incomplete")


def test_an_older_observation_counts_any_cut_as_a_gap():
    assert judge_one(with_log(truncated=True, grave_truncated=None), "log.errors").fact == "log.errors.incomplete"


@pytest.mark.parametrize(
    "data",
    [
        journal(grave_truncated="no"),
        journal([log_group("cosmic_ray")]),
        journal([log_group("disk_io", count=0)]),
        journal([log_group("disk_io", first_at="yesterday")]),
        journal([log_group("disk_io", last_at="0001-01-01T00:00:00+14:00")]),
        journal([log_group("disk_io", last_at="2026-11-25T02:30:00")]),
        journal(since="2026-11-27T08:00:00Z"),
        journal(since=None),
        journal(truncated="no"),
        {"since": "2026-11-19T08:00:00Z", "truncated": False},
        {"since": "2026-11-19T08:00:00Z", "truncated": False, "groups": {}},
    ],
)
def test_a_log_of_another_shape_is_unknown(data):
    finding = judge_one(observation(journal=ok(data)), "log.errors")
    assert (finding.status, finding.fact) == ("unknown", "log.errors.malformed")
