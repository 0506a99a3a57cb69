# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Ask every source in a process of its own, so that one that hangs or dies takes nothing else with it.

A thread would not do: `statvfs` on a dead network mount cannot be interrupted, and a thread cannot be killed.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from dataclasses import asdict, dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Told,
    Unavailable,
    clean_text,
)

# A source's whole answer; the caps inside the sources keep it far below.
_LARGEST_ANSWER_BYTES = 4_000_000
# A killed process that sits in an uninterruptible call is left to init rather than waited for.
_REAP_SECONDS = 0.2
_ORPHAN_SECONDS = 1.0


@dataclass(frozen=True)
class Answer:
    """One source of the observation; `data` is None unless `state` is ok."""

    state: str
    reason: str | None
    detail: str | None
    seconds: float
    data: object

    def as_dict(self) -> dict:
        """The JSON form."""
        return asdict(self)


class _Child:
    """A running source: its process group, the reading end of its pipe and what came so far."""

    def __init__(self, pid: int, pipe: int, started: float, largest_bytes: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self.started = started
        self.largest_bytes = largest_bytes
        self.heard = bytearray()

    @property
    def says_too_much(self) -> bool:
        return len(self.heard) > self.largest_bytes

    def end(self) -> int | None:
        """Kill the process with all that it started and return its wait status, None when it will not die.

        The group is killed before the leader is reaped: until then its number cannot be given to others.
        """
        os.close(self.pipe)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGKILL)  # it did not get as far as a group of its own
        until = time.monotonic() + _REAP_SECONDS
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid or time.monotonic() >= until:
                return status if pid else None
            time.sleep(0.005)


def ask_all(sources: dict, limit_seconds: float, largest_bytes: int = _LARGEST_ANSWER_BYTES) -> dict[str, Answer]:
    """Call every function of `sources` (name -> function without arguments) at the same time.

    Each has `limit_seconds`; so has the whole. A function returns data or Told, or raises Absent or Unavailable;
    anything else it does (another exception, a crash, silence, an answer of more than `largest_bytes` of JSON) becomes
    unavailable with a reason.
    """
    answers: dict[str, Answer] = {}
    children: dict[str, _Child] = {}
    for name, function in sources.items():
        try:
            children[name] = _start(function, limit_seconds, largest_bytes)
        except OSError as error:
            answers[name] = Answer("unavailable", "failed", f"no process for it: {error.strerror}", 0.0, None)
    with selectors.DefaultSelector() as selector:
        for name, child in children.items():
            selector.register(child.pipe, selectors.EVENT_READ, name)
        while len(answers) < len(sources):
            _listen(selector, children, answers, limit_seconds)
    return {name: answers[name] for name in sources}


def _listen(
    selector: selectors.BaseSelector, children: dict[str, _Child], answers: dict[str, Answer], limit_seconds: float
) -> None:
    """Wait for the next words or for the next limit to pass, and settle the sources that are done by then."""
    waiting = [name for name in children if name not in answers]
    nearest = min(children[name].started + limit_seconds for name in waiting)
    for key, _events in selector.select(max(0.0, nearest - time.monotonic())):
        child = children[key.data]
        chunk = os.read(child.pipe, 65536)
        child.heard += chunk
        if not chunk or chunk.endswith(b"\n") or child.says_too_much:
            selector.unregister(child.pipe)
            answers[key.data] = _conclude(child)
    now = time.monotonic()
    for name in waiting:
        if name not in answers and now >= children[name].started + limit_seconds:
            selector.unregister(children[name].pipe)
            answers[name] = _give_up(children[name], limit_seconds)


def _start(function, limit_seconds: float, largest_bytes: int) -> _Child:
    reading, writing = os.pipe()
    started = time.monotonic()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid == 0:
        try:
            _work(function, writing, limit_seconds)
        finally:
            os._exit(70)
    os.close(writing)
    return _Child(pid, reading, started, largest_bytes)


def _work(function, writing: int, limit_seconds: float) -> None:
    """The child's whole life. It never returns to the caller's stack and never holds the module's output open."""
    os.setsid()
    # Should the module be killed, nobody is left to end its sources: then they end by themselves.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limit_seconds + _ORPHAN_SECONDS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != writing:
            try:
                os.close(int(name))
            except OSError:
                continue  # the descriptor of the listing itself
    line = json.dumps(_answer_of(function), ensure_ascii=True, allow_nan=False).encode() + b"\n"
    while line:
        line = line[os.write(writing, line) :]
    os._exit(0)


def _answer_of(function) -> dict:
    try:
        data = function()
    except Absent as absent:
        return {"state": "absent", "reason": absent.reason, "detail": absent.detail, "data": None}
    except Unavailable as unavailable:
        return {"state": "unavailable", "reason": unavailable.reason, "detail": unavailable.detail, "data": None}
    except Exception as error:  # noqa: BLE001 - a source fails alone, whatever it stumbled over
        return {"state": "unavailable", "reason": "failed", "detail": _one_line(error), "data": None}
    if isinstance(data, Told):
        return {"state": "ok", "reason": None, "detail": clean_text(data.detail), "data": data.data}
    return {"state": "ok", "reason": None, "detail": None, "data": data}


def _one_line(error: Exception) -> str:
    return clean_text(f"{type(error).__name__}: {error}")


def _conclude(child: _Child) -> Answer:
    seconds = round(time.monotonic() - child.started, 3)
    status = child.end()
    try:
        told = json.loads(bytes(child.heard)) if not child.says_too_much else {}
        return Answer(told["state"], told["reason"], told["detail"], seconds, told["data"])
    except (ValueError, KeyError, TypeError):
        return Answer("unavailable", "failed", _cause_of_death(child, status), seconds, None)


def _cause_of_death(child: _Child, status: int | None) -> str:
    if child.says_too_much:
        return "its answer was larger than can be handed on"
    if status is not None and os.WIFSIGNALED(status):
        return f"its process was ended by signal {os.WTERMSIG(status)}"
    return "its process ended without an answer"


def _give_up(child: _Child, limit_seconds: float) -> Answer:
    child.end()
    seconds = round(time.monotonic() - child.started, 3)
    return Answer("unavailable", "timeout", f"no answer within {limit_seconds:g} s", seconds, None)
