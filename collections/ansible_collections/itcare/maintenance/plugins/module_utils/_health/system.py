# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Which computer this is: distribution, kernel, virtual or not, and as whom the module runs."""

from __future__ import annotations

import os
import pwd
import shlex

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    clean_text,
    read_file,
    read_first_line,
)

# Word of the DMI vendor or product string -> hypervisor, as systemd-detect-virt names them.
_HYPERVISORS = (
    ("KVM", "kvm"),
    ("Google Compute Engine", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Virtual Machine", "microsoft"),
)


def observe_system(request: Request) -> dict:
    """The facts of the observation's `system` object."""
    release = read_os_release(request)
    return {
        "family": "linux",
        "distribution": release.get("ID"),
        "version": release.get("VERSION_ID"),
        "pretty_name": release.get("PRETTY_NAME"),
        "kernel": os.uname().release,
        "virtualization": detect_virtualization(request),
        "effective_user": _user_name(request, os.geteuid()),
        "uid": os.geteuid(),
    }


def bare_system() -> dict:
    """The same object when even these questions were not answered in time."""
    names = ("distribution", "version", "pretty_name", "virtualization", "effective_user")
    facts: dict = dict.fromkeys(names)
    return {**facts, "family": "linux", "kernel": os.uname().release, "uid": os.geteuid()}


def read_os_release(request: Request) -> dict[str, str]:
    """The fields of os-release(5); empty when the computer has none."""
    for parts in (("etc", "os-release"), ("usr", "lib", "os-release")):
        try:
            text = read_file(request.path(*parts), 16384).decode("utf-8", "replace")
        except OSError:
            continue
        return dict(_assignments(text))
    return {}


def _assignments(text: str):
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        try:
            words = shlex.split(value)
        except ValueError:
            words = [value]
        yield name, clean_text(words[0] if words else "")


def detect_container(request: Request) -> str | None:
    """The kind of container this is, None when it is none: the marks that systemd-detect-virt looks for."""
    manager = read_first_line(request.path("run", "systemd", "container"))
    if manager:
        return manager
    for mark, kind in (("run/.containerenv", "podman"), (".dockerenv", "docker"), ("proc/vz/veinfo", "openvz")):
        if os.path.exists(request.path(mark)) and not os.path.exists(request.path("proc/bc")):
            return kind
    if "microsoft" in (read_first_line(request.path("proc/sys/kernel/osrelease")) or "").lower():
        return "wsl"
    try:
        environment = read_file(request.path("proc/1/environ"), 65536).split(b"\0")
    except OSError:
        return None  # the environment of PID 1 is root's to read; a container has one of the other marks as a rule
    for entry in environment:
        if entry.startswith(b"container=") and len(entry) > len(b"container="):
            return clean_text(entry[len(b"container=") :], 40)
    return None


def detect_virtualization(request: Request) -> str | None:
    """ "container:KIND", the hypervisor's name, "none" on bare metal, None when nothing tells."""
    container = detect_container(request)
    if container is not None:
        return f"container:{container}"
    tables = [read_first_line(request.path("sys/class/dmi/id", name)) for name in ("sys_vendor", "product_name")]
    for table in tables:
        for word, hypervisor in _HYPERVISORS:
            if word in (table or ""):
                return hypervisor
    kind = read_first_line(request.path("sys/hypervisor/type"))
    if kind:
        return kind
    try:
        flags = read_file(request.path("proc/cpuinfo"), 65536)
    except OSError:
        return None
    if b" hypervisor" in flags:
        return "vm-other"
    return "none" if any(tables) else None


def read_users(request: Request) -> dict[int, str]:
    """uid -> name from the local file only: a directory service behind NSS may hang, and is not needed."""
    try:
        text = read_file(request.path("etc", "passwd")).decode("utf-8", "replace")
    except OSError:
        return {}
    rows = (line.split(":") for line in text.splitlines())
    return {int(row[2]): clean_text(row[0], 64) for row in rows if len(row) > 2 and row[2].isdecimal()}


def _user_name(request: Request, uid: int) -> str | None:
    name = read_users(request).get(uid)
    if name is not None:
        return name
    try:
        return clean_text(pwd.getpwuid(uid).pw_name, 64)
    except KeyError:
        return None
