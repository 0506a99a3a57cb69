# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Errors in the system journal since a given time, asked through journalctl in two bounded questions."""

from __future__ import annotations

import glob
import os
import time
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Told,
    Unavailable,
    read_first_line,
    write_instant,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.logline import (
    KERNEL_PATTERNS,
    OOMD_KILL,
    Line,
    group_lines,
    read_line,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import Output, run_tool

_MOST_ERRORS = 1500
_MOST_QUIET_TROUBLES = 300
# The second question reads every kernel line of the window; a firewall may have written millions of them.
_PROCESSOR_SECONDS = 1
# Enough for the first entry; journalctl is stopped once it has said this much.
_FIRST_BYTES = 3000
_ONE_DAY = 86400
_FIELDS = "PRIORITY,MESSAGE,MESSAGE_ID,SYSLOG_IDENTIFIER,_COMM,_SYSTEMD_UNIT,_TRANSPORT"


@dataclass(frozen=True)
class Found:
    """The entries of one question; `cut` when there were more, `failed` when it was not answered."""

    lines: list[Line]
    cut: bool
    remark: str | None = None
    failed: bool = False


def observe_journal(request: Request) -> object:
    """The groups of errors since `request.since`, or since the journal begins where that is later.

    Asked are entries of priority err and above, which the journal's index finds, and then the kernel's lines of
    lower priority that speak of trouble all the same (a read-only btrfs is an info line). Where there are more
    errors than are kept, the second question asks for trouble of any priority, so that noise hides none.
    """
    _check_access(request)
    errors = _ask(request, ["--priority=0..3"], _MOST_ERRORS)
    grave = _ask_grave(request, "0..6" if errors.cut else "4..6")
    lines = [line for line in errors.lines if not (errors.cut and not grave.failed and line.is_grave)] + grave.lines
    groups, cut_kinds = group_lines(lines)
    since, late = _find_beginning(request)
    is_empty = since is None
    data = {
        "since": write_instant(request.now if since is None else since),
        "asked_since": write_instant(request.since),
        "groups": groups,
        "truncated": errors.cut or grave.cut or bool(cut_kinds) or is_empty,
        "grave_truncated": grave.cut or bool(cut_kinds - {"other"}) or is_empty,
    }
    remarks = [remark for remark in (errors.remark, grave.remark, late) if remark]
    return Told(data, "; ".join(remarks)) if remarks else data


def _check_access(request: Request) -> None:
    """Whether the system's journal is there and may be read: journalctl would fall back to the user's own."""
    folders = [request.path("var/log/journal"), request.path("run/log/journal")]
    machine = read_first_line(request.path("etc/machine-id")) or "*"
    found = [file for folder in folders for file in glob.glob(os.path.join(folder, machine, "system*.journal"))]
    if any(os.access(file, os.R_OK) for file in found):
        return
    closed = [folder for folder in folders if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK)]
    inner = [folder for top in folders for folder in glob.glob(os.path.join(top, machine))]
    closed += [folder for folder in inner if not os.access(folder, os.R_OK | os.X_OK)]
    if found or closed:
        raise Unavailable("no_permission", "the system journal may only be read by root and group systemd-journal")
    raise Unavailable("no_journal", "this computer keeps no system journal")


def _ask(request: Request, matches: list[str], most: int, cpu_seconds: int | None = None) -> Found:
    """The newest `most` entries of the window that match."""
    argv = [*_question(request, _FIELDS), f"--lines={most}", *matches]
    output = run_tool(argv, request.deadline, max_bytes=most * 4000, cpu_seconds=cpu_seconds)
    lines = read_entries(output)
    return Found(lines, output.cut or len(lines) >= most, output.err or None)


def _question(request: Request, fields: str) -> list[str]:
    return [
        "journalctl",
        "--quiet",
        "--no-pager",
        "--output=json",
        f"--output-fields={fields}",
        f"--since=@{int(request.since)}",
    ]


def read_entries(output: Output) -> list[Line]:
    """The lines of journalctl's answer. Raises Unavailable: failed, unreadable, timeout (processor time used up).

    A filter by text that finds nothing ends with status 1 and no word.
    """
    nothing = output.rc == 1 and not output.out and not output.err
    if output.rc < 0 and not output.cut:
        raise Unavailable("timeout", f"journalctl was ended by signal {-output.rc}")
    if output.rc != 0 and not output.cut and not nothing:
        raise Unavailable("failed", output.err or f"journalctl ended with status {output.rc}")
    entries = output.out.split(b"\n")
    complete = entries[:-1]  # the text after the last newline is empty, or the piece of an entry that was cut
    if entries[-1] and not output.cut:
        raise Unavailable("unreadable", "journalctl's answer ends within an entry")
    lines = [read_line(entry) for entry in complete if entry.strip()]
    return [line for line in lines if line is not None]


def _ask_grave(request: Request, priorities: str) -> Found:
    """Kernel lines that speak of trouble and kills by systemd-oomd, with a remark when they were not read."""
    pattern = "|".join(f"({expression})" for _kind, expression in KERNEL_PATTERNS)
    kernel = [f"--priority={priorities}", "--case-sensitive=true", f"--grep={pattern}", "_TRANSPORT=kernel"]
    try:
        lines = _ask(request, kernel, _MOST_QUIET_TROUBLES, _PROCESSOR_SECONDS)
        kills = _ask(request, [f"--priority={priorities}", f"MESSAGE_ID={OOMD_KILL}"], _MOST_QUIET_TROUBLES)
    except Unavailable as error:
        if error.reason == "unreadable":
            raise
        return Found([], True, f"only entries of priority err and above were read: {error.detail}", failed=True)
    return Found([line for line in lines.lines + kills.lines if line.is_grave], lines.cut or kills.cut)


def _find_beginning(request: Request) -> tuple[float | None, str | None]:
    """Since when the journal tells, None for a long time without any entry; and a remark when it is not as asked.

    A first entry within a day of what was asked is a quiet beginning. Later, that part was lost, or the computer
    was off.
    """
    left = max(0.0, request.deadline - time.monotonic())
    try:
        output = run_tool(_question(request, "PRIORITY"), time.monotonic() + left / 2, max_bytes=_FIRST_BYTES)
        first = read_line(output.out.split(b"\n")[0]) if output.out else None
    except Unavailable:
        return request.since, "since when the journal tells could not be found out"
    if first is None:
        is_long = request.now - request.since >= _ONE_DAY
        return (None if is_long else request.since), "the journal has no entry of this time"
    if first.at - request.since < _ONE_DAY:
        return request.since, None
    return min(first.at, request.now), f"the journal begins at {write_instant(first.at)}"
