# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the outcome of a task from what ansible-core hands to a callback.

Private to the collection itcare.maintenance. Where the answer is not certain, the outcome is the
one that asks for a second look: `timed_out` and `unreachable` win over `failed`, and `failed` over `ok`.
"""

from __future__ import annotations

import typing as t

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.reduction import is_censored


def read_outcome(kind: str, result: t.Mapping[str, t.Any], timeout: object, elapsed: float) -> str:
    """One of ok, changed, failed, skipped, unreachable, timed_out.

    `kind`: which callback brought the result (ok, failed, skipped, unreachable). `timeout`: the
    task's own limit in seconds, 0 for none. `elapsed`: seconds since the task was started.
    """
    items = [item for item in _items(result) if isinstance(item, dict)]
    if any(has_timed_out(part) for part in (result, *items)):
        return "timed_out"
    if _may_have_timed_out(kind, result, items, timeout, elapsed):
        return "timed_out"
    if kind == "unreachable" or any(item.get("unreachable") is True for item in items):
        return "unreachable"
    if kind == "ok" and result.get("changed") is True:
        return "changed"
    return kind


def _items(result: t.Mapping[str, t.Any]) -> list[t.Any]:
    items = result.get("results")
    return items if isinstance(items, list) else []


def has_timed_out(result: t.Mapping[str, t.Any]) -> bool:
    """Whether the task's own timeout, or the limit of an async task, cut this result short.

    A module can put these keys into its own result. That makes the outcome unknown and never
    good, so it is believed. In a loop with `failed_when` ansible-core reports a task whose item
    timed out as ok; hence the look at every item, whatever the callback was.
    """
    timed_out = result.get("timedout")
    return (isinstance(timed_out, dict) and "period" in timed_out) or "async_result" in result


def _may_have_timed_out(
    kind: str, result: t.Mapping[str, t.Any], items: list[dict[str, t.Any]], timeout: object, elapsed: float
) -> bool:
    """no_log hides `timedout` too; then a failure that lasted as long as the timeout counts as one."""
    if not any(is_censored(part) for part in (result, *items)) or not timeout:
        return False
    if kind != "failed" and not any("exception" in item for item in items):
        return False
    return not isinstance(timeout, int) or elapsed >= timeout  # a limit still a template is not comparable
