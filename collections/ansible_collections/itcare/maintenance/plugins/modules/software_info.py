#!/usr/bin/python
# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: software_info
short_description: List the software installed on a Linux computer
version_added: 0.1.0
description:
  - Lists the packages of every package manager that the computer has, and what its users installed for themselves.
  - It judges nothing, changes nothing, installs nothing and fetches nothing.
  - Every source is asked in a process of its own with a time limit, and fails alone.
    What is not on the computer is V(absent), what could not be asked is V(unavailable) with a reason.
  - As root, the homes of all users are asked, each in a process that has the user's rights and no others.
    C(pip), C(pipx) and C(npm) are not run; their notes are read.
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
  sources:
    description: The sources to ask; all by default.
    type: list
    elements: str
    choices: [dpkg, rpm, apk, snap, flatpak, pipx, pip_user, npm_global]
    default: [dpkg, rpm, apk, snap, flatpak, pipx, pip_user, npm_global]
  source_timeout:
    description:
      - Seconds that each source may take. The sources run side by side, so the module takes hardly longer.
    type: int
    default: 30
author:
  - The itcare authors (!UNKNOWN)
notes:
  - A large list comes packed, in RV(software.packed), because results above some 700 kB are lost on their way through
    several of Ansible's channels. The file C(docs/software.md) of the collection tells how to unpack it.
  - As an ordinary user, only one's own home is asked.
  - C(snap list) starts snapd where systemd is to start it on demand.
  - Needs no Python library beyond the standard one, and Python 3.9 or newer on the computer.
"""

EXAMPLES = r"""
- name: List the installed software
  itcare.maintenance.software_info:
  register: installed
  timeout: 120

- name: List the packages of the distribution only
  itcare.maintenance.software_info:
    sources:
      - dpkg
      - rpm
      - apk
  timeout: 120
"""

RETURN = r"""
software:
  description: The list. It is no fact of the host, and is not stored among its facts.
  returned: success
  type: dict
  contains:
    schema:
      description: Name and version of the format.
      type: str
      sample: itcare/software/v1
    observed_at:
      description: When the observation began, by the computer's own clock, in UTC.
      type: str
      sample: "2026-11-26T06:30:00.000000Z"
    sources:
      description: One entry per source that was asked.
      type: dict
      contains:
        NAME:
          description: How one source answered.
          type: dict
          contains:
            state:
              description: V(ok), V(absent) (there is no such thing here) or V(unavailable) (it could not be asked).
              type: str
            reason:
              description: One word that says why, for V(absent) and V(unavailable).
              type: str
            detail:
              description: One line for a technician; with V(ok), what may be missing from the list.
              type: str
            seconds:
              description: How long the source took.
              type: float
            count:
              description: Number of packages of this source; null unless RV(software.sources.NAME.state=ok).
              type: int
            unasked:
              description: Scopes that could not be asked though the source could. V(user:*) stands for all others.
              type: list
              elements: dict
              contains:
                scope:
                  description: V(machine), V(user:NAME) or V(user:*).
                  type: str
                reason:
                  description: One word that says why.
                  type: str
                detail:
                  description: One line for a technician.
                  type: str
      sample:
        dpkg:
          state: ok
          reason: null
          detail: null
          seconds: 0.213
          count: 1
          unasked: []
        rpm:
          state: absent
          reason: not_installed
          detail: null
          seconds: 0.012
          count: null
          unasked: []
    count:
      description: Number of packages of all sources.
      type: int
      sample: 1
    packages:
      description:
        - The packages, sorted by source, scope, name, architecture and version.
        - Null when the list is packed.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the package, as its manager knows it.
          type: str
        version:
          description: Version, as its manager writes it.
          type: str
        publisher:
          description: Maintainer, vendor or author, without addresses; null where it is not known.
          type: str
        architecture:
          description: The architecture the package is for; null where the source does not tell.
          type: str
        scope:
          description: V(machine), or V(user:NAME) for what a user installed.
          type: str
        installed_at:
          description: When this version came onto the computer, in UTC; null where nothing tells.
          type: str
        source:
          description: Name of the source.
          type: str
      sample:
        - name: openssh-server
          version: 1:9.2p1-2+deb12u3
          publisher: Debian OpenSSH Maintainers
          architecture: amd64
          scope: machine
          installed_at: "2026-10-02T04:11:09.000000Z"
          source: dpkg
    packed:
      description: The packages, when there are too many for a plain list.
      returned: when RV(software.packages) is null
      type: dict
      contains:
        encoding:
          description: Always V(gzip+base64).
          type: str
        bytes:
          description: Size of the list when unpacked.
          type: int
        sha256:
          description: SHA-256 of the unpacked list, in lower-case hexadecimal.
          type: str
        data:
          description: The list as canonical JSON (RFC 8785), compressed by gzip, in base64.
          type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.itcare.maintenance.plugins.module_utils._software.listing import SOURCES, observe


def main() -> None:
    """Ask the sources and hand on their answers."""
    module = AnsibleModule(
        argument_spec={
            "sources": {"type": "list", "elements": "str", "choices": list(SOURCES), "default": list(SOURCES)},
            "source_timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    if module.params["source_timeout"] < 1:
        module.fail_json(msg="source_timeout is a number of seconds and must be 1 or more")
    software = observe(module.params["sources"], source_timeout=module.params["source_timeout"])
    module.exit_json(changed=False, software=software)


if __name__ == "__main__":
    main()
