"""Tell somebody that a run did not end well, through a command of the firm's own choice.

The command gets words and names, never what a host or ssh said: such text may hold a secret, or be
meant to do harm where it is shown next.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from itcare.core.errors import ExitCode
from itcare.drive.report import RunReport

TIME_LIMIT_SECONDS = 30.0
"""A notice that takes longer is given up; the run's record is complete before it begins."""

_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_SHOWN_CHARACTERS = 300


def notify(command: Sequence[str], report: RunReport, *, limit: float = TIME_LIMIT_SECONDS) -> str | None:
    """Call `command` with the notice on its standard input, unless the run ended well or there is none.

    Returns one line about a failure of the command, None when there was none. Never raises for what
    the command does, and changes nothing about the run.
    """
    if not command or report.exit_code is ExitCode.OK:
        return None
    try:
        with tempfile.TemporaryFile() as errors:
            why = _call(command, json.dumps(describe(report)).encode() + b"\n", errors, limit)
            said = _tail(errors) if why else ""
    except (OSError, ValueError) as error:
        why, said = str(error), ""
    if why is None:
        return None
    return f"The notice about run {report.name} was not delivered: {why}." + (f" It said: {said}" if said else "")


def describe(report: RunReport) -> dict[str, object]:
    """The notice: schema `itcare/notice/v1`."""
    return {
        "schema": "itcare/notice/v1",
        "client": report.name.client,
        "run": report.name.number,
        "state": report.state.value,
        "reason": report.reason,
        "exit_code": int(report.exit_code),
        "hosts": [
            {
                "host": host.name,
                "outcome": host.outcome.value,
                "reason": host.reason,
                "needs_verify": host.needs_verify,
            }
            for host in report.hosts
        ],
        "alarms": sorted({alarm.kind for alarm in report.alarms}),
    }


def _call(command: Sequence[str], content: bytes, errors: IO[bytes], limit: float) -> str | None:
    # A session of its own, so that the time limit ends what the command started, too.
    process = subprocess.Popen(
        list(command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=_environment(os.environ),
        start_new_session=True,
    )  # fmt: skip
    try:
        process.communicate(content, timeout=limit)
    except subprocess.TimeoutExpired:
        # Not waited for yet, so the number is still its own.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"it took longer than {limit:g} seconds"
    return None if process.returncode == 0 else f"it ended with code {process.returncode}"


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program needs to run at all; the caller's variables may hold secrets."""
    return {name: environ[name] for name in _KEPT_VARIABLES if name in environ}


def _tail(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - _SHOWN_CHARACTERS))
    return errors.read().decode("utf-8", errors="replace").strip()
