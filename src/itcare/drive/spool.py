"""Read a spool, the record that the callback of the collection writes during a run.

Format: docs/spool-v1.md. The file is untrusted input: nothing in it raises. What counts is the
longest prefix of whole, valid lines; what stopped the reading is listed in `Spool.problems`.
"""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from itcare.drive.line import LARGEST_LINE_BYTES, LineError, parse_line, read_integer, read_text
from itcare.drive.records import (
    SpoolFile,
    SpoolHeader,
    SpoolPlay,
    SpoolTask,
    finish_task,
    read_file,
    read_header,
    read_play,
    read_seconds,
    read_task,
)

__all__ = ["Spool", "SpoolFile", "SpoolHeader", "SpoolPlay", "SpoolTask", "follow", "read_spool", "read_spool_header"]

_FOLLOW_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Spool:
    """What a spool tells. `lines`, `bytes` and `sha256` are those of the prefix that counts.

    `complete`: the closing line is there, no counter is missing, its counts agree with the lines
    and every task that was started has an end.
    """

    header: SpoolHeader | None
    plays: tuple[SpoolPlay, ...]
    files: tuple[SpoolFile, ...]
    tasks: tuple[SpoolTask, ...]
    complete: bool
    problems: tuple[str, ...]
    lines: int
    sha256: str
    bytes: int


@dataclass
class _Reading:
    """State of one pass over a file."""

    header: SpoolHeader | None = None
    plays: list[SpoolPlay] = field(default_factory=list)
    files: list[SpoolFile] = field(default_factory=list)
    tasks: list[SpoolTask] = field(default_factory=list)
    open_tasks: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    is_closed: bool = False
    lines: int = 0

    def take(self, event: dict[str, object]) -> None:
        """Add one line; raises LineError and then has changed nothing."""
        if self.is_closed:
            raise LineError("after_end")
        if read_integer(event, "n") != self.lines:
            raise LineError("counter_gap")
        kind = read_text(event, "event")
        if (kind == "header") != (self.lines == 0):
            raise LineError("no_header" if self.lines == 0 else "second_header")
        if kind == "header":
            self.header = read_header(event)
        elif kind == "play":
            self.plays.append(read_play(event))
        elif kind == "file":
            self.files.append(read_file(event))
        elif kind == "task_start":
            self._start(event)
        elif kind == "task_end":
            self._end(event)
        elif kind == "end":
            self._close(event)
        else:
            raise LineError("foreign_event")
        self.lines += 1

    def _start(self, event: dict[str, object]) -> None:
        task, mono = read_task(event), read_seconds(event)
        if task.position != self.started[task.host] or (task.host, task.task) in self.open_tasks:
            raise LineError("malformed")
        self.open_tasks[task.host, task.task] = (len(self.tasks), mono)
        self.tasks.append(task)
        self.started[task.host] += 1

    def _end(self, event: dict[str, object]) -> None:
        key = read_text(event, "host"), read_text(event, "task")
        if key not in self.open_tasks:
            raise LineError("end_without_start")
        index, mono = self.open_tasks[key]
        self.tasks[index] = finish_task(self.tasks[index], event, read_seconds(event) - mono)
        del self.open_tasks[key]
        self.ended[key[0]] += 1

    def _close(self, event: dict[str, object]) -> None:
        counts = {host: {"started": self.started[host], "ended": self.ended[host]} for host in self.started}
        if read_integer(event, "lines") != self.lines + 1 or event.get("hosts") != counts:
            raise LineError("counts_disagree")
        self.is_closed = True


def read_spool(path: Path) -> Spool:
    """Read a spool file. Never raises for its content, nor for a missing or unreadable file.

    Problems are words: missing, unreadable, empty, unsupported_version, no_header, second_header,
    half_line, line_too_long, not_ascii, not_json, duplicate_key, not_an_object, unclean_value,
    malformed, foreign_event, counter_gap, end_without_start, counts_disagree, after_end, unfinished,
    no_end. All but the last two concern the first line that does not count, number `lines` + 1.
    """
    reading, digest, size, problems = _Reading(), hashlib.sha256(), 0, []
    try:
        with _open_regular(path) as file:
            for line in _read_lines(file):
                reading.take(parse_line(line))
                digest.update(line)
                size += len(line)
    except LineError as error:
        problems.append(error.problem)
    except OSError as error:
        problems.append("missing" if isinstance(error, FileNotFoundError) else "unreadable")
    if reading.lines == 0 and not problems:
        problems.append("empty")
    if reading.header and reading.open_tasks:
        problems.append("unfinished")
    if reading.header and not reading.is_closed:
        problems.append("no_end")
    return Spool(
        header=reading.header,
        plays=tuple(reading.plays),
        files=tuple(reading.files),
        tasks=tuple(reading.tasks),
        complete=reading.is_closed and not problems,
        problems=tuple(problems),
        lines=reading.lines,
        sha256=digest.hexdigest(),
        bytes=size,
    )


def follow(path: Path, offset: int) -> tuple[tuple[dict[str, object], ...], int]:
    """The events after byte `offset` and the offset to go on from; whole lines only.

    For showing progress: lines that are not valid are passed over, and a file that is not there
    yet has no events. What counts as evidence is only what `read_spool` says.
    """
    try:
        with _open_regular(path) as file:
            file.seek(offset)
            content = file.read(_FOLLOW_BYTES)
    except OSError:
        return (), offset
    end = content.rfind(b"\n") + 1
    if end == 0 and len(content) == _FOLLOW_BYTES:
        end = _FOLLOW_BYTES  # no writer of ours makes such a line; without this, progress would stop here
    events = []
    for line in content[:end].splitlines(keepends=True):
        try:
            events.append(parse_line(line))
        except LineError:
            continue
    return tuple(events), offset + end


def read_spool_header(path: Path) -> SpoolHeader | None:
    """Only the first line of a spool, however long the rest is; None when it is no spool's."""
    try:
        with _open_regular(path) as file:
            event = parse_line(next(_read_lines(file), b""))
            return read_header(event) if event.get("event") == "header" else None
    except (LineError, OSError):
        return None


def _open_regular(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return os.fdopen(descriptor, "rb")


def _read_lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LARGEST_LINE_BYTES):
        if not line.endswith(b"\n"):
            raise LineError("line_too_long" if len(line) == LARGEST_LINE_BYTES else "half_line")
        yield line
