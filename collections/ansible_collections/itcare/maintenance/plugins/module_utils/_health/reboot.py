# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Whether the computer waits for a restart: the distribution's flag file, and the running against the newest kernel."""

from __future__ import annotations

import glob
import os

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Request,
    Unavailable,
    clean_text,
    read_file,
    write_instant,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.kernels import (
    Kernel,
    image_version,
    list_kernels,
    newer_than,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import detect_container

_MOST_REASONS = 20


def observe_reboot(request: Request) -> dict:
    """The answer of the flag file, of the kernels, or of both; unavailable where neither can tell."""
    container = detect_container(request)
    if container is not None:
        raise Absent("container", f"a {container} container runs its host's kernel")
    running = os.uname()
    kernels = list_kernels(request)
    newer = _waiting_kernels(request, running, kernels)
    flagged_at = _flag_time(request)
    flag_tells = flagged_at is not None or flag_is_written(request)
    if newer is None and not flag_tells:
        raise Unavailable("not_supported", "no kernel of the running kind is installed, and nothing writes a flag file")
    since = [kernel.appeared_at for kernel in newer or []] + ([] if flagged_at is None else [flagged_at])
    return {
        "pending": bool(newer) or flagged_at is not None,
        "since": write_instant(min(since)) if since else None,
        "reasons": [*_flag_reasons(request, flagged_at), *(f"kernel {kernel.release}" for kernel in newer or [])][
            :_MOST_REASONS
        ],
        "method": "both" if flag_tells and newer is not None else "flag_file" if flag_tells else "kernel",
        "running_kernel": clean_text(running.release, 100),
        "newest_kernel": _newest(running.release, newer),
    }


def _newest(running: str, newer: list[Kernel] | None) -> str | None:
    if newer is None:
        return None
    return newer[-1].release if newer else clean_text(running, 100)


def _waiting_kernels(request: Request, running: os.uname_result, kernels: list[Kernel]) -> list[Kernel] | None:
    """The newer kernels; also the running one when its file was replaced by another build of the same release."""
    newer = newer_than(running.release, kernels)
    if newer is None or newer:
        return newer
    built = image_version(request.path("boot", f"vmlinuz-{running.release}"))
    if built is None or built == clean_text(running.version):
        return []
    return [kernel for kernel in kernels if kernel.release == running.release]


def _flag_time(request: Request) -> float | None:
    for flag in ("run/reboot-required", "var/run/reboot-required"):
        try:
            return os.stat(request.path(flag)).st_mtime
        except OSError:
            continue
    return None


def _flag_reasons(request: Request, flagged_at: float | None) -> list[str]:
    """The packages that asked for the restart, as far as they left their names."""
    if flagged_at is None:
        return []
    try:
        names = read_file(request.path("run/reboot-required.pkgs"), 16384).decode("utf-8", "replace").split()
    except OSError:
        names = []
    return sorted({clean_text(name, 100) for name in names}) or ["flag file"]


def flag_is_written(request: Request) -> bool:
    """Whether something installed here would write the flag, so that its absence means something.

    That is update-notifier's script, and the kernel hooks of unattended-upgrades and others that name the file.
    """
    if os.path.exists(request.path("usr/share/update-notifier/notify-reboot-required")):
        return True
    for hook in glob.glob(request.path("etc/kernel/postinst.d", "*")):
        try:
            if os.access(hook, os.X_OK) and b"reboot-required" in read_file(hook, 65536):
                return True
        except OSError:
            continue
    return False
