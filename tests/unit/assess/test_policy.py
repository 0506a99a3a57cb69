import dataclasses
import math

import pytest

from itcare.assess import POLICY_VERSION, known_thresholds, policy_for, rule_id
from itcare.assess.policy import THRESHOLDS
from itcare.assess.rules import RULES
from itcare.core.errors import BadInputError


def test_without_overrides_the_defaults_hold():
    policy = policy_for({})
    assert policy.version == POLICY_VERSION
    assert policy.overridden == frozenset()
    assert all(policy.thresholds[entry.rule][entry.key] == entry.value for entry in THRESHOLDS)


def test_every_rule_has_its_thresholds_known():
    assert set(known_thresholds()) == {rule.id for rule in RULES}
    assert known_thresholds()["services.failed"] == frozenset()
    assert "warn_pct" in known_thresholds()["disk.free"]


def test_an_override_changes_only_its_own_key():
    policy = policy_for({"disk.free": {"warn_pct": 20}})
    assert policy.thresholds["disk.free"]["warn_pct"] == 20.0
    assert policy.thresholds["disk.free"]["fail_pct"] == 10.0
    assert policy.overridden == {("disk.free", "warn_pct")}


def test_a_policy_cannot_be_changed_afterwards():
    policy = policy_for({})
    with pytest.raises(TypeError):
        policy.thresholds["disk.free"]["warn_pct"] = 0  # type: ignore[index]  # that is the point
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.version = "0"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("overrides", "subject", "remedy"),
    [
        ({"disk-free": {"warn_pct": 20}}, "disk-free", "Known rules: access.administrators, access.listeners, battery"),
        ({"disk_free": {"warn": 20}}, "disk.free, 'warn'", "fail_gb, fail_pct, gb_rule_from_gb, warn_gb, warn_pct."),
        (
            {"disk_free": {"warn_pct": 20}, "disk.free": {"fail_pct": 9}},
            "disk.free, disk_free",
            "Keep disk.free alone.",
        ),
        ({"disk.free": {}, "disk_free": {}}, "disk.free, disk_free", "Keep disk.free alone."),
        ({"access_listeners": {"warn": 1}}, "access.listeners, 'warn'", "access.listeners has no thresholds"),
        ({"battery.wear": {"fail_pct": 61}}, "warn_pct and fail_pct", "Set both"),
        ({"disk.free\n": {}}, "disk.free\\n", "Known rules:"),
        ({"disk.free": {"warn": 20}}, "disk.free, 'warn'", "fail_gb, fail_pct, gb_rule_from_gb, warn_gb, warn_pct."),
        ({"services.failed": {"warn": 1}}, "services.failed", "services.failed has no thresholds"),
        ({"disk.free": 20}, "disk.free", "Known thresholds of disk.free: fail_gb"),
        ({"disk.free": {"warn_pct": "20"}}, "disk.free, warn_pct", "from 0 to 100 (%)"),
        ({"disk.free": {"warn_pct": True}}, "disk.free, warn_pct", "from 0 to 100 (%)"),
        ({"disk.free": {"warn_pct": None}}, "disk.free, warn_pct", "from 0 to 100 (%)"),
        ({"disk.free": {"warn_pct": -1}}, "disk.free, warn_pct", "from 0 to 100 (%)"),
        ({"disk.free": {"warn_pct": 101}}, "disk.free, warn_pct", "from 0 to 100 (%)"),
        ({"disk.free": {"warn_gb": 10**400}}, "disk.free, warn_gb", "from 0 to 1e+06 (GB)"),
        ({"disk.free": {"warn_gb": math.nan}}, "disk.free, warn_gb", "from 0 to 1e+06 (GB)"),
        ({"reboot.pending": {"warn_days": math.inf}}, "reboot.pending, warn_days", "from 0 to 1e+06 (days)"),
        ({"disk.free": {"warn_pct": 5}}, "warn_pct and fail_pct", "Set both"),
        ({"disk.free": {"fail_gb": 30}}, "warn_gb and fail_gb", "Set both"),
        ({"reboot.pending": {"warn_days": 8}}, "warn_days and fail_days", "Set both"),
        ({"time.sync": {"fail_offset_seconds": 0.5}}, "warn_offset_seconds and fail_offset_seconds", "Set both"),
        ({"memory.pressure": {"fail_available_pct": 11}}, "warn_available_pct and fail_available_pct", "Set both"),
    ],
)
def test_a_threshold_that_means_nothing_is_refused_with_a_remedy(overrides, subject, remedy):
    with pytest.raises(BadInputError) as refusal:
        policy_for(overrides)
    assert subject in refusal.value.subject
    assert remedy in refusal.value.remedy


def test_a_warning_and_a_failure_may_begin_together():
    assert policy_for({"disk.free": {"warn_pct": 10}}).thresholds["disk.free"]["warn_pct"] == 10.0


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_a_rule_may_be_written_with_an_underscore(rule):
    assert rule_id(rule) == rule_id(rule.replace(".", "_")) == rule


@pytest.mark.parametrize("spelling", ["disk.free", "disk_free"])
def test_both_spellings_set_the_same_threshold_and_are_told_by_the_rule(spelling):
    policy = policy_for({spelling: {"warn_pct": 20}})
    assert policy.thresholds["disk.free"]["warn_pct"] == 20.0
    assert policy.overridden == {("disk.free", "warn_pct")}


@pytest.mark.parametrize("spelling", ["disk-free", "Disk.free", "disk..free", "disk__free", "", "free"])
def test_other_spellings_mean_nothing(spelling):
    assert rule_id(spelling) == spelling
