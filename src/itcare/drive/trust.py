"""Host keys: asked for once, confirmed by a person, pinned per client, and never changed in silence."""

import base64
import binascii
import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from itcare.contract.loader import LoadedContract
from itcare.contract.models import DEFAULT_SSH_PORT, ResolvedHost
from itcare.core.clock import Clock
from itcare.core.errors import BadInputError, ItcareError, NotFoundError
from itcare.core.settings import Settings
from itcare.drive.controller import Operator
from itcare.drive.folder import write_private
from itcare.ledger.log import Ledger

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


def require_new(file: Path, name: str, key: HostKey, *, replace: bool) -> bool:
    """Whether a key still has to be pinned; False when it is.

    Raises HostKeyChangedError when another one is pinned and `replace` is not set.
    """
    pinned = pinned_keys(file, name)
    if pinned == [key]:
        return False
    if pinned and not replace:
        raise HostKeyChangedError(name, pinned[0].fingerprint, key.fingerprint)
    return True


def pin_key(file: Path, name: str, key: HostKey) -> None:
    """Make a key the only one that is believed for a host. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [line for line in lines if line.split(" ", 1)[0] != name]
    write_private(file, "\n".join([*kept, f"{name} {key.kind} {key.text}"]) + "\n")


def find_ssh_host(loaded: LoadedContract, name: str, clock: Clock) -> ResolvedHost:
    """A host of the contract that is reached by ssh today. Raises NotFoundError."""
    contract = loaded.contract
    today = clock.now().astimezone(contract.zone).date()
    known = {host.name: host for host in contract.hosts_on(today) if host.connection == "ssh"}
    if name not in known:
        raise NotFoundError(
            "find host", ascii(name[:70]), f"{contract.client.code} has no such host that is reached by ssh",
            f"Its ssh hosts: {', '.join(sorted(known)) or 'none'}.",
        )  # fmt: skip
    return known[name]


def trust_host(
    ledger: Ledger, loaded: LoadedContract, host: ResolvedHost, key: HostKey, *, operator: Operator,
    replace: bool = False,
) -> bool:  # fmt: skip
    """Pin a key that a person has confirmed, and record it in the firm's log; False when it was pinned.

    Raises HostKeyChangedError when another key is pinned and `replace` is not set.
    """
    client = loaded.contract.client
    log = ledger.client_log(client.code, client.legal_name)
    file = known_hosts_file(ledger.settings, log.client_id or 0)  # a client's log always has an id
    name = known_hosts_name(host.address or host.name, host.port or DEFAULT_SSH_PORT)
    if require_new(file, name, key, replace=replace) is False:
        return False
    firm = ledger.firm_log()
    with ledger.append(firm) as batch:
        batch.add(
            {
                "type": "hostkey.trusted", "client": client.code, "host": host.name, "fingerprint": key.fingerprint,
                "key_type": key.kind, "who": batch.body(asdict(operator)),
            }
        )  # fmt: skip
    ledger.sign(firm)
    # Recorded first: a key that is pinned without an entry would be trusted by nobody.
    pin_key(file, name, key)
    return True
