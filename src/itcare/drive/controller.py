"""Who runs this, on which computer, with which code: what a run records about its own side."""

import ctypes
import os
import pwd
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import itcare

_GIT_SECONDS = 5
_NO_LOGIN = 4294967295  # loginuid of a process without a login session (credentials(7))
_TIME_ERROR = 5  # adjtimex: clock not synchronised
_STA_UNSYNC = 0x0040


@dataclass(frozen=True)
class Operator:
    """The person behind a run, as far as the system tells.

    `user`: effective user. `login`: name of the login session's user (survives su and sudo), None
    without a session. `sudo_user`: what sudo says. `stated`: what the operator claims, unchecked.
    """

    user: str
    login: str | None
    sudo_user: str | None
    stated: str | None

    def __str__(self) -> str:
        return self.stated or self.login or self.sudo_user or self.user


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def identify_operator(stated: str | None = None, environ: Mapping[str, str] | None = None) -> Operator:
    """Who this process works for."""
    environ = os.environ if environ is None else environ
    return Operator(_user_name(os.geteuid()), _login_name(), environ.get("SUDO_USER") or None, stated)


def _login_name() -> str | None:
    try:
        uid = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == _NO_LOGIN else _user_name(uid)


@dataclass(frozen=True)
class ClockState:
    """Whether the kernel's clock is disciplined; `synchronised` None when it could not be asked.

    `estimated_error_seconds`: the kernel's own estimate, None unless synchronised.
    """

    synchronised: bool | None
    estimated_error_seconds: float | None


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_byte * 200),
    )  # fmt: skip


def read_clock_state() -> ClockState:
    """Ask the kernel (adjtimex(2), reading only)."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return ClockState(None, None)
    if state == -1:
        return ClockState(None, None)
    synchronised = state != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return ClockState(synchronised, timex.esterror / 1e6 if synchronised else None)


@dataclass(frozen=True)
class CodeVersion:
    """Version of this package; commit and uncommitted changes when it runs from a git checkout."""

    version: str
    commit: str | None
    dirty: bool


def read_code_version() -> CodeVersion:
    """Version and, from a checkout, commit of the code that is running."""
    try:
        number = version("itcare")
    except PackageNotFoundError:
        number = "unknown"
    root = Path(itcare.__file__).parents[2]
    if not (root / ".git").exists():
        return CodeVersion(number, None, False)
    commit = _git(root, "rev-parse", "HEAD")
    # No answer is not "clean".
    changes = _git(root, "status", "--porcelain", "--", "src", "collections", "playbooks")
    return CodeVersion(number, commit, changes is None or bool(changes))


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_GIT_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def describe_request(operator: Operator, reason: str | None) -> dict[str, Any]:
    """Body `asked` of a run's first entry: who, why, on which computer, by which clock."""
    clock = read_clock_state()
    return {
        "operator": asdict(operator), "reason": reason, "controller": socket.gethostname(), "clock": asdict(clock),
    }  # fmt: skip
