"""The signed list of files of a backup: what is not in it, or differs from it, is not restored.

Format: docs/backup-v1.md.
"""

import os
import re
import stat
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path

from itcare.core.errors import UnsafeError, UnsoundError
from itcare.ledger.note import Signer
from itcare.ledger.verify import MAX_MANIFEST_BYTES, NoteError, VerifierKey, open_note
from itcare.store.durable import write_durably

MANIFEST = "MANIFEST"
VERSION = "itcare/backup/v1"

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
# Everything a backup may hold. A private key, a link or a path that leads elsewhere is none of these.
_FILE = re.compile(
    r"about\.json|itcare\.sqlite|itcare\.toml|keys/(?:signing|recovery)\.pub"
    r"|checkpoints/[0-9]{1,18}/[0-9]{12}\.txt|known_hosts/[0-9]{1,18}"
)


def may_be_in_backup(name: str) -> bool:
    """Whether a file of this name, relative to the state directory, belongs into a backup."""
    return _FILE.fullmatch(name) is not None


def list_digests(folder: Path) -> dict[str, str]:
    """SHA-256 by relative name of every file but the manifest. Raises UnsoundError for what a backup never holds."""
    digests = {}
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(parent, name)
            shown = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode) or shown == MANIFEST:
                continue
            if not stat.S_ISREG(mode) or not may_be_in_backup(shown):
                raise _unsound(folder, f"{shown!a} does not belong into a backup")
            with path.open("rb") as file:
                digests[shown] = file_digest(file, "sha256").hexdigest()
    return digests


def write_manifest(folder: Path, signer: Signer, origin: str) -> None:
    """Sign the list of the files that are in `folder` now. Raises OSError."""
    lines = [VERSION, origin, *(f"{digest}  {name}" for name, digest in sorted(list_digests(folder).items()))]
    write_durably(folder / MANIFEST, signer.sign("\n".join(lines) + "\n", origin))


def read_manifest(folder: Path, key: VerifierKey) -> dict[str, str]:
    """SHA-256 by name of the files that the backup in `folder` should hold. Raises UnsoundError.

    Raises UnsafeError for another version of the format.
    """
    try:
        with (folder / MANIFEST).open("rb") as file:
            note = open_note(file.read(MAX_MANIFEST_BYTES + 1), [key], MAX_MANIFEST_BYTES)
        version, origin, *lines = note.text[:-1].split("\n")
        matches = [_LINE.fullmatch(line) for line in lines]
        if version != VERSION:
            raise UnsafeError(
                "use backup", str(folder), f"its version is {version!a}, this program reads {VERSION}",
                "Restore it with the itcare that wrote it, or a newer one.",
            )  # fmt: skip
        if note.lines != 1 or origin != key.name or not all(m and may_be_in_backup(m[2]) for m in matches):
            raise NoteError("not a list of files of this format")
    except (OSError, ValueError) as error:
        raise _unsound(folder, f"{MANIFEST}: {error}") from error
    return {match[2]: match[1] for match in matches if match}


def require_files(folder: Path, listed: Mapping[str, str]) -> None:
    """Require exactly the listed files, each as it was. Raises UnsoundError naming the first that is not."""
    found = list_digests(folder)
    for name, digest in listed.items():
        if name not in found:
            raise _unsound(folder, f"{name} is missing")
        if found[name] != digest:
            raise _unsound(folder, f"{name} was changed")
    if extra := sorted(found.keys() - listed):
        raise _unsound(folder, f"{extra[0]} is not in its list of files")


def _unsound(folder: Path, why: str) -> UnsoundError:
    return UnsoundError("use backup", str(folder), why, "Use another copy of this backup, or another backup.")
