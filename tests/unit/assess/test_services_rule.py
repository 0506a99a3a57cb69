import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import absent, observation, ok, unavailable, units

FAILED_BACKUP = {"name": "backup.service", "description": "Nightly backup"}


def told(findings):
    return [(finding.status, finding.fact.removeprefix("services.failed."), finding.subject) for finding in findings]


def test_a_system_without_failed_units_is_ok():
    finding = judge_one(observation(), "services.failed")
    assert (finding.status, finding.fact) == ("ok", "services.failed.ok")


def test_every_failed_unit_is_a_warning():
    seen = observation(units=ok(units([FAILED_BACKUP, {"name": "mnt.mount", "description": ""}], state="degraded")))
    findings = judge(seen, "services.failed")
    assert told(findings) == [("warn", "unit", "backup.service"), ("warn", "unit", "mnt.mount")]
    assert [finding.reason for finding in findings] == [
        "The unit backup.service (Nightly backup) has failed.",
        "The unit mnt.mount has failed.",
    ]


def test_a_degraded_system_without_a_named_unit_is_unknown():
    assert told(judge(observation(units=ok(units(state="degraded"))), "services.failed")) == [
        ("unknown", "unlisted", None)
    ]


@pytest.mark.parametrize(
    ("state", "status", "fact"),
    [
        ("active", "ok", "active"),
        ("reloading", "ok", "active"),
        ("inactive", "fail", "not_active"),
        ("failed", "fail", "not_active"),
        ("activating", "fail", "not_active"),
        ("not-found", "fail", "not_active"),
        ("ACTIVE", "fail", "not_active"),
        ("", "unknown", "malformed"),
        (True, "unknown", "malformed"),
        (None, "unknown", "malformed"),
        ({"state": "active"}, "unknown", "malformed"),
    ],
)
def test_a_service_of_the_contract_must_be_active(state, status, fact):
    seen = observation(units=ok(units(services={"ssh": state})))
    first, second = judge(seen, "services.failed", services=["ssh"])
    promised = second if status == "ok" else first
    assert (promised.status, promised.fact) == (status, f"services.failed.{fact}")
    assert promised.threshold_source == ("" if status == "unknown" else "contract")


@pytest.mark.parametrize(("asked", "key"), [("ssh", "ssh.service"), ("ssh.service", "ssh"), ("ssh", "ssh")])
def test_a_service_is_found_with_and_without_its_suffix(asked, key):
    findings = judge(observation(units=ok(units(services={key: "active"}))), "services.failed", services=[asked])
    assert told(findings) == [("ok", "ok", None), ("ok", "active", asked)]


def test_a_service_that_nobody_asked_about_is_unknown():
    findings = judge(observation(), "services.failed", services=["postgresql"])
    assert told(findings) == [("unknown", "unasked", "postgresql"), ("ok", "ok", None)]


def test_a_failed_service_of_the_contract_is_told_once_and_gravely():
    seen = observation(units=ok(units([FAILED_BACKUP], {"backup": "failed"}, "degraded")))
    assert told(judge(seen, "services.failed", services=["backup"])) == [("fail", "not_active", "backup")]


def test_a_failed_unit_is_not_hidden_by_a_contract_service_said_to_run():
    seen = observation(units=ok(units([FAILED_BACKUP], {"backup": "active"}, "degraded")))
    assert told(judge(seen, "services.failed", services=["backup"])) == [
        ("warn", "unit", "backup.service"),
        ("ok", "active", "backup"),
    ]


def test_without_systemd_it_is_unknown():
    finding = judge_one(observation(units=unavailable("no_systemd")), "services.failed", services=["ssh"])
    assert finding.reason == "Could not check services: systemd does not run this system."


def test_absent_units_are_a_fact_until_the_contract_lists_a_service():
    assert judge(observation(units=absent()), "services.failed") == []
    assert told(judge(observation(units=absent()), "services.failed", services=["ssh"])) == [
        ("unknown", "absent", None)
    ]


def test_an_answer_without_services_leaves_those_of_the_contract_unknown():
    data = {"system_state": "running", "failed": []}
    assert told(judge(observation(units=ok(data)), "services.failed", services=["ssh"])) == [
        ("unknown", "malformed", None),
        ("ok", "ok", None),
    ]
