# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The sources by name, and the whole observation."""

from __future__ import annotations

import time

from ansible_collections.itcare.maintenance.plugins.module_utils._health.administrators import observe_administrators
from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Request, write_instant
from ansible_collections.itcare.maintenance.plugins.module_utils._health.batteries import observe_batteries
from ansible_collections.itcare.maintenance.plugins.module_utils._health.clock import observe_time
from ansible_collections.itcare.maintenance.plugins.module_utils._health.encryption import observe_encryption
from ansible_collections.itcare.maintenance.plugins.module_utils._health.filesystems import observe_filesystems
from ansible_collections.itcare.maintenance.plugins.module_utils._health.firewall import observe_firewall
from ansible_collections.itcare.maintenance.plugins.module_utils._health.journal import observe_journal
from ansible_collections.itcare.maintenance.plugins.module_utils._health.libraries import observe_libraries
from ansible_collections.itcare.maintenance.plugins.module_utils._health.listeners import observe_listeners
from ansible_collections.itcare.maintenance.plugins.module_utils._health.memory import observe_memory, observe_uptime
from ansible_collections.itcare.maintenance.plugins.module_utils._health.reboot import observe_reboot
from ansible_collections.itcare.maintenance.plugins.module_utils._health.smart import observe_smart
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import bare_system, observe_system
from ansible_collections.itcare.maintenance.plugins.module_utils._health.temperatures import observe_temperatures
from ansible_collections.itcare.maintenance.plugins.module_utils._health.units import observe_units
from ansible_collections.itcare.maintenance.plugins.module_utils._health.worker import ask_all

SCHEMA = "itcare/health/v1"
SOURCES = {
    "filesystems": observe_filesystems,
    "smart": observe_smart,
    "units": observe_units,
    "journal": observe_journal,
    "reboot": observe_reboot,
    "libraries": observe_libraries,
    "time": observe_time,
    "uptime": observe_uptime,
    "memory": observe_memory,
    "temperatures": observe_temperatures,
    "batteries": observe_batteries,
    "administrators": observe_administrators,
    "listeners": observe_listeners,
    "firewall": observe_firewall,
    "encryption": observe_encryption,
}
DEFAULT_WINDOW_SECONDS = 7 * 86400
# A source stops by itself at this share of its time, with an answer that says more than the one of who kills it.
_OWN_SHARE = 0.9
_SYSTEM = "system"


def observe(
    names: list[str], *, services: list[str], since: float | None, source_timeout: int, root: str = "/"
) -> dict:
    """The observation of this computer: every named source asked at once, within `source_timeout` seconds.

    `since` is in seconds since 1970. One that is missing or, by this computer's clock, yet to come means seven days.
    """
    now = time.time()
    if since is None or since > now:
        since = now - DEFAULT_WINDOW_SECONDS
    request = Request(
        deadline=time.monotonic() + source_timeout * _OWN_SHARE,
        now=now,
        since=since,
        services=tuple(services),
        root=root,
    )
    functions = {name: _bind(SOURCES[name], request) for name in SOURCES if name in names}
    answers = ask_all({_SYSTEM: _bind(observe_system, request), **functions}, source_timeout)
    system = answers.pop(_SYSTEM)
    return {
        "schema": SCHEMA,
        "observed_at": write_instant(now),
        "system": system.data if system.state == "ok" else bare_system(),
        "sources": {name: answer.as_dict() for name, answer in answers.items()},
    }


def _bind(function, request: Request):
    return lambda: function(request)
