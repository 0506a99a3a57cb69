"""Which commit a contract file is, asked of git."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 10.0
# Of the caller's environment git gets what it needs to find itself and its user's safe.directory list.
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "TMPDIR")


@dataclass(frozen=True)
class Origin:
    """`commit`: the last one that changed the file, 40 or 64 hex digits; None without git, repository or commit.

    `dirty`: the bytes are not what that commit holds. False where there is no repository.
    """

    commit: str | None
    dirty: bool


def find_origin(path: Path, data: bytes, environ: Mapping[str, str] | None = None) -> Origin:
    """Ask git about the file whose bytes were read as `data`.

    The bytes are compared here, so neither a later edit nor an index flag such as assume-unchanged can
    hide a difference. A git that is absent, refuses or does not answer in time counts as none.
    """
    real = path.resolve()
    environ = os.environ if environ is None else environ
    log = _ask(real, environ, "log", "-1", "--no-show-signature", "--format=%H", "--", real.name)
    if log is None:
        return Origin(None, dirty=False)
    commit = log.decode("ascii", errors="replace").strip()
    if not commit:
        return Origin(None, dirty=True)
    return Origin(commit, dirty=_ask(real, environ, "cat-file", "blob", f"{commit}:./{real.name}") != data)


def _ask(path: Path, environ: Mapping[str, str], *arguments: str) -> bytes | None:
    """Output of one read-only git command in the file's folder, None when it fails; no GIT_* of the caller."""
    kept = {name: environ[name] for name in _KEPT if name in environ}
    fixed = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        answer = subprocess.run(
            ["git", "-C", str(path.parent), *arguments],
            env={**kept, **fixed, "GIT_NO_LAZY_FETCH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout
