import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import absent, ata_disk, nvme_disk, observation, ok, unavailable


def with_disk(disk):
    return observation(smart=ok([disk]))


@pytest.mark.parametrize(
    ("disk", "status", "fact"),
    [
        pytest.param(ata_disk(), "ok", "ok", id="a sound hard disk"),
        pytest.param(nvme_disk(), "ok", "ok", id="a sound NVMe disk"),
        pytest.param(ata_disk(reallocated=None, pending=None), "ok", "ok", id="an SSD without sector counters"),
        pytest.param(ata_disk(passed=False), "fail", "failing", id="FAILED with clean counters"),
        pytest.param(ata_disk(passed=False, reallocated=3956), "fail", "failing", id="FAILED and full of bad sectors"),
        pytest.param(ata_disk(reallocated=1), "warn", "bad_sectors", id="one reallocated sector"),
        pytest.param(ata_disk(pending=1), "warn", "bad_sectors", id="one pending sector"),
        pytest.param(ata_disk(uncorrectable=1), "warn", "bad_sectors", id="one uncorrectable sector"),
        pytest.param(nvme_disk(critical_warning=4), "fail", "critical_warning", id="an NVMe critical warning"),
        pytest.param(nvme_disk(percentage_used=89), "ok", "ok", id="89 percent of its life"),
        pytest.param(nvme_disk(percentage_used=90), "warn", "worn", id="exactly 90 percent of its life"),
        pytest.param(nvme_disk(percentage_used=255), "warn", "worn", id="far beyond its rated life"),
        pytest.param(nvme_disk(available_spare=21), "ok", "ok", id="spare eleven over the disk's limit"),
        pytest.param(nvme_disk(available_spare=20), "warn", "spare_low", id="spare ten over the disk's limit"),
        pytest.param(nvme_disk(available_spare_threshold=None), "ok", "ok", id="a spare without a limit"),
        pytest.param(ata_disk(passed=None), "unknown", "no_verdict", id="no self-assessment"),
        pytest.param(ata_disk(passed=None, pending=8), "warn", "bad_sectors", id="bad sectors, no self-assessment"),
        pytest.param(
            ata_disk(state="unavailable", reason="not_supported", passed=None),
            "unknown",
            "disk_unavailable",
            id="behind a controller",
        ),
        pytest.param(ata_disk(passed="yes"), "unknown", "malformed", id="a self-assessment in words"),
        pytest.param(ata_disk(reallocated=-1), "unknown", "malformed", id="a negative counter"),
        pytest.param(nvme_disk(critical_warning=256), "unknown", "malformed", id="a warning beyond its byte"),
        pytest.param(ata_disk(state="fine"), "unknown", "malformed", id="an unknown state"),
    ],
)
def test_each_disk_is_judged_by_the_gravest_thing_it_says(disk, status, fact):
    finding = judge_one(with_disk(disk), "disk.smart")
    assert (finding.status, finding.fact) == (status, f"disk.smart.{fact}")
    assert finding.subject == (None if fact == "malformed" else disk["device"])


def test_a_failing_disk_is_told_with_its_counters():
    finding = judge_one(with_disk(ata_disk(passed=False, reallocated=3956, pending=None)), "disk.smart")
    assert finding.reason == (
        "/dev/sda (EXAMPLE HDD 4000) fails its self-assessment; "
        "sectors reallocated: 3956, pending: not reported, uncorrectable: 0."
    )
    assert finding.threshold == {}
    assert finding.threshold_source == "the disk's own assessment"


def test_a_disk_of_unknown_model_is_told_by_its_device():
    assert judge_one(with_disk(nvme_disk(model=None, percentage_used=95)), "disk.smart").reason == (
        "/dev/nvme0 has used 95 % of its rated life; the limit is 90 %."
    )


def test_every_disk_has_a_finding_of_its_own():
    seen = observation(smart=ok([ata_disk(), nvme_disk(), ata_disk(device="/dev/sdb", passed=False)]))
    assert [(finding.subject, finding.status) for finding in judge(seen, "disk.smart")] == [
        ("/dev/sdb", "fail"),
        ("/dev/sda", "ok"),
        ("/dev/nvme0", "ok"),
    ]


def test_a_contract_may_tolerate_a_few_sectors():
    disk = with_disk(ata_disk(reallocated=4))
    assert judge_one(disk, "disk.smart", thresholds={"warn_sectors": 4}).status == "ok"
    stricter = judge_one(disk, "disk.smart", thresholds={"warn_sectors": 3})
    assert (stricter.status, stricter.threshold, stricter.threshold_source) == (
        "warn",
        {"warn_sectors": 3.0},
        "contract",
    )


@pytest.mark.parametrize(
    ("disk", "keys"),
    [
        (ata_disk(), {"warn_sectors"}),
        (nvme_disk(), {"warn_used_pct", "warn_spare_margin_pct"}),
        (ata_disk(reallocated=None, pending=None, uncorrectable=None), set()),
    ],
)
def test_a_sound_disk_tells_only_the_limits_that_it_has_counters_for(disk, keys):
    assert set(judge_one(with_disk(disk), "disk.smart").threshold) == keys


def test_a_virtual_machine_without_physical_disks_has_nothing_to_judge():
    assert judge(observation(smart=absent()), "disk.smart") == []


def test_a_missing_smartctl_is_unknown_and_says_so():
    finding = judge_one(observation(smart=unavailable("not_installed", "smartctl is not in PATH")), "disk.smart")
    assert (finding.status, finding.fact) == ("unknown", "disk.smart.unavailable")
    assert finding.reason == (
        "Could not check the health of the physical disks: "
        "the program that reads it is not installed (smartctl is not in PATH)."
    )


def test_disks_that_were_asked_but_not_listed_are_unknown():
    assert judge_one(observation(smart=ok([])), "disk.smart").fact == "disk.smart.none"
