"""Import the private helpers of the collection into a test, without starting ansible.

Directories below `collections/` have no `__init__.py`; Python takes them as namespace packages.
"""

import importlib
import sys
from types import ModuleType

from tests.support.playbook import COLLECTIONS


def import_plugin_util(name: str) -> ModuleType:
    """A module of `plugins/plugin_utils`, such as `_spool.reduction`."""
    return _import("plugin_utils", name)


def import_module_util(name: str) -> ModuleType:
    """A module of `plugins/module_utils`, such as `_temp.cleanup`."""
    return _import("module_utils", name)


def _import(folder: str, name: str) -> ModuleType:
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    return importlib.import_module(f"ansible_collections.itcare.maintenance.plugins.{folder}.{name}")
