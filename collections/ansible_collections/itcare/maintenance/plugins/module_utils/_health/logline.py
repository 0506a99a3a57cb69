# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""What the lines of a system log say: which kind of trouble a line is, and groups of lines of one kind."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    as_mapping,
    clean_text,
    read_json,
    write_instant,
)

# MESSAGE_ID of systemd-oomd's kills (systemd's sd-messages.h); the kernel's own kills are kernel lines.
OOMD_KILL = "d989611b15e44c9dbf31e3c81256e4ed"

# The first pattern that matches names the kind. Written as the intersection of Python's and PCRE2's syntax:
# journalctl filters by the same expressions. Origins in the kernel: mm/oom_kill.c, block/blk-core.c, fs/buffer.c,
# drivers/{nvme/host,ata/libata-eh.c,md,edac}, fs/{ext4,xfs,btrfs,f2fs}, arch/x86/kernel/cpu/mce.
KERNEL_PATTERNS = (
    ("oom_kill", r"Out of memory( \(oom_kill_allocating_task\))?: Kill|Memory cgroup out of memory: Kill"),
    ("remount_read_only", r"[Rr]emounting filesystem read-only|forced readonly|Remounting read-only"),
    ("machine_check", r"\[Hardware Error\]|mce: .*Machine [Cc]heck|EDAC .*: \d+ UE |Uncorrected hardware memory error"),
    (
        "filesystem",
        r"EXT[234]-fs error|JBD2: .*[Ee]rror|XFS \(.*\): .*([Cc]orruption|[Ss]hut ?down|[Mm]etadata I/O [Ee]rror)"
        r"|BTRFS(: | )(error|critical)|F2FS-fs .*(inconsistent|corrupt)|FAT-fs .*error",
    ),
    (
        "disk_io",
        r"I/O error, dev |critical (medium|target|space allocation) error, dev |Buffer I/O error on dev"
        r"|nvme.*(I/O .*timeout|controller is down)|ata\d+\.\d+: failed command|device offlined|Disk failure on ",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in KERNEL_PATTERNS)
# Empty optical drives and the floppy that virtual machines pretend to have answer every read with an error.
_NO_DISK = re.compile(r"dev (fd|sr)\d")

_SAMPLE_CHARACTERS = 300
_MOST_GROUPS = 60


@dataclass(frozen=True)
class Line:
    """One entry of the log; `at` is in seconds since 1970, `priority` as in syslog(3)."""

    at: float
    source: str
    is_kernel: bool
    priority: int
    text: str
    message_id: str | None = None

    @property
    def kind(self) -> str:
        """oom_kill, disk_io, filesystem, remount_read_only, machine_check, or other."""
        if self.message_id == OOMD_KILL:
            return "oom_kill"
        if self.is_kernel and not _NO_DISK.search(self.text):
            for kind, pattern in _COMPILED:
                if pattern.search(self.text):
                    return kind
        return "other"

    @property
    def is_grave(self) -> bool:
        """Whether it speaks of failing hardware, a damaged file system or too little memory."""
        return self.kind != "other"


def read_line(text: bytes) -> Line | None:
    """One entry of `journalctl -o json`; None without a time of its own.

    A field is a string, an array of bytes (no UTF-8), an array of values (given several times) or null (too long).
    Raises Unavailable("unreadable") for what is no JSON.
    """
    entry = as_mapping(read_json(text, "journalctl"))
    stamp = _field(entry, "__REALTIME_TIMESTAMP")
    if not stamp.isdecimal() or len(stamp) > 18:
        return None
    is_kernel = _field(entry, "_TRANSPORT") == "kernel"
    names = ("SYSLOG_IDENTIFIER", "_COMM", "_SYSTEMD_UNIT")
    source = "kernel" if is_kernel else next((name for key in names if (name := _field(entry, key))), "unknown")
    priority = _field(entry, "PRIORITY")
    return Line(
        at=int(stamp) / 1_000_000,
        source=clean_text(source, 80),
        is_kernel=is_kernel,
        priority=int(priority) if priority in set("01234567") else 6,
        text=clean_text(_field(entry, "MESSAGE"), _SAMPLE_CHARACTERS),
        message_id=_field(entry, "MESSAGE_ID") or None,
    )


def _field(entry: dict, name: str) -> str:
    value = entry.get(name)
    if isinstance(value, list) and value and all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, list) and value:
        value = value[-1]
    return value if isinstance(value, str) else ""


def group_lines(lines: list[Line]) -> tuple[list[dict], set[str]]:
    """Groups of one kind and source, troubles first, then by count; and the kinds of which groups are left out."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in sorted(lines, key=lambda one: one.at):
        groups.setdefault((line.kind, line.source), []).append(line)
    order = sorted(groups, key=lambda key: (key[0] == "other", -len(groups[key]), key))
    return [_group(key, groups[key]) for key in order[:_MOST_GROUPS]], {kind for kind, _source in order[_MOST_GROUPS:]}


def _group(key: tuple[str, str], lines: list[Line]) -> dict:
    return {
        "kind": key[0],
        "source": key[1],
        "count": len(lines),
        "first_at": write_instant(lines[0].at),
        "last_at": write_instant(lines[-1].at),
        "sample": lines[-1].text,
    }
