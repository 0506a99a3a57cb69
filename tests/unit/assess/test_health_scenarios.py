"""Whole computers, as a technician meets them."""

from itcare.assess import assess, load_observation, policy_for
from tests.support.judging import DEFAULTS
from tests.support.observations import (
    GB,
    absent,
    ata_disk,
    clock,
    file_system,
    journal,
    libraries,
    log_group,
    memory,
    nvme_disk,
    observation,
    ok,
    reboot,
    unavailable,
    units,
)


def told(findings, *statuses):
    return [(finding.status, finding.fact, finding.subject) for finding in findings if finding.status in statuses]


def test_a_healthy_server_is_green_in_every_rule():
    seen = observation(
        smart=ok([ata_disk(), ata_disk(device="/dev/sdb"), nvme_disk()]),
        units=ok(units(services={"postgresql": "active", "ssh": "active"})),
    )
    findings = assess(seen, DEFAULTS, services=["postgresql", "ssh"])
    assert told(findings, "fail", "warn", "unknown") == []
    assert len(findings) == 3 + 2 + 2 + 3 + 5 + 2


def test_a_laptop_with_a_dying_disk_says_so_three_times_and_first():
    seen = observation(
        smart=ok([ata_disk(passed=False, reallocated=3956, pending=12)]),
        journal=ok(journal([
            log_group("disk_io", sample="I/O error, dev sda, sector 12345"),
            log_group("remount_read_only", source="ext4"),
            log_group("other", source="wlan0"),
        ])),
        filesystems=ok([file_system(total=500 * GB, available=70 * GB)]),
    )  # fmt: skip
    assert told(assess(seen, DEFAULTS), "fail", "warn", "unknown") == [
        ("fail", "disk.smart.failing", "/dev/sda"),
        ("fail", "log.errors.disk_io", "kernel"),
        ("fail", "log.errors.remount_read_only", "ext4"),
        ("warn", "disk.free.low", "/"),
    ]


def test_an_ordinary_user_s_look_is_honest_about_what_it_could_not_see():
    seen = observation(
        smart=unavailable("no_permission", "smartctl needs root"),
        journal=unavailable("no_permission", "not a member of systemd-journal or adm"),
        libraries=ok(libraries(checked=12, unreadable=140)),
    )
    findings = assess(seen, DEFAULTS)
    assert told(findings, "fail", "warn", "unknown") == [
        ("unknown", "disk.smart.unavailable", None),
        ("unknown", "log.errors.unavailable", None),
        ("unknown", "libraries.outdated.unreadable", None),
    ]
    assert [finding.reason for finding in findings[:3]] == [
        "Could not check the health of the physical disks: the user who looked may not read it (smartctl needs root).",
        "Could not check the system log: the user who looked may not read it (not a member of systemd-journal or adm).",
        "Some processes could not be looked into, count: 140, besides 12 that were.",
    ]


def test_a_container_without_systemd_and_disks_is_green_only_where_it_was_seen():
    seen = observation(
        smart=absent(),
        units=unavailable("no_systemd"),
        journal=unavailable("no_systemd"),
        reboot=unavailable("not_supported"),
        filesystems=ok([file_system(device="overlay", type="overlay")]),
        time=ok(clock(method="adjtimex", offset=None)),
    )
    findings = assess(seen, DEFAULTS)
    assert {finding.rule for finding in findings if finding.status == "unknown"} == {
        "services.failed",
        "log.errors",
        "reboot.pending",
    }
    assert "disk.smart" not in {finding.rule for finding in findings}


def test_a_neglected_server_gets_every_warning_of_its_contract():
    policy = policy_for({"disk.free": {"warn_pct": 20}, "reboot.pending": {"fail_days": 5}})
    seen = observation(
        filesystems=ok([file_system(available=190 * GB)]),
        units=ok(units([{"name": "certbot.service", "description": ""}], {"nginx": "failed"}, "degraded")),
        reboot=ok(reboot(True, "2026-11-20T08:00:00Z", reasons=["linux-image"])),
        libraries=ok(libraries(count=4, names=("nginx", "sshd"))),
        time=ok(clock(False, None)),
        memory=ok(memory(available=GB)),
    )
    assert told(assess(seen, policy, services=["nginx"]), "fail", "warn", "unknown") == [
        ("fail", "services.failed.not_active", "nginx"),
        ("fail", "reboot.pending.overdue", None),
        ("warn", "disk.free.low", "/"),
        ("warn", "services.failed.unit", "certbot.service"),
        ("warn", "memory.pressure.low", None),
        ("warn", "libraries.outdated.found", None),
        ("warn", "time.sync.not_synchronised", None),
    ]


def test_history_is_judged_again_by_the_policy_of_today():
    seen = observation(filesystems=ok([file_system(available=180 * GB)]))
    assert told(assess(seen, DEFAULTS), "warn") == []
    assert told(assess(seen, policy_for({"disk.free": {"warn_pct": 20}})), "warn") == [("warn", "disk.free.low", "/")]


def test_a_file_of_tomorrow_s_collector_is_refused_rather_than_guessed():
    seen = load_observation('{"health": {"schema": "itcare/health/v9", "observed_at": "x", "sources": {}}}')
    (finding,) = assess(seen, DEFAULTS)
    assert finding.reason == (
        "The health observation has the schema itcare/health/v9; this version judges itcare/health/v1."
    )
