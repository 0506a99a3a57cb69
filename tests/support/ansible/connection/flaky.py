# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local connection with a link that drops."""

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: flaky
short_description: local connection that fails from the n-th command on
description: For tests. The commands of all tasks of a host are counted in a file.
author: the itcare authors
extends_documentation_fragment: connection_pipelining
options:
  become_success_timeout: {type: int, default: 10, description: as in local}
  become_strip_preamble: {type: bool, default: true, description: as in local}
  counter:
    type: path
    description: File that holds one byte per command so far; without it the link never drops.
    vars: [{name: flaky_counter}]
    env: [{name: FLAKY_COUNTER}]
  fail_from:
    type: int
    default: 1
    description: Number of the first command that fails.
    vars: [{name: flaky_fail_from}]
  drops:
    type: str
    default: before
    choices: [before, after]
    description: Whether the link drops before the command was sent or after it was carried out.
    vars: [{name: flaky_drops}]
"""


class Connection(LocalConnection):
    transport = "flaky"

    def exec_command(self, cmd, in_data=None, sudoable=True):
        fails = self._count_command()
        if fails and self.get_option("drops") == "before":
            raise AnsibleConnectionFailure("link dropped before the command")
        answer = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if fails:
            raise AnsibleConnectionFailure("link dropped after the command")
        return answer

    def _count_command(self):
        path = self.get_option("counter")
        if not path:
            return False
        with open(path, "ab") as file:
            file.write(b".")
            return file.tell() >= self.get_option("fail_from")
