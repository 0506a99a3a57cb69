# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Run one tool of the system: no shell, the C locale, a time limit and a limit on what is kept of its output.

`AnsibleModule.run_command` has neither limit, and ends the whole module where a source must fail alone.
"""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import time
from dataclasses import dataclass

from ansible.module_utils.common.process import get_bin_path

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Unavailable, clean_text

_CHUNK_BYTES = 65536


@dataclass(frozen=True)
class Output:
    """What a tool said; `cut` when it was stopped because it said more than was asked for."""

    rc: int
    out: bytes
    err: str
    cut: bool = False

    def lines(self) -> list[str]:
        """The standard output as text lines."""
        return self.out.decode("utf-8", "replace").splitlines()


def find_tool(name: str) -> str | None:
    """The tool's path, looked for in PATH and the sbin directories; None when it is not installed."""
    try:
        return get_bin_path(name)
    except ValueError:
        return None


def run_tool(
    argv: list[str],
    deadline: float,
    *,
    max_bytes: int = 4_000_000,
    cpu_seconds: int | None = None,
    home: str | None = None,
) -> Output:
    """Run `argv` until it ends, `deadline` (monotonic seconds) passes or it has said `max_bytes`.

    `cpu_seconds` is a limit of the kernel on the tool's own processor time, `home` the HOME that it is to see.
    Raises Unavailable: not_installed, timeout, or failed when it cannot be started.
    """
    path = find_tool(argv[0])
    if path is None:
        raise Unavailable("not_installed", f"{argv[0]} is not installed")
    try:
        process = subprocess.Popen(
            [path, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_tool_environment() if home is None else {**_tool_environment(), "HOME": home},
            preexec_fn=None if cpu_seconds is None else lambda: _limit_processor(cpu_seconds),
        )
    except OSError as error:
        reason = "no_permission" if isinstance(error, PermissionError) else "failed"
        raise Unavailable(reason, clean_text(f"{path} cannot be started: {error.strerror}")) from error
    try:
        return _collect(process, argv, deadline, max_bytes)
    finally:
        if process.poll() is None:
            process.kill()
        for stream in (process.stdout, process.stderr):
            stream.close()


def _collect(process: subprocess.Popen, argv: list[str], deadline: float, max_bytes: int) -> Output:
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    cut = False
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map() and not cut:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                raise _timed_out(argv, kept[process.stderr])
            for key, _events in ready:
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                kept[key.fileobj] += chunk
                cut = cut or len(kept[key.fileobj]) > max_bytes
    if cut:
        process.kill()
    try:
        rc = process.wait(max(0.05, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise _timed_out(argv, kept[process.stderr]) from error
    out, err = (bytes(kept[stream][:max_bytes]) for stream in (process.stdout, process.stderr))
    return Output(rc, out, clean_text(err), cut)


def _timed_out(argv: list[str], err: bytearray) -> Unavailable:
    said = f"; it said: {clean_text(bytes(err), 120)}" if err else ""
    return Unavailable("timeout", clean_text(f"{' '.join(argv[:2])} did not answer in time{said}"))


def _tool_environment() -> dict[str, str]:
    """Nothing of the caller's environment but the search path: no pager, no colours, no translated words."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
        "LC_ALL": "C",
        "LANG": "C",
        "LANGUAGE": "C",
        "SYSTEMD_COLORS": "0",
        "SYSTEMD_PAGER": "",
        "SYSTEMD_URLIFY": "0",
    }


def _limit_processor(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
