"""Signing: the recorder's Ed25519 key, its file, and signed notes (c2sp.org/signed-note)."""

import base64
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from itcare.core.errors import BadInputError, UnsafeError
from itcare.ledger.verify import NoteError, VerifierKey, require_key_name

SIGNING_KEY = "signing.key"
VERIFIER_KEY = "signing.pub"
RECOVERY_KEY = "recovery.pub"


class Signer:
    """An Ed25519 key that signs notes under the names of the logs it keeps."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def generate(cls) -> "Signer":
        """A new random key."""
        return cls(Ed25519PrivateKey.generate())

    def to_pem(self) -> bytes:
        """The private key, unencrypted PKCS 8; for a file of mode 0600 and nothing else."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def verifier_key(self, name: str) -> VerifierKey:
        """The public half under `name`. Raises NoteError for a name no note may carry."""
        return VerifierKey(require_key_name(name), self.public)

    def sign(self, text: str, name: str) -> bytes:
        """The note: `text` and one signature line under `name`.

        Raises NoteError when a note cannot carry the text or the name.
        """
        if not text.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in text):
            raise NoteError("a note's text ends in a newline and holds no other control character")
        key_id = self.verifier_key(name).key_id
        signature = base64.b64encode(key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {name} {signature}\n".encode()


def check_origin(prefix: str) -> str:
    """Return the prefix of this installation's log names when a note can carry it. Raises BadInputError."""
    try:
        require_key_name(prefix)
        if "/" in prefix:
            raise NoteError("it holds a slash")
    except NoteError as error:
        raise BadInputError(
            "name log", ascii(prefix), str(error), "Set `origin` in itcare.toml to a DNS name of the firm."
        ) from error
    return prefix


def load_signer(folder: Path) -> Signer:
    """The key in the keys folder.

    Raises UnsafeError when it is missing or unreadable, or when file or folder are not this
    user's alone (file 0600 or 0400, folder 0700, no symbolic link).
    """
    path = folder / SIGNING_KEY
    try:
        _require_private(folder.lstat(), stat.S_IFDIR, {0o700}, folder)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            _require_private(os.fstat(descriptor), stat.S_IFREG, {0o600, 0o400}, path)
            key = load_pem_private_key(file.read(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UnsafeError(
            "load signing key", str(path), str(error),
            "Restore the key from where it is kept; without it the ledger can be read but not signed.",
        ) from error  # fmt: skip
    if not isinstance(key, Ed25519PrivateKey):
        raise UnsafeError("load signing key", str(path), "it is not an Ed25519 key", "Put the right key back.")
    return Signer(key)


def _require_private(status: os.stat_result, kind: int, modes: set[int], path: Path) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_IFMT(status.st_mode) != kind or status.st_uid != os.geteuid() or mode not in modes:
        wanted = " or ".join(f"{m:04o}" for m in sorted(modes, reverse=True))
        raise UnsafeError(
            "load signing key", str(path), f"mode {mode:04o}, owner {status.st_uid}: others may read or replace it",
            f"Set mode {wanted} and make uid {os.geteuid()} the owner. If others could read it, treat it as lost.",
        )  # fmt: skip


def load_public(folder: Path) -> bytes:
    """The public half of the signing key, 32 bytes. Raises UnsafeError."""
    path = folder / VERIFIER_KEY
    try:
        return VerifierKey.parse(path.read_text(encoding="utf-8")).public
    except (OSError, ValueError) as error:
        raise UnsafeError(
            "load verifier key", str(path), str(error), "Put back the key text that your clients were given."
        ) from error


def load_recovery_key(folder: Path) -> VerifierKey:
    """The public half of the offline recovery key. Raises UnsafeError."""
    path = folder / RECOVERY_KEY
    try:
        return VerifierKey.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnsafeError(
            "load recovery key", str(path), str(error), "Put back the key text that your clients were given."
        ) from error


def load_recovery_signer(path: Path, expected: VerifierKey) -> Signer:
    """The private half of the recovery key, from the medium it is kept on.

    Raises BadInputError when it cannot be read, or does not belong to `expected`.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError("load recovery key", str(path), str(error), "Name the file `itcare init` wrote.") from error
    if not isinstance(key, Ed25519PrivateKey) or Signer(key).public != expected.public:
        raise BadInputError(
            "load recovery key", str(path), "it is not the recovery key of this installation",
            "Name the file that `itcare init` wrote; clients hold its public half.",
        )  # fmt: skip
    return Signer(key)
