"""A corpus of observations that together bring about every message of the catalogue."""

from collections import defaultdict

from itcare.assess import Finding, assess, assess_missing
from tests.support.judging import DEFAULTS
from tests.support.observations import (
    EXPECTED,
    SOURCES,
    absent,
    administrator,
    ata_disk,
    battery,
    clock,
    file_system,
    firewall,
    journal,
    libraries,
    listener,
    log_group,
    memory,
    nvme_disk,
    observation,
    ok,
    only,
    reboot,
    sensor,
    unavailable,
    units,
    volume,
)

_STRICT = EXPECTED | {"administrators": (), "listeners": ()}
_BAD_LOG = ("oom_kill", "disk_io", "filesystem", "remount_read_only", "machine_check")
_FLOODS = {
    "filesystems": [{}] * 201,
    "smart": [{}] * 201,
    "units": units([{}] * 201),
    "journal": journal([{}] * 201),
    "temperatures": [{}] * 201,
    "batteries": [{}] * 201,
    "administrators": [{}] * 201,
    "listeners": [{}] * 201,
    "encryption": [{}] * 201,
}
_DISKS = [
    ata_disk(),
    ata_disk(passed=False),
    ata_disk(pending=1),
    ata_disk(passed=None),
    ata_disk(state="unavailable", reason="not_supported"),
    nvme_disk(critical_warning=1),
    nvme_disk(percentage_used=95),
    nvme_disk(available_spare=5),
]
_GB = 10**9
_CORPUS = [
    {},
    {
        "filesystems": ok(
            [
                file_system(available=0, inodes_free=0),
                file_system(available=140 * _GB, inodes_free=5_000_000),
                file_system("/small", 100 * _GB, 19 * _GB),
                file_system("/smaller", 80 * _GB, 9 * _GB),
            ]
        ),
        "smart": ok(_DISKS),
        "units": ok(units([{"name": "a", "description": "b"}], {"good": "active", "bad": "failed"})),
        "journal": ok(journal([log_group(kind) for kind in _BAD_LOG], truncated=True)),
        "memory": ok(memory(available=0, full=50.0)),
        "reboot": ok(reboot(True)),
        "libraries": ok(libraries(count=1, unreadable=1, names=("sshd",))),
        "time": ok(clock(offset=400.0)),
        "temperatures": ok([sensor(85.0), sensor(101.0)]),
        "batteries": ok([battery(10.0), battery(25.0), battery(None)]),
        "administrators": ok([administrator("mallory", "sudo")]),
        "listeners": ok([listener(4444)]),
        "firewall": ok(firewall(False)),
        "encryption": ok([volume("/", False), volume("/srv", None)]),
    },
    {
        "filesystems": ok([]),
        "smart": ok([]),
        "units": ok(units(state="degraded")),
        "memory": ok(memory(available=_GB)),
        "reboot": ok(reboot(True, "2026-11-26T08:00:01Z")),
        "libraries": ok(libraries(checked=0)),
        "temperatures": ok([]),
        "batteries": ok([]),
        "administrators": ok([]),
        "encryption": ok([]),
        "time": ok(clock(offset=None)),
    },
    {
        "units": absent(),
        "memory": ok(memory(some=50.0)),
        "reboot": ok(reboot(True, "2026-11-25T08:00:00Z")),
        "time": ok(clock(False)),
    },
    {
        "memory": ok(memory() | {"psi": None}),
        "reboot": ok(reboot(True, "2026-11-22T08:00:00Z")),
        "time": ok(clock(offset=4.0)),
    },
    {"reboot": ok(reboot(True, "2026-11-02T08:00:00Z"))},
    {name: unavailable("timeout") for name in SOURCES},
    {name: ok(None) for name in SOURCES},
    {name: absent() for name in SOURCES},
]


def bring_about_every_message() -> dict[str, list[Finding]]:
    """Every message id that the corpus yields, with its findings."""
    seen: list[object] = [observation(**sources) for sources in _CORPUS]
    seen += [only(source, ok(data)) for source, data in _FLOODS.items()]
    seen += [None, {}, {"_cut": {}}, observation() | {"sources": {}}]
    findings = [assess_missing("not_reached")]
    for each in seen:
        findings += assess(each, DEFAULTS, services=["good", "bad", "forgotten"], **_STRICT)
        findings += assess(each, DEFAULTS, **EXPECTED)
        findings += assess(each, DEFAULTS, role="laptop")
        findings += assess(each, DEFAULTS)
    told = defaultdict(list)
    for finding in findings:
        told[finding.fact].append(finding)
    return dict(told)
