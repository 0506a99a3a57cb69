# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Batteries that the computer runs on: how much they still hold of what they were built for."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Request,
    read_first_line,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import detect_container

_NUMBER = re.compile(r"\d{1,12}\Z")
_MOST_ROWS = 20
_MICRO = 1_000_000


def observe_batteries(request: Request) -> list[dict]:
    """One row per battery of the computer itself, not of a mouse or a headset that it knows."""
    container = detect_container(request)
    if container is not None:
        raise Absent("container", f"a {container} container has no battery of its own")
    top = request.path("sys/class/power_supply")
    try:
        names = sorted(os.listdir(top))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise why_not_read(error) from error
    rows = [_read_battery(os.path.join(top, name), name) for name in names if _is_battery(os.path.join(top, name))]
    if not rows:
        raise Absent("none", "no battery")
    return rows[:_MOST_ROWS]


def _is_battery(folder: str) -> bool:
    """sysfs-class-power: scope Device is a peripheral's, present 0 an empty bay."""
    return (
        _attribute(folder, "type") == "Battery"
        and _attribute(folder, "scope") != "Device"
        and _attribute(folder, "present") != "0"
    )


def _read_battery(folder: str, name: str) -> dict:
    cycles = _number(folder, "cycle_count")
    return {
        "name": name[:60],
        "state": (_attribute(folder, "status") or "unknown").lower(),
        "full_wh": _watt_hours(folder, "full"),
        "design_wh": _watt_hours(folder, "full_design"),
        "cycles": cycles or None,  # firmware that does not count says 0
    }


def _watt_hours(folder: str, name: str) -> float | None:
    """Energy from microwatt-hours, or from microampere-hours at the battery's nominal voltage (in microvolts)."""
    energy = _number(folder, f"energy_{name}")
    if energy:
        return round(energy / _MICRO, 3)
    charge, volts = _number(folder, f"charge_{name}"), _nominal_microvolts(folder)
    if charge and volts:
        return round(charge * volts / _MICRO / _MICRO, 3)
    return None


def _nominal_microvolts(folder: str) -> int | None:
    return _number(folder, "voltage_min_design") or _number(folder, "voltage_now")


def _number(folder: str, name: str) -> int | None:
    text = _attribute(folder, name) or ""
    return int(text) if _NUMBER.match(text) else None


def _attribute(folder: str, name: str) -> str | None:
    text = read_first_line(os.path.join(folder, name))
    return None if text is None else text.strip()
