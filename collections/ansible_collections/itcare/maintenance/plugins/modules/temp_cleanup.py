#!/usr/bin/python
# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: temp_cleanup
short_description: Remove old temporary files of a Linux computer, by named categories
version_added: 0.1.0
description:
  - Removes files that nobody has changed for some days and nobody has open, from folders that are made for such files.
  - The age is counted from the later of the last modification and the last change of the inode,
    so a file that was moved or unpacked there lately is young, whatever date it carries.
  - It removes each file as soon as it has decided about it, and tells what could not go. In check mode it decides the
    same and removes nothing.
  - It never follows a symbolic link, never leaves the mount on which a folder is, and never touches links, sockets,
    pipes and devices. What cannot be removed is counted with its reason and never forced.
attributes:
  check_mode:
    description: Plans without changing anything. RV(temp.categories) tells what a run would delete.
    support: full
  diff_mode:
    description: Shows no difference; the number of files has no limit.
    support: none
  platform:
    description: The operating systems that the module can clean.
    platforms: linux
    support: full
options:
  categories:
    description:
      - What to clean. V(system_temp) is C(/tmp) and C(/var/tmp), V(user_cache) the caches in people's homes without
        those of browsers, V(package_cache) downloaded packages of apt, dnf and apk.
      - The others are for contracts that name them. V(browser_cache) are caches of browsers, never their profiles or
        cookies; V(trash) is people's trash, by the time when something was thrown away; V(crash_reports) are memory
        images of crashed programs; V(journal) are old files of the system journal.
    type: list
    elements: str
    choices: [system_temp, user_cache, package_cache, browser_cache, trash, crash_reports, journal]
    default: [system_temp, user_cache, package_cache]
  min_age_days:
    description: Days for which a file must not have changed. At least 1.
    type: int
    default: 7
  exclude:
    description:
      - Shell globs of files and directories to leave alone, a directory with all that is in it.
      - A glob without a slash is matched with the last name, another one with the whole path.
    type: list
    elements: str
    default: []
  ceiling_bytes:
    description: The most bytes that one run may delete, by the length of the files. No limit by default.
    type: int
  ceiling_files:
    description: The most files that one run may delete. No limit by default.
    type: int
  journal_keep_days:
    description:
      - Days of the system journal to keep, as the contract says. Required for the category V(journal).
      - The larger of this and O(min_age_days) counts. A file of the journal stays while it holds one younger entry.
    type: int
author:
  - The itcare authors (!UNKNOWN)
notes:
  - Run it as root. Another user cannot see what others have open, so their files are left alone and counted.
  - The file C(docs/temp.md) of the collection describes the result and every reason.
  - Needs no Python library beyond the standard one, and Python 3.9 or newer on the computer.
"""

EXAMPLES = r"""
- name: See what could be cleaned
  itcare.maintenance.temp_cleanup:
  check_mode: true
  register: planned
  timeout: 900

- name: Clean, with the trash and at most 20 GB at once
  itcare.maintenance.temp_cleanup:
    categories:
      - system_temp
      - user_cache
      - trash
    min_age_days: 14
    ceiling_bytes: 20000000000
    exclude:
      - /var/tmp/build/*
  timeout: 900
"""

RETURN = r"""
temp:
  description: What was planned, deleted and skipped. C(docs/temp.md) of the collection has the whole format.
  returned: success
  type: dict
  contains:
    schema:
      description: Name and version of the format.
      type: str
      sample: itcare/temp/v1
    observed_at:
      description: When the run began, by the computer's own clock, in UTC.
      type: str
      sample: "2026-11-26T06:30:00.000000Z"
    mode:
      description: V(plan) or V(clean).
      type: str
      sample: clean
    min_age_days:
      description: The age that was asked for.
      type: int
      sample: 7
    categories:
      description: One entry per category that was asked for.
      type: dict
      sample:
        system_temp:
          state: ok
          reason: null
          paths: [/tmp, /var/tmp]
          planned: {files: 120, bytes: 52428800}
          deleted: {files: 120, bytes: 52428800}
          skipped: {too_young: {files: 15, bytes: 81920}}
          digest: 5f0d2a4f2f9d1c6b0b7d5a3e9c1f8e7d6c5b4a39281706f5e4d3c2b1a0918273
          ceiling_reached: false
          examples: [/tmp/report.pdf]
    differences:
      description: Where the cleaning differs from its own plan, at most 100 lines.
      type: list
      elements: str
    total:
      description: Files and bytes planned and deleted, over all categories.
      type: dict
      sample: {planned_files: 120, planned_bytes: 52428800, deleted_files: 120, deleted_bytes: 52428800}
    freed_bytes:
      description: Free space after the run less that before it, as measured. Others write meanwhile.
      type: int
      sample: 52400128
    blocks_bytes:
      description: Space that the deleted files took, counted when the last of a file's names went.
      type: int
      sample: 52494336
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.cleanup import (
    CATEGORIES,
    DEFAULT_CATEGORIES,
    JOURNAL,
    Order,
    clean_up,
    read_clock,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.decision import compile_globs

_AT_LEAST = {"min_age_days": 1, "ceiling_bytes": 0, "ceiling_files": 0, "journal_keep_days": 1}


def main() -> None:
    """Plan, clean unless in check mode, and hand on the account."""
    module = AnsibleModule(
        argument_spec={
            "categories": {
                "type": "list",
                "elements": "str",
                "choices": list(CATEGORIES),
                "default": list(DEFAULT_CATEGORIES),
            },
            "min_age_days": {"type": "int", "default": 7},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "ceiling_bytes": {"type": "int"},
            "ceiling_files": {"type": "int"},
            "journal_keep_days": {"type": "int"},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    for name, least in _AT_LEAST.items():
        if parameters[name] is not None and parameters[name] < least:
            module.fail_json(msg=f"{name} must be {least} or more")
    if JOURNAL in parameters["categories"] and parameters["journal_keep_days"] is None:
        module.fail_json(msg="the category journal needs journal_keep_days, the retention that the contract agrees on")
    temp, has_deleted = clean_up(
        Order(
            categories=tuple(parameters["categories"]),
            cleans=not module.check_mode,
            now=read_clock(),
            min_age_days=parameters["min_age_days"],
            exclude=compile_globs(parameters["exclude"]),
            ceiling_bytes=parameters["ceiling_bytes"],
            ceiling_files=parameters["ceiling_files"],
            journal_keep_days=parameters["journal_keep_days"],
        )
    )
    module.exit_json(changed=has_deleted, temp=temp)


if __name__ == "__main__":
    main()
