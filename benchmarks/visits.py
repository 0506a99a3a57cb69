"""What a visit of an invented computer returns: the tasks of the collection's visit, and their results.

The results have holes where one day differs from the next; the rest is peculiar to the computer. The shapes are those
of a real visit (tests/unit/benchmarks/test_years.py compares them with one), the health of an ordinary office computer.
"""

from collections.abc import Mapping
from datetime import datetime

from benchmarks.fleet import Computer, Kind
from benchmarks.holes import hole
from itcare.core.words import TaskOutcome
from itcare.drive.spool import SpoolTask
from tests.support import observations as seen

ROLE = "itcare.maintenance.visit"
FILE = "roles/visit/tasks/main.yml"
HEALTH, SOFTWARE, TEMP = (f"itcare.maintenance.{name}" for name in ("health_info", "software_info", "temp_cleanup"))
SOURCES_OF_SOFTWARE = ("apk", "dpkg", "flatpak", "npm_global", "pip_user", "pipx", "rpm", "snap")
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  # as a computer tells it; nothing is opened here
_PING = {"changed": False, "omitted": {"ping": {
    "bytes": 6, "sha256": "1ea1381644aa60c66f490eb8f2e28fbf15ecb1ea52ba2ad6561e2c0d34e344e1"}}}  # fmt: skip
NOT_REACHED = (
    "Task failed: Failed to connect to the host via ssh: ssh: connect to host {address} port 22: Connection timed out"
)
LOST = (
    "Data could not be sent to remote host. Make sure this host can be reached over ssh: timeout, server not responding"
)
FAILED = "The list of software could not be made: the database of packages is locked by another process"

type Result = dict[str, object]

_TASKS: tuple[tuple[str, str, int, Mapping[str, object]], ...] = (
    ("Probe the computer", "ansible.builtin.ping", 3, {}),
    ("Look at the health of the computer", HEALTH, 7,
     {"services": "{{ visit_services }}", "since": "{{ visit_since or omit }}"}),
    ("List the installed software", SOFTWARE, 13, {}),
    ("Clean up temporary files, or only plan to", TEMP, 18, {
        "categories": "{{ visit_temp_categories }}", "min_age_days": "{{ visit_temp_min_age_days }}",
        "exclude": "{{ visit_temp_exclude }}", "ceiling_bytes": "{{ (visit_temp_ceiling_bytes | int) or omit }}",
        "ceiling_files": "{{ (visit_temp_ceiling_files | int) or omit }}",
        "journal_keep_days": "{{ (visit_temp_journal_keep_days | int) or omit }}",
    }),
)  # fmt: skip


def make_tasks(computer: Computer, kind: Kind, packages: object, at: datetime) -> list[SpoolTask]:
    """The tasks that a visit of this kind does on a computer, all at the instant `at`, as a spool tells them.

    `packages`: what stands for the list of programs.
    """
    results: list[tuple[TaskOutcome, dict[str, object]]] = [
        (TaskOutcome.OK, _PING), (TaskOutcome.OK, {"changed": False, "health": health_of(computer)}),
        (TaskOutcome.OK, {"changed": False, "software": software_of(packages)}),
        (TaskOutcome.CHANGED, {"changed": True, "temp": temp_of(computer)}),
    ]  # fmt: skip
    gone = {"changed": False, "msg": LOST, "unreachable": True}
    if kind is Kind.NOT_REACHED:
        results = [(TaskOutcome.UNREACHABLE, {**gone, "msg": NOT_REACHED.format(address=computer.address)})]
    elif kind is Kind.LOST:
        results[2:] = [(TaskOutcome.UNREACHABLE, gone)]
    elif kind is Kind.FAILED:
        results[2:] = [(TaskOutcome.FAILED, {"changed": False, "failed": True, "msg": FAILED})]
    return [
        SpoolTask(
            host=computer.name, task=f"task-{position}", position=position, name=f"{ROLE} : {name}", module=module,
            file=FILE, line=line, args=args, check=False, started_at=at, ended_at=at, outcome=outcome, result=result,
        )
        for position, ((name, module, line, args), (outcome, result)) in enumerate(zip(_TASKS, results, strict=False))
    ]  # fmt: skip


def health_of(computer: Computer) -> dict[str, object]:
    """A look at the health of a computer, `itcare/health/v1`; some have something that is never mended."""
    own, disk, is_laptop = computer.own, computer.disk_bytes, computer.role == "laptop"
    sources = {
        "filesystems": _ok([
            seen.file_system(total=disk, available_bytes=hole("available"), used_bytes=hole("used"),
                             inodes_total=disk // 16384, inodes_free=hole("inodes")),
            seen.file_system("/boot", 10**9, 6 * 10**8, device="/dev/sda1"),
        ]),
        "smart": _ok([seen.nvme_disk() if is_laptop else seen.ata_disk(pending=8 if own.byte(40) < 6 else 0)]),
        "units": _ok({"system_state": "running", "failed": [], "services": {}}),
        "journal": _ok({
            "since": hole("week_ago"), "asked_since": hole("week_ago"), "truncated": False, "grave_truncated": False,
            "groups": [{"kind": "other", "source": "systemd", "count": hole("errors"), "first_at": hole("week_ago"),
                        "last_at": hole("boot_at"), "sample": "Failed to start an invented unit."}],
        }),
        "reboot": _ok({
            "pending": hole("pending"), "since": hole("pending_since"), "reasons": [], "method": "both",
            "running_kernel": "6.1.0-30-amd64", "newest_kernel": "6.1.0-30-amd64",
        }),
        "libraries": _ok({"processes": [], "count": 0, "checked": 181, "unreadable": 0}),
        "time": _ok(seen.clock(synchronised=own.byte(41) >= 5)),
        "uptime": _ok({"seconds": hole("uptime"), "boot_at": hole("boot_at"),
                       "load": [hole("load0"), hole("load1"), hole("load2")]}),
        "memory": _ok({**seen.memory(), "available_bytes": hole("memory")}),
        "temperatures": _ok([seen.sensor(hole("celsius"))]),  # type: ignore[arg-type]  # a hole stands for the number
        "batteries": _battery(computer) if is_laptop else _absent("none", "this computer has no battery"),
        "administrators": _ok([
            seen.administrator(), seen.administrator("serwis", "sudo"),
            *([seen.administrator("jan", "sudoers")] if own.byte(42) < 8 else []),
        ]),
        "listeners": _ok([
            seen.listener(), *([seen.listener(5900, process="x11vnc")] if own.byte(43) < 10 else []),
            seen.listener(631, address="127.0.0.1", process="cupsd", loopback=True),
        ]),
        "firewall": _ok(seen.firewall(active=own.byte(44) >= 7)),
        "encryption": _ok([seen.volume(encrypted=is_laptop and own.byte(45) >= 12)]),
    }  # fmt: skip
    for number, source in enumerate(sources.values()):
        source["seconds"] = hole(f"second{number}")
    system = {
        "family": "linux", "distribution": "debian", "version": "12", "pretty_name": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "6.1.0-30-amd64", "virtualization": "none", "effective_user": "root", "uid": 0,
    }  # fmt: skip
    return {"schema": "itcare/health/v1", "observed_at": hole("health_at"), "system": system, "sources": sources}


def software_of(packages: object) -> dict[str, object]:
    """A list of software, `itcare/software/v1`."""
    absent: Result = {"count": None, "detail": None, "reason": "not_installed", "state": "absent", "unasked": []}
    there: Result = {"count": hole("programs"), "detail": None, "reason": None, "state": "ok", "unasked": []}
    sources = {
        name: {**(there if name == "dpkg" else absent), "seconds": hole(f"second{number}")}
        for number, name in enumerate(SOURCES_OF_SOFTWARE)
    }
    return {
        "schema": "itcare/software/v1", "observed_at": hole("software_at"), "sources": sources,
        "count": hole("programs"), "packages": packages,
    }  # fmt: skip


def temp_of(computer: Computer) -> dict[str, object]:
    """A clean-up of temporary files, `itcare/temp/v1`, that removed what it meant to."""
    nothing = {"bytes": 0, "files": 0}
    found = {"bytes": hole("temp_bytes"), "files": hole("temp_files")}
    common = {"ceiling_reached": False, "reason": None, "state": "ok"}
    categories = {
        "package_cache": {**common, "deleted": nothing, "digest": "0" * 64, "examples": [], "planned": nothing,
                          "paths": ["/var/cache/apt/archives"], "skipped": {}},
        "system_temp": {**common, "deleted": found, "digest": hole("temp_digest"), "planned": found,
                        "examples": [hole("temp_example")], "paths": list(TEMPORARY),
                        "skipped": {"too_young": {"bytes": hole("temp_young"), "files": 31}}},
        "user_cache": {**common, "deleted": nothing, "digest": "0" * 64, "examples": [], "planned": nothing,
                       "paths": [f"/home/user{computer.number:04}/.cache"],
                       "skipped": {"link": {"bytes": 11049, "files": 306}}},
    }  # fmt: skip
    return {
        "schema": "itcare/temp/v1", "observed_at": hole("temp_at"), "mode": "clean", "min_age_days": 7,
        "categories": categories, "differences": [], "freed_bytes": hole("temp_bytes"),
        "blocks_bytes": hole("temp_bytes"),
        "total": {"planned_files": hole("temp_files"), "planned_bytes": hole("temp_bytes"),
                  "deleted_files": hole("temp_files"), "deleted_bytes": hole("temp_bytes")},
    }  # fmt: skip


def _ok(data: object) -> dict[str, object]:
    return {"state": "ok", "reason": None, "detail": None, "data": data}


def _absent(reason: str, detail: str) -> dict[str, object]:
    return {"state": "absent", "reason": reason, "detail": detail, "data": None}


def _battery(computer: Computer) -> dict[str, object]:
    full = 28 + computer.own.whole(7, 22)  # of 50: some are worn
    return _ok([{"name": "BAT0", "state": "full", "full_wh": full, "design_wh": 50, "cycles": 112}])
