"""What the lines of a spool say, as values. Format: docs/spool-v1.md."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from itcare.core.clock import read_instant
from itcare.core.words import TaskOutcome
from itcare.drive.line import LineError, read_boolean, read_integer, read_text

VERSION = 1


@dataclass(frozen=True)
class SpoolHeader:
    """First line. `run`, `nonce` and `fence` are None together: a run that no driver started."""

    run: str | None
    nonce: str | None
    fence: int | None
    collection: str | None
    ansible_core: str
    playbook: str
    playbook_sha256: str | None
    check: bool
    user: str
    opened_at: datetime


@dataclass(frozen=True)
class SpoolPlay:
    """One play, or one batch of it, with the hosts it was for."""

    play: str
    name: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class SpoolFile:
    """One file that the run used; digest and size are None for what is no readable regular file."""

    kind: str
    name: str | None
    path: str
    sha256: str | None
    bytes: int | None


@dataclass(frozen=True)
class SpoolTask:
    """One task on one host. `seconds` is taken from the monotonic clock, the instants are not.

    Without an end the outcome is UNFINISHED, `ended_at`, `seconds` and `result` are None.
    """

    host: str
    task: str
    position: int
    name: str
    module: str
    file: str
    line: int
    args: Mapping[str, object]
    check: bool
    started_at: datetime
    ended_at: datetime | None = None
    outcome: TaskOutcome = TaskOutcome.UNFINISHED
    ignored: bool = False
    result: Mapping[str, object] | None = None
    truncated: bool = False
    seconds: float | None = None


def read_header(event: dict[str, object]) -> SpoolHeader:
    """The first line; raises LineError, "unsupported_version" for another version of the format."""
    if event.get("spool") != VERSION or isinstance(event.get("spool"), bool):
        raise LineError("unsupported_version")
    run, playbook = event.get("run"), event.get("playbook")
    if not isinstance(playbook, dict) or not (run is None or isinstance(run, dict)):
        raise LineError("malformed")
    return SpoolHeader(
        run=None if run is None else read_text(run, "id"),
        nonce=None if run is None else read_text(run, "nonce"),
        fence=None if run is None else read_integer(run, "fence"),
        collection=_read_optional(event, "collection"),
        ansible_core=read_text(event, "ansible_core"),
        playbook=read_text(playbook, "path"),
        playbook_sha256=_read_optional(playbook, "sha256"),
        check=read_boolean(event, "check"),
        user=read_text(event, "user"),
        opened_at=_read_instant(event),
    )


def read_file(event: dict[str, object]) -> SpoolFile:
    """A line of kind `file`; raises LineError."""
    size = None if event.get("bytes", 0) is None else read_integer(event, "bytes")
    name, digest = _read_optional(event, "name"), _read_optional(event, "sha256")
    return SpoolFile(read_text(event, "kind"), name, read_text(event, "path"), digest, size)


def read_task(event: dict[str, object]) -> SpoolTask:
    """A line of kind `task_start`, not finished yet; raises LineError."""
    return SpoolTask(
        host=read_text(event, "host"),
        task=read_text(event, "task"),
        position=read_integer(event, "position"),
        name=read_text(event, "name"),
        module=read_text(event, "module"),
        file=read_text(event, "file"),
        line=read_integer(event, "line"),
        args=_read_object(event, "args"),
        check=read_boolean(event, "check"),
        started_at=_read_instant(event),
    )


def finish_task(task: SpoolTask, event: dict[str, object], seconds: float) -> SpoolTask:
    """The task with what its `task_end` says; raises LineError."""
    try:
        outcome = TaskOutcome(read_text(event, "outcome"))
    except ValueError:
        raise LineError("malformed") from None
    if outcome is TaskOutcome.UNFINISHED or seconds < 0:
        raise LineError("malformed")
    return replace(
        task,
        ended_at=_read_instant(event),
        outcome=outcome,
        ignored=read_boolean(event, "ignored"),
        result=_read_object(event, "result"),
        truncated=read_boolean(event, "truncated"),
        seconds=round(seconds, 6),
    )


def read_play(event: dict[str, object]) -> SpoolPlay:
    """A line of kind `play`; raises LineError."""
    hosts = event.get("hosts")
    if not isinstance(hosts, list):
        raise LineError("malformed")
    names = tuple(host for host in hosts if isinstance(host, str))
    if len(names) != len(hosts):
        raise LineError("malformed")
    return SpoolPlay(read_text(event, "play"), read_text(event, "name"), names)


def read_seconds(event: Mapping[str, object]) -> float:
    """Monotonic seconds of a line; raises LineError."""
    value = event.get("mono")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise LineError("malformed")
    return float(value)


def _read_optional(event: Mapping[str, object], key: str) -> str | None:
    return None if key in event and event[key] is None else read_text(event, key)


def _read_object(event: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = event.get(key)
    if not isinstance(value, dict):
        raise LineError("malformed")
    return value


def _read_instant(event: Mapping[str, object]) -> datetime:
    try:
        return read_instant(read_text(event, "at"))
    except (ValueError, OverflowError):  # year 1 in an eastern zone has no instant in UTC
        raise LineError("malformed") from None
