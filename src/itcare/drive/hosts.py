"""Which hosts a run has, and how they are given to Ansible."""

import json
import os
import pwd
import re
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from itcare.contract.models import DEFAULT_SSH_PORT, Contract, ResolvedHost
from itcare.core.clock import Clock
from itcare.core.errors import BadInputError, UnsafeError

AGENT = "agent"
SYSTEM_PYTHON = "/usr/bin/python3"
_KEY = re.compile(r"key:([A-Za-z0-9][A-Za-z0-9._-]{0,63})")


def plan_hosts(contract: Contract, duty: str, limit: Sequence[str], clock: Clock) -> tuple[ResolvedHost, ...]:
    """The hosts a duty covers today, in the client's time zone; with `limit` only those named.

    Raises NotFoundError for an unknown duty, BadInputError for a name that is not among them, an
    empty choice, or a duty that covers no host today: a run of nothing proves nothing.
    """
    today = clock.now().astimezone(contract.zone).date()
    names = contract.subjects(duty, today)
    known = f"Hosts of {duty} on {today}: {', '.join(names) or 'none'}."
    if unknown := sorted(set(limit) - set(names)):
        raise BadInputError("limit the run to", ascii(unknown[0][:70]), "the duty has no such host today", known)
    chosen = [name for name in names if not limit or name in limit]
    if not chosen:
        raise BadInputError(
            "choose hosts for", f"{contract.client.code} {duty}", "no host is in scope", "Check the contract's days."
        )
    return tuple(host for host in contract.hosts_on(today) if host.name in chosen)


def credential_file(folder: Path, host: ResolvedHost) -> Path | None:
    """The private key a host's credential names, checked; None for `agent` and for no credential.

    `folder`: the client's own folder of credentials. Raises UnsafeError when the key is missing, is a
    link, belongs to somebody else, or others may read it.
    """
    match = _KEY.fullmatch(host.credential or "")
    if match is None:
        return None
    path = folder / match[1]
    try:
        status = path.lstat()
    except OSError as error:
        raise _bad_key(path, host, error.strerror or "it cannot be read") from error
    if not stat.S_ISREG(status.st_mode):
        raise _bad_key(path, host, "it is a link or no regular file")
    if status.st_uid != os.geteuid():
        raise _bad_key(path, host, "it belongs to another user")
    if status.st_mode & 0o177:
        raise _bad_key(path, host, f"its mode is {stat.S_IMODE(status.st_mode):04o}")
    return path


def _bad_key(path: Path, host: ResolvedHost, why: str) -> UnsafeError:
    return UnsafeError("use the key of", f"{host.name}, {path}", why, "Put the private key there, mode 0600, own user.")


def assign_sockets(hosts: Sequence[ResolvedHost], folder: Path) -> dict[str, Path]:
    """A control path for each ssh host: a number, since the name would not fit the kernel's limit."""
    remote = (host.name for host in hosts if host.connection == "ssh")
    return {name: folder / str(number) for number, name in enumerate(remote)}


def _default_python(host: ResolvedHost) -> str:
    """The system's Python; on this computer our own where the system has none."""
    return sys.executable if host.connection == "local" and not os.access(SYSTEM_PYTHON, os.X_OK) else SYSTEM_PYTHON


def write_inventory(
    hosts: Iterable[ResolvedHost],
    keys: Mapping[str, Path | None],
    sockets: Mapping[str, Path],
    variables: Mapping[str, object] | None = None,
) -> str:
    """Text of the inventory for the plugin itcare.maintenance.clients; every value in it is data.

    `variables`: role options of the duty, the same for every host.
    """
    entries = {host.name: _entry(host, keys.get(host.name), sockets.get(host.name), variables or {}) for host in hosts}
    return json.dumps({"schema": "itcare/inventory/v1", "hosts": entries}, sort_keys=True, indent=1) + "\n"


def _entry(
    host: ResolvedHost, key: Path | None, socket: Path | None, variables: Mapping[str, object]
) -> dict[str, Any]:
    return {
        "connection": host.connection,
        "address": host.address or host.name,
        "port": host.port or DEFAULT_SSH_PORT,
        "user": host.user or (pwd.getpwuid(os.geteuid()).pw_name if host.connection == "ssh" else None),
        "become": host.become,
        # Discovery may find a version manager's shim, which answers rc 127 to every module.
        "python": host.python or _default_python(host),
        "private_key_file": str(key) if key else None,
        "control_path": str(socket) if socket else None,
        "vars": {**variables, "visit_services": list(host.services)},
    }
