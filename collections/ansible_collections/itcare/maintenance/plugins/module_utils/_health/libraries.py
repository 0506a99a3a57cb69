# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Processes that still run on shared libraries which an upgrade has replaced on disk."""

from __future__ import annotations

import os
import re
import time

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Told,
    Unavailable,
    clean_text,
    read_first_line,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import read_users

# Only where package managers put libraries: programs unlink files of their own in /tmp, /dev/shm, memfd and SYSV.
_REPLACED = re.compile(
    rb" ((?:/usr)?(?:/local)?/lib(?:32|64|x32)?/[^\n]*?\.so(?:[.;][^/\n]*?)?) \(deleted\)$", re.MULTILINE
)
_MOST_PROCESSES = 50
_MOST_LIBRARIES = 5
_MAPS_BYTES = 8_000_000


class _Tally:
    """What was found so far."""

    def __init__(self) -> None:
        self.checked = 0
        self.unreadable = 0
        self.foreign = 0
        self.processes: list[dict] = []


def observe_libraries(request: Request) -> object:
    """The processes with a replaced library, and how many could be looked into."""
    try:
        pids = sorted(int(name) for name in os.listdir(request.path("proc")) if name.isdecimal())
    except OSError as error:
        raise why_not_read(error) from error
    tally = _Tally()
    users = read_users(request)
    left = 0
    for position, pid in enumerate(pids):
        if time.monotonic() >= request.deadline:
            left = len(pids) - position
            break
        if pid != os.getpid():
            _look_into(request, pid, users, tally)
    if tally.foreign == 0 and (os.geteuid() != 0 or tally.checked == 0):
        raise Unavailable("no_permission", f"processes of other users cannot be read ({tally.unreadable} tried)")
    if left:
        raise Unavailable("timeout", f"{left} of {len(pids)} processes were not looked into in time")
    data = {
        "processes": tally.processes[:_MOST_PROCESSES],
        "count": len(tally.processes),
        "checked": tally.checked,
        "unreadable": tally.unreadable,
    }
    if tally.unreadable:
        return Told(data, f"processes that could not be read: {tally.unreadable}")
    return data


def _look_into(request: Request, pid: int, users: dict[int, str], tally: _Tally) -> None:
    folder = request.path("proc", str(pid))
    try:
        owner = os.stat(folder).st_uid
        with open(os.path.join(folder, "maps"), "rb") as file:
            maps = file.read(_MAPS_BYTES)
    except PermissionError:
        tally.unreadable += 1
        return
    except OSError:
        return  # it ended meanwhile
    if not maps:
        return  # a thread of the kernel
    tally.checked += 1
    tally.foreign += owner != os.geteuid()
    libraries = find_replaced(maps)
    if libraries:
        name = read_first_line(os.path.join(folder, "comm"))
        row = {"pid": pid, "name": name or "unknown", "user": users.get(owner, str(owner))}
        tally.processes.append({**row, "libraries": libraries[:_MOST_LIBRARIES]})


def find_replaced(maps: bytes) -> list[str]:
    """The paths of replaced libraries in a process's memory map, sorted."""
    if b" (deleted)" not in maps:
        return []
    return sorted({clean_text(path) for path in _REPLACED.findall(maps)})
