"""A finding in a few words for a narrow cell, and which column it belongs to."""

from collections.abc import Mapping

from itcare.publish.reader import Brief
from itcare.publish.rows import FindingRow
from quantities import quantity
from words import mark, tr

AREAS = {
    "disk": mark("Disk space"),
    "smart": mark("Disk health"),
    "hardware": mark("Heat and battery"),
    "services": mark("Services"),
    "log": mark("System log"),
    "memory": mark("Memory"),
    "updates": mark("Updates in effect"),
    "time": mark("Clock"),
    "access": mark("Access"),
    "protection": mark("Protection"),
}
_AREA_OF_RULE = {
    "disk.free": "disk",
    "disk.inodes": "disk",
    "disk.smart": "smart",
    "sensors.temperature": "hardware",
    "battery.wear": "hardware",
    "services.failed": "services",
    "log.errors": "log",
    "memory.pressure": "memory",
    "reboot.pending": "updates",
    "libraries.outdated": "updates",
    "time.sync": "time",
    "access.administrators": "access",
    "access.listeners": "access",
    "protection.firewall": "protection",
    "protection.encryption": "protection",
}
OBSERVATION = "observation"  # the rule of findings on an observation as a whole


def area_of(rule: str) -> str | None:
    """The column of the computers' table; None for findings on the observation as a whole."""
    return _AREA_OF_RULE.get(rule)


def short(row: FindingRow | Brief) -> str:
    """A few words of our own for a narrow cell, with the number that matters; never a bare "OK"."""
    values: Mapping[str, object] = row.values if isinstance(row.values, Mapping) else {}
    told = _SHORT.get(row.fact)
    if told is None:
        return tr(_SHORT_BY_NAME.get(row.fact.rpartition(".")[2], mark("see the computer")))
    template, name = told
    if name is None:
        return tr(template)
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return tr(mark("see the computer"))
    return tr(template, value=quantity(name, value, values))


_SHORT: dict[str, tuple[str, str | None]] = {
    **{f"disk.free.{name}": (mark("{value} free"), "available_bytes") for name in ("ok", "low", "low_gb")},
    "disk.inodes.low": (mark("{value} of inodes free"), "free_percent"),
    "disk.inodes.ok": (mark("{value} of inodes free"), "free_percent"),
    "disk.smart.ok": (mark("no complaints"), None),
    "disk.smart.failing": (mark("the disk fails"), None),
    "disk.smart.critical_warning": (mark("the disk warns"), None),
    "disk.smart.bad_sectors": (mark("bad sectors"), None),
    "disk.smart.worn": (mark("wear {value}"), "used_percent"),
    "disk.smart.spare_low": (mark("spare {value}"), "spare_percent"),
    "services.failed.ok": (mark("none failed"), None),
    "services.failed.active": (mark("running"), None),
    "services.failed.unit": (mark("a unit failed"), None),
    "services.failed.not_active": (mark("a service is down"), None),
    "log.errors.ok": (mark("no grave entries"), None),
    "log.errors.oom_kill": (mark("out of memory"), None),
    "log.errors.disk_io": (mark("disk errors"), None),
    "log.errors.filesystem": (mark("file system errors"), None),
    "log.errors.remount_read_only": (mark("disk read only"), None),
    "log.errors.machine_check": (mark("hardware errors"), None),
    **{
        f"memory.pressure.{name}": (mark("{value} available"), "available_percent")
        for name in ("ok", "ok_no_figures", "low", "exhausted")
    },
    "memory.pressure.stalls": (mark("waits {value} of time"), "some_percent"),
    "reboot.pending.none": (mark("no restart due"), None),
    "reboot.pending.recent": (mark("restart due {value}"), "age_seconds"),
    "reboot.pending.overdue": (mark("restart due {value}"), "age_seconds"),
    "libraries.outdated.ok": (mark("in effect"), None),
    "libraries.outdated.found": (mark("{value} on old libraries"), "count"),
    "time.sync.ok": (mark("{value} off"), "offset_seconds"),
    "time.sync.offset": (mark("{value} off"), "offset_seconds"),
    "time.sync.synchronised": (mark("synchronised"), None),
    "time.sync.not_synchronised": (mark("not synchronised"), None),
    **{f"sensors.temperature.{name}": (mark("up to {value}"), "found_celsius") for name in ("ok", "high", "critical")},
    "battery.wear.ok": (mark("battery {value}"), "full_percent"),
    "battery.wear.worn": (mark("battery {value}"), "full_percent"),
    "access.administrators.ok": (mark("as agreed"), None),
    "access.administrators.unlisted": (mark("not agreed"), None),
    "access.listeners.ok": (mark("as agreed"), None),
    "access.listeners.unlisted": (mark("a port not agreed"), None),
    "protection.firewall.on": (mark("firewall on"), None),
    "protection.firewall.off_required": (mark("firewall off"), None),
    "protection.firewall.off_laptop": (mark("firewall off"), None),
    "protection.encryption.on": (mark("encrypted"), None),
    "protection.encryption.off_required": (mark("not encrypted"), None),
    "protection.encryption.off_laptop": (mark("not encrypted"), None),
}
_SHORT_BY_NAME = {
    "unavailable": mark("not readable"),
    "disk_unavailable": mark("not readable"),
    "malformed": mark("not understood"),
    "not_observed": mark("not looked at"),
    "unasked": mark("not looked at"),
    "no_verdict": mark("no own verdict"),
    "none": mark("nothing listed"),
    "unmeasured": mark("tells no capacity"),
    "untold": mark("cannot be told"),
    "absent": mark("says it has none"),
}
