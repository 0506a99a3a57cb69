import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.components import SAMPLES
from tests.support.health import Computer, hide_tools, import_health, make_computer

answer = import_health("answer")
disks = import_health("disks")
smart = import_health("smart")

SMART_SAMPLES = SAMPLES / "health" / "smart"
SDA = disks.Disk("/dev/sda", None)
ATA = {
    "device": {"name": "/dev/sda", "protocol": "ATA"},
    "model_name": "EXAMPLE HDD",
    "smart_support": {"available": True, "enabled": True},
    "smart_status": {"passed": True},
    "ata_smart_attributes": {
        "table": [
            {"id": 5, "raw": {"value": 51539607560, "string": "8 (0 12)"}},
            {"id": 197, "raw": {"value": 2, "string": "2"}},
            {"id": 198, "raw": {"value": 1, "string": "1"}},
            {"id": 194, "raw": {"value": 33, "string": "33"}},
        ]
    },
}
NVME = {
    "device": {"name": "/dev/nvme0", "protocol": "NVMe"},
    "model_name": "EXAMPLE NVME",
    "smart_status": {"passed": False, "nvme": {"value": 4}},
    "nvme_smart_health_information_log": {
        "critical_warning": 4,
        "percentage_used": 91,
        "available_spare": 8,
        "available_spare_threshold": 10,
        "media_errors": 3,
    },
}
SCSI = {
    "device": {"name": "/dev/sdb", "protocol": "SCSI"},
    "scsi_model_name": "EXAMPLE SAS",
    "smart_status": {"passed": True},
    "scsi_grown_defect_list": 5,
    "scsi_error_counter_log": {"read": {"total_uncorrected_errors": 1}, "write": {"total_uncorrected_errors": 2}},
}


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def answers_by_question(computer: Computer, scan: object, reports: dict[str, object], rc: int = 0) -> None:
    """A smartctl that answers the scan and each disk from a file of its own."""
    folder = computer.tools / "answers"
    folder.mkdir()
    (folder / "scan").write_text(json.dumps(scan))
    for device, report in reports.items():
        (folder / Path(device).name).write_text(json.dumps(report))
    computer.tool(
        "smartctl",
        f'[ "$1" = --scan-open ] && exec cat {folder}/scan\n'
        f'for last; do :; done; cat "{folder}/$(basename "$last")"; exit {rc}',
    )


def test_counters_of_a_sata_disk_are_read_without_what_the_maker_packs_beside_them():
    row = smart.read_report(SDA, 0, ATA)
    assert (row["reallocated"], row["pending"], row["uncorrectable"]) == (8, 2, 1)
    assert (row["model"], row["protocol"], row["passed"], row["state"]) == ("EXAMPLE HDD", "ata", True, "ok")
    assert row["critical_warning"] is None


def test_wear_and_warnings_of_an_nvme_disk_are_read():
    row = smart.read_report(disks.Disk("/dev/nvme0", None), 8, NVME)
    names = ("critical_warning", "percentage_used", "available_spare", "available_spare_threshold", "uncorrectable")
    assert [row[name] for name in names] == [4, 91, 8, 10, 3]
    assert (row["protocol"], row["passed"], row["reallocated"]) == ("nvme", False, None)


def test_defects_of_a_sas_disk_are_read():
    row = smart.read_report(disks.Disk("/dev/sdb", None), 0, SCSI)
    assert (row["reallocated"], row["uncorrectable"], row["model"]) == (5, 3, "EXAMPLE SAS")


@pytest.mark.parametrize(
    ("rc", "report", "reason"),
    [
        (2, {"smartctl": {"messages": [{"string": "/dev/sda: Permission denied"}]}}, "no_permission"),
        (1, {"smartctl": {"messages": [{"string": "/dev/sda: Unable to detect device type"}]}}, "not_supported"),
        (2, {"smartctl": {"messages": [{"string": "Input/output error"}]}}, "failed"),
        (2, {}, "failed"),
        (-9, {}, "failed"),
        (0, {"smart_support": {"available": False}}, "not_supported"),
        (0, {"smart_support": {"available": True, "enabled": False}}, "disabled"),
        (0, {}, "unreadable"),
        (0, {"smart_status": {"passed": "yes"}}, "unreadable"),
    ],
)
def test_a_disk_that_does_not_tell_is_unavailable_with_a_reason(rc, report, reason):
    row = smart.read_report(SDA, rc, report)
    assert (row["state"], row["reason"], row["passed"]) == ("unavailable", reason, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from([ATA, NVME, SCSI]), st.data())
def test_no_value_of_a_wrong_type_ends_in_a_traceback(report, data):
    twisted = {key: data.draw(st.just(value) | JSON, label=key) for key, value in report.items()}
    row = smart.read_report(SDA, data.draw(st.integers(-15, 255)), twisted)
    assert row["state"] in {"ok", "unavailable"}
    for name in ("reallocated", "percentage_used"):
        assert row[name] is None or 0 <= row[name] < 2**53


def test_no_physical_disk_is_absent_though_smartctl_is_not_installed(computer, monkeypatch):
    hide_tools(computer, monkeypatch, "smartctl")
    for name in ("vda", "loop0", "dm-0", "md0", "zram0", "sr0", "ram0", "nbd0", "xvda"):
        computer.disk(name)
    computer.disk("sda", device_vendor="QEMU", device_model="QEMU HARDDISK")
    computer.disk("sdb", removable="1")
    computer.disk("sdc", size="0")
    computer.disk("nvme0n1", device_model="Amazon Elastic Block Store")
    computer.disk("mmcblk0", device_type="SD")
    with pytest.raises(answer.Absent) as caught:
        smart.observe_smart(computer.request())
    assert caught.value.reason == "no_disk"


def test_a_physical_disk_without_smartctl_is_unavailable_not_absent(computer, monkeypatch):
    hide_tools(computer, monkeypatch, "smartctl")
    computer.disk("sda", device_model="EXAMPLE HDD")
    with pytest.raises(answer.Unavailable) as caught:
        smart.observe_smart(computer.request())
    assert caught.value.reason == "not_installed"


def test_every_physical_disk_gets_a_row_and_virtual_ones_none(computer):
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.disk("nvme0n1", device_model="EXAMPLE NVME")
    computer.disk("nvme0n2", device_model="EXAMPLE NVME")
    computer.disk("mmcblk0", device_type="MMC")
    computer.disk("sdz", device_model="Virtual Disk", device_vendor="Msft")
    scan = {
        "devices": [
            {"name": "/dev/sda", "type": "sat"},
            {"name": "/dev/sdz", "type": "scsi"},
            {"name": "/dev/bus/0", "type": "megaraid,4"},
        ]
    }
    answers_by_question(computer, scan, {"sda": ATA, "nvme0": NVME, "0": SCSI})
    rows = smart.observe_smart(computer.request())
    assert [(row["device"], row["state"]) for row in rows] == [
        ("/dev/mmcblk0", "unavailable"),
        ("/dev/nvme0", "ok"),
        ("/dev/sda", "ok"),
        ("/dev/bus/0 [megaraid,4]", "ok"),
    ]
    assert rows[0]["reason"] == "not_supported"


def test_disks_that_only_root_may_ask_make_the_source_unavailable(computer):
    computer.disk("sda", device_model="EXAMPLE HDD")
    denied = {"smartctl": {"messages": [{"string": "/dev/sda: Permission denied"}]}}
    answers_by_question(computer, {"devices": []}, {"sda": denied}, rc=2)
    with pytest.raises(answer.Unavailable) as caught:
        smart.observe_smart(computer.request())
    assert caught.value.reason == "no_permission"


def test_a_disk_that_hangs_costs_only_its_own_row(computer):
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.disk("sdb", device_model="EXAMPLE HDD")
    answers_by_question(computer, {"devices": []}, {"sda": ATA})
    script = (computer.tools / "smartctl").read_text().removeprefix("#!/bin/sh\n")
    computer.tool("smartctl", f'case "$*" in *sdb) exec sleep 30;; esac\n{script}')
    started = time.monotonic()
    rows = {row["device"]: row for row in smart.observe_smart(computer.request(seconds=2))}
    assert time.monotonic() - started < 5
    assert rows["/dev/sda"]["state"] == "ok"
    assert (rows["/dev/sdb"]["state"], rows["/dev/sdb"]["reason"]) == ("unavailable", "timeout")


def test_a_scan_that_hangs_hides_no_disk_that_the_kernel_knows(computer):
    computer.disk("sda", device_model="EXAMPLE HDD")
    answers_by_question(computer, {"devices": []}, {"sda": ATA})
    script = (computer.tools / "smartctl").read_text().removeprefix("#!/bin/sh\n")
    computer.tool("smartctl", f'[ "$1" = --scan-open ] && exec sleep 30\n{script}')
    told = smart.observe_smart(computer.request(seconds=2))
    assert [row["state"] for row in told.data] == ["ok"]
    assert "scan" in told.detail


@pytest.mark.parametrize(
    "output", ['{"devices": [', "\0\0", "[" * 100_000, '{"a": NaN}', "", b"\xff\xfe"], ids=range(6)
)
def test_an_answer_that_is_no_json_is_unreadable(computer, output):
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.says("smartctl", output)
    with pytest.raises(answer.Unavailable) as caught:
        smart.observe_smart(computer.request())
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("output", ["null", "[]", '"x"', '{"devices": 5}', '{"devices": [1, {"name": 2}]}'])
def test_json_of_a_wrong_shape_leaves_the_disk_unread(computer, output):
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.says("smartctl", output)
    assert [row["reason"] for row in smart.observe_smart(computer.request())] == ["unreadable"]


def test_a_smartctl_that_is_too_old_for_json_says_so(computer):
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.says("smartctl", "=======> UNRECOGNIZED OPTION: j\n", rc=1)
    with pytest.raises(answer.Unavailable) as caught:
        smart.observe_smart(computer.request())
    assert caught.value.reason == "not_supported"


@pytest.mark.component("samples")
@pytest.mark.parametrize("name", ["nvme-2b2qexe7", "sk-hynix-sc311-512gb", "st12000vn0007-health-failed"])
def test_text_in_place_of_json_is_never_taken_for_a_healthy_disk(computer, name):
    sample = SMART_SAMPLES / f"smartctl-v6-text-{name}.txt"
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.says("smartctl", sample.read_bytes())
    with pytest.raises(answer.Unavailable) as caught:
        smart.observe_smart(computer.request())
    assert caught.value.reason == "unreadable"
