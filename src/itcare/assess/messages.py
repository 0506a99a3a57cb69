"""What each finding says: one template per message id, and how its values are written.

Templates are the msgids of translations. A place such as `{total_bytes}` is written by the last part of
its name, so a translated template needs only the same names:

`_bytes` 137.0 GB · `_percent` 14 % · `_age_seconds` 3.5 days · `_seconds` -1.5 s · `_celsius` 71 °C ·
`_at` an instant · `_word` a phrase of `PHRASES`, itself translated · `_note` optional text, as " (text)" or nothing ·
`_inodes`, `_sectors` and all others as they are, None as "not reported".
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from itcare.assess.reading import Value, neutral_text
from itcare.assess.units import (
    ENGLISH,
    Style,
    write_celsius,
    write_days,
    write_gigabytes,
    write_number,
    write_percent,
    write_seconds,
)
from itcare.core.clock import read_instant

type Translate = Callable[[str], str]

_MOST_WRITTEN = 300

# What each rule looks at, for the sentences that all rules share.
TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "disk.smart": "the health of the physical disks",
        "disk.free": "free disk space",
        "disk.inodes": "free inodes",
        "services.failed": "services",
        "log.errors": "the system log",
        "memory.pressure": "memory",
        "reboot.pending": "pending restarts",
        "libraries.outdated": "libraries in use",
        "time.sync": "the clock",
        "sensors.temperature": "temperatures",
        "battery.wear": "the batteries",
        "access.administrators": "administrators",
        "access.listeners": "open ports",
        "protection.firewall": "the firewall",
        "protection.encryption": "disk encryption",
    }
)

# Messages that every rule has, `RULE.NAME`.
SHARED: Mapping[str, str] = MappingProxyType(
    {
        "unavailable": "Could not check {topic_word}: {reason_word}{detail_note}.",
        "not_observed": "Could not check {topic_word}: the observation does not contain it.",
        "malformed": "Could not judge {topic_word}: in {place}, found {found}, expected {expected}.",
        "truncated": "There are {count} results on {topic_word}; only the worst {shown} are listed.",
    }
)

_OWN = {
    "observation.missing": "Nothing is known about this computer's health: {reason_word}.",
    "observation.truncated": "The health observation was cut short on its way and cannot be judged.",
    "observation.unsupported": "The health observation has the schema {found}; this version judges {expected}.",
    "observation.malformed": "The health observation cannot be read: in {place}, found {found}, expected {expected}.",
    "observation.empty": "The health observation calls everything absent, so nothing was judged.",
    "disk.smart.ok": "{device}{model_note} passes its self-assessment, and none of its counters is over a limit.",
    "disk.smart.failing": "{device}{model_note} fails its self-assessment; sectors reallocated: {reallocated}, "
    "pending: {pending}, uncorrectable: {uncorrectable}.",
    "disk.smart.critical_warning": "{device}{model_note} raises a critical warning (NVMe bits {critical_warning}).",
    "disk.smart.bad_sectors": "{device}{model_note} has bad sectors; reallocated: {reallocated}, pending: {pending}, "
    "uncorrectable: {uncorrectable}, limit: {limit_sectors}.",
    "disk.smart.worn": "{device}{model_note} has used {used_percent} of its rated life; the limit is {limit_percent}.",
    "disk.smart.spare_low": "{device}{model_note} has {spare_percent} of its spare blocks left; "
    "it needs at least {least_spare_percent}.",
    "disk.smart.no_verdict": "{device}{model_note} gives no assessment of itself.",
    "disk.smart.disk_unavailable": "{device}{model_note} could not be asked about its health: {reason_word}.",
    "disk.smart.none": "No physical disk was listed, though disks were asked about their health.",
    "disk.free.ok": "{mount} has {available_bytes} of {total_bytes} free ({free_percent}); the limit is "
    "{limit_percent}.",
    "disk.free.low": "{mount} has {available_bytes} of {total_bytes} free ({free_percent}), below the "
    "{limit_percent} limit.",
    "disk.free.low_gb": "{mount} has {available_bytes} of {total_bytes} free ({free_percent}), below the "
    "{limit_bytes} limit.",
    "disk.free.none": "No file system was listed whose free space could be judged.",
    "disk.inodes.ok": "{mount} has {free_percent} of its inodes free ({free_inodes} of {total_inodes}); "
    "the limit is {limit_percent}.",
    "disk.inodes.low": "{mount} has {free_percent} of its inodes free ({free_inodes} of {total_inodes}), "
    "below the {limit_percent} limit.",
    "disk.inodes.none": "No file system was listed whose inodes could be judged.",
    "services.failed.ok": "No unit has failed; systemd calls the system {system_state}.",
    "services.failed.unit": "The unit {unit}{description_note} has failed.",
    "services.failed.unlisted": "systemd calls the system {system_state}, yet no failed unit was listed.",
    "services.failed.active": "The service {service} of the contract is running ({state}).",
    "services.failed.not_active": "The service {service} of the contract is not running: its state is {state}.",
    "services.failed.unasked": "The service {service} of the contract was not asked for, so its state is not known.",
    "services.failed.absent": "The contract lists services, but this computer has nothing that could tell their state.",
    "log.errors.ok": "No grave errors are in the system log since {since_at}.",
    "log.errors.incomplete": "The system log since {since_at} was not read to its end; unread entries may be grave.",
    "log.errors.oom_kill": "Programs were killed for want of memory, count: {count}, last at {last_at}, "
    "logged by {origin}: {sample}.",
    "log.errors.disk_io": "The log has disk input/output errors, count: {count}, last at {last_at}, "
    "logged by {origin}: {sample}.",
    "log.errors.filesystem": "The log has file system errors, count: {count}, last at {last_at}, "
    "logged by {origin}: {sample}.",
    "log.errors.remount_read_only": "A file system became read-only after an error, count: {count}, last at "
    "{last_at}, logged by {origin}: {sample}.",
    "log.errors.machine_check": "The processor reported hardware errors, count: {count}, last at {last_at}, "
    "logged by {origin}: {sample}.",
    "memory.pressure.ok": "{available_bytes} of {total_bytes} memory is available ({available_percent}), the limit "
    "is {limit_percent}; programs waited for memory {some_percent} of the time.",
    "memory.pressure.ok_no_figures": "{available_bytes} of {total_bytes} memory is available ({available_percent}), "
    "the limit is {limit_percent}; the kernel gives no figures on waiting.",
    "memory.pressure.low": "{available_bytes} of {total_bytes} memory is available ({available_percent}), below the "
    "{limit_percent} limit.",
    "memory.pressure.stalls": "Programs waited for memory {some_percent} of the last five minutes; the limit is "
    "{limit_some_percent}.",
    "memory.pressure.exhausted": "{available_bytes} of {total_bytes} memory is available ({available_percent}), below "
    "the {limit_percent} limit, and all programs stood still {full_percent} of the last five minutes.",
    "reboot.pending.none": "No restart is pending; the running kernel is {running_kernel}.",
    "reboot.pending.recent": "A restart has been pending for {age_seconds}; the limit is {limit_age_seconds}.",
    "reboot.pending.overdue": "A restart has been pending for {age_seconds}, which reaches the limit of "
    "{limit_age_seconds}.",
    "reboot.pending.no_start": "A restart is pending; since when could not be told.",
    "reboot.pending.start_in_future": "A restart is pending, but its recorded start, {since_at}, lies after the "
    "observation.",
    "libraries.outdated.ok": "No program runs on a replaced library; processes checked: {checked}.",
    "libraries.outdated.found": "Programs still run on replaced libraries, count: {count} ({names}).",
    "libraries.outdated.unreadable": "Some processes could not be looked into, count: {unreadable}, "
    "besides {checked} that were.",
    "libraries.outdated.none": "No process was looked into.",
    "time.sync.ok": "The clock is synchronised; it is {offset_seconds} off, the limit is {limit_seconds} "
    "(source: {method}).",
    "time.sync.synchronised": "The clock is synchronised; its offset is not reported (source: {method}).",
    "time.sync.not_synchronised": "The clock is not synchronised (source: {method}).",
    "time.sync.offset": "The clock is {offset_seconds} off, more than {limit_seconds} (source: {method}).",
    "sensors.temperature.ok": "All sensors that have limits are below them, count: {count}; the one nearest to its "
    "limit, {sensor}, shows {found_celsius} of {limit_celsius}.",
    "sensors.temperature.high": "{sensor} shows {found_celsius}, which reaches the sensor's own maximum of "
    "{limit_celsius}.",
    "sensors.temperature.critical": "{sensor} shows {found_celsius}, which reaches the sensor's critical value of "
    "{limit_celsius}.",
    "sensors.temperature.none": "No temperature was listed, though sensors were asked.",
    "battery.wear.ok": "{battery} still holds {full_percent} of what it was built for; the limit is {limit_percent} "
    "(charge cycles: {cycles}).",
    "battery.wear.worn": "{battery} holds {full_percent} of what it was built for, below the {limit_percent} limit "
    "(charge cycles: {cycles}).",
    "battery.wear.unmeasured": "{battery} does not tell how much it holds and what it was built for.",
    "battery.wear.none": "No battery was listed, though batteries were asked.",
    "access.administrators.ok": "Everyone with full rights on this computer is on the contract's list, "
    "entries: {count}.",
    "access.administrators.unlisted": "{name} has full rights on this computer (through {through}) and is not on the "
    "contract's list.",
    "access.administrators.none": "Nobody was listed as administrator, which no computer can be without.",
    "access.administrators.absent": "The contract lists administrators, but this computer says that it has none.",
    "access.listeners.ok": "Every port that others can reach is on the contract's list, ports: {count}.",
    "access.listeners.unlisted": "A program{process_note} waits for others on {listener} ({addresses}), which is not "
    "on the contract's list.",
    "access.listeners.absent": "The contract lists open ports, but this computer says that it cannot have any.",
    "protection.firewall.on": "The firewall{firewall_note} is on; rules: {rules}.",
    "protection.firewall.off_required": "The firewall is off, though the contract requires it{firewall_note}; "
    "rules: {rules}.",
    "protection.firewall.off_laptop": "The firewall is off on a laptop{firewall_note}; rules: {rules}.",
    "protection.firewall.absent": "A firewall is expected here, but this computer says that it cannot have one.",
    "protection.encryption.on": "{mount} is encrypted{kind_note}; device: {device}.",
    "protection.encryption.off_required": "{mount} is not encrypted, though the contract requires it; "
    "device: {device}.",
    "protection.encryption.off_laptop": "{mount} is not encrypted on a laptop; device: {device}.",
    "protection.encryption.untold": "Whether {mount} is encrypted cannot be told; device: {device}.",
    "protection.encryption.none": "No volume was listed whose encryption could be judged.",
    "protection.encryption.absent": "Encryption is expected here, but this computer shows no volumes of its own.",
}

# Rules with one verdict per row; the others have too few verdicts ever to be cut.
_LISTING = frozenset(
    {
        "disk.smart", "disk.free", "disk.inodes", "services.failed", "log.errors", "sensors.temperature",
        "battery.wear", "access.administrators", "access.listeners", "protection.encryption",
    }
)  # fmt: skip

MESSAGES: Mapping[str, str] = MappingProxyType(
    _OWN
    | {
        f"{rule}.{name}": template
        for rule in TOPICS
        for name, template in SHARED.items()
        if name != "truncated" or rule in _LISTING
    }
)

NOT_REPORTED = "not reported"
PHRASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "topic_word": TOPICS,
        "reason_word": MappingProxyType(
            {
                "not_installed": "the program that reads it is not installed",
                "no_permission": "the user who looked may not read it",
                "timeout": "it gave no answer in time",
                "no_journal": "there is no journal to read",
                "unreadable": "its answer could not be understood",
                "no_systemd": "systemd does not run this system",
                "failed": "the query failed",
                "not_supported": "the system does not offer it",
                "timed_out": "the look at the computer took too long and was given up",
                "missing": "no observation was made",
                "not_reached": "the computer was not reached",
                "unreachable": "the computer stopped answering",
                "interrupted": "the run ended while the computer was being looked at",
                "unfinished": "the look at the computer was begun and no end was recorded",
                "unknown": "contact was lost, and what happened then is not known",
                "erased": "the observation was erased from the record",
                "unreported": "no reason was given",
            }
        ),
    }
)
_PLACE = re.compile(r"\{([a-z_]+)\}")


def places(template: str) -> frozenset[str]:
    """The names of values that a template needs; a translation must have the same."""
    return frozenset(_PLACE.findall(template))


def render(
    fact: str, values: Mapping[str, Value], *, translate: Translate = lambda text: text, style: Style = ENGLISH
) -> str:
    """The sentence of one finding. `translate` is given whole templates and phrases, `style` writes numbers.

    Each place is filled once and what fills it is not looked at again, so braces in the host's text stay
    braces. The sentence is plain text: escape it for Markdown or HTML. Raises KeyError for an unknown
    message id or a value that is not there.
    """
    template = translate(MESSAGES[fact])
    return _PLACE.sub(lambda place: _write(place[1], values, translate, style), template)


def _write(name: str, values: Mapping[str, Value], translate: Translate, style: Style) -> str:
    value = values[name]
    if name.endswith("_note"):
        return f" ({neutral_text(str(value))})" if value else ""
    if name.endswith("_word"):
        word = str(value or "unreported")
        return translate(PHRASES[name][word]) if word in PHRASES[name] else neutral_text(word)
    if value is None:
        return translate(NOT_REPORTED)
    if isinstance(value, str):
        return _write_instant(value) if name.endswith("_at") else neutral_text(value, _MOST_WRITTEN)
    return _write_quantity(name, value, values, style)


type _Writer = Callable[[float, Style, list[float]], str]
_WRITERS: tuple[tuple[str, _Writer], ...] = (
    ("_bytes", write_gigabytes),
    ("_percent", write_percent),
    ("_celsius", write_celsius),
    ("age_seconds", write_days),
    ("_seconds", write_seconds),
)


def _unit_of(name: str) -> str | None:
    return next((unit for unit, _ in _WRITERS if name.endswith(unit)), None)


def _write_quantity(name: str, value: float, values: Mapping[str, Value], style: Style) -> str:
    unit = _unit_of(name)
    if unit is None:
        return write_number(value, style)
    limits = [
        limit
        for key, limit in values.items()
        if key.startswith("limit_") and key != name and _unit_of(key) == unit and isinstance(limit, int | float)
    ]
    return dict(_WRITERS)[unit](value, style, limits)


def _write_instant(text: str) -> str:
    try:
        return read_instant(text).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError):
        return neutral_text(text)
