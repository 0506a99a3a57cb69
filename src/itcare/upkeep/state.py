"""Judgements on the state directory: who may read it, what version it has, what waits in it."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from itcare.core.errors import ItcareError
from itcare.drive.preflight import MINIMUM_FREE_BYTES
from itcare.ledger.note import SIGNING_KEY, load_public, load_signer
from itcare.upkeep.diagnosis import Diagnosis, doubtful, well, wrong

FEW_FREE_BYTES = 1024**3
"""Free space that deserves a warning: some days of a large client, and room for one backup."""

_SHOWN = 5


def judge_home(home: Path, status: os.stat_result | None, uid: int) -> Diagnosis:
    """`status`: of the state directory, None when it is not there. `uid`: the user itcare runs as."""
    if status is None:
        return wrong("home", f"{home} is not there", "Run `itcare init`, or set ITCARE_HOME to the right folder.")
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISDIR(status.st_mode):
        return wrong("home", f"{home} is no folder", "Set ITCARE_HOME to the right folder.")
    if status.st_uid != uid:
        return wrong(
            "home", f"{home} belongs to uid {status.st_uid}", f"Run as its owner, or make uid {uid} the owner."
        )
    if mode & 0o022:
        return wrong("home", f"other users may write into {home} (mode {mode:04o})", f"Run chmod 0711 {home}.")
    if mode & 0o044:
        return doubtful("home", f"other users may list {home} (mode {mode:04o})", f"Run chmod 0711 {home}, or 0700.")
    return well("home", f"{home} is closed to others")


def judge_keys(keys: Path) -> Diagnosis:
    """The signing key: there, this user's alone, and the one whose public half the clients hold."""
    try:
        fits = load_signer(keys).public == load_public(keys)
    except ItcareError as error:
        return wrong("signing-key", f"{error.subject}: {error.why}", error.remedy)
    if not fits:
        return wrong(
            "signing-key", f"{keys / SIGNING_KEY} does not belong to the verifier key beside it",
            "Put the right key back; your clients hold the other one.",
        )  # fmt: skip
    return well("signing-key", "the signing key is this user's alone")


def judge_credentials(folder: Path, uid: int) -> Diagnosis:
    """Private keys of ssh targets, `CODE/NAME` below `folder`: nobody else's, mode 0600 or 0400."""
    open_ones = []
    for path in sorted(folder.glob("*/*")):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_uid != uid or stat.S_IMODE(status.st_mode) & 0o177:
            open_ones.append(str(path))
    if open_ones:
        return wrong(
            "credentials", f"others may read, or it is no plain file: {_list(open_ones)}",
            f"Run chmod 0600 on each and make uid {uid} the owner. Replace a key that others could read.",
        )  # fmt: skip
    return well("credentials", "private keys of computers are this user's alone")


def judge_space(folder: Path, free_bytes: int) -> Diagnosis:
    found = f"{free_bytes // 1024**2} MiB are free in {folder}"
    if free_bytes < MINIMUM_FREE_BYTES:
        needed = MINIMUM_FREE_BYTES // 1024**2
        return wrong("disk", f"{found}; no run starts below {needed} MiB", "Free some space.")
    if free_bytes < FEW_FREE_BYTES:
        return doubtful("disk", found, "Free some space before runs are refused.")
    return well("disk", found)


def judge_database(error: ItcareError | None) -> Diagnosis:
    """`error`: what opening the database raised."""
    if error is not None:
        return wrong("database", f"{error.subject}: {error.why}", error.remedy)
    return well("database", "the database opens and has the schema of this version")


def judge_runs(dead: Sequence[str]) -> Diagnosis:
    """`dead`: names of open runs that nobody drives any more."""
    if dead:
        return doubtful("runs", f"the driver died of {_list(dead)}; its spool is not imported", "Run `itcare recover`.")
    return well("runs", "no run waits for its spool to be imported")


def judge_spools(waiting: Sequence[Path]) -> Diagnosis:
    """`waiting`: spools of plain ansible-playbook runs that no ledger has."""
    if waiting:
        return doubtful(
            "spools", f"not in any ledger: {_list([str(path) for path in waiting])}",
            f"Run: itcare adopt {waiting[0]} --client CODE --reason TEXT, or remove it.",
        )  # fmt: skip
    return well("spools", "no spool waits to be adopted")


def judge_snapshots(refused: Sequence[tuple[str, ItcareError]], readable: int) -> Diagnosis:
    """`refused`: client code (or `firm`) and why its published file cannot be shown."""
    if refused:
        code, error = refused[0]
        others = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        return doubtful("snapshots", f"the pages of {code} cannot be shown: {error.why}{others}", error.remedy)
    return well("snapshots", f"published files that can be shown: {readable}")


def judge_contracts(folder: Path, usable: int, problems: Sequence[str], error: ItcareError | None) -> Diagnosis:
    """`problems`: one line for each thing wrong in a contract; `error`: why the folder could not be read."""
    if error is not None:
        return wrong("contracts", f"{folder}: {error.why}", "Set `contracts` in itcare.toml to the right folder.")
    if problems:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return wrong("contracts", f"{problems[0]}{others}", "Run: itcare contract check FILE, and mend what it names.")
    if not usable:
        return doubtful("contracts", f"there is no contract in {folder}", "Put one file per client there.")
    return well("contracts", f"usable contracts: {usable}")


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
