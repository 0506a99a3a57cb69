# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""What the physical disks say of themselves (SMART), asked through smartctl 7.0 or newer (`-j`)."""

from __future__ import annotations

import re
import threading
import time

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Request,
    Told,
    Unavailable,
    as_count,
    as_list,
    as_mapping,
    clean_text,
    read_json,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.disks import Disk, list_disks
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool, run_tool

_MOST_DISKS = 64
_AT_ONCE = 8
_NUMBERS = (
    "reallocated",
    "pending",
    "uncorrectable",
    "critical_warning",
    "percentage_used",
    "available_spare",
    "available_spare_threshold",
)
# smartctl(8), EXIT STATUS: bit 0 = command line, bit 1 = the device could not be opened or identified.
_NOT_OPENED = 0b11


def observe_smart(request: Request) -> object:
    """One row per physical disk, also for those that could not be asked."""
    known, virtual = list_disks(request)
    if find_tool("smartctl") is None:
        if not known:
            raise Absent("no_disk", "no physical disk")
        raise Unavailable("not_installed", f"{len(known)} physical disk(s), but smartctl is not installed")
    scanned, remark = _scan(request) if known else (_scan_devices(request), None)
    disks = merge_scan(known, virtual, scanned)[:_MOST_DISKS]
    if not disks:
        raise Absent("no_disk", "no physical disk")
    rows = _ask_disks(disks, request.deadline)
    reasons = {row["reason"] for row in rows}
    if reasons == {"no_permission"}:
        raise Unavailable("no_permission", f"{len(rows)} physical disk(s) may only be asked by root")
    return rows if remark is None else Told(rows, remark)


def _scan(request: Request) -> tuple[list[dict], str | None]:
    """The scan where the kernel knows disks too: one that hangs on a device must not hide the other disks."""
    try:
        return _scan_devices(request), None
    except Unavailable as error:
        if error.reason != "timeout":
            raise
        return [], "the scan for disks behind RAID controllers did not end in time"


def _scan_devices(request: Request) -> list[dict]:
    """The devices that smartctl finds, among them disks behind RAID controllers that /sys/block does not show."""
    half = max(0.0, request.deadline - time.monotonic()) / 2  # the rest is for asking the disks themselves
    output = run_tool(["smartctl", "--scan-open", "-j"], request.deadline - half, max_bytes=1_000_000)
    if b"unrecognized option" in output.out.lower():
        raise Unavailable("not_supported", "this smartctl gives no JSON; 7.0 is the first that does")
    found = as_mapping(read_json(output.out, "smartctl --scan-open")).get("devices")
    return [as_mapping(device) for device in as_list(found)]


def merge_scan(known: list[Disk], virtual: set[str], scanned: list[dict]) -> list[Disk]:
    """The kernel's disks and the controllers' disks that only the scan names."""
    disks = {disk.label: disk for disk in known}
    for device in scanned:
        name, type_ = device.get("name"), device.get("type")
        if not isinstance(name, str) or not name.startswith("/dev/") or name in virtual:
            continue
        behind_controller = isinstance(type_, str) and re.fullmatch(r"[a-z0-9_+]+,[\w,/+]+", type_)
        if behind_controller and not type_.startswith(("sat,", "usb")):
            disk = Disk(clean_text(name, 60), None, type_[:40])
            disks.setdefault(disk.label, disk)
    return list(disks.values())


def _ask_disks(disks: list[Disk], deadline: float) -> list[dict]:
    """Ask several disks at a time; a disk that does not answer costs only its own row."""
    rows: dict[str, dict] = {}
    turns = threading.Semaphore(_AT_ONCE)

    def ask(disk: Disk) -> None:
        with turns:
            rows[disk.label] = _ask_disk(disk, deadline)

    threads = [threading.Thread(target=ask, args=(disk,), daemon=True) for disk in disks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [rows[disk.label] for disk in disks]


def _ask_disk(disk: Disk, deadline: float) -> dict:
    if disk.is_flash:
        return _unavailable(disk, "not_supported")
    type_ = [] if disk.type_ is None else ["-d", disk.type_]
    try:
        output = run_tool(["smartctl", "-a", "-j", *type_, disk.device], deadline, max_bytes=2_000_000)
        report = as_mapping(read_json(output.out, "smartctl"))
    except Unavailable as error:
        return _unavailable(disk, error.reason)
    return read_report(disk, output.rc, report)


def read_report(disk: Disk, rc: int, report: dict) -> dict:
    """The row of one disk from smartctl's JSON report and exit status."""
    if rc < 0:
        return _unavailable(disk, "failed")
    if rc & _NOT_OPENED:
        return _unavailable(disk, _why_not_opened(report))
    passed = as_mapping(report.get("smart_status")).get("passed")
    if not isinstance(passed, bool):
        passed = None
    support = as_mapping(report.get("smart_support"))
    if support.get("available") is False:
        return _unavailable(disk, "not_supported")
    if support.get("enabled") is False:
        return _unavailable(disk, "disabled")
    row = {**_blank(disk, report), "passed": passed, **_numbers(report)}
    if passed is None and all(row[name] is None for name in _NUMBERS):
        return _unavailable(disk, "unreadable")
    return row


def _numbers(report: dict) -> dict[str, int | None]:
    numbers = {**_ata_numbers(report), **_nvme_numbers(report), **_scsi_numbers(report)}
    return {name: as_count(value) for name, value in numbers.items()}


def _ata_numbers(report: dict) -> dict[str, object]:
    table = as_list(as_mapping(report.get("ata_smart_attributes")).get("table"))
    raw = {as_mapping(row).get("id"): as_mapping(as_mapping(row).get("raw")) for row in table if _has_id(row)}
    wanted = {"reallocated": 5, "pending": 197, "uncorrectable": 198}
    return {name: _raw_value(raw[number]) for name, number in wanted.items() if number in raw}


def _has_id(row: object) -> bool:
    return as_count(as_mapping(row).get("id")) is not None


def _raw_value(raw: dict) -> object:
    """The counter of an ATA attribute.

    Makers pack more into the 48 bits than the counter; smartctl's text then shows it first, as in "8 (0 12)",
    while `value` has all the bits.
    """
    text = raw.get("string")
    leading = re.match(r"\d{1,16}(?![\dx])", text) if isinstance(text, str) else None
    return int(leading[0]) if leading else raw.get("value")


def _nvme_numbers(report: dict) -> dict[str, object]:
    log = as_mapping(report.get("nvme_smart_health_information_log"))
    names = {name: name for name in _NUMBERS[3:]}
    names["uncorrectable"] = "media_errors"
    return {name: log[key] for name, key in names.items() if key in log}


def _scsi_numbers(report: dict) -> dict[str, object]:
    numbers: dict[str, object] = {}
    if "scsi_grown_defect_list" in report:
        numbers["reallocated"] = report["scsi_grown_defect_list"]
    pending = as_mapping(report.get("scsi_pending_defects"))
    if "count" in pending:
        numbers["pending"] = pending["count"]
    log = as_mapping(report.get("scsi_error_counter_log"))
    errors = [as_count(as_mapping(log.get(kind)).get("total_uncorrected_errors")) for kind in ("read", "write")]
    known = [count for count in errors if count is not None]
    if known:
        numbers["uncorrectable"] = sum(known)
    return numbers


def _why_not_opened(report: dict) -> str:
    messages = as_list(as_mapping(report.get("smartctl")).get("messages"))
    text = " ".join(clean_text(as_mapping(message).get("string")) for message in messages).lower()
    if "permission denied" in text or "operation not permitted" in text:
        return "no_permission"
    if "unable to detect device type" in text or "unknown usb bridge" in text or "not supported" in text:
        return "not_supported"
    return "failed"


def _blank(disk: Disk, report: dict) -> dict:
    protocol = as_mapping(report.get("device")).get("protocol")
    protocol = protocol.lower() if isinstance(protocol, str) else None
    model = report.get("model_name") or report.get("scsi_model_name") or disk.model
    return {
        "device": disk.label,
        "model": clean_text(model, 80) or None,
        "protocol": protocol if protocol in {"ata", "nvme", "scsi"} else None,
        "state": "ok",
        "reason": None,
        "passed": None,
        **dict.fromkeys(_NUMBERS),
    }


def _unavailable(disk: Disk, reason: str) -> dict:
    return {**_blank(disk, {}), "state": "unavailable", "reason": reason}
