"""Health observations of invented computers, in the shape of `itcare/health/v1`."""

import copy
from ipaddress import IPv4Address

GB = 10**9
ANYWHERE = str(IPv4Address(0))
OBSERVED_AT = "2026-11-26T08:00:00.000000Z"


def ok(data: object) -> dict[str, object]:
    return {"state": "ok", "reason": None, "detail": None, "seconds": 0.1, "data": data}


def absent() -> dict[str, object]:
    return {"state": "absent", "reason": None, "detail": None, "seconds": 0.0, "data": None}


def unavailable(reason: str | None, detail: str | None = None) -> dict[str, object]:
    return {"state": "unavailable", "reason": reason, "detail": detail, "seconds": 0.0, "data": None}


def file_system(
    mount: str = "/", total: int = 980 * GB, available: int = 500 * GB, **other: object
) -> dict[str, object]:
    row: dict[str, object] = {
        "device": "/dev/sda2",
        "mount": mount,
        "type": "ext4",
        "total_bytes": total,
        "available_bytes": available,
        "used_bytes": total - available,
        "inodes_total": 60_000_000,
        "inodes_free": 59_000_000,
        "read_only": False,
    }
    return row | other


def ata_disk(**other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "device": "/dev/sda",
        "model": "EXAMPLE HDD 4000",
        "protocol": "ata",
        "state": "ok",
        "reason": None,
        "passed": True,
        "reallocated": 0,
        "pending": 0,
        "uncorrectable": 0,
        "critical_warning": None,
        "percentage_used": None,
        "available_spare": None,
        "available_spare_threshold": None,
    }
    return row | other


def nvme_disk(**other: object) -> dict[str, object]:
    counters = {"reallocated": None, "pending": None, "uncorrectable": None, "critical_warning": 0}
    life = {"percentage_used": 3, "available_spare": 100, "available_spare_threshold": 10}
    return ata_disk(device="/dev/nvme0", model="EXAMPLE NVME 512", protocol="nvme") | counters | life | other


def log_group(kind: str, **other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "kind": kind,
        "source": "kernel",
        "count": 3,
        "first_at": "2026-11-25T01:00:00.000000Z",
        "last_at": "2026-11-25T02:30:00.000000Z",
        "sample": "an entry of the log",
    }
    return row | other


def units(
    failed: list[object] | None = None, services: dict[str, object] | None = None, state: str = "running"
) -> object:
    return {"system_state": state, "failed": failed or [], "services": services or {}}


def journal(groups: list[object] | None = None, truncated: bool = False, **other: object) -> dict[str, object]:
    return {"since": "2026-11-19T08:00:00.000000Z", "groups": groups or [], "truncated": truncated} | other


def reboot(pending: bool = False, since: str | None = None, **other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "pending": pending,
        "since": since,
        "reasons": [],
        "method": "both",
        "running_kernel": "6.1.0-30-amd64",
        "newest_kernel": "6.1.0-30-amd64",
    }
    return row | other


def libraries(
    count: int = 0, checked: int = 180, unreadable: int = 0, names: tuple[str, ...] = ()
) -> dict[str, object]:
    processes = [
        {"pid": 100 + index, "name": name, "user": "root", "libraries": ["libexample.so.3"]}
        for index, name in enumerate(names)
    ]
    return {"processes": processes, "count": count, "checked": checked, "unreadable": unreadable}


def clock(synchronised: bool = True, offset: float | None = 0.002, **other: object) -> dict[str, object]:
    return {"synchronised": synchronised, "offset_seconds": offset, "method": "chrony", "service": "chronyd"} | other


def memory(available: int = 12 * GB, total: int = 16 * GB, some: float = 0.0, full: float = 0.0) -> dict[str, object]:
    return {
        "total_bytes": total,
        "available_bytes": available,
        "swap_total_bytes": 0,
        "swap_free_bytes": 0,
        "psi": {"some_avg10": some, "some_avg300": some, "full_avg300": full},
    }


def sensor(
    celsius: float = 45.0, maximum: float | None = 80.0, critical: float | None = 100.0, **other: object
) -> object:
    row = {"chip": "coretemp", "label": "Package id 0", "celsius": celsius, "maximum": maximum, "critical": critical}
    return row | other


def battery(full: float | None = 45.0, design: float | None = 50.0, **other: object) -> dict[str, object]:
    return {"name": "BAT0", "state": "full", "full_wh": full, "design_wh": design, "cycles": 112} | other


def administrator(name: str = "root", through: str = "uid0", kind: str = "user") -> dict[str, object]:
    return {"name": name, "kind": kind, "through": through}


def listener(
    port: int = 22, protocol: str = "tcp", address: str = ANYWHERE, process: str | None = "sshd", **other: object
) -> dict[str, object]:
    row: dict[str, object] = {"protocol": protocol, "address": address, "port": port, "loopback": False}
    return row | {"ephemeral": False, "process": process, "user": "root"} | other


def firewall(active: bool = True, kind: str | None = "nftables", rules: int | None = 12) -> dict[str, object]:
    return {"active": active, "kind": kind, "rules": rules}


def volume(mount: str = "/", encrypted: bool | None = True, **other: object) -> dict[str, object]:
    kind = "luks" if encrypted else None
    return {"mount": mount, "device": "/dev/mapper/root", "encrypted": encrypted, "kind": kind} | other


# What a contract may expect of the healthy computer, so that every rule has something to judge by.
EXPECTED: dict[str, object] = {
    "administrators": ("root", "%sudo"),
    "listeners": ("tcp/22",),
    "requires": ("firewall", "encryption"),
    "role": "laptop",
}

_HEALTHY = {
    "filesystems": ok([file_system(), file_system("/boot", GB, GB // 2, device="/dev/sda1")]),
    "smart": ok([ata_disk()]),
    "units": ok(units()),
    "journal": ok(journal()),
    "reboot": ok(reboot()),
    "libraries": ok(libraries()),
    "time": ok(clock()),
    "uptime": ok({"seconds": 864000.0, "boot_at": "2026-11-16T08:00:00.000000Z", "load": [0.1, 0.1, 0.1]}),
    "memory": ok(memory()),
    "temperatures": ok([sensor()]),
    "batteries": ok([battery()]),
    "administrators": ok([administrator(), administrator("adam", "sudo")]),
    "listeners": ok([listener(), listener(631, address="127.0.0.1", process="cupsd", loopback=True)]),
    "firewall": ok(firewall()),
    "encryption": ok([volume()]),
}


def observation(**sources: object) -> dict[str, object]:
    """A healthy computer, except for the given sources."""
    system = {
        "family": "linux",
        "distribution": "debian",
        "version": "12",
        "pretty_name": "Debian GNU/Linux 12",
        "kernel": "6.1.0-30-amd64",
        "virtualization": "none",
        "effective_user": "root",
        "uid": 0,
    }
    return {
        "schema": "itcare/health/v1",
        "observed_at": OBSERVED_AT,
        "system": system,
        "sources": copy.deepcopy(_HEALTHY) | sources,
    }


def only(source: str, entry: object) -> dict[str, object]:
    """An observation of one source and nothing else."""
    return observation() | {"sources": {source: entry}}


SOURCES = tuple(_HEALTHY)
