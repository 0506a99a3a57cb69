"""Runs in progress, from the small files that drivers keep; for the firm's own people only.

The files are ours, but text in them is of playbooks, and a page must not stumble over a damaged one:
every file is capped, and whatever is not as it should be is left out.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from itcare.access import StaffScope
from itcare.core.errors import BadInputError
from itcare.core.names import HOST_NAME, RunName
from itcare.core.words import TaskOutcome
from itcare.publish.clean import clean_text
from itcare.publish.shape import instant, mapping, text, whole, word

MAXIMUM_FILES = 200
MAXIMUM_BYTES = 1024 * 1024
"""500 computers with a step of 300 bytes make 150 kB."""

MAXIMUM_HOSTS = 5000
MAXIMUM_TEXT = 200
_FILE_NAME = re.compile(r"[0-9a-f]{32}\.json")


@dataclass(frozen=True)
class HostStep:
    """The last step of one host; `outcome` None while the task runs. `task` is foreign text: draw it plainly."""

    host: str
    task: str | None
    position: int | None
    outcome: TaskOutcome | None
    at: datetime | None


@dataclass(frozen=True)
class RunInProgress:
    """One run as its driver last told it. `hosts`: every planned one, without `task` where it has not begun."""

    run: RunName
    duty: str
    hosts: tuple[HostStep, ...]

    @property
    def begun(self) -> int:
        """How many hosts have begun."""
        return sum(host.task is not None for host in self.hosts)

    @property
    def last_at(self) -> datetime | None:
        """The newest step; a run that is long silent hangs, or its driver died."""
        return max((host.at for host in self.hosts if host.at), default=None)


def read_progress(scope: StaffScope) -> tuple[RunInProgress, ...]:
    """Runs in progress by name, at most `MAXIMUM_FILES`. Never raises for what lies in the folder."""
    try:
        with os.scandir(scope.progress) as entries:
            names = sorted(entry.name for entry in entries if _FILE_NAME.fullmatch(entry.name))[:MAXIMUM_FILES]
    except OSError:
        return ()
    found = [run for name in names if (run := _read_run(scope.progress / name))]
    return tuple(sorted(found, key=lambda run: run.run))


def _read_run(path: Path) -> RunInProgress | None:
    try:
        content = json.loads(_read_capped(path))
        run = RunName.parse(str(mapping(content).get("run")))
    except (OSError, ValueError, RecursionError, BadInputError):
        return None
    duty = text(mapping(content).get("duty"))
    hosts = mapping(mapping(content).get("hosts"))
    if duty is None or not hosts or len(hosts) > MAXIMUM_HOSTS:
        return None
    steps = tuple(_read_step(name, mapping(step)) for name, step in sorted(hosts.items()) if HOST_NAME.fullmatch(name))
    return RunInProgress(run, clean_text(duty, MAXIMUM_TEXT), steps)


def _read_step(host: str, step: Mapping[str, object]) -> HostStep:
    task = text(step.get("task"))
    return HostStep(
        host,
        clean_text(task, MAXIMUM_TEXT) if task else None,
        whole(step.get("position")),
        word(TaskOutcome, step.get("outcome")),
        instant(step.get("at")),
    )


def _read_capped(path: Path) -> bytes:
    """The bytes of a regular file that is no link; ValueError for anything else, and for a large one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        content = file.read(MAXIMUM_BYTES + 1)
    if len(content) > MAXIMUM_BYTES:
        raise ValueError("too large")
    return content
