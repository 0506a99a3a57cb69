# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Old files of the system journal, removed by journalctl itself and never younger than the retention agreed on."""

from __future__ import annotations

import hashlib
import math
import os
import re
import struct
import time
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import run_tool
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.tally import Budget, Tally

FOLDERS = ("/var/log/journal", "/run/log/journal")
_DAY_SECONDS = 86400
# systemd, journal-vacuum.c: archived files carry the time of their first entry, damaged ones that of their discovery.
_ARCHIVED = re.compile(r".+@[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{16})\.journal")
_DAMAGED = re.compile(r".+@([0-9a-f]{16})-[0-9a-f]{16}\.journal~")
# systemd, journal-def.h: signature, ..., number of entries, ..., time of the last entry in microseconds
_HEADER = struct.Struct("<8s144xQ32xQ")
_SIGNATURE = b"LPKSHHRH"
_MOST_HEADER_BYTES = 256
# journalctl counts back from its own start, a little later than ours.
_MARGIN_SECONDS = 120
_TOOL_SECONDS = 300
_BLOCK_BYTES = 512


@dataclass(frozen=True)
class JournalFile:
    """`first` and `last`: seconds since 1970 of its oldest entry as journalctl reckons it, and of its youngest.

    journalctl takes a file without entries along whenever it removes anything.
    """

    path: str
    size: int
    blocks_bytes: int
    first: float
    last: float
    is_empty: bool

    @property
    def key(self) -> int:
        text = f"{self.path}\0{self.size} {self.first:.6f}"
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest(), "big")


def find_journals(root: str) -> list[str]:
    """The folders with this computer's journal."""
    try:
        with open(root + "/etc/machine-id", encoding="ascii", errors="replace") as file:
            machine = file.read(64).strip()
    except OSError:
        return []
    if not re.fullmatch(r"[0-9a-f]{32}", machine):
        return []
    folders = [f"{root}{folder}/{machine}" for folder in FOLDERS]
    return [folder for folder in folders if os.path.isdir(folder) and not os.path.islink(folder)]


def list_files(folder: str) -> list[JournalFile]:
    """The files that are no longer written to, empty ones first, then by age; raises OSError."""
    files = []
    with os.scandir(folder) as entries:
        for entry in entries:
            match = _ARCHIVED.fullmatch(entry.name) or _DAMAGED.fullmatch(entry.name)
            if match and entry.is_file(follow_symlinks=False):
                files.append(_read_file(entry, int(match[1], 16) / 1e6))
    return sorted(files, key=lambda file: (not file.is_empty, file.first, file.path))


def _read_file(entry: os.DirEntry, named: float) -> JournalFile:
    status = entry.stat(follow_symlinks=False)
    with open(entry.path, "rb") as file:
        head = file.read(_MOST_HEADER_BYTES)
    first, last = min(named, status.st_ctime, status.st_atime, status.st_mtime), status.st_mtime
    is_empty = len(head) < _HEADER.size
    if not is_empty and head.startswith(_SIGNATURE):
        _signature, entries, tail = _HEADER.unpack_from(head)
        is_empty = entries == 0
        last = tail / 1e6 if tail else last
    return JournalFile(entry.path, status.st_size, status.st_blocks * _BLOCK_BYTES, first, max(first, last), is_empty)


def choose_limit(files: list[JournalFile], now: float, keep_days: int) -> float:
    """The time before which a file must have begun so that journalctl may remove it.

    `--vacuum-time` removes a file by its first entry, even if its last one is from yesterday. So the limit goes back
    to before the oldest file with an entry that is still to be kept.
    """
    cutoff = now - keep_days * _DAY_SECONDS
    return min([cutoff, *(file.first for file in files if file.last > cutoff and not file.is_empty)]) - _MARGIN_SECONDS


def plan_journal(
    folder: str, now: float, keep_days: int, budget: Budget, tally: Tally
) -> tuple[list[JournalFile], float]:
    """The files that are to go, and the limit that lets journalctl remove these and no others; raises OSError."""
    files = list_files(folder)
    limit = stop = choose_limit(files, now, keep_days)
    chosen: list[JournalFile] = []
    for file in files:
        if file.first >= limit and not file.is_empty:
            tally.skip("too_young", file.size)
        elif tally.ceiling_reached or not budget.takes(file.size):
            tally.ceiling_reached = True
            stop = min(stop, file.first)
            tally.skip("over_ceiling", file.size)
        else:
            chosen.append(file)
    if any(file.is_empty for file in files if file not in chosen):
        chosen = []  # journalctl would not stop at the ceiling
    for file in chosen:
        tally.add(file.key, file.size, 0, os.fsencode(file.path))
    return chosen, stop


def vacuum_journal(folder: str, chosen: list[JournalFile], limit: float, tally: Tally) -> list[str]:
    """Let journalctl remove the chosen files and count what went; returns lines about what differs from the plan.

    Raises Unavailable when journalctl is missing or fails to start, OSError when the folder cannot be read.
    """
    before = {file.path: file for file in list_files(folder)}
    seconds = math.ceil(time.time() - limit)
    output = run_tool(
        ["journalctl", "--quiet", f"--directory={folder}", f"--vacuum-time={seconds}s"],
        time.monotonic() + _TOOL_SECONDS,
    )
    after = {file.path for file in list_files(folder)}
    gone = [file for path, file in before.items() if path not in after]
    for file in gone:
        tally.add(file.key, file.size, file.blocks_bytes, os.fsencode(file.path))
    planned = {file.path for file in chosen}
    differences = [f"{file.path}: deleted, not planned" for file in gone if file.path not in planned]
    for file in chosen:
        if file.path in after:
            tally.skip("error", file.size)
            differences.append(
                f"{file.path}: planned, not deleted ({output.err or f'journalctl ended with {output.rc}'})"
            )
    return differences
