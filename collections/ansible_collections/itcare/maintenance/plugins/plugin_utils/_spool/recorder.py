# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns what ansible-core tells a callback into the lines of the spool.

Private to the collection itcare.maintenance.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import time
import typing as t
from collections import Counter

import yaml
from ansible import context
from ansible.release import __version__ as core_version

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.arguments import select_arguments
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.files import (
    COLLECTION_ROOT,
    UsedFiles,
    digest_file,
    relate_path,
)
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.outcome import read_outcome
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.redaction import NOTHING, Redaction
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.reduction import (
    clean,
    reduce_result,
)
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import SpoolError, encode

if t.TYPE_CHECKING:
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.inventory.host import Host
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

    from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import SpoolWriter

VERSION = 1


def read_run(run: str | None, nonce: str | None, fence: str | None) -> dict[str, t.Any] | None:
    """The identity that the driver gave this run, or None for a run that nobody gave one.

    Raises SpoolError when it is incomplete or malformed, so that a run never counts as a free
    one by a slip.
    """
    if not (run or nonce or fence):
        return None
    if not re.fullmatch(r"[0-9a-f]{32}", run or ""):
        raise SpoolError("ITCARE_RUN is not 32 hexadecimal digits")
    if not re.fullmatch(r"[0-9a-f]{16,128}", nonce or ""):
        raise SpoolError("ITCARE_NONCE is not 16 to 128 hexadecimal digits")
    if not re.fullmatch(r"[0-9]{1,15}", fence or ""):
        raise SpoolError("ITCARE_FENCE is not a number")
    return {"id": run, "nonce": nonce, "fence": int(fence or 0)}


def read_collection_version() -> str | None:
    """Version in MANIFEST.json of an installed collection or galaxy.yml of a checked-out one."""
    try:
        with open(os.path.join(COLLECTION_ROOT, "MANIFEST.json"), encoding="utf-8") as file:
            return str(json.load(file)["collection_info"]["version"])
    except FileNotFoundError:
        pass
    try:
        with open(os.path.join(COLLECTION_ROOT, "galaxy.yml"), encoding="utf-8") as file:
            return str(yaml.safe_load(file)["version"])
    except FileNotFoundError:
        return None


def _name_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


class _Source(t.NamedTuple):
    """Where a task comes from; the same on every host."""

    module: str
    file: str
    line: int


class _Started(t.NamedTuple):
    seconds: float
    is_hidden: bool


def _read_result(
    kind: str, result: CallbackTaskResult, module: str, hide: bool, elapsed: float, redaction: Redaction
) -> tuple[str, str, bool]:
    """Outcome, JSON text of the reduced result, and whether anything of it was cut.

    The result is made by a computer that may be hostile. If reading it fails (ansible-core's own
    copy of 300 nested lists exceeds the recursion limit), that is the fault of this host alone
    and must not end the run of its neighbours.
    """
    try:
        values = result.result
        text, was_cut = reduce_result(values, module, hide, redaction)
        return read_outcome(kind, values, result.task.timeout, elapsed), text, was_cut
    except Exception:
        # a timeout would be in what cannot be read
        outcome = "timed_out" if result.task.timeout else "changed" if kind == "ok" and result.is_changed() else kind
        return outcome, encode({"_cut": {"reason": "unreadable"}}), True


class Recorder:
    """Writes the events of one playbook; every method may raise, and then the run has to end."""

    def __init__(self, writer: SpoolWriter, redaction: Redaction = NOTHING) -> None:
        self._writer = writer
        self._redaction = redaction
        self._files = UsedFiles(writer)
        self._sources: dict[str, _Source] = {}
        self._open: dict[tuple[str, str], _Started] = {}
        self._started: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()

    def record_header(self, run: dict[str, t.Any] | None, playbook: str) -> None:
        digest, _size = digest_file(playbook)
        header = {
            "spool": VERSION,
            "run": run,
            "collection": read_collection_version(),
            "ansible_core": core_version,
            "playbook": {"path": relate_path(playbook)[0], "sha256": digest},
            "check": bool(context.CLIARGS.get("check")),
            "user": clean(_name_user()),
        }
        self._writer.write("header", header)
        self._files.note("playbook", None, playbook)
        self._files.note_recorder()

    def record_play(self, play: Play) -> None:
        if path := play.get_path().rpartition(":")[0]:
            self._files.note("playbook", None, path)  # an imported playbook is another file
        hosts = play.get_variable_manager().get_vars(play=play).get("ansible_play_batch") or []
        line = {"play": str(play._uuid), "name": self._say(play.get_name()), "hosts": [clean(host) for host in hosts]}
        self._writer.write("play", line)

    def record_start(self, host: Host, task: Task) -> None:
        name = host.get_name()
        source = self._locate(task)
        line = {
            "host": clean(name),
            "task": str(task._uuid),
            "position": self._started[name],
            "name": self._say(_name_task(task)),
            "module": source.module,
            "file": source.file,
            "line": source.line,
            "args": {} if task.no_log else select_arguments(source.module, task.args, self._redaction),
            "check": task.check_mode is not False,  # a template is not known yet; a dry run proves nothing
        }
        self._open[name, task._uuid] = _Started(self._writer.write("task_start", line), bool(task.no_log))
        self._started[name] += 1

    def record_end(self, kind: str, result: CallbackTaskResult, ignored: bool = False) -> None:
        name, task = result.host.get_name(), result.task
        if (name, task._uuid) not in self._open:
            # The file of an include that was ok cannot be loaded: ansible-core then reports a
            # failure of the same task, which gets a start of its own and stands beside the first.
            self.record_start(result.host, task)
        started = self._open[name, task._uuid]
        module = self._locate(task).module
        if not _is_resolved(module):
            module = task.resolved_action or module
            if _is_resolved(module):
                self._files.note_module(module)
        # a result that cannot be sent by the worker arrives with an empty task, so both are asked
        hide = started.is_hidden or bool(task.no_log)
        if not hide:
            self._files.note_script(module, task)
        elapsed = time.monotonic() - started.seconds
        outcome, text, was_cut = _read_result(kind, result, module, hide, elapsed, self._redaction)
        line = {
            "host": clean(name),
            "task": str(task._uuid),
            "outcome": outcome,
            "ignored": ignored,
            "truncated": was_cut,
        }
        self._writer.write("task_end", line, f'"result":{text}')
        del self._open[name, task._uuid]
        self._ended[name] += 1

    def record_close(self) -> None:
        hosts = {
            clean(host): {"started": self._started[host], "ended": self._ended[host]} for host in sorted(self._started)
        }
        self._writer.write("end", {"lines": self._writer.lines + 1, "hosts": hosts})
        self._writer.close()

    def _say(self, text: str) -> str:
        return clean(self._redaction.apply(text))

    def _locate(self, task: Task) -> _Source:
        known = self._sources.get(task._uuid)
        if known is None:
            known = self._sources[task._uuid] = self._describe(task)
        return known

    def _describe(self, task: Task) -> _Source:
        action = str(task.action)
        module = task.resolved_action or action if _is_resolved(action) else action
        module = clean(module.replace("ansible.legacy.", "ansible.builtin.", 1))
        path, _colon, line = task.get_path().rpartition(":")
        role = task._role.get_name() if task._role else None
        file = self._files.note("role" if role else "tasks", role, path) if path else ""
        if _is_resolved(module):
            self._files.note_module(module)
            self._files.note_script(module, task)
        return _Source(module, file, int(line) if line.isdigit() else 0)


def _is_resolved(action: str) -> bool:
    return "{{" not in action


def _name_task(task: Task) -> str:
    """The name as ansible-core shows it; of a no_log task as written, since a template may hold the secret."""
    if not task.no_log:
        return clean(task.get_name())
    source = task.get_ds()
    name = source.get("name") if isinstance(source, dict) else None
    return clean(name) if isinstance(name, str) else clean(str(task.action))
