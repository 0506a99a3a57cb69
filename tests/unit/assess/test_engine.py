import copy
import json

import pytest

from itcare.assess import SEVERITY, assess, assess_missing
from itcare.assess.engine import MOST_FINDINGS
from itcare.assess.messages import PHRASES
from itcare.assess.rules import RULES
from tests.support.judging import DEFAULTS, judge
from tests.support.observations import (
    EXPECTED,
    SOURCES,
    absent,
    administrator,
    ata_disk,
    file_system,
    journal,
    listener,
    log_group,
    memory,
    nvme_disk,
    observation,
    ok,
    only,
    unavailable,
    units,
    volume,
)


def test_every_source_without_problems_gives_an_explicit_ok():
    findings = assess(observation(), DEFAULTS, **EXPECTED)
    assert {finding.rule for finding in findings} == {rule.id for rule in RULES}
    assert {finding.status for finding in findings} == {"ok"}


def test_uptime_is_a_fact_without_a_rule():
    assert "uptime" not in {rule.source for rule in RULES}


def test_findings_come_worst_first_then_in_the_order_of_rules_and_rows():
    seen = observation(
        filesystems=ok([file_system("/b", available=0), file_system("/a", available=0)]),
        smart=ok([nvme_disk(), ata_disk(pending=1)]),
        journal=unavailable("no_permission"),
        memory=ok(memory(available=0)),
    )
    told = [(finding.rule, finding.status, finding.subject) for finding in assess(seen, DEFAULTS)]
    assert told[:6] == [
        ("disk.free", "fail", "/b"),
        ("disk.free", "fail", "/a"),
        ("disk.smart", "warn", "/dev/sda"),
        ("memory.pressure", "warn", None),
        ("log.errors", "unknown", None),
        ("disk.smart", "ok", "/dev/nvme0"),
    ]


def test_judging_twice_gives_the_same_and_leaves_the_observation_alone():
    seen = observation(filesystems=ok([file_system(available=0), {}]))
    before = copy.deepcopy(seen)
    assert assess(seen, DEFAULTS) == assess(seen, DEFAULTS)
    assert seen == before


def test_a_finding_survives_json():
    for finding in assess(observation(smart=ok([ata_disk(passed=False), {}])), DEFAULTS):
        assert json.loads(json.dumps(finding.to_dict(), allow_nan=False)) == finding.to_dict()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize(
    ("entry", "fact"),
    [
        pytest.param(unavailable("timeout", "gave up after 10 s"), "unavailable", id="could not be asked"),
        pytest.param(unavailable(None), "unavailable", id="could not be asked, without a reason"),
        pytest.param({"state": "unavailable"}, "unavailable", id="nothing but the state"),
        pytest.param(ok(None), "malformed", id="ok without data"),
        pytest.param(ok("fine"), "malformed", id="ok with words"),
        pytest.param(ok(7), "malformed", id="ok with a number"),
        pytest.param({"state": "OK"}, "malformed", id="a state of another spelling"),
        pytest.param({"state": ["ok"]}, "malformed", id="a state in a list"),
        pytest.param({}, "malformed", id="no state"),
        pytest.param(None, "malformed", id="null"),
        pytest.param("ok", "malformed", id="a word"),
        pytest.param(unavailable({"why": 1}), "malformed", id="a reason that is no word"),
    ],
)
def test_a_source_that_gives_no_data_leaves_its_rules_unknown(rule, entry, fact):
    (finding,) = judge(only(rule.source, entry), rule.id, **EXPECTED)
    assert (finding.status, finding.fact) == ("unknown", f"{rule.id}.{fact}")
    assert finding.source == rule.source
    assert (finding.threshold, finding.threshold_source) == ({}, "")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_absent_source_gives_no_finding(rule):
    assert judge(observation(**{rule.source: absent()}), rule.id) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.id.startswith(("access.", "protection."))])
@pytest.mark.parametrize("entry", [absent(), unavailable("failed"), ok(None), None, {}])
def test_a_rule_without_anything_to_judge_by_says_nothing_at_all(rule, entry):
    assert judge(observation(**{rule.source: entry}), rule.id, role="server") == []
    assert judge(observation() | {"sources": {}}, rule.id, role=None) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.id.startswith(("access.", "protection."))])
def test_what_a_contract_asks_for_cannot_be_escaped_by_calling_it_absent(rule):
    (finding,) = judge(observation(**{rule.source: absent()}), rule.id, **EXPECTED)
    assert (finding.status, finding.fact) == ("unknown", f"{rule.id}.absent")


def test_a_computer_that_calls_everything_absent_is_unknown():
    (finding,) = assess(observation(**{name: absent() for name in SOURCES}), DEFAULTS)
    assert (finding.rule, finding.status, finding.fact) == ("observation", "unknown", "observation.empty")


def test_sources_that_were_not_looked_at_are_unknown():
    findings = assess(observation() | {"sources": {}}, DEFAULTS, **EXPECTED)
    assert [finding.fact for finding in findings] == [f"{rule.id}.not_observed" for rule in RULES]


def test_sources_that_no_rule_knows_are_ignored():
    assert assess(observation(battery=ok({"full": 1}), **{"": None}), DEFAULTS) == assess(observation(), DEFAULTS)


@pytest.mark.parametrize(
    "reason", [None, *PHRASES["reason_word"], "a word of tomorrow"], ids=lambda reason: f"reason {reason}"
)
def test_an_unavailable_source_is_told_in_a_full_sentence(reason):
    (finding,) = judge(observation(journal=unavailable(reason, "the detail")), "log.errors")
    told = PHRASES["reason_word"].get(reason or "unreported", reason)
    assert finding.reason == f"Could not check the system log: {told} (the detail)."


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        (None, "observation.malformed"),
        ([], "observation.malformed"),
        ("itcare/health/v1", "observation.malformed"),
        ({}, "observation.unsupported"),
        ({"schema": 1}, "observation.unsupported"),
        ({"schema": "itcare/health/v2", "sources": {}}, "observation.unsupported"),
        ({"schema": ["itcare/health/v1"]}, "observation.unsupported"),
        ({"_cut": {"bytes": 300000, "sha256": "00"}}, "observation.truncated"),
        (observation() | {"observed_at": None}, "observation.malformed"),
        (observation() | {"observed_at": "2026-11-26 08:00"}, "observation.malformed"),
        (observation() | {"observed_at": 1764144000}, "observation.malformed"),
        (observation() | {"observed_at": "9" * 5000}, "observation.malformed"),
        (observation() | {"observed_at": "9999-12-31T23:59:59-14:00"}, "observation.malformed"),
        (observation() | {"sources": []}, "observation.malformed"),
        (observation() | {"sources": None}, "observation.malformed"),
    ],
)
def test_what_is_no_observation_of_a_known_kind_is_one_unknown(seen, fact):
    (finding,) = assess(seen, DEFAULTS)
    assert (finding.rule, finding.status, finding.fact) == ("observation", "unknown", fact)


@pytest.mark.parametrize(
    ("reason", "fact", "words"),
    [
        ("missing", "missing", "health: no observation was made."),
        ("not_reached", "missing", "health: the computer was not reached."),
        ("", "missing", "health: no reason was given."),
        ("a {word} of\x1b[31m ours", "missing", "health: a {word} of\ufffd[31m ours."),
        ("truncated", "truncated", "was cut short"),
    ],
)
def test_a_missing_observation_is_an_unknown_with_its_reason(reason, fact, words):
    finding = assess_missing(reason)
    assert (finding.rule, finding.status, finding.fact) == ("observation", "unknown", f"observation.{fact}")
    assert words in finding.reason


@pytest.mark.parametrize(
    ("rule", "source", "data"),
    [
        ("disk.free", "filesystems", [file_system(f"/{n}") for n in range(100_000)]),
        ("disk.inodes", "filesystems", [{}] * 100_000),
        ("disk.smart", "smart", [ata_disk()] * 100_000),
        ("services.failed", "units", units([{"name": f"u{n}"} for n in range(100_000)])),
        ("log.errors", "journal", journal([log_group("disk_io")] * 100_000)),
        ("battery.wear", "batteries", [{}] * 100_000),
        ("sensors.temperature", "temperatures", [{}] * 100_000),
        ("access.administrators", "administrators", [administrator(f"u{n}") for n in range(100_000)]),
        ("access.listeners", "listeners", [listener(1, p) for p in ("tcp", "sctp")] + [{}] * 99_998),
        ("protection.encryption", "encryption", [volume(f"/{n}") for n in range(100_000)]),
    ],
)  # fmt: skip
def test_a_flood_of_rows_is_bounded_and_told(rule, source, data):
    findings = judge(only(source, ok(data)), rule, **EXPECTED)
    assert len(findings) == MOST_FINDINGS + 1
    (cut,) = (finding for finding in findings if finding.fact == f"{rule}.truncated")
    assert (cut.status, cut.values["count"], cut.values["shown"]) == ("unknown", 100_000, MOST_FINDINGS)


def test_a_flood_of_good_rows_does_not_bury_the_bad_one():
    rows = [*(file_system(f"/{n}") for n in range(5000)), file_system("/full", available=0)]
    assert assess(observation(filesystems=ok(rows)), DEFAULTS)[0].subject == "/full"


def test_exactly_as_many_rows_as_allowed_are_not_called_cut():
    rows = [file_system(f"/{n}") for n in range(MOST_FINDINGS)]
    assert len(judge(only("filesystems", ok(rows)), "disk.free")) == MOST_FINDINGS


def test_severity_knows_every_status():
    ranked = sorted(SEVERITY, key=SEVERITY.__getitem__)
    assert ranked == ["fail", "warn", "unknown", "ok"]
