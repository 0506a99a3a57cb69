# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strict reader of the inventory export, schema itcare/inventory/v1.

Private to the collection itcare.maintenance.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
import typing as t

SCHEMA = "itcare/inventory/v1"
LARGEST_BYTES = 8 * 1024 * 1024
_DEPTH = 16

# One DNS label, lower case, and no device name of Windows: host names also become file names there.
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{device}{n}" for device in ("com", "lpt") for n in range(10))}
# Nothing here may begin with a hyphen: ssh would read it as an option.
_ADDRESS = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:%_-]{0,252}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?")
_PYTHON = re.compile(r"/[A-Za-z0-9_./+-]{1,254}")
_FILE = re.compile(r"/[^\x00-\x1f\x7f\ud800-\udfff]{1,1023}")
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")
_VARIABLE = re.compile(r"[a-z]+_[a-z_]+")
# Variables that ansible-core makes itself; the export must not look as if it could set them.
_RESERVED = {"group_names", "inventory_hostname", "inventory_hostname_short", "inventory_dir", "inventory_file",
             "play_hosts", "playbook_dir", "role_name", "role_path", "role_names", "role_uuid"}  # fmt: skip

_OPTIONAL_FILES = {"private_key_file": "ansible_ssh_private_key_file", "control_path": "ansible_control_path"}
_KEYS = {"connection", "address", "port", "user", "become", "python", "private_key_file", "control_path", "vars"}


class InventoryError(Exception):
    """The export is not usable; the message names the host and the key."""


def read_inventory(path: str) -> dict[str, dict[str, t.Any]]:
    """Variables by host name; raises InventoryError for anything that is not exactly as documented."""
    document = _load(path)
    if not isinstance(document, dict) or set(document) != {"schema", "hosts"}:
        raise InventoryError("it has to be an object with the keys 'schema' and 'hosts'")
    if document["schema"] != SCHEMA:
        raise InventoryError(f"schema {document['schema']!r} is not {SCHEMA!r}")
    if not isinstance(document["hosts"], dict) or not document["hosts"]:
        raise InventoryError("'hosts' has to be an object with at least one host")
    return {_check_name(name): _read_host(name, host) for name, host in document["hosts"].items()}


def _load(path: str) -> t.Any:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would hold up the run
            raise InventoryError("it is not a regular file")
        with open(path, "rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InventoryError(f"it cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_BYTES:
        raise InventoryError(f"it is larger than {LARGEST_BYTES} bytes")
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError:
        raise InventoryError("it is nested too deeply") from None
    except ValueError as error:
        raise InventoryError(f"it is no valid JSON: {error}") from error


def _unique(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return document


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is no number")


def _check_name(name: str) -> str:
    if not _HOST.fullmatch(name) or name in _DEVICES:
        raise InventoryError(f"host {ascii(name[:70])} is not one lower-case DNS label of at most 63 characters")
    return name


def _read_host(name: str, host: t.Any) -> dict[str, t.Any]:
    if not isinstance(host, dict) or set(host) != _KEYS:
        given = set(host) if isinstance(host, dict) else set()
        wrong = ", ".join(ascii(key) for key in sorted(given ^ _KEYS))
        raise InventoryError(f"host {name}: unknown or missing keys: {wrong or 'it is no object'}")
    if host["connection"] not in ("ssh", "local"):
        raise InventoryError(f"host {name}: 'connection' has to be ssh or local")
    is_local = host["connection"] == "local"
    port = host["port"]
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise InventoryError(f"host {name}: 'port' has to be a number from 1 to 65535")
    if not isinstance(host["become"], bool):
        raise InventoryError(f"host {name}: 'become' has to be true or false")
    variables = _read_variables(name, host["vars"])
    variables.update(
        ansible_connection=host["connection"],
        ansible_host=_text(name, host, "address", _ADDRESS),
        ansible_port=port,
        ansible_user=None if is_local and host["user"] is None else _text(name, host, "user", _USER),
        ansible_become=host["become"],
        ansible_become_method="ansible.builtin.sudo",
        ansible_python_interpreter=_text(name, host, "python", _PYTHON),
    )
    for key, variable in _OPTIONAL_FILES.items():
        # null is set too: a value of group_vars or of a configuration file must not fill the gap
        variables[variable] = None if host[key] is None else _text(name, host, key, _FILE)
    return variables


def _text(name: str, host: dict[str, t.Any], key: str, pattern: re.Pattern[str]) -> str:
    value = host[key]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InventoryError(f"host {name}: {key!r} has no usable value: {ascii(value)[:80]}")
    return value


def _read_variables(name: str, variables: t.Any) -> dict[str, t.Any]:
    if not isinstance(variables, dict):
        raise InventoryError(f"host {name}: 'vars' has to be an object")
    for key, value in variables.items():
        if not _VARIABLE.fullmatch(key) or key.startswith("ansible_") or key in _RESERVED:
            raise InventoryError(f"host {name}: {ascii(key[:70])} is not a name for a variable of a role")
        _check_value(name, key, value, 0)
    return dict(variables)


def _check_value(name: str, key: str, value: t.Any, depth: int) -> None:
    if depth > _DEPTH:
        raise InventoryError(f"host {name}: {key!r} is nested too deeply")
    if isinstance(value, str) and _UNCLEAN.search(value):
        raise InventoryError(f"host {name}: {key!r} holds a NUL or half a surrogate pair")
    if isinstance(value, float) and not math.isfinite(value):
        raise InventoryError(f"host {name}: {key!r} holds a number too large")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for part in value:
            _check_value(name, key, part, depth + 1)
