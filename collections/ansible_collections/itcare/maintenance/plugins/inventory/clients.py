# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory of one run, exported by the driver."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clients
short_description: Read the hosts of one run from a checked export
version_added: 0.1.0
author:
  - The itcare authors
description:
  - Reads a JSON file of schema C(itcare/inventory/v1) whose name ends in C(.itcare.json).
  - Every value counts as untrusted. Braces in it are text and are never evaluated as a template.
  - The file is refused as a whole if anything in it is unknown, missing, of a wrong type or not a plain name, because a
    host that silently drops out of a run looks like a host on which nothing had to be done.
  - The connection is always set, so that no host is reached in another way than the contract says.
options: {}
notes:
  - Set C(unparsed_is_failed = True) in the section C([inventory]) of C(ansible.cfg); otherwise ansible-core goes on
    without hosts when a file is refused.
"""

EXAMPLES = r"""
# ansible-playbook -i run.itcare.json playbook.yml, with this run.itcare.json:
#
# {"schema": "itcare/inventory/v1",
#  "hosts": {"pc01": {"connection": "ssh", "address": "192.0.2.7", "port": 22, "user": "maintenance", "become": true,
#                     "python": "/usr/bin/python3", "private_key_file": null, "control_path": null,
#                     "vars": {"visit_services": ["ssh"]}}}}
"""

import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

from ansible_collections.itcare.maintenance.plugins.plugin_utils._inventory import InventoryError, read_inventory

if t.TYPE_CHECKING:
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader


class InventoryModule(BaseInventoryPlugin):
    """Adds the hosts of the file, each with the same set of connection variables."""

    NAME = "itcare.maintenance.clients"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(".itcare.json")

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        try:
            hosts = read_inventory(path)
        except InventoryError as error:
            raise AnsibleParserError(f"Inventory {path!r} is refused: {error}") from error
        for name, variables in hosts.items():
            inventory.add_host(name)
            for key, value in variables.items():
                inventory.set_variable(name, key, value)
