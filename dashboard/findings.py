"""A finding in words: the sentence, a few words for a narrow cell, the rule and its threshold."""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from itcare.core.clock import read_instant
from itcare.publish.rows import FindingRow
from messages import MESSAGES, NOT_REPORTED, REASONS, TOPICS
from observed import source_name
from words import NBSP, days, mark, moment, number, tr

__all__ = [
    "AREAS",
    "OBSERVATION",
    "area_of",
    "choice_of",
    "rule_of",
    "sentence",
    "short",
    "source_name",
    "summary",
    "threshold_of",
]

AREAS = {
    "disk": mark("Disk space"),
    "smart": mark("Disk health"),
    "services": mark("Services"),
    "log": mark("System log"),
    "memory": mark("Memory"),
    "updates": mark("Updates in effect"),
    "time": mark("Clock"),
}
_AREA_OF_RULE = {
    "disk.free": "disk",
    "disk.inodes": "disk",
    "disk.smart": "smart",
    "services.failed": "services",
    "log.errors": "log",
    "memory.pressure": "memory",
    "reboot.pending": "updates",
    "libraries.outdated": "updates",
    "time.sync": "time",
}
OBSERVATION = "observation"  # the rule of findings on an observation as a whole

_LIMITS = {
    ("disk.smart", "warn_sectors"): mark("remark above {value} bad sectors"),
    ("disk.smart", "warn_used_pct"): mark("remark from {value}% of wear"),
    ("disk.smart", "warn_spare_margin_pct"): mark("remark up to {value}% above the least spare"),
    ("disk.free", "warn_pct"): mark("remark below {value}% free"),
    ("disk.free", "fail_pct"): mark("problem below {value}% free"),
    ("disk.free", "warn_gb"): mark("remark below {value} GB"),
    ("disk.free", "fail_gb"): mark("problem below {value} GB"),
    ("disk.free", "gb_rule_from_gb"): mark("limits in GB on volumes from {value} GB"),
    ("disk.inodes", "warn_pct"): mark("remark below {value}% free"),
    ("disk.inodes", "fail_pct"): mark("problem below {value}% free"),
    ("memory.pressure", "warn_available_pct"): mark("remark below {value}% available"),
    ("memory.pressure", "fail_available_pct"): mark("problem below {value}% available"),
    ("memory.pressure", "warn_some_avg300"): mark("remark from {value}% of waiting"),
    ("memory.pressure", "fail_full_avg300"): mark("problem from {value}% of standing still"),
    ("reboot.pending", "warn_days"): mark("remark from day {value}"),
    ("reboot.pending", "fail_days"): mark("problem from day {value}"),
    ("time.sync", "warn_offset_seconds"): mark("remark above {value} s"),
    ("time.sync", "fail_offset_seconds"): mark("problem above {value} s"),
}
_CHOICES = {
    "itcare's own choice": mark("itcare's own choice"),
    "contract": mark("the contract"),
    "Kerberos' default tolerance of five minutes": mark("Kerberos' default tolerance of five minutes"),
    "the disk's own assessment": mark("the disk's own assessment"),
    "itcare's own choice: any unit that systemd calls failed": mark(
        "itcare's own choice: any unit that systemd calls failed"
    ),
    "itcare's own choice of grave kinds of entries": mark("itcare's own choice of grave kinds of entries"),
    "itcare's own choice: any program on a replaced library": mark(
        "itcare's own choice: any program on a replaced library"
    ),
    "the system's own word on whether its clock is synchronised": mark(
        "the system's own word on whether its clock is synchronised"
    ),
}
_PLACE = re.compile(r"\{([a-z_]+)\}")
_CONTRACT_PART = re.compile(r"contract \((?P<keys>[a-z0-9_, ]+)\); else (?P<rest>.+)")

Values = Mapping[str, object]


def sentence(row: FindingRow, zone: ZoneInfo) -> str:
    """What is so. Text of the computer is in it: only for `widgets`, which cleans it.

    A message id without a template (of a newer itcare) falls back to the stored English sentence.
    """
    template = MESSAGES.get(row.fact)
    values: Values = row.values if isinstance(row.values, Mapping) else {}
    if template is None or not all(name in values for name in _PLACE.findall(template)):
        return row.reason
    return _PLACE.sub(lambda place: _written(place[1], values, zone), tr(template))


def _written(name: str, values: Values, zone: ZoneInfo) -> str:
    """One value, by the last part of its name; what fills a place is not looked at for places again."""
    value = values[name]
    if name.endswith("_note"):
        return f" ({value})" if value else ""
    if name == "topic_word":
        return tr(TOPICS[str(value)]) if value in TOPICS else str(value)
    if name == "reason_word":
        word = str(value or "unreported")
        return tr(REASONS[word]) if word in REASONS else word
    if value is None:
        return tr(NOT_REPORTED)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _instant(str(value), zone) if name.endswith("_at") else str(value)
    return _quantity(name, value, values)


def _quantity(name: str, value: float, values: Values) -> str:
    limits = [
        limit for key, limit in values.items()
        if key.startswith("limit_") and key != name and isinstance(limit, int | float)
        and key.rpartition("_")[2] == name.rpartition("_")[2]
    ]  # fmt: skip
    if name.endswith("_bytes"):
        return f"{_beside(value / 1e9, [limit / 1e9 for limit in limits], 1 if value < 1e11 else 0)}{NBSP}GB"
    if name.endswith("_percent"):
        return f"{_beside(value, [0, 100, *limits], 0)}%"
    if name.endswith("age_seconds"):
        return days(value / 86400) if value >= 2 * 86400 else f"{number(value / 3600)}{NBSP}h"
    if name.endswith("_seconds"):
        both_sides = [bound for limit in limits for bound in (limit, -limit)]
        return f"{_beside(value, both_sides, 1 if abs(value) >= 1 else 3)}{NBSP}s"
    return number(value, 2)


def _beside(value: float, limits: list[float], digits: int) -> str:
    """Rounded, with more digits where rounding would reach a limit that the value does not reach."""
    for more in range(digits, digits + 4):
        rounded = round(value, more)
        if not any(rounded == limit != value for limit in limits):
            return number(rounded, more)
    return number(value, digits + 4)


def _instant(text: str, zone: ZoneInfo) -> str:
    try:
        return moment(read_instant(text).astimezone(zone), year=True)
    except (ValueError, OverflowError):
        return text


def area_of(row: FindingRow) -> str | None:
    """The column of the computers' table; None for a finding on the observation as a whole."""
    return _AREA_OF_RULE.get(row.rule)


def short(row: FindingRow) -> str:
    """A few words of our own for a narrow cell, with the number that matters; never a bare "OK"."""
    values: Values = row.values if isinstance(row.values, Mapping) else {}
    told = _SHORT.get(row.fact)
    if told is None:
        return tr(_SHORT_BY_NAME.get(row.fact.rpartition(".")[2], mark("see the computer")))
    template, name = told
    if name is None:
        return tr(template)
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return tr(mark("see the computer"))
    return tr(template, value=_quantity(name, value, values))


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
}
_SHORT_BY_NAME = {
    "unavailable": mark("not readable"),
    "disk_unavailable": mark("not readable"),
    "malformed": mark("not understood"),
    "not_observed": mark("not looked at"),
    "unasked": mark("not looked at"),
    "no_verdict": mark("no own verdict"),
    "none": mark("nothing listed"),
}


def rule_of(row: FindingRow) -> str:
    return tr("{rule}, version {version}", rule=row.rule, version=str(row.rule_version))


def threshold_of(row: FindingRow) -> str:
    """The limits that were compared, in our words; empty where the rule compares no number."""
    limits: Values = row.threshold if isinstance(row.threshold, Mapping) else {}
    told = [
        tr(_LIMITS[row.rule, key], value=number(value, 2))
        for key, value in sorted(limits.items(), key=lambda item: (not item[0].startswith("warn"), item[0]))
        if (row.rule, key) in _LIMITS and isinstance(value, int | float)
    ]
    return ", ".join(told)


def choice_of(row: FindingRow) -> str:
    """Whose choice the threshold is."""
    source = row.threshold_source or ""
    mixed = _CONTRACT_PART.fullmatch(source)
    if mixed:
        return tr("the contract ({keys}), the rest: {rest}", keys=mixed["keys"], rest=_choices(mixed["rest"]))
    return _choices(source)


def _choices(source: str) -> str:
    return "; ".join(tr(_CHOICES[part]) if part in _CHOICES else part for part in source.split("; "))


def summary(row: FindingRow, zone: ZoneInfo) -> str:
    """The quiet second line, in our own words and numbers only: when it was seen, whose threshold it is."""
    seen = (
        "" if row.observed_at is None else tr("Observed on {moment}.", moment=moment(row.observed_at.astimezone(zone)))
    )
    chooser = tr(_CHOICES[choice]) if (choice := _first_choice(row)) in _CHOICES else ""
    return " ".join(filter(None, (seen, tr("Threshold: {choice}.", choice=chooser) if chooser else "")))


def _first_choice(row: FindingRow) -> str:
    source = row.threshold_source or ""
    return "contract" if _CONTRACT_PART.fullmatch(source) else source.split("; ")[0]
