import pytest

from tests.support.judging import judge_one
from tests.support.observations import clock, observation, ok


@pytest.mark.parametrize(
    ("synchronised", "offset", "status", "fact"),
    [
        (True, 0.0, "ok", "ok"),
        (True, 1.0, "ok", "ok"),
        (True, -1.0, "ok", "ok"),
        (True, 1.001, "warn", "offset"),
        (True, -1.001, "warn", "offset"),
        (True, 300.0, "warn", "offset"),
        (True, -300.001, "fail", "offset"),
        (True, None, "ok", "synchronised"),
        (False, None, "warn", "not_synchronised"),
        (False, 0.2, "warn", "not_synchronised"),
        (False, 5.0, "warn", "offset"),
        (False, 3600.0, "fail", "offset"),
        (True, 10**400, "unknown", "malformed"),
        (True, float("inf"), "unknown", "malformed"),
        (True, float("nan"), "unknown", "malformed"),
        (True, "0.1", "unknown", "malformed"),
        (1, 0.1, "unknown", "malformed"),
        (None, 0.1, "unknown", "malformed"),
    ],
)
def test_the_clock_is_judged_by_synchronisation_and_offset(synchronised, offset, status, fact):
    finding = judge_one(observation(time=ok(clock(synchronised, offset))), "time.sync")
    assert (finding.status, finding.fact) == (status, f"time.sync.{fact}")


def test_a_large_offset_is_told_with_its_sign_and_the_limit():
    finding = judge_one(observation(time=ok(clock(True, -412.5))), "time.sync")
    assert finding.reason == "The clock is -412.5 s off, more than 300 s (source: chrony)."
    assert "Kerberos" in finding.threshold_source


@pytest.mark.parametrize(
    ("offset", "words"), [(0.002, "0.002 s off"), (0.25, "0.3 s off"), (1e-9, "0.0001 s off"), (0, "0 s off")]
)
def test_a_tiny_offset_is_not_told_as_none(offset, words):
    assert f"it is {words}" in judge_one(observation(time=ok(clock(True, offset))), "time.sync").reason
