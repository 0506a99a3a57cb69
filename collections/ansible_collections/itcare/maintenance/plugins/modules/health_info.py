#!/usr/bin/python
# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: health_info
short_description: Observe the health of a Linux computer
version_added: 0.1.0
description:
  - Gathers raw facts about disks, services, the system log, pending restarts, replaced libraries, the clock, memory,
    temperatures, batteries, administrators, listening sockets, the packet filter and disk encryption.
  - It judges nothing, changes nothing and installs nothing; it asks the tools that are there.
  - Every source is asked in a process of its own with a time limit, and fails alone.
    What is not on the computer is V(absent), what could not be asked is V(unavailable) with a reason.
attributes:
  check_mode:
    description: Runs the same in check mode, as it changes nothing.
    support: full
  diff_mode:
    description: Has no changes that it could show.
    support: none
  platform:
    description: The operating systems that the module can look at.
    platforms: linux
    support: full
options:
  services:
    description:
      - Services whose state is looked up, beside all failed units.
      - A name without a type means a C(.service).
    type: list
    elements: str
    default: []
  since:
    description:
      - The beginning of the part of the journal to look at, as an ISO 8601 instant with an offset or V(Z).
      - Without it, and when the instant is yet to come by the computer's own clock, the last seven days are looked at.
    type: str
  sources:
    description: The sources to ask; all by default.
    type: list
    elements: str
    choices:
      - filesystems
      - smart
      - units
      - journal
      - reboot
      - libraries
      - time
      - uptime
      - memory
      - temperatures
      - batteries
      - administrators
      - listeners
      - firewall
      - encryption
    default:
      - filesystems
      - smart
      - units
      - journal
      - reboot
      - libraries
      - time
      - uptime
      - memory
      - temperatures
      - batteries
      - administrators
      - listeners
      - firewall
      - encryption
  source_timeout:
    description:
      - Seconds that each source may take. The sources run side by side, so the module takes hardly longer.
    type: int
    default: 10
author:
  - The itcare authors (!UNKNOWN)
notes:
  - As an ordinary user, the system journal, SMART, the libraries of other users' processes, the administrators (sudo's
    rules are closed to others) and the packet filter are V(unavailable) with the reason V(no_permission), and listening
    sockets of other users have no program.
  - Names of accounts are personal data; they are part of RV(health.sources) where RV(health.sources.NAME.state=ok).
  - The file C(docs/health.md) of the collection describes the format of the result.
  - Needs no Python library beyond the standard one, and Python 3.9 or newer on the computer.
"""

EXAMPLES = r"""
- name: Look at the health of the computer
  itcare.maintenance.health_info:
    services:
      - ssh
      - postgresql
    since: "2026-11-01T06:00:00Z"
  register: observed
  timeout: 60

- name: Look at the disks only
  itcare.maintenance.health_info:
    sources:
      - filesystems
      - smart
  timeout: 60
"""

RETURN = r"""
health:
  description: The observation. It is no fact of the host, and is not stored among its facts.
  returned: success
  type: dict
  contains:
    schema:
      description: Name and version of the format.
      type: str
      sample: itcare/health/v1
    observed_at:
      description: When the observation began, by the computer's own clock, in UTC.
      type: str
      sample: "2026-11-26T06:30:00.000000Z"
    system:
      description: Distribution, kernel, kind of virtualization, and the user as whom the module ran.
      type: dict
      sample:
        family: linux
        distribution: debian
        version: "12"
        pretty_name: Debian GNU/Linux 12 (bookworm)
        kernel: 6.1.0-18-amd64
        virtualization: kvm
        effective_user: root
        uid: 0
    sources:
      description: One entry per source that was asked.
      type: dict
      contains:
        NAME:
          description: The answer of one source; C(docs/health.md) of the collection has the shape of each C(data).
          type: dict
          contains:
            state:
              description: V(ok), V(absent) (there is no such thing here) or V(unavailable) (it could not be asked).
              type: str
            reason:
              description: One word that says why, for V(absent) and V(unavailable).
              type: str
            detail:
              description: One line for a technician; with V(ok), what is missing from the data.
              type: str
            seconds:
              description: How long the source took.
              type: float
            data:
              description: What the source found; null unless RV(health.sources.NAME.state=ok).
              type: raw
      sample:
        uptime:
          state: ok
          reason: null
          detail: null
          seconds: 0.012
          data:
            seconds: 86400.5
            boot_at: "2026-11-25T06:29:59.500000Z"
            load: [0.1, 0.2, 0.1]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import read_instant
from ansible_collections.itcare.maintenance.plugins.module_utils._health.observation import SOURCES, observe


def main() -> None:
    """Ask the sources and hand on their answers."""
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "default": []},
            "since": {"type": "str"},
            "sources": {"type": "list", "elements": "str", "choices": list(SOURCES), "default": list(SOURCES)},
            "source_timeout": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    if module.params["source_timeout"] < 1:
        module.fail_json(msg="source_timeout is a number of seconds and must be 1 or more")
    since = None
    if module.params["since"] is not None:
        try:
            since = read_instant(module.params["since"])
        except (ValueError, OverflowError) as error:
            module.fail_json(msg=f"since is not an ISO 8601 instant with an offset, as 2026-11-01T06:00:00Z: {error}")
    health = observe(
        module.params["sources"],
        services=module.params["services"],
        since=since,
        source_timeout=module.params["source_timeout"],
    )
    module.exit_json(changed=False, health=health)


if __name__ == "__main__":
    main()
