# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Failed units, and the state of the services that the caller names, asked through systemctl."""

from __future__ import annotations

import os
import re

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Unavailable,
    clean_text,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import Output, run_tool

_SYSTEM_STATES = frozenset(
    {"initializing", "starting", "running", "degraded", "maintenance", "stopping", "offline", "unknown"}
)
# systemd.unit(5): letters, digits and : - _ . \ with one optional @; a name that starts with a dash is an option.
_UNIT_NAME = re.compile(r"[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\-]+)?\Z")
_UNIT_TYPES = (".service", ".socket", ".timer", ".mount", ".target", ".path", ".device", ".swap", ".slice", ".scope")
_LONGEST_NAME = 255
_MOST_FAILED = 200


def observe_units(request: Request) -> dict:
    """The system's state, its failed units and the asked services."""
    if not os.path.isdir(request.path("run/systemd/system")):  # sd_booted(3)
        raise Unavailable("no_systemd", "systemd is not the init of this computer")
    state = run_tool(["systemctl", "is-system-running"], request.deadline, max_bytes=10_000)
    words = state.lines()
    system_state = words[0].strip() if words else ""
    if system_state not in _SYSTEM_STATES or system_state == "offline":
        raise Unavailable("failed", state.err or f"systemctl said {clean_text(system_state, 40)!r}")
    argv = ["systemctl", "list-units", "--failed", "--all", "--plain", "--no-legend", "--no-pager", "--full"]
    failed = run_tool(argv, request.deadline)
    if failed.rc != 0:
        raise Unavailable("failed", failed.err or "systemctl list-units failed")
    return {
        "system_state": system_state,
        "failed": read_failed(failed.lines())[:_MOST_FAILED],
        "services": _service_states(request),
    }


def read_failed(lines: list[str]) -> list[dict[str, str]]:
    """The units of `systemctl list-units --plain --no-legend`: UNIT LOAD ACTIVE SUB DESCRIPTION."""
    units = []
    for line in lines:
        fields = line.lstrip("\u25cf*\u00d7 ").split(None, 4)  # old versions keep the mark in spite of --plain
        if not fields:
            continue
        if len(fields) < 4:
            raise Unavailable("unreadable", f"systemctl list-units: {clean_text(line, 80)}")
        name, description = fields[0], fields[4] if len(fields) > 4 else ""
        units.append({"name": clean_text(name, _LONGEST_NAME), "description": clean_text(description)})
    return units


def _service_states(request: Request) -> dict[str, str]:
    asked = {name: unit_name(name) for name in request.services}
    units = [unit for unit in asked.values() if unit is not None]
    states: dict[str, str] = {}
    if units:
        blocks = read_states(_show(units, request))
        if len(blocks) != len(units):  # one name that systemctl refuses cuts the answer short: ask one by one
            blocks = [(read_states(_show([unit], request)) or ["not-found"])[0] for unit in units]
        states = dict(zip(units, blocks))
    return {name: "invalid" if unit is None else states[unit] for name, unit in asked.items()}


def _show(units: list[str], request: Request) -> Output:
    argv = ["systemctl", "show", "--no-pager", "--property=LoadState,ActiveState", "--", *units]
    return run_tool(argv, request.deadline)


def unit_name(name: str) -> str | None:
    """The full unit name of a service as people write it; None for what cannot be a unit's name."""
    if not _UNIT_NAME.match(name) or len(name) > _LONGEST_NAME:
        return None
    return name if name.endswith(_UNIT_TYPES) else f"{name}.service"


def read_states(output: Output) -> list[str]:
    """One word per unit of `systemctl show`, in the order asked: its blocks are separated by empty lines."""
    states = []
    for block in output.out.decode("utf-8", "replace").split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.strip().splitlines())
        active, load = values.get("ActiveState"), values.get("LoadState")
        if active is None or load is None:
            continue
        is_running = active in {"active", "reloading", "activating"}  # also a unit that was masked while it ran
        states.append(clean_text(active if is_running or load == "loaded" else load, 40))
    return states
