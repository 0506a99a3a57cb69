"""`disk.smart`: what each physical disk says about itself."""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Record, read_list
from itcare.assess.rules.verdict import Case, Rule, Verdict, judge_rows
from itcare.core.words import FindingStatus

_STATES = frozenset({"ok", "unavailable"})
_MOST_BYTE = 255  # each of these NVMe fields is one byte; wear is counted beyond 100 %
_SECTOR_COUNTERS = ("reallocated", "pending", "uncorrectable")


def judge_disks(data: object, case: Case) -> Iterator[Verdict]:
    """One verdict per disk, the gravest that applies; `no_verdict` where a disk does not assess itself."""
    rows = read_list(data, "smart")
    yield from judge_rows(rows, "smart", lambda disk: _judge_disk(disk, case))
    if not rows:
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {})


def _judge_disk(disk: Record, case: Case) -> Verdict:
    device = disk.text("device")
    values: dict[str, Value] = {"device": device, "model_note": disk.optional_text("model")}
    if disk.word("state", _STATES) == "unavailable":
        values["reason_word"] = disk.optional_text("reason")
        return Verdict(FindingStatus.UNKNOWN, "disk_unavailable", device, values)
    passed = disk.optional_flag("passed")
    sectors = {name: disk.optional_count(name) for name in _SECTOR_COUNTERS}
    warning = disk.optional_count("critical_warning", most=_MOST_BYTE)
    worn, wear_keys = _judge_wear(disk, case, values)
    if passed is False:
        return Verdict(FindingStatus.FAIL, "failing", device, values | sectors)
    if warning:
        return Verdict(FindingStatus.FAIL, "critical_warning", device, values | {"critical_warning": warning})
    limit = case.limits["warn_sectors"]
    if any((counted or 0) > limit for counted in sectors.values()):
        found = {**values, **sectors, "limit_sectors": limit}
        return Verdict(FindingStatus.WARN, "bad_sectors", device, found, ("warn_sectors",))
    if worn:
        return worn
    if passed is None:
        return Verdict(FindingStatus.UNKNOWN, "no_verdict", device, values)
    has_sectors = any(counted is not None for counted in sectors.values())
    return Verdict(FindingStatus.OK, "ok", device, values, (("warn_sectors",) if has_sectors else ()) + wear_keys)


def _judge_wear(disk: Record, case: Case, values: dict[str, Value]) -> tuple[Verdict | None, tuple[str, ...]]:
    """The warning on wear or spare blocks, if any, and the limits that the disk has counters for."""
    device, limits = disk.text("device"), case.limits
    used = disk.optional_count("percentage_used", most=_MOST_BYTE)
    spare = disk.optional_count("available_spare", most=_MOST_BYTE)
    least_spare = disk.optional_count("available_spare_threshold", most=_MOST_BYTE)
    keys: tuple[str, ...] = ()
    if used is not None:
        keys += ("warn_used_pct",)
        if used >= limits["warn_used_pct"]:
            wear: dict[str, Value] = {"used_percent": used, "limit_percent": limits["warn_used_pct"]}
            return Verdict(FindingStatus.WARN, "worn", device, values | wear, keys), keys
    if spare is not None and least_spare is not None:
        keys += ("warn_spare_margin_pct",)
        if spare <= least_spare + limits["warn_spare_margin_pct"]:
            left: dict[str, Value] = {"spare_percent": spare, "least_spare_percent": least_spare}
            return Verdict(FindingStatus.WARN, "spare_low", device, values | left, keys), keys
    return None, keys


RULES = (Rule("disk.smart", 1, "smart", judge_disks),)
