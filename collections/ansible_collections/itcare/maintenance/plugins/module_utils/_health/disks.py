# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Which physical disks the computer has, read from /sys/block: a virtual disk has no health of its own."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Request, read_first_line

# SATA, SAS and USB disks, NVMe namespaces, soldered flash. Not here, and so no disks: virtio (vd), Xen (xvd),
# loop, device mapper, md, zram, ram, optical (sr), network (nbd, rbd, drbd) and the hidden paths of NVMe (c0).
_DISK_NAME = re.compile(r"(sd[a-z]+|nvme\d+n\d+|mmcblk\d+)\Z")
# What hypervisors, remote-controlled management boards and iSCSI targets call the disks that they make up.
_VIRTUAL_VENDORS = frozenset({"QEMU", "VMware", "VMware,", "VBOX", "Msft", "Google", "Xen", "LIO-ORG", "AMI"})
_VIRTUAL_MODELS = re.compile(
    r"(VBOX HARDDISK|QEMU HARDDISK|VMware Virtual|Virtual Disk|Virtual HDisk|VIRTUAL-DISK|PersistentDisk"
    r"|nvme_card|Amazon (EC2|Elastic)|Amazon EC2 NVMe|MSFT NVMe|Microsoft NVMe|BlockVolume)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Disk:
    """A physical disk; `device` is what smartctl is asked about, `type_` its `-d` argument if it needs one."""

    device: str
    model: str | None
    type_: str | None = None

    @property
    def label(self) -> str:
        """The name in the answer: one device may stand for several disks behind a RAID controller."""
        return self.device if self.type_ is None else f"{self.device} [{self.type_}]"

    @property
    def is_flash(self) -> bool:
        """Whether this is soldered flash (eMMC), which speaks no SMART."""
        return self.device.startswith("/dev/mmcblk")


def list_disks(request: Request) -> tuple[list[Disk], set[str]]:
    """The physical disks by the kernel's list, and the device names of those it has that are virtual."""
    try:
        names = sorted(os.listdir(request.path("sys", "block")))
    except OSError:
        return [], set()
    disks, virtual = [], set()
    for name in names:
        if not _DISK_NAME.match(name):
            continue
        device = "/dev/" + re.sub(r"(nvme\d+)n\d+\Z", r"\1", name)
        model = _attribute(request, name, "device/model")
        if _is_physical(request, name, model):
            disks.append(Disk(device, model))
        else:
            virtual.add(device)
    unique = {disk.device: disk for disk in disks}  # one controller, several namespaces
    return list(unique.values()), virtual - unique.keys()


def _is_physical(request: Request, name: str, model: str | None) -> bool:
    if _attribute(request, name, "size") == "0":
        return False  # a card reader without a card
    if _attribute(request, name, "removable") == "1":
        return False  # a stick that somebody left in
    if name.startswith("mmcblk") and _attribute(request, name, "device/type") != "MMC":
        return False  # a card
    vendor = (_attribute(request, name, "device/vendor") or "").strip()
    return vendor not in _VIRTUAL_VENDORS and not _VIRTUAL_MODELS.search(model or "")


def _attribute(request: Request, name: str, attribute: str) -> str | None:
    return read_first_line(request.path("sys", "block", name, *attribute.split("/"))) or None
