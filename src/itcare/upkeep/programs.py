"""Judgements on the programs and the clock that itcare stands on; each takes what was found and asks nothing."""

import re
from collections.abc import Mapping, Sequence

from itcare.drive.controller import ClockState
from itcare.upkeep.diagnosis import Diagnosis, doubtful, well, wrong

type Release = tuple[int, ...]

PYTHON: Release = (3, 12)
"""Oldest Python; `requires-python` in pyproject.toml."""

PACKAGES: Mapping[str, tuple[Release, Release]] = {
    "ansible-core": ((2, 21), (2, 22)),
    "ansible-runner": ((2, 4, 3), (2, 5)),
}
"""Packages that runs depend on: oldest release, and the first that is too new (pyproject.toml)."""

SQLITE_WITHOUT_RESET_BUG: Release = (3, 51, 3)
"""First SQLite in which a checkpoint of the write-ahead log by two processes at once cannot damage the file."""

PROGRAMS = ("ssh", "ssh-keyscan")


def read_release(text: str) -> Release:
    """The leading numbers of a version; empty when it begins with none."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def _write(release: Release) -> str:
    return ".".join(map(str, release))


def judge_python(release: Release) -> Diagnosis:
    found = f"Python {_write(release)}"
    if release < PYTHON:
        return wrong("python", f"{found} is too old", f"Install itcare into Python {_write(PYTHON)} or newer.")
    return well("python", found)


def judge_package(name: str, version: str | None) -> Diagnosis:
    """`version`: what is installed beside itcare, None for nothing. KeyError for a name not in PACKAGES."""
    oldest, too_new = PACKAGES[name]
    remedy = f'Install it into the environment of itcare: pip install "{name}>={_write(oldest)},<{_write(too_new)}".'
    if version is None:
        return wrong(name, f"{name} is not installed", remedy)
    if not oldest <= read_release(version) < too_new:
        return wrong(name, f"{name} {version} is not the one itcare was tested with", remedy)
    return well(name, f"{name} {version}")


def judge_playbook_program(problem: str | None) -> Diagnosis:
    """`problem`: why ansible-playbook cannot be started beside this interpreter."""
    if problem:
        return wrong("ansible-playbook", problem, "Install ansible-core beside itcare, in the same environment.")
    return well("ansible-playbook", "ansible-playbook lies beside the interpreter")


def judge_sqlite(release: Release) -> Diagnosis:
    """Faults of the WAL reset: sqlite.org/wal.html, section on the reset bug."""
    found = f"SQLite {_write(release)}"
    if release < SQLITE_WITHOUT_RESET_BUG:
        fixed = _write(SQLITE_WITHOUT_RESET_BUG)
        return doubtful(
            "sqlite", f"{found} may have the bug by which two processes at once damage a file (mended in {fixed})",
            f"Use a Python with SQLite {fixed} or newer, or one whose distribution mended it; until then back up daily "
            "with `itcare backup`, and let `itcare verify` look.",
        )  # fmt: skip
    return well("sqlite", found)


def judge_programs(found: Mapping[str, bool], *, needed: bool) -> Diagnosis:
    """`found`: each of PROGRAMS and whether it is there. `needed`: a contract has computers reached by ssh."""
    missing = [name for name in PROGRAMS if not found.get(name)]
    if not missing:
        return well("ssh", "the ssh client is installed")
    judge = wrong if needed else doubtful
    whom = "computers of the contracts" if needed else "other computers"
    return judge(
        "ssh", f"{' and '.join(missing)} is missing: {whom} cannot be reached",
        "Install the OpenSSH client (Debian: apt install openssh-client).",
    )  # fmt: skip


def judge_clock(state: ClockState) -> Diagnosis:
    """A wrong clock makes wrong evidence; one that cannot be asked is not called right."""
    remedy = "Start a time service: systemctl enable --now systemd-timesyncd, or chrony."
    if state.synchronised is None:
        return doubtful("clock", "whether the clock is synchronised cannot be told", remedy)
    if not state.synchronised:
        return doubtful("clock", "the clock is not synchronised; every record says so", remedy)
    return well("clock", "the clock is synchronised")


def judge_time_zones(missing: Sequence[str]) -> Diagnosis:
    """`missing`: time zones of contracts, or the one of UTC, that this computer does not know."""
    if missing:
        return wrong(
            "time-zones", f"no data of the time zone {', '.join(missing)}",
            "Install the time zones (Debian: apt install tzdata; elsewhere: pip install tzdata).",
        )  # fmt: skip
    return well("time-zones", "time zone data is there")
