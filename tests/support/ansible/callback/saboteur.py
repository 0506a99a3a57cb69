# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Breaks the spool from inside the process: closes its descriptor before task number SABOTAGE_AT."""

from __future__ import annotations

import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: saboteur
type: notification
short_description: For tests only
description: For tests only.
author: the itcare authors
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "saboteur"
    CALLBACK_NEEDS_ENABLED = True
    _tasks = 0

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._tasks += 1
        if self._tasks != int(os.environ["SABOTAGE_AT"]):
            return
        for descriptor in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink("/proc/self/fd/" + descriptor)
            except OSError:
                continue
            if target.endswith(".jsonl"):
                os.close(int(descriptor))
