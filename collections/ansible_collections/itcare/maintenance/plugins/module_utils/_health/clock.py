# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Whether the clock is kept right: by chrony where it runs, else by the kernel's own record of its keeper."""

from __future__ import annotations

import os

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Unavailable,
    clean_text,
    read_first_line,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import Output, find_tool, run_tool

# adjtimex(2): the offset is in nanoseconds where this bit of the status is set, else in microseconds.
_STA_NANO = 0x2000
# systemd calls a clock synchronised while the kernel's estimate of the largest error is below 16 s (time-util.c,
# ntp_synced); STA_UNSYNC alone may only mean that the kernel is to leave the hardware clock alone.
_LARGEST_ERROR_MICROSECONDS = 16_000_000
# What the kernel calls the keepers of the clock (15 letters at most) -> name of the service.
_KEEPERS = {
    "chronyd": "chrony",
    "systemd-timesyn": "systemd-timesyncd",
    "ntpd": "ntpd",
    "ntpd-rs": "ntpd-rs",
    "ntp-daemon": "ntpd-rs",
    "phc2sys": "phc2sys",
}
_CHRONY_FIELDS = 14
_SYSTEM_OFFSET, _LEAP = 4, 13


def observe_time(request: Request) -> dict:
    """The state of the clock, from the keeper that runs or else from the kernel."""
    keeper = find_keeper(request)
    if keeper == "chrony" and find_tool("chronyc") is not None:
        return {**read_tracking(run_tool(["chronyc", "-n", "-c", "tracking"], request.deadline)), "service": keeper}
    kernel = _ask_kernel()
    if keeper == "systemd-timesyncd":
        # The file is there once the daemon has set the clock; `timedatectl` has no further source, and starts a daemon.
        has_set = os.path.exists(request.path("run/systemd/timesync/synchronized"))
        return {
            "synchronised": kernel["synchronised"] and has_set,
            "offset_seconds": kernel["offset_seconds"],
            "method": "timesyncd",
            "service": keeper,
        }
    return {**kernel, "service": keeper}


def find_keeper(request: Request) -> str | None:
    """The service that keeps the clock, by the names of the running processes; None when there is none."""
    try:
        pids = [name for name in os.listdir(request.path("proc")) if name.isdecimal()]
    except OSError:
        return None
    running = {read_first_line(request.path("proc", pid, "comm")) for pid in pids}
    return next((service for name, service in _KEEPERS.items() if name in running), None)


def read_tracking(output: Output) -> dict:
    """The answer of `chronyc -c tracking`, one line of comma-separated fields (chronyc(1))."""
    if output.rc != 0:
        raise Unavailable("failed", output.err or clean_text(output.out) or "chronyc failed")
    fields = output.out.decode("utf-8", "replace").strip().split(",")
    try:
        if len(fields) < _CHRONY_FIELDS:
            raise ValueError("too few fields")
        offset = float(fields[_SYSTEM_OFFSET])
        if not abs(offset) < float("inf"):
            raise ValueError("no finite offset")
    except ValueError as error:
        raise Unavailable("unreadable", f"chronyc tracking: {error}") from error
    synchronised = fields[_LEAP].strip() in {"Normal", "Insert second", "Delete second"}
    return {"synchronised": synchronised, "offset_seconds": round(offset, 9), "method": "chrony"}


def judge_kernel(status: int, offset: int, largest_error: int) -> dict:
    """The kernel's record as facts; without a keeper its offset means nothing."""
    synchronised = largest_error < _LARGEST_ERROR_MICROSECONDS
    seconds = round(offset / (1e9 if status & _STA_NANO else 1e6), 9)
    return {
        "synchronised": synchronised,
        "offset_seconds": seconds if synchronised else None,
        "method": "adjtimex",
    }


def _ask_kernel() -> dict:
    try:
        import ctypes
    except ImportError as error:
        raise Unavailable("not_supported", "this Python was built without ctypes") from error

    class Timex(ctypes.Structure):
        """struct timex of <sys/timex.h>; the C library fills in `modes` = 0 as a question only."""

        _fields_ = [
            ("modes", ctypes.c_int),
            ("offset", ctypes.c_long),
            ("frequency", ctypes.c_long),
            ("largest_error", ctypes.c_long),
            ("estimated_error", ctypes.c_long),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_long * 32),
        ]

    record = Timex()
    library = ctypes.CDLL(None, use_errno=True)
    if library.adjtimex(ctypes.byref(record)) < 0:
        raise Unavailable("failed", clean_text(f"adjtimex: {os.strerror(ctypes.get_errno())}"))
    return judge_kernel(record.status, record.offset, record.largest_error)
