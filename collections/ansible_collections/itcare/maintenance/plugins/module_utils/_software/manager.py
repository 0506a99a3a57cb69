# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""What the package managers' tools have in common: their failures, told apart by what they said."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Unavailable
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import run_tool

# 200,000 packages with their publishers; a tool that says more is stopped.
_LARGEST_OUTPUT_BYTES = 48_000_000
# Words in the messages of dpkg, rpm (bdb, ndb, sqlite), snap and flatpak, in the C locale. The first that fits counts.
_REASONS = (
    ("no_permission", ("permission denied", "operation not permitted", "access denied")),
    ("locked", ("transaction lock", "shared lock", "exclusive lock", "is locked", "unable to lock", "waiting for")),
    (
        "damaged",
        (
            "damaged",
            "corrupt",
            "malformed",
            "parsing file",
            "not a database",
            "rpmdb",
            "db5",
            "bdb",
            "packages database",
        ),
    ),
    ("no_service", ("cannot communicate with server", "connection refused", "snapd.socket")),
)


@dataclass(frozen=True)
class Reply:
    """The lines of a query that went well, and what the tool remarked beside them."""

    lines: list[str]
    remark: str


def ask_manager(argv: list[str], deadline: float, home: str | None = None) -> Reply:
    """Run a package manager's query; `home` is the HOME it is to see.

    Raises Unavailable: not_installed, timeout, locked, damaged, no_permission, no_service, too_large or failed.
    """
    try:
        output = run_tool(argv, deadline, max_bytes=_LARGEST_OUTPUT_BYTES, home=home)
    except Unavailable as unavailable:
        if unavailable.reason == "timeout" and _reason_of(unavailable.detail or "", "timeout") == "locked":
            raise Unavailable("locked", unavailable.detail) from unavailable
        raise
    if output.cut:
        raise Unavailable("too_large", f"{argv[0]} said more than {_LARGEST_OUTPUT_BYTES} bytes")
    # rpm passes over a damaged entry with an error and a good exit status: what is left is no list of the software.
    if output.rc != 0 or "error:" in output.err:
        detail = output.err or f"{argv[0]} ended with status {output.rc}"
        raise Unavailable(_reason_of(detail, "failed"), detail)
    # Not `splitlines`: it would also break a line at the vertical tabs and separators of some name.
    lines = output.out.decode("utf-8", "replace").split("\n")
    return Reply(lines[:-1] if lines[-1] == "" else lines, output.err)


def _reason_of(text: str, otherwise: str) -> str:
    text = text.lower()
    return next((reason for reason, words in _REASONS if any(word in text for word in words)), otherwise)


def unreadable(tool: str, number: int) -> Unavailable:
    """The answer when line `number` of a tool's output is not of the known shape: the list cannot be trusted."""
    return Unavailable("unreadable", f"line {number} of the answer of {tool} is not of the known shape")
