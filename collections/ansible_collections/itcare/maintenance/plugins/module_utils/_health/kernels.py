# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Which kernels are installed, and which of them this computer would start next."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Request, clean_text

_RELEASE = re.compile(r"\d+\.\d+[\w.+~-]*\Z")
# Linux boot protocol (Documentation/arch/x86/boot.rst): the magic, and the pointer to the version string.
_MAGIC_AT = 0x202
_VERSION_POINTER_AT = 0x20E
_SETUP_BYTES = 65536


@dataclass(frozen=True)
class Kernel:
    """An installed kernel; `appeared_at` (seconds since 1970) is the best known time of its installation."""

    release: str
    appeared_at: float


def list_kernels(request: Request) -> list[Kernel]:
    """The kernels in /boot and /lib/modules, the oldest release first.

    A package manager restores the time of the build as modification time, so the inode's change time tells of the
    installation; of several such times the earliest is nearest to it.
    """
    times: dict[str, list[float]] = {}
    for folder, prefix in (("boot", "vmlinuz-"), ("lib/modules", ""), ("usr/lib/modules", "")):
        try:
            entries = list(os.scandir(request.path(folder)))
        except OSError:
            continue
        for entry in entries:
            release = entry.name[len(prefix) :]
            if entry.name.startswith(prefix) and _RELEASE.match(release) and _is_kernel(entry, prefix):
                times.setdefault(release, []).append(entry.stat().st_ctime)
    kernels = [Kernel(clean_text(release, 100), min(found)) for release, found in times.items()]
    return sorted(kernels, key=lambda kernel: version_key(kernel.release))


def _is_kernel(entry: os.DirEntry, prefix: str) -> bool:
    """Whether the entry can be started: what a removed kernel leaves in /lib/modules is not one."""
    if prefix:
        return entry.is_file() and not entry.name.endswith((".old", ".bak", ".dpkg-bak", ".sig", ".hmac"))
    return os.path.isdir(os.path.join(entry.path, "kernel")) or os.path.exists(os.path.join(entry.path, "vmlinuz"))


def version_key(release: str) -> tuple:
    """Sorts release names: numbers by value, words before numbers (6.1.0-rc1 < 6.1.0-1), a longer name after."""
    parts = re.findall(r"\d+|[a-z]+", release.lower())
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)


def flavour(release: str) -> str:
    """What kind of kernel a release is, in letters: `cloud-amd` of 6.1.0-13-cloud-amd64, `generic`, `elx`, `arch`.

    An upgrade stays within a flavour; a kernel of another one is installed beside, and says nothing of a restart.
    """
    words = [re.sub(r"[^a-z]+", "", word.lower()) for word in release.split("-")[1:]]
    return "-".join(word for word in words if word and word != "rc")


def newer_than(running: str, kernels: list[Kernel]) -> list[Kernel] | None:
    """The installed kernels of the running one's flavour that are newer; None when that flavour is not installed."""
    same = [kernel for kernel in kernels if flavour(kernel.release) == flavour(running)]
    if not same:
        return None
    return [kernel for kernel in same if version_key(kernel.release) > version_key(running)]


def image_version(path: str) -> str | None:
    """The build ("#1 SMP ... Debian 6.1.76-1 ...") inside an x86 kernel image; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            setup = file.read(_SETUP_BYTES)
    except OSError:
        return None
    if setup[_MAGIC_AT : _MAGIC_AT + 4] != b"HdrS":
        return None
    start = int.from_bytes(setup[_VERSION_POINTER_AT : _VERSION_POINTER_AT + 2], "little") + 0x200
    text, end, _rest = setup[start : start + 512].partition(b"\0")
    mark = text.find(b"#")
    return clean_text(text[mark:], 200) if end and mark >= 0 else None
