"""Thresholds: their values, their units, whose choice each is, and what a contract may change.

`POLICY_VERSION` changes with any value here; a finding also carries the version of its rule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from itcare.core.errors import BadInputError

POLICY_VERSION = "2026.2"
_MOST = {"%": 100.0}
_MOST_OTHERWISE = 1e6
_OURS = "itcare's own choice"


@dataclass(frozen=True)
class Threshold:
    """One limit. `alarm`: on which side of `value` the alarm lies; `source`: whose choice it is, in words."""

    rule: str
    key: str
    value: float
    unit: str
    alarm: str
    source: str = _OURS

    @property
    def most(self) -> float:
        """The largest value that a contract may set."""
        return _MOST.get(self.unit, _MOST_OTHERWISE)


THRESHOLDS: tuple[Threshold, ...] = (
    Threshold("disk.smart", "warn_sectors", 0, "sectors", "above"),
    Threshold("disk.smart", "warn_used_pct", 90, "%", "at or above"),
    Threshold("disk.smart", "warn_spare_margin_pct", 10, "%", "at or below, over the disk's own limit"),
    Threshold("disk.free", "warn_pct", 15, "%", "below"),
    Threshold("disk.free", "fail_pct", 10, "%", "below"),
    Threshold("disk.free", "warn_gb", 20, "GB", "below"),
    Threshold("disk.free", "fail_gb", 10, "GB", "below"),
    Threshold("disk.free", "gb_rule_from_gb", 50, "GB", "volumes of at least this size"),
    Threshold("disk.inodes", "warn_pct", 10, "%", "below"),
    Threshold("disk.inodes", "fail_pct", 5, "%", "below"),
    Threshold("memory.pressure", "warn_available_pct", 10, "%", "below"),
    Threshold("memory.pressure", "fail_available_pct", 5, "%", "below"),
    Threshold("memory.pressure", "warn_some_avg300", 10, "%", "at or above"),
    Threshold("memory.pressure", "fail_full_avg300", 5, "%", "at or above"),
    Threshold("reboot.pending", "warn_days", 3, "days", "at or above"),
    Threshold("reboot.pending", "fail_days", 7, "days", "at or above"),
    Threshold("time.sync", "warn_offset_seconds", 1, "s", "above"),
    Threshold("time.sync", "fail_offset_seconds", 300, "s", "above", "Kerberos' default tolerance of five minutes"),
    Threshold("battery.wear", "warn_pct", 60, "%", "below"),
    Threshold("battery.wear", "fail_pct", 40, "%", "below"),
)

# Whose choice the part of each rule is that compares no number.
CHOICES: Mapping[str, str] = MappingProxyType(
    {
        "disk.smart": "the disk's own assessment",
        "disk.free": _OURS,
        "disk.inodes": _OURS,
        "services.failed": f"{_OURS}: any unit that systemd calls failed",
        "log.errors": f"{_OURS} of grave kinds of entries",
        "memory.pressure": _OURS,
        "reboot.pending": _OURS,
        "libraries.outdated": f"{_OURS}: any program on a replaced library",
        "time.sync": "the system's own word on whether its clock is synchronised",
        "sensors.temperature": "the sensor's own limits",
        "battery.wear": _OURS,
        "access.administrators": "the contract's list",
        "access.listeners": "the contract's list",
        "protection.firewall": f"{_OURS} for laptops; else the contract's",
        "protection.encryption": f"{_OURS} for laptops; else the contract's",
    }
)
CONTRACT = "contract"


@dataclass(frozen=True)
class Policy:
    """The thresholds in force: `thresholds[rule][key]` in the unit of `THRESHOLDS`, and which ones the contract set."""

    version: str
    thresholds: Mapping[str, Mapping[str, float]]
    overridden: frozenset[tuple[str, str]]

    def source_of(self, rule: str, keys: Iterable[str]) -> str:
        """Whose choice the limits `keys` of `rule` are; `contract` and the keys where the contract set them."""
        keys = tuple(keys)
        changed = [key for key in keys if (rule, key) in self.overridden]
        sources = [_BY_NAME[rule, key].source for key in keys if key not in changed]
        default = "; ".join(dict.fromkeys(sources)) if keys else CHOICES[rule]
        if not changed:
            return default
        return CONTRACT if not sources else f"{CONTRACT} ({', '.join(changed)}); else {default}"


_BY_NAME: Mapping[tuple[str, str], Threshold] = {(entry.rule, entry.key): entry for entry in THRESHOLDS}


_SPELLINGS: Mapping[str, str] = {spelling: rule for rule in CHOICES for spelling in (rule, rule.replace(".", "_"))}


def rule_id(spelling: str) -> str:
    """The rule that a contract means by `disk.free` or `disk_free`; unknown ones come back as they are."""
    return _SPELLINGS.get(spelling, spelling)


def known_thresholds() -> Mapping[str, frozenset[str]]:
    """Every rule and the keys that a contract may set for it; empty for a rule that compares no number."""
    return {rule: frozenset(entry.key for entry in THRESHOLDS if entry.rule == rule) for rule in CHOICES}


def policy_for(overrides: Mapping[str, Mapping[str, float]]) -> Policy:
    """The default thresholds with those of a contract in their place.

    A rule may be written with an underscore in place of its dot. Raises BadInputError for an unknown rule or key
    (naming the known ones), a rule in both spellings, a value that is no number from 0 to the most its unit
    allows, and a pair whose warning would come after its failure.
    """
    changed: dict[tuple[str, str], float] = {}
    for spelling, keys in overrides.items():
        rule = rule_id(spelling)
        if spelling != rule and rule in overrides:
            _refuse(f"{rule}, {spelling}", "the rule is there in both spellings", f"Keep {rule} alone.")
        for key, value in _check_rule(rule, keys).items():
            changed[rule, key] = _check_value(rule, key, value)
    values = {name: changed.get(name, float(entry.value)) for name, entry in _BY_NAME.items()}
    for rule, key in changed:
        _check_order(rule, key, values)
    thresholds = {
        rule: MappingProxyType({entry.key: values[rule, entry.key] for entry in THRESHOLDS if entry.rule == rule})
        for rule in CHOICES
    }
    return Policy(POLICY_VERSION, MappingProxyType(thresholds), frozenset(changed))


def _refuse(subject: str, why: str, remedy: str) -> NoReturn:
    raise BadInputError("read thresholds", subject, why, remedy)


def _check_rule(rule: str, keys: object) -> Mapping[str, object]:
    known = known_thresholds()
    if rule not in known:
        _refuse(ascii(rule)[:80], "there is no such rule", f"Known rules: {', '.join(sorted(known))}.")
    if not isinstance(keys, Mapping):
        _refuse(rule, "its thresholds are not given by key", f"{_list_keys(rule)}")
    unknown = [key for key in keys if key not in known[rule]]
    if unknown:
        _refuse(f"{rule}, {ascii(unknown[0])[:80]}", "the rule has no such threshold", _list_keys(rule))
    return keys


def _list_keys(rule: str) -> str:
    keys = sorted(known_thresholds()[rule])
    return f"Known thresholds of {rule}: {', '.join(keys)}." if keys else f"{rule} has no thresholds; remove it."


def _check_value(rule: str, key: str, value: object) -> float:
    entry = _BY_NAME[rule, key]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= entry.most:
        return float(value)
    _refuse(f"{rule}, {key}", "the value is not usable", f"Give a number from 0 to {entry.most:g} ({entry.unit}).")


def _check_order(rule: str, key: str, values: Mapping[tuple[str, str], float]) -> None:
    """A warning must not lie beyond its failure: nothing would ever be a warning."""
    suffix = key.partition("_")[2]
    pair = (rule, f"warn_{suffix}"), (rule, f"fail_{suffix}")
    if not all(name in _BY_NAME for name in pair):
        return
    warn, fail = (values[name] for name in pair)
    is_fine = warn >= fail if _BY_NAME[pair[0]].alarm == "below" else warn <= fail
    if not is_fine:
        _refuse(
            f"{rule}, {pair[0][1]} and {pair[1][1]}",
            f"the warning at {warn:g} would come after the failure at {fail:g}",
            "Set both, the warning first.",
        )
