"""What a computer reported about itself, source by source, in words that its owner understands.

The data was checked by nobody but the computer: every shape is possible, and what does not fit is
left out or shown as it stands, never trusted.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import streamlit as st

import surroundings
import widgets
from itcare.core.words import SourceState
from itcare.publish.rows import FactRow
from messages import REASONS
from reading import Reading, readings
from words import days, lasting, mark, number, size, tr, trn

SOURCES = {
    "filesystems": mark("Disk space"),
    "smart": mark("Physical disks"),
    "memory": mark("Memory"),
    "units": mark("Services"),
    "journal": mark("System log"),
    "reboot": mark("Restart"),
    "libraries": mark("Programs on old libraries"),
    "time": mark("Clock"),
    "uptime": mark("Running since"),
    "temperatures": mark("Temperatures"),
    "batteries": mark("Batteries"),
    "administrators": mark("Administrators"),
    "listeners": mark("Open ports"),
    "firewall": mark("Firewall"),
    "encryption": mark("Disk encryption"),
}
ABSENT = {
    "smart": mark("there is no physical disk in this computer (virtual machine)"),
    "temperatures": mark("this computer has no sensor of heat (virtual machine)"),
    "batteries": mark("this computer has no battery"),
}


def source_name(source: str | None) -> str:
    return tr(SOURCES[source]) if source in SOURCES else (source or "")


def why_not(reason: str | None) -> str:
    return tr(REASONS[reason]) if reason in REASONS else (reason or tr("for an unknown reason"))


def show(fact: FactRow, zone: ZoneInfo) -> None:
    """One source: its data, or why there is none."""
    if fact.state is SourceState.ABSENT:
        st.text(tr(ABSENT[fact.source]) if fact.source in ABSENT else tr("This computer does not have it."))
    elif fact.state is SourceState.UNAVAILABLE:
        widgets.text(f"{tr('Could not be read')}: {why_not(fact.reason)}")
        if fact.detail:
            widgets.block(fact.detail)
    elif fact.source in _SHOWN:
        _SHOWN[fact.source](fact, zone)
    else:
        widgets.block(fact.data)


def _filesystems(fact: FactRow, zone: ZoneInfo) -> None:
    rows = []
    for row in readings(fact.data, zone):
        total, available = row.number("total_bytes"), row.number("available_bytes")
        free = "" if total is None or available is None else f"{size(available)} {tr('of')} {size(total)}"
        share = f"{number(100 * available / total)}%" if total and available is not None else ""
        locked = tr("read only") if row.flag("read_only") else ""
        rows.append((row.text("mount"), free, share, row.text("device"), row.text("type"), locked))
    columns = {tr("Mounted at"): 180, tr("Free"): 150, tr("Share"): 70, tr("Device"): 160, tr("Type"): 80, "": None}
    widgets.table("filesystems", columns, rows, tr("Disk space"))


def _smart(fact: FactRow, zone: ZoneInfo) -> None:
    rows = []
    for row in readings(fact.data, zone):
        passed = row.flag("passed")
        if row.text("state") == "unavailable":
            verdict = f"? {why_not(row.text('reason') or None)}"
        else:
            verdict = {True: tr("● passed"), False: tr("■ failing"), None: tr("? gives no verdict")}[passed]
        counters = [
            f"{tr(words)}: {number(value)}"
            for name, words in _COUNTERS.items()
            if (value := row.number(name)) is not None
        ]
        rows.append((row.text("device"), row.text("model"), verdict, ", ".join(counters)))
    columns = {tr("Device"): 110, tr("Model"): 190, tr("Own verdict"): 150, tr("Counters"): None}
    widgets.table("smart", columns, rows, tr("Physical disks"))


_COUNTERS = {
    "reallocated": mark("reallocated sectors"),
    "pending": mark("pending sectors"),
    "uncorrectable": mark("uncorrectable sectors"),
    "percentage_used": mark("wear in %"),
    "available_spare": mark("spare in %"),
}


def _memory(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    pressure = row.inner("psi").number("some_avg300")
    waiting = "" if pressure is None else tr("{share} of the last 5 minutes", share=f"{number(pressure, 1)}%")
    widgets.facts([
        (tr("Available"), _share(row.number("available_bytes"), row.number("total_bytes"))),
        (tr("Swap free"), _share(row.number("swap_free_bytes"), row.number("swap_total_bytes"))),
        (tr("Waiting for memory"), waiting),
    ])  # fmt: skip


def _share(part: float | None, whole: float | None) -> str:
    return "" if part is None or not whole else f"{size(part)} {tr('of')} {size(whole)}"


def _units(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    failed, services = row.rows("failed"), row.inner("services").items()
    if services:
        widgets.table(
            "services", {tr("Service in the contract"): 260, tr("State"): None},
            [(name, tr("runs") if state == "active" else state) for name, state in services], tr("Services"),
        )  # fmt: skip
    if failed:
        widgets.table(
            "failed", {tr("Failed unit"): 260, tr("Description"): None},
            [(unit.text("name"), unit.text("description")) for unit in failed], tr("Failed units"),
        )  # fmt: skip
    else:
        st.text(tr("No unit of the system has failed."))


def _journal(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    groups = row.rows("groups")
    if not groups:
        widgets.text(tr("No grave entry since {moment}.", moment=row.moment("since")))
    else:
        rows = [
            (tr(_KINDS[kind]) if (kind := group.text("kind")) in _KINDS else kind, group.text("source"),
             number(group.number("count") or 0), group.moment("last_at"), group.text("sample"))
            for group in groups
        ]  # fmt: skip
        columns = {tr("What"): 180, tr("Source"): 120, tr("Count"): 60, tr("Last"): 190, tr("Example"): None}
        widgets.table("journal", columns, rows, tr("System log"))
    if row.flag("truncated"):
        st.text(tr("The log was too long to be read whole."))


_KINDS = {
    "oom_kill": mark("program ended for lack of memory"),
    "disk_io": mark("disk read or write error"),
    "filesystem": mark("file system error"),
    "remount_read_only": mark("disk switched to read only"),
    "machine_check": mark("hardware error"),
    "other": mark("other"),
}


def _reboot(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    state = {True: tr("waiting for a restart"), False: tr("not needed"), None: ""}[row.flag("pending")]
    widgets.facts([
        (tr("Restart"), state),
        (tr("Since"), row.moment("since")),
        (tr("Running kernel"), row.text("running_kernel")),
        (tr("Newest kernel"), row.text("newest_kernel")),
    ])  # fmt: skip


def _libraries(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    checked, unreadable = row.number("checked") or 0, row.number("unreadable") or 0
    st.text(trn("{n} program was looked at.", "{n} programs were looked at.", round(checked)))
    if unreadable:
        st.text(
            trn("{n} program could not be looked into.", "{n} programs could not be looked into.", round(unreadable))
        )
    processes = row.rows("processes")
    if processes:
        columns = {tr("Program"): 180, tr("User"): 120, tr("Number"): 90}
        rows = [(process.text("name"), process.text("user"), process.text("pid")) for process in processes]
        widgets.table("libraries", columns, rows, tr("Programs on old libraries"))


def _time(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    offset = row.number("offset_seconds")
    state = {True: tr("follows a time server"), False: tr("follows no time server"), None: ""}[row.flag("synchronised")]
    widgets.facts([
        (tr("Clock"), state),
        (tr("Difference"), "" if offset is None else f"{number(offset, 3)} s"),
        (tr("Service"), row.text("service")),
    ])  # fmt: skip


def _uptime(fact: FactRow, zone: ZoneInfo) -> None:
    row = Reading(fact.data, zone)
    seconds = row.number("seconds")
    lasted = "" if seconds is None else days(seconds / 86400) if seconds >= 172800 else lasting(seconds)
    widgets.facts([(tr("Running since"), row.moment("boot_at")), (tr("For"), lasted)])


_SHOWN: dict[str, Callable[[FactRow, ZoneInfo], None]] = {
    "filesystems": _filesystems,
    "smart": _smart,
    "memory": _memory,
    "units": _units,
    "journal": _journal,
    "reboot": _reboot,
    "libraries": _libraries,
    "time": _time,
    "uptime": _uptime,
    "temperatures": surroundings.show_temperatures,
    "batteries": surroundings.show_batteries,
    "administrators": surroundings.show_administrators,
    "listeners": surroundings.show_listeners,
    "firewall": surroundings.show_firewall,
    "encryption": surroundings.show_encryption,
}
