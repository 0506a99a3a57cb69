"""Vault files beside contracts: what Ansible would take without a word although others may read or replace it.

itcare has no secrets in vaults and hands no vault password to a run. Playbooks of the firm may, and their files
often lie in the same repository.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from itcare.upkeep.diagnosis import Diagnosis, well, wrong

_VARIABLES = re.compile(r".*vault.*\.(?:ya?ml|json|ini)", re.IGNORECASE)
_PASSWORD = re.compile(r".*vault.*(?:pass|pw|key|secret|-client\.).*|\.?vault(?:\.txt)?|.*pass.*vault.*", re.IGNORECASE)
_MARK = b"$ANSIBLE_VAULT;"  # begins each encrypted file and each encrypted value (Ansible, format of vault files)
_LOOKED_AT_BYTES = 1024 * 1024
_DEEPEST = 6
_SHOWN = 5


def find_vaults(folder: Path) -> Iterator[Path]:
    """Files below `folder` whose name says vault, in order; links are named and never followed, .git is left out."""
    for parent, folders, files in os.walk(folder):
        if len(Path(parent).relative_to(folder).parts) >= _DEEPEST:
            folders.clear()
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(files):
            if _VARIABLES.fullmatch(name) or _PASSWORD.fullmatch(name):
                yield Path(parent, name)


def explain_vault(path: Path, uid: int) -> str | None:
    """What is wrong with one of them, for a reader with the user id `uid`; None when it is kept well.

    Measured with ansible-core 2.21: a password file of mode 0666 is used, and one with an x bit is executed.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return "it is no plain file"
        with path.open("rb") as file:
            is_encrypted = _MARK in file.read(_LOOKED_AT_BYTES)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if not is_encrypted and _VARIABLES.fullmatch(path.name):
        return "its values are not encrypted"
    if is_encrypted:
        return "others may write it" if status.st_mode & 0o022 else None
    if status.st_mode & 0o111:
        return "it is executable, so Ansible would run it"
    if status.st_uid != uid or stat.S_IMODE(status.st_mode) not in (0o600, 0o400):
        return f"others may read or own it (mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid})"
    return "others may replace it" if path.parent.stat().st_mode & 0o022 else None


def judge_vaults(folders: Sequence[Path], uid: int) -> Diagnosis:
    """`folders`: where contracts and inventories lie. `uid`: the user itcare runs as."""
    problems = [
        f"{path}: {problem}"
        for folder in folders
        for path in find_vaults(folder)
        if (problem := explain_vault(path, uid)) is not None
    ]
    if problems:
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        return wrong(
            "vaults", "; ".join(problems[:_SHOWN]) + more,
            f"Encrypt values with ansible-vault encrypt; make a password file a plain one of uid {uid}, mode 0600, in "
            "a folder that only its owner may write, better outside these folders. Replace what others could read.",
        )  # fmt: skip
    return well("vaults", "no vault file lies open beside the contracts")
