# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Memory at hand, memory pressure, load and time since the start."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Unavailable,
    read_file,
    why_not_read,
    write_instant,
)

_MEMINFO_LINE = re.compile(rb"^(\w+):\s+(\d{1,15}) kB$", re.MULTILINE)
_PRESSURE_LINE = re.compile(rb"^(some|full) avg10=(\d+\.\d+) avg60=\d+\.\d+ avg300=(\d+\.\d+) ", re.MULTILINE)


def observe_memory(request: Request) -> dict:
    """Sizes from /proc/meminfo and stalls from /proc/pressure/memory (`psi` is None where the kernel has none)."""
    try:
        table = read_file(request.path("proc/meminfo"), 65536)
    except OSError as error:
        raise why_not_read(error) from error
    return {**read_meminfo(table), "psi": _ask_pressure(request)}


def read_meminfo(table: bytes) -> dict[str, int]:
    """The four sizes in bytes; raises Unavailable("unreadable") when one is missing."""
    sizes = {name.decode(): int(kilobytes) * 1024 for name, kilobytes in _MEMINFO_LINE.findall(table)}
    names = {
        "total_bytes": "MemTotal",
        "available_bytes": "MemAvailable",
        "swap_total_bytes": "SwapTotal",
        "swap_free_bytes": "SwapFree",
    }
    missing = [field for field in names.values() if field not in sizes]
    if missing:
        raise Unavailable("unreadable", f"/proc/meminfo has no {', '.join(missing)}")
    return {name: sizes[field] for name, field in names.items()}


def _ask_pressure(request: Request) -> dict[str, float] | None:
    try:
        table = read_file(request.path("proc/pressure/memory"), 4096)
    except OSError:
        return None  # a kernel without PSI, or with PSI switched off
    return read_pressure(table)


def read_pressure(table: bytes) -> dict[str, float] | None:
    """The averages in per cent of time; None when the lines are not of the known shape."""
    lines = {kind: (float(short), float(long)) for kind, short, long in _PRESSURE_LINE.findall(table)}
    if set(lines) != {b"some", b"full"}:
        return None
    return {
        "some_avg10": lines[b"some"][0],
        "some_avg300": lines[b"some"][1],
        "full_avg300": lines[b"full"][1],
    }


def observe_uptime(request: Request) -> dict:
    """Seconds since the start, the instant of the start, and the load averages of 1, 5 and 15 minutes."""
    try:
        text = read_file(request.path("proc/uptime"), 200)
        load = [round(value, 2) for value in os.getloadavg()]
    except OSError as error:
        raise why_not_read(error) from error
    seconds = read_uptime(text)
    return {"seconds": seconds, "boot_at": write_instant(request.now - seconds), "load": load}


def read_uptime(text: bytes) -> float:
    """The first number of /proc/uptime; raises Unavailable("unreadable")."""
    match = re.match(rb"\d{1,12}(\.\d+)?(?=\s)", text)
    if match is None:
        raise Unavailable("unreadable", "/proc/uptime does not begin with a number")
    return float(match[0])
