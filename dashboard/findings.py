"""A finding in words: the sentence, the rule and its threshold."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from itcare.core.clock import read_instant
from itcare.publish.rows import FindingRow
from messages import MESSAGES, NOT_REPORTED, REASONS, TOPICS
from quantities import quantity
from words import day, mark, moment, number, tr

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
    ("battery.wear", "warn_pct"): mark("remark below {value}% of what it was built for"),
    ("battery.wear", "fail_pct"): mark("problem below {value}% of what it was built for"),
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
    "the sensor's own limits": mark("the sensor's own limits"),
    "the contract's list": mark("the contract's list"),
    "itcare's own choice for laptops; else the contract's": mark(
        "itcare's own choice for laptops; else the contract's"
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
    return quantity(name, value, values)


def _instant(text: str, zone: ZoneInfo) -> str:
    try:
        return moment(read_instant(text).astimezone(zone), year=True)
    except (ValueError, OverflowError):
        return text


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
    if source in _CHOICES:  # one of them has a semicolon of its own
        return tr(_CHOICES[source])
    return "; ".join(tr(_CHOICES[part]) if part in _CHOICES else part for part in source.split("; "))


def summary(row: FindingRow, zone: ZoneInfo, since: datetime | None = None) -> str:
    """The quiet second line, in our own words and numbers only: since when it stands, when it was last seen, by
    whose threshold. `since`: the first look that said so."""
    begun = "" if since is None else tr("Since {day}.", day=_since(since.astimezone(zone).date(), row))
    seen = (
        "" if row.observed_at is None else tr("Observed on {moment}.", moment=moment(row.observed_at.astimezone(zone)))
    )
    chooser = tr(_CHOICES[choice]) if (choice := _first_choice(row)) in _CHOICES else ""
    return " ".join(filter(None, (begun, seen, tr("Threshold: {choice}.", choice=chooser) if chooser else "")))


def _since(first: date, row: FindingRow) -> str:
    return day(first, year=row.observed_at is not None and row.observed_at.year != first.year)


def _first_choice(row: FindingRow) -> str:
    source = row.threshold_source or ""
    if source in _CHOICES:
        return source
    return "contract" if _CONTRACT_PART.fullmatch(source) else source.split("; ")[0]
