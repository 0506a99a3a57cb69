"""Host keys: asked for once, confirmed by a person, pinned per client, and never changed in silence."""

import base64
import binascii
import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from itcare.core.errors import BadInputError, ItcareError
from itcare.core.names import check_host_name
from itcare.core.settings import Settings
from itcare.drive.controller import Operator
from itcare.drive.folder import write_private

SCAN_SECONDS = 10
# The order in which ssh itself prefers them (myproposal.h); older kinds are not pinned at all.
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


@dataclass(frozen=True)
class HostKey:
    """One public host key: its kind and its base64 text as known_hosts holds it."""

    kind: str
    text: str

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as ssh-keygen -l prints it."""
        digest = hashlib.sha256(base64.b64decode(self.text)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class HostKeyChangedError(BadInputError):
    """Another key is pinned for this host than the one it shows now."""

    def __init__(self, host: str, pinned: str, shown: str) -> None:
        super().__init__(
            "trust the key of", host, f"{pinned} is pinned and the host shows {shown}",
            "Ask why it changed; if it was reinstalled, trust the new key explicitly with --replace.",
        )  # fmt: skip


def known_hosts_file(settings: Settings, client_id: int) -> Path:
    """The client's own known_hosts; the path holds numbers only."""
    return settings.home / "known_hosts" / str(client_id)


def known_hosts_name(address: str, port: int) -> str:
    """How ssh looks a host up: `address`, with another port than 22 `[address]:port`."""
    name = address.lower()
    return name if port == 22 else f"[{name}]:{port}"


def scan_host_key(address: str, port: int, seconds: int = SCAN_SECONDS) -> HostKey:
    """The key that a host shows now, of the kind ssh would prefer; it is not trusted by this.

    Raises ItcareError when it does not answer or shows no usable key within `seconds`.
    """
    if address.startswith("-"):
        raise BadInputError("scan", ascii(address), "an address does not begin with a hyphen", "Mend the contract.")
    try:
        done = subprocess.run(
            ["ssh-keyscan", "-T", str(seconds), "-p", str(port), "--", address], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=seconds + 5,
        )  # fmt: skip
        keys = list(_parse(done.stdout.splitlines()))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ItcareError("scan the host key of", f"{address} port {port}", str(error), "Try again.") from error
    if not keys:
        raise ItcareError(
            "scan the host key of", f"{address} port {port}", "it did not answer with a key",
            "Check that its sshd runs and that the address and port are right.",
        )  # fmt: skip
    return min(keys, key=lambda key: _KINDS.index(key.kind))


def _parse(lines: Iterable[str]) -> Iterable[HostKey]:
    for line in lines:
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith(("#", "@", "|")) or fields[1] not in _KINDS:
            continue
        try:
            base64.b64decode(fields[2], validate=True)
        except binascii.Error:
            continue
        yield HostKey(fields[1], fields[2])


def pinned_keys(file: Path, name: str) -> list[HostKey]:
    """Keys pinned for one host, by the name ssh looks it up under."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return list(_parse(line for line in lines if line.split(" ", 1)[0] == name))


def pin_key(file: Path, name: str, key: HostKey, *, replace: bool = False) -> bool:
    """Keep a key for a host; False when it was there already.

    Raises HostKeyChangedError when another one is pinned and `replace` is not set.
    """
    pinned = pinned_keys(file, name)
    if pinned == [key]:
        return False
    if pinned and not replace:
        raise HostKeyChangedError(name, pinned[0].fingerprint, key.fingerprint)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [line for line in lines if line.split(" ", 1)[0] != name]
    write_private(file, "\n".join([*kept, f"{name} {key.kind} {key.text}"]) + "\n")
    return True
