"""`disk.free` and `disk.inodes`: room left on each file system."""

from collections.abc import Callable, Iterator, Mapping

from itcare.assess.finding import Value
from itcare.assess.reading import Record, read_list
from itcare.assess.rules.verdict import Case, Rule, Verdict, judge_rows
from itcare.assess.units import BYTES_PER_GB, is_below_percent
from itcare.core.words import FindingStatus

# The collector leaves these out already. An older or foreign one may not, and an image is always 100 % full.
_IMAGE_TYPES = frozenset({"cramfs", "erofs", "fuse.snapfuse", "iso9660", "romfs", "squashfs", "udf"})
_PSEUDO_TYPES = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs",
        "sysfs", "tmpfs", "tracefs",
    }
)  # fmt: skip


def _is_left_out(fields: object) -> bool:
    """Whether this row is a file system whose free room says nothing."""
    if not isinstance(fields, Mapping):
        return False
    kind, device = fields.get("type"), fields.get("device")
    is_odd = isinstance(kind, str) and (kind in _IMAGE_TYPES or kind in _PSEUDO_TYPES)
    return is_odd or (isinstance(device, str) and device.startswith("/dev/loop"))


def _judge_each(data: object, judge: Callable[[Record], Verdict | None]) -> Iterator[Verdict]:
    rows = read_list(data, "filesystems")
    if all(map(_is_left_out, rows)):
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {})
    yield from judge_rows(rows, "filesystems", lambda row: None if _is_left_out(row.fields) else judge(row))


def judge_free(data: object, case: Case) -> Iterator[Verdict]:
    """Less than a share or an amount of the volume available to ordinary users.

    The amount counts only on volumes of at least `gb_rule_from_gb`; on a small `/boot` it would always cry.
    """
    yield from _judge_each(data, lambda row: _judge_space(row, case))


def _judge_space(row: Record, case: Case) -> Verdict:
    limits = case.limits
    mount = row.text("mount")
    total = row.count("total_bytes", least=1)
    available = row.count("available_bytes", most=total)
    values: dict[str, Value] = {
        "mount": mount,
        "available_bytes": available,
        "total_bytes": total,
        "free_percent": 100 * available / total,
    }
    is_large = total >= limits["gb_rule_from_gb"] * BYTES_PER_GB
    applied = tuple(limits) if is_large else ("warn_pct", "fail_pct", "gb_rule_from_gb")
    for status, level in ((FindingStatus.FAIL, "fail"), (FindingStatus.WARN, "warn")):
        if is_below_percent(available, total, limits[f"{level}_pct"]):
            return Verdict(status, "low", mount, values | {"limit_percent": limits[f"{level}_pct"]}, applied)
        limit_bytes = limits[f"{level}_gb"] * BYTES_PER_GB
        if is_large and available < limit_bytes:
            return Verdict(status, "low_gb", mount, values | {"limit_bytes": limit_bytes}, applied)
    return Verdict(FindingStatus.OK, "ok", mount, values | {"limit_percent": limits["warn_pct"]}, applied)


def judge_inodes(data: object, case: Case) -> Iterator[Verdict]:
    """Less than a share of the inodes free; nothing to say of file systems that count none (0 of 0)."""
    yield from _judge_each(data, lambda row: _judge_inode_count(row, case))


def _judge_inode_count(row: Record, case: Case) -> Verdict | None:
    limits = case.limits
    mount = row.text("mount")
    total = row.count("inodes_total")
    free = row.count("inodes_free", most=total)
    if total == 0:
        return None
    values: dict[str, Value] = {
        "mount": mount,
        "free_inodes": free,
        "total_inodes": total,
        "free_percent": 100 * free / total,
    }
    for status, level in ((FindingStatus.FAIL, "fail"), (FindingStatus.WARN, "warn")):
        if is_below_percent(free, total, limits[f"{level}_pct"]):
            return Verdict(status, "low", mount, values | {"limit_percent": limits[f"{level}_pct"]}, tuple(limits))
    return Verdict(FindingStatus.OK, "ok", mount, values | {"limit_percent": limits["warn_pct"]}, tuple(limits))


RULES = (
    Rule("disk.free", 1, "filesystems", judge_free),
    Rule("disk.inodes", 1, "filesystems", judge_inodes),
)
