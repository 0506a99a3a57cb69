from datetime import timedelta

import pytest

from itcare.core.clock import read_instant, write_instant
from tests.support.judging import judge_one
from tests.support.observations import OBSERVED_AT, observation, ok, reboot

TICK = timedelta(microseconds=1)


def pending_for(age):
    return observation(reboot=ok(reboot(True, write_instant(read_instant(OBSERVED_AT) - age))))


@pytest.mark.parametrize(
    ("age", "status", "fact"),
    [
        (timedelta(0), "ok", "recent"),
        (timedelta(days=3) - TICK, "ok", "recent"),
        (timedelta(days=3), "warn", "overdue"),
        (timedelta(days=7) - TICK, "warn", "overdue"),
        (timedelta(days=7), "fail", "overdue"),
        (timedelta(days=400), "fail", "overdue"),
    ],
)
def test_a_pending_restart_is_judged_by_its_age_at_the_observation(age, status, fact):
    finding = judge_one(pending_for(age), "reboot.pending")
    assert (finding.status, finding.fact) == (status, f"reboot.pending.{fact}")


def test_nothing_pending_is_ok():
    finding = judge_one(observation(), "reboot.pending")
    assert (finding.status, finding.reason) == ("ok", "No restart is pending; the running kernel is 6.1.0-30-amd64.")


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(days=4, hours=12), "pending for 4.5 days, which reaches the limit of 3 days"),
        (timedelta(hours=30), "pending for 1.3 days; the limit is 3 days"),
        (timedelta(days=3) - TICK, "pending for 2.9999 days; the limit is 3 days"),
        (timedelta(days=1), "pending for 1 day; the limit is 3 days"),
    ],
)
def test_the_age_is_told_in_days(age, words):
    assert words in judge_one(pending_for(age), "reboot.pending").reason


def test_a_contract_may_give_more_time():
    finding = judge_one(pending_for(timedelta(days=8)), "reboot.pending", thresholds={"warn_days": 10, "fail_days": 20})
    assert (finding.status, finding.threshold_source) == ("ok", "contract")


def test_a_restart_pending_since_nobody_knows_when_is_unknown():
    assert judge_one(observation(reboot=ok(reboot(True))), "reboot.pending").fact == "reboot.pending.no_start"


def test_a_start_after_the_observation_is_unknown():
    finding = judge_one(pending_for(-TICK), "reboot.pending")
    assert (finding.status, finding.fact) == ("unknown", "reboot.pending.start_in_future")


@pytest.mark.parametrize("data", [reboot(pending="false"), reboot(True, "soon"), {"pending": False}, [], None])
def test_another_shape_is_unknown(data):
    assert judge_one(observation(reboot=ok(data)), "reboot.pending").fact == "reboot.pending.malformed"
