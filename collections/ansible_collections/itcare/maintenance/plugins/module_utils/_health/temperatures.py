# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Temperatures, as the kernel's hwmon interface and its thermal zones tell them."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Request,
    Told,
    Unavailable,
    read_first_line,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import detect_container

_INPUT = re.compile(r"temp(\d+)_input\Z")
_NUMBER = re.compile(r"-?\d{1,9}\Z")
# A wire that hangs loose reads as the end of the scale; no computer runs at either.
_PLAUSIBLE = (-60.0, 250.0)
# Drivers write 0, the coldest or the hottest number of their register for "no limit" (nvme: 65261.85).
_PLAUSIBLE_LIMIT = (1.0, 200.0)
_MOST_ROWS = 100


class _Tally:
    """What was found so far; `silent` sensors are there and gave no number that can be one."""

    def __init__(self) -> None:
        self.rows: list[dict] = []
        self.silent: list[str] = []


def observe_temperatures(request: Request) -> object:
    """One row per sensor, with the limits that it has itself.

    A thermal zone counts where hwmon does not show it already. A container shows its host's sensors, and has none.
    """
    container = detect_container(request)
    if container is not None:
        raise Absent("container", f"a {container} container has no sensors of its own")
    tally = _Tally()
    chips = _list_chips(request)
    for folder, chip in chips:
        _read_chip(folder, chip, tally)
    _read_zones(request, {chip for _folder, chip in chips}, tally)
    if not tally.rows and tally.silent:
        raise Unavailable("failed", f"no number from {', '.join(tally.silent[:5])}")
    if not tally.rows:
        raise Absent("none", "no temperature sensor")
    rows = sorted(tally.rows, key=lambda row: (row["chip"], row["label"]))[:_MOST_ROWS]
    remarks = [f"no number from {', '.join(tally.silent[:5])}"] if tally.silent else []
    if len(tally.rows) > _MOST_ROWS:
        remarks.append(f"{len(tally.rows) - _MOST_ROWS} more are left out")
    return Told(rows, "; ".join(remarks)) if remarks else rows


def _list_chips(request: Request) -> list[tuple[str, str]]:
    """Folders and names of the chips. Two of one name are told apart by the device that they sit in."""
    top = request.path("sys/class/hwmon")
    found = []
    for entry in _list(top):
        folder = os.path.join(top, entry)
        if not any(_INPUT.match(name) for name in _list(folder)):
            folder = os.path.join(folder, "device")  # where old drivers keep their attributes
        name = read_first_line(os.path.join(folder, "name")) or read_first_line(os.path.join(top, entry, "name"))
        device = os.path.join(top, entry, "device")
        found.append((folder, name or entry, os.path.basename(os.path.realpath(device))))
    names = [name for _folder, name, _device in found]
    return [(folder, name if names.count(name) == 1 else f"{name} ({device})"[:80]) for folder, name, device in found]


def _list(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read_chip(folder: str, chip: str, tally: _Tally) -> None:
    for name in _list(folder):
        match = _INPUT.match(name)
        if match is None:
            continue
        stem = os.path.join(folder, f"temp{match[1]}")
        label = read_first_line(f"{stem}_label") or f"temp{match[1]}"
        celsius = _read_degrees(f"{stem}_input")
        if celsius is None or not _lies_within(celsius, _PLAUSIBLE) or read_first_line(f"{stem}_fault") == "1":
            tally.silent.append(f"{chip} {label}"[:60])
            continue
        limits = {"maximum": _read_limit(f"{stem}_max"), "critical": _read_limit(f"{stem}_crit")}
        tally.rows.append({"chip": chip, "label": label, "celsius": celsius, **limits})


def _read_zones(request: Request, chips: set[str], tally: _Tally) -> None:
    """The zones that no chip shows; `x86_pkg_temp` is the package sensor of `coretemp` once more."""
    top = request.path("sys/class/thermal")
    for entry in _list(top):
        zone = os.path.join(top, entry)
        kind = read_first_line(os.path.join(zone, "type"))
        if not entry.startswith("thermal_zone") or not kind:
            continue
        is_shown = any(name.startswith("hwmon") for name in _list(zone)) or kind.replace("-", "_") in chips
        if is_shown or (kind == "x86_pkg_temp" and "coretemp" in chips):
            continue
        celsius = _read_degrees(os.path.join(zone, "temp"))
        if celsius is None or not _lies_within(celsius, _PLAUSIBLE):
            tally.silent.append(f"{kind} {entry}"[:60])
            continue
        limits = {"maximum": _read_trip(zone, "hot"), "critical": _read_trip(zone, "critical")}
        tally.rows.append({"chip": kind, "label": entry, "celsius": celsius, **limits})


def _read_trip(zone: str, kind: str) -> float | None:
    """The temperature of the zone's trip point of that kind."""
    for name in _list(zone):
        if name.startswith("trip_point_") and name.endswith("_type"):
            path = os.path.join(zone, name)
            if read_first_line(path) == kind:
                return _read_limit(path[: -len("type")] + "temp")
    return None


def _read_limit(path: str) -> float | None:
    limit = _read_degrees(path)
    return limit if limit is not None and _lies_within(limit, _PLAUSIBLE_LIMIT) else None


def _read_degrees(path: str) -> float | None:
    """Thousandths of a degree in a file, as degrees Celsius; None where the sensor gives no number."""
    text = (read_first_line(path) or "").strip()
    return int(text) / 1000 if _NUMBER.match(text) else None


def _lies_within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
