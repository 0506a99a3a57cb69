# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which arguments of which module may be stored as they stand in the playbook.

Private to the collection itcare.maintenance. An allow-list, because ansible-core censors the
result of a no_log task but not its arguments. Templates are stored unevaluated.
"""

from __future__ import annotations

import typing as t

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.redaction import NOTHING, Redaction
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.reduction import clean

_SERVICE = ("name", "state", "enabled")
_PACKAGE = ("name", "state")
_FILE = ("path", "state", "mode")
_OWN = (
    "services",
    "since",
    "sources",
    "source_timeout",
    "categories",
    "min_age_days",
    "exclude",
    "ceiling_bytes",
    "ceiling_files",
    "journal_keep_days",
)
_ALLOWED = {
    "ansible.builtin.service": _SERVICE,
    "ansible.builtin.systemd": _SERVICE,
    "ansible.builtin.systemd_service": _SERVICE,
    "ansible.builtin.sysvinit": _SERVICE,
    "ansible.builtin.apt": _PACKAGE,
    "ansible.builtin.dnf": _PACKAGE,
    "ansible.builtin.dnf5": _PACKAGE,
    "ansible.builtin.package": _PACKAGE,
    "ansible.builtin.file": _FILE,
    "ansible.builtin.stat": ("path",),
}
_CHARACTERS = 1024
_ITEMS = 64


def select_arguments(module: str, arguments: t.Mapping[str, t.Any], redaction: Redaction = NOTHING) -> dict[str, t.Any]:
    """The harmless arguments of a task: text, numbers, booleans and lists of them, capped."""
    names = _OWN if module.startswith("itcare.maintenance.") else _ALLOWED.get(module, ())
    selected = {name: _plain(arguments[name], redaction) for name in names if name in arguments}
    return {name: value for name, value in selected.items() if value is not None}


def _plain(value: t.Any, redaction: Redaction) -> t.Any:
    # A vault-encrypted value is none of these types: it is left out, never decrypted.
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return clean(redaction.apply(value)[:_CHARACTERS])
    if isinstance(value, (int, float)) and abs(value) < 2**53:
        return value + 0
    if isinstance(value, (list, tuple)):
        parts = [_plain(part, redaction) for part in value[:_ITEMS]]
        return [part for part in parts if part is not None and not isinstance(part, list)]
    return None
