# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback that writes the evidence of a run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: spool
type: notification
short_description: Record every task of a run as evidence
version_added: 0.1.0
author:
  - The itcare authors
description:
  - Writes one file of JSON lines per run, the spool, with the start and the end of every task on every host, and the
    digest of each playbook, task file, module and script that was used. The format is C(spool-v1).
  - A host is named by the inventory alone. Nothing that a host returns (facts, variables, output) can change it.
  - Fails closed. When the spool cannot be created, no task is run. When a line cannot be written, the playbook ends at
    once with return code 74 and no further task is started.
  - Tasks with C(no_log) are recorded with their outcome only. Of other tasks only arguments on a list of harmless ones
    are recorded, as they are written in the playbook.
  - The file is synchronised to the disk once, at its end. After a power cut in the middle of a run its last lines can
    be missing, and the run then counts as incomplete.
options:
  path:
    type: str
    description:
      - File to create. It must not exist. Its folder must exist.
    env:
      - name: ITCARE_SPOOL
  artifacts:
    type: str
    description:
      - Folder of the job of C(ansible-runner). The spool is then C(spool.jsonl) inside. Used when O(path) is not set.
      - Without both, a new file in the folder C(itcare-spool) of the working directory is used, and its name is shown.
    env:
      - name: AWX_ISOLATED_DATA_DIR
  run:
    type: str
    description:
      - Identity of the run, 32 hexadecimal digits. Set together with O(nonce) and O(fence), or none of the three.
    env:
      - name: ITCARE_RUN
  nonce:
    type: str
    description:
      - Random value of the run, 16 to 128 hexadecimal digits.
    env:
      - name: ITCARE_NONCE
  fence:
    type: str
    description:
      - Fencing number of the run.
    env:
      - name: ITCARE_FENCE
  secrets:
    type: path
    description:
      - File with one secret value per line, each of at least 8 characters. In the texts of tasks (names, arguments,
        results) each of them is recorded as C(<redacted>), whether or not the task has C(no_log).
      - It must be a regular file of the user's own, closed to others. It is read once, before the first play.
    env:
      - name: ITCARE_SECRETS
requirements:
  - enable in configuration, C(callbacks_enabled = itcare.maintenance.spool)
notes:
  - One spool records one playbook. To run several, import them from one playbook.
"""

import atexit
import contextlib
import multiprocessing
import os
import signal
import typing as t

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.recorder import Recorder, read_run
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.redaction import read_redaction
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import SpoolError, open_spool

if t.TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.inventory.host import Host
    from ansible.playbook import Playbook
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

EXIT_CODE = 74  # EX_IOERR of sysexits.h; ansible-core itself uses none of these


class CallbackModule(CallbackBase):
    """Hands each event to the recorder and ends the playbook when it cannot be recorded."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "itcare.maintenance.spool"
    CALLBACK_NEEDS_ENABLED = True

    _recorder: Recorder | None = None

    @contextlib.contextmanager
    def _failing_closed(self) -> t.Iterator[None]:
        """End the process when the body fails.

        ansible-core turns an exception of a callback into a warning and goes on. SystemExit is
        no Exception: it passes through the strategy, whose clean-up stops the workers. All events
        used here arrive in the main thread, where it ends the process, and what workers started with it.
        """
        try:
            yield
        except Exception as error:
            message = str(error) if isinstance(error, SpoolError) else f"{type(error).__name__}: {error}"
            try:
                self._display.error(f"Run ended because it cannot be recorded: {message}")
            finally:
                _kill_commands_at_exit()
                raise SystemExit(EXIT_CODE) from error

    def _require_recorder(self) -> Recorder:
        if self._recorder is None:
            raise SpoolError("the spool is not open")
        return self._recorder

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        with self._failing_closed():
            arguments = context.CLIARGS.get("args")
            if self._recorder or (isinstance(arguments, (list, tuple)) and len(arguments) > 1):
                raise SpoolError("one spool records one playbook; import the others from it")
            run = read_run(self.get_option("run"), self.get_option("nonce"), self.get_option("fence"))
            redaction = read_redaction(self.get_option("secrets"))
            writer, is_own = open_spool(self.get_option("path"), self.get_option("artifacts"))
            self._recorder = Recorder(writer, redaction)
            self._recorder.record_header(run, playbook._file_name)
            if is_own:
                self._display.display(f"Recording this run in {writer.path}")

    def v2_playbook_on_play_start(self, play: Play) -> None:
        with self._failing_closed():
            self._require_recorder().record_play(play)

    def v2_runner_on_start(self, host: Host, task: Task) -> None:
        with self._failing_closed():
            self._require_recorder().record_start(host, task)

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        with self._failing_closed():
            self._require_recorder().record_end("ok", result)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        with self._failing_closed():
            self._require_recorder().record_end("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        with self._failing_closed():
            self._require_recorder().record_end("skipped", result)

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        with self._failing_closed():
            self._require_recorder().record_end("unreachable", result, ignored=bool(result.task.ignore_unreachable))

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        with self._failing_closed():
            self._require_recorder().record_close()


def _kill_commands_at_exit() -> None:
    """Let nothing go on that a worker has started, once the clean-up of ansible-core is through.

    That comes twice and sends SIGTERM each time: a worker that is about to pass the first one on to its command dies of
    the second, and the command goes on. Not at once: a worker that is killed while it hands over a result leaves a lock
    behind for which the clean-up would wait.
    """
    atexit.register(_kill_groups, [child.pid for child in multiprocessing.active_children()])


def _kill_groups(leaders: list[int | None]) -> None:
    """Kill the process groups of these workers; each is the leader of one, or did not get so far."""
    for leader in leaders:
        if leader is not None:
            with contextlib.suppress(OSError):
                os.killpg(leader, signal.SIGKILL)
