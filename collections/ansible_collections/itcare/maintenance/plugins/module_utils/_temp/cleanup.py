# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The whole run: one walk over every category that plans and, unless only that is wanted, removes what it planned."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Unavailable, write_instant
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.categories import (
    Category,
    find_held_lock,
    list_categories,
    open_roots,
    read_boot,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.decision import Rules
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import show_path
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.journal import (
    find_journals,
    plan_journal,
    vacuum_journal,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import look_at_descriptor
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.openfiles import OpenFiles
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.removal import Differences, Record, Remover
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.space import Space
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.sweep import Sweep, Walk
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.tally import (
    Budget,
    Links,
    Tally,
    count_skipped,
)

SCHEMA = "itcare/temp/v1"
FOLDER_CATEGORIES = ("system_temp", "user_cache", "package_cache", "browser_cache", "trash", "crash_reports")
JOURNAL = "journal"
CATEGORIES = (*FOLDER_CATEGORIES, JOURNAL)
DEFAULT_CATEGORIES = ("system_temp", "user_cache", "package_cache")
_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Order:
    """What the caller wants. `now`: seconds since 1970; `root`: in front of each path (a tree of the tests)."""

    categories: tuple[str, ...]
    cleans: bool
    now: float
    min_age_days: int = 7
    exclude: re.Pattern | None = None
    ceiling_bytes: int | None = None
    ceiling_files: int | None = None
    journal_keep_days: int | None = None
    root: str = ""


@dataclass
class Account:
    """What is known about one category at the end."""

    state: str = "absent"
    reason: str | None = None
    paths: list[str] = field(default_factory=list)
    planned: Tally = field(default_factory=Tally)
    removed: Tally = field(default_factory=Tally)

    def as_dict(self) -> dict:
        return {
            "state": self.state,
            "reason": self.reason,
            "paths": self.paths,
            "planned": self.planned.counts(),
            "deleted": self.removed.counts(),
            "skipped": count_skipped(self.planned, self.removed),
            "digest": f"{self.planned.digest:064x}",
            "ceiling_reached": self.planned.ceiling_reached,
            "examples": self.planned.examples,
        }


class Cleanup:
    """One run of the module."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._categories = list_categories(read_boot())
        self._open_files = OpenFiles()
        self._differences = Differences()
        self._space = Space()
        self._rules = Rules(int(order.now) - order.min_age_days * _DAY_SECONDS, order.exclude)
        self._accounts = {name: Account() for name in CATEGORIES if name in order.categories}
        self._journal_differences: list[str] = []

    @property
    def has_deleted(self) -> bool:
        """Whether anything is gone; it may have been nothing but empty directories."""
        return any(account.removed.entries for account in self._accounts.values())

    def run(self) -> dict:
        """Walk every category, clean unless only the plan is wanted, and tell."""
        try:
            self._walk()
            return self._tell()
        finally:
            self._space.close()

    def _walk(self) -> None:
        links = Links()
        remover = Remover(links) if self._order.cleans else None
        budget = Budget(self._order.ceiling_files, self._order.ceiling_bytes)
        self._open_files.refresh()
        walk = Walk(self._rules, self._open_files, budget, links, remover)
        for name, account in self._accounts.items():
            if name == JOURNAL:
                self._walk_journal(account, budget)
            else:
                self._walk_category(self._categories[name], account, walk)

    def _walk_category(self, category: Category, account: Account, walk: Walk) -> None:
        if not self._open_files.is_known:
            account.state, account.reason = "unavailable", "cannot_see_open_files"
            return
        if find_held_lock(category, self._order.root, self._open_files.identities):
            account.state, account.reason = "skipped", "in_use"
            return
        record = Record(account.planned, account.removed, self._differences)
        for root in open_roots(category, self._order.root, account.planned.skip):
            account.state, account.reason = "ok", None
            account.paths.append(show_path(root.path))
            self._space.watch(root.descriptor)
            sweep = Sweep(walk, category.scope, record)
            sweep.run(root.descriptor, look_at_descriptor(root.descriptor), root.path)
        if account.state == "absent" and account.planned.skipped:
            account.state, account.reason = "unavailable", next(iter(account.planned.skipped))

    def _walk_journal(self, account: Account, budget: Budget) -> None:
        try:
            for folder in find_journals(self._order.root):
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                    raise Unavailable("no_permission")
                account.state = "ok"
                account.paths.append(show_path(os.fsencode(folder)))
                keep_days = max(self._order.journal_keep_days, self._order.min_age_days)
                chosen, limit = plan_journal(folder, self._order.now, keep_days, budget, account.planned)
                self._space.watch_path(folder)
                if chosen and self._order.cleans:
                    self._journal_differences += vacuum_journal(folder, chosen, limit, account.removed)
        except Unavailable as error:
            account.state, account.reason = "unavailable", error.reason
        except OSError:
            account.state, account.reason = "unavailable", "error"

    def _compare(self) -> list[str]:
        counted = [
            f"{name}: {account.planned.entries} entries planned, {account.removed.entries} deleted"
            for name, account in self._accounts.items()
            if not account.planned.is_same_set(account.removed)
        ]
        return self._differences.merge(self._journal_differences, counted)

    def _tell(self) -> dict:
        cleans = self._order.cleans
        accounts = {name: account.as_dict() for name, account in self._accounts.items()}
        blocks_bytes = sum(account.removed.blocks_bytes for account in self._accounts.values())
        return {
            "schema": SCHEMA,
            "observed_at": write_instant(self._order.now),
            "mode": "clean" if cleans else "plan",
            "min_age_days": self._order.min_age_days,
            "categories": accounts,
            "differences": self._compare() if cleans else [],
            "total": {
                f"{kind}_{unit}": sum(account[kind][unit] for account in accounts.values())
                for kind in ("planned", "deleted")
                for unit in ("files", "bytes")
            },
            "freed_bytes": self._space.measure_freed(blocks_bytes) if cleans else 0,
            "blocks_bytes": blocks_bytes,
        }


def clean_up(order: Order) -> tuple[dict, bool]:
    """The result of one run under the key `temp` of the module, and whether anything was deleted."""
    cleanup = Cleanup(order)
    return cleanup.run(), cleanup.has_deleted


def read_clock() -> float:
    """Seconds since 1970 by this computer's clock."""
    return time.time()
