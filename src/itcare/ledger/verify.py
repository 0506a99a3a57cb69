"""Check a proof bundle of itcare without any server: `python verify.py BUNDLE [--key VKEY] [--held FILE]`.

A lost range that the offline recovery key declared (an epoch) is shown; `--recovery-key VKEY` pins that key.

This one file needs Python 3.11 or newer and the package `cryptography`, nothing else of itcare,
and is therefore longer than the other modules. It holds every check of hashes, proofs and
signatures; itcare itself imports them from here, so there is one verifier and it is this one.

Exit code: 0 sound, 1 unsound (each line names the wrong entry, body or file), 2 unusable call.
Formats: RFC 9162 section 2.1 (tree), c2sp.org/signed-note, c2sp.org/tlog-checkpoint,
c2sp.org/tlog-proof; the rest in docs/ledger-v1.md of itcare.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    if __name__ != "__main__":
        raise
    print("The package `cryptography` is missing. Install it: python -m pip install cryptography", file=sys.stderr)
    sys.exit(2)

LEAF_PREFIX = b"itcare/leaf/v1\n"
SALT_BYTES = 16
BUNDLE_VERSION = "itcare/bundle/v1"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
ED25519 = b"\x01"
MAX_NOTE_BYTES = 1_000_000  # room for far more than 16 signatures of 5 kB each
MAX_MANIFEST_BYTES = 256_000_000
SHOWN_PROBLEMS = 20
EMPTY_ROOT = hashlib.sha256(b"").digest()

MANIFEST, ABOUT, ENTRIES, LAST_PROOF = "MANIFEST", "about.json", "entries.txt", "last-entry.tlog-proof"
KEY_FILE, CHECKPOINTS, BODIES, ERASURES = "verifier-key.txt", "checkpoints", "bodies", "erasures"
RECOVERY_FILE, EPOCHS = "recovery-key.txt", "epochs"
EPOCH_VERSION, EPOCH_EVENT = "itcare/epoch/v1", "epoch.declared"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_ENTRY_LINE = re.compile(rb"(0|[1-9][0-9]{0,17}) ([0-9a-f]{64}) ([0-9a-f]{32}) ([^\n]+)\n")
_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TREE_LINE = re.compile(r"(0|[1-9][0-9]{0,17}) ([0-9a-f]{64})")


class ProofError(ValueError):
    """A Merkle proof does not prove what it was offered for."""


class NoteError(ValueError):
    """A signed note, checkpoint or key text is malformed, or not signed by a known key."""


class LeafError(ValueError):
    """The bytes of a leaf are not an entry of this format, or of another position."""


# --- Tree: RFC 9162, section 2.1 -------------------------------------------------------------


def hash_leaf(leaf: bytes) -> bytes:
    """SHA-256 over 0x00 and the leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf_hash` stands at `index` in the tree of `size` leaves under `root`.

    RFC 9162, 2.1.3.2. Raises ProofError.
    """
    if not 0 <= index < size:
        raise ProofError(f"index {index} is outside a tree of {size}")
    _require_hashes(leaf_hash, root, *proof)
    position, last, computed = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if position & 1 or position == last:
            computed = hash_node(sibling, computed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            computed = hash_node(computed, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("the inclusion proof is too short")
    if computed != root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the tree (size2, root2) begins with exactly the leaves of (size1, root1).

    RFC 9162, 2.1.4.2; a tree of no leaves is consistent with every other. Raises ProofError.
    """
    if not 0 <= size1 <= size2:
        raise ProofError(f"a tree of {size2} leaves cannot extend one of {size1}")
    _require_hashes(root1, root2, *proof)
    if size1 in (0, size2):
        if proof:
            raise ProofError("the consistency proof should be empty")
        if root1 != (root2 if size1 == size2 else EMPTY_ROOT):
            raise ProofError("two roots for one size")
        return
    path = list(proof) if size1 & (size1 - 1) else [root1, *proof]
    if not path:
        raise ProofError("the consistency proof is too short")
    old, last = size1 - 1, size2 - 1
    while old & 1:
        old, last = old >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if old & 1 or old == last:
            first, second = hash_node(sibling, first), hash_node(sibling, second)
            while not old & 1 and old:
                old, last = old >> 1, last >> 1
        else:
            second = hash_node(second, sibling)
        old, last = old >> 1, last >> 1
    if last != 0:
        raise ProofError("the consistency proof is too short")
    if first != root1 or second != root2:
        raise ProofError("the consistency proof leads to other roots")


def _require_hashes(*values: bytes) -> None:
    if any(len(value) != 32 for value in values):
        raise ProofError("a hash does not have 32 bytes")


@dataclass
class Replay:
    """Rebuilds a tree leaf by leaf; the root is to be had at every size."""

    size: int = 0
    _edge: list[tuple[int, bytes]] = field(default_factory=list)  # (leaves below, hash), left to right

    def add(self, leaf_hash: bytes) -> None:
        """Put one more leaf at the end."""
        self._edge.append((1, leaf_hash))
        self.size += 1
        while len(self._edge) > 1 and self._edge[-1][0] == self._edge[-2][0]:
            (count, right), (_, left) = self._edge.pop(), self._edge.pop()
            self._edge.append((2 * count, hash_node(left, right)))

    def edge(self) -> bytes:
        """Hashes of the complete subtrees, left to right."""
        return b"".join(computed for _, computed in self._edge)

    def root(self) -> bytes:
        """Root over the leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        computed = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            computed = hash_node(left, computed)
        return computed


# --- Signed notes and what is written in them ------------------------------------------------


@dataclass(frozen=True)
class VerifierKey:
    """Public half of an Ed25519 key under a name; text form `name+id+base64`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart; no proof of anything."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+id+base64`; raises NoteError, also for another algorithm than Ed25519."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        require_key_name(name)
        key = _decode_base64(encoded)
        if key[:1] != ED25519 or len(key) != 33:
            raise NoteError("not an Ed25519 key")
        found = cls(name, key[1:])
        if key_id != found.key_id.hex():
            raise NoteError("the key's id does not fit the key")
        return found

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's signature of `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Note:
    """A verified note: its text (newline at the end) and how many signature lines it carries."""

    text: str
    lines: int


@dataclass(frozen=True)
class Checkpoint:
    """Tree head of one log. `root`: lower-case hex; `text`: the signed note, exactly as signed."""

    origin: str
    size: int
    root: str
    text: str


@dataclass(frozen=True)
class InclusionProof:
    """A read `.tlog-proof`; nothing in it is verified yet."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str


def require_key_name(name: str) -> str:
    """Return a name that a note may carry; raises NoteError."""
    if not name or "+" in name or any(c.isspace() or ord(c) < 0x20 for c in name):
        raise NoteError("not a usable key name")
    return name


def _decode_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("not base64") from error
    if base64.b64encode(data).decode() != text:
        raise NoteError("not the canonical base64 of anything")
    return data


def open_note(note: bytes, keys: Iterable[VerifierKey], limit: int = MAX_NOTE_BYTES) -> Note:
    """Verify a signed note against the known `keys`.

    Signatures of unknown keys are ignored. Raises NoteError when the note is malformed or larger
    than `limit` bytes, a known key's signature is bad, or no known key signed.
    """
    if len(note) > limit:
        raise NoteError("the note is too large")
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    if any(ord(c) < 0x20 and c != "\n" for c in whole):
        raise NoteError("the note holds control characters")
    text, separator, signatures = whole.rpartition("\n\n")
    text += "\n"
    if not separator or not signatures.endswith("\n"):
        raise NoteError("the note has no signatures")
    known = {(key.name, key.key_id): key for key in keys}
    lines = signatures[:-1].split("\n")
    verified = 0
    for line in lines:
        name, key_id, signature = _read_signature(line)
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.signed(text.encode(), signature):
            raise NoteError(f"the signature of {name} is bad")
        verified += 1
    if not verified:
        raise NoteError("no known key signed it")
    return Note(text, len(lines))


def _read_signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "\u2014":
        raise NoteError("a signature line does not begin with an em dash")
    data = _decode_base64(encoded)
    if len(data) < 5:
        raise NoteError("a signature is too short")
    return require_key_name(name), data[:4], data[4:]


def open_checkpoint(note: bytes, key: VerifierKey) -> Checkpoint:
    """Verify a checkpoint of the log that `key` is named after. Raises NoteError."""
    lines = open_note(note, [key]).text.split("\n")
    if len(lines) != 4 or not _NUMBER.fullmatch(lines[1]):
        raise NoteError("not a checkpoint of three lines")
    root = _decode_base64(lines[2])
    if len(root) != 32:
        raise NoteError("the root does not have 32 bytes")
    if lines[0] != key.name:
        raise NoteError("the checkpoint is of another log")
    return Checkpoint(lines[0], int(lines[1]), root.hex(), note.decode())


def read_proof(data: bytes) -> InclusionProof:
    """Read a `.tlog-proof`; its parts are still to be verified. Raises NoteError."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError("the proof is too large")
    try:
        head, separator, checkpoint = data.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise NoteError("the proof is not UTF-8") from error
    header, *lines = head.split("\n")
    if header != PROOF_HEADER or not separator:
        raise NoteError("not a tlog-proof")
    if lines and lines[0].startswith("extra "):
        _decode_base64(lines.pop(0).removeprefix("extra "))  # carried for others, never trusted
    word, _, index = lines[0].partition(" ") if lines else ("", "", "")
    if word != "index" or not _NUMBER.fullmatch(index):
        raise NoteError("the proof has no index")
    return InclusionProof(int(index), tuple(_decode_base64(line) for line in lines[1:]), checkpoint)


def write_proof(index: int, hashes: Sequence[bytes], checkpoint: str) -> bytes:
    """A `.tlog-proof` for `read_proof`."""
    lines = [PROOF_HEADER, f"index {index}", *(base64.b64encode(h).decode() for h in hashes)]
    return ("\n".join(lines) + f"\n\n{checkpoint}").encode()


def read_leaf(leaf: bytes, index: int) -> dict[str, object]:
    """The event inside the leaf at `index`. Raises LeafError."""
    if not leaf.startswith(LEAF_PREFIX) or len(leaf) <= len(LEAF_PREFIX) + SALT_BYTES:
        raise LeafError("it is not a leaf of this format")
    try:
        event = json.loads(leaf[len(LEAF_PREFIX) + SALT_BYTES :].decode())
    except (ValueError, RecursionError) as error:
        raise LeafError("its event is not JSON") from error
    if not isinstance(event, dict) or event.get("v") != 1 or not isinstance(event.get("type"), str):
        raise LeafError("its event is not of version 1")
    if type(event.get("entry")) is not int or event["entry"] != index:
        raise LeafError(f"it says that it is entry {event.get('entry')!r}")
    if not all(isinstance(d, str) and _DIGEST.fullmatch(d) for d in bodies_of(event)):
        raise LeafError("its list of bodies is malformed")
    return event


def bodies_of(event: dict[str, object]) -> list[str]:
    """Digests of the bodies that an event refers to."""
    named = event.get("bodies", [])
    return named if isinstance(named, list) else [repr(named)]


# --- Epochs ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Epoch:
    """A lost range of one log, as the offline recovery key declared it.

    `kept`: size and root (lower-case hex) of the tree that was left; `lost`: those of every signed tree that
    is known to have been beyond it.
    """

    origin: str
    kept: tuple[int, str]
    lost: tuple[tuple[int, str], ...]

    def explains(self, checkpoint: Checkpoint) -> bool:
        """Whether exactly this checkpoint was declared lost; one that is not named is not excused."""
        return checkpoint.origin == self.origin and (checkpoint.size, checkpoint.root) in self.lost

    def __str__(self) -> str:
        return f"EPOCH: entries {self.kept[0]} to {self.lost[-1][0] - 1}, once signed, were declared lost"


def write_epoch(epoch: Epoch) -> str:
    """The text that the recovery key signs."""
    trees = [f"{size} {root}" for size, root in (epoch.kept, *sorted(epoch.lost))]
    return "\n".join([EPOCH_VERSION, epoch.origin, *trees]) + "\n"


def read_epoch(event: dict[str, object], recovery: VerifierKey) -> Epoch:
    """The declaration in an entry of the firm's log, verified with the recovery key. Raises NoteError."""
    if event.get("type") != EPOCH_EVENT:
        raise NoteError("the entry declares no epoch")
    version, origin, *lines = open_note(str(event.get("declaration")).encode(), [recovery]).text[:-1].split("\n")
    matches = [_TREE_LINE.fullmatch(line) for line in lines]
    if version != EPOCH_VERSION or origin.rpartition("/")[2] != recovery.name.rpartition("/")[2]:
        raise NoteError("the epoch is of another version or another installation")
    trees = [(int(match[1]), match[2]) for match in matches if match]
    if len(trees) != len(lines) or len(trees) < 2 or trees[1:] != sorted(trees[1:]) or trees[1][0] <= trees[0][0]:
        raise NoteError("the epoch names no lost range")
    return Epoch(origin, trees[0], tuple(trees[1:]))


# --- Bundle ----------------------------------------------------------------------------------


@dataclass
class Report:
    """Outcome for one bundle; sound when no problem was found."""

    key: str = ""
    origin: str = ""
    size: int = 0
    root: str = ""
    bodies: int = 0
    erased: int = 0
    recovery: str = ""
    epochs: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _About:
    origin: str
    client: object
    salt: bytes


def verify_bundle(
    folder: Path, pinned: str | None = None, held: bytes | None = None, recovery: str | None = None
) -> Report:
    """Check every file of the bundle in `folder`, against the key text `pinned` if given.

    `held`: an older checkpoint of the log that the reader kept; the entries must still begin with its tree,
    unless an epoch that `recovery` (key text, pinned) signed declares exactly that checkpoint lost.
    Raises NoteError when `pinned` or `recovery` is no verifier key. Everything else ends up in the report.
    """
    report = Report()
    known = VerifierKey.parse(pinned) if pinned is not None else None
    pinned_recovery = VerifierKey.parse(recovery) if recovery is not None else None
    try:
        own = _read_own_key(folder, report)
        if known is not None and own != known:
            report.problems.append(f"{KEY_FILE}: this is not the key you gave; the bundle is from somebody else")
        key = known or own
        if key is None:
            return report
        names = _check_manifest(folder, key, report)
        about = _read_about(_read(folder / ABOUT))
        report.origin = about.origin
        if about.origin != key.name:
            report.problems.append(f"{ABOUT}: the bundle is of {about.origin!a}, the key belongs to {key.name!a}")
        epochs = _read_epochs(folder, key, about, names, pinned_recovery, report)
        mine = _excuse(_open_held(held, key, report), epochs, pinned_recovery is not None, report)
        referring = _check_entries(folder, key, report, mine, [epoch.kept for epoch in epochs])
        _check_bodies(folder, key, about, referring, names, report)
    except (OSError, ValueError, RecursionError) as error:
        report.problems.append(str(error) if isinstance(error, _FileError) else f"the bundle cannot be read: {error}")
    return report


def _read_own_key(folder: Path, report: Report) -> VerifierKey | None:
    try:
        own = VerifierKey.parse(_read(folder / KEY_FILE).decode())
    except _FileError as error:
        report.problems.append(str(error))
    except ValueError as error:
        report.problems.append(f"{KEY_FILE}: {error}")
    else:
        report.key = str(own)
        return own
    return None


class _FileError(ValueError):
    """A file of the bundle is missing or malformed; the text begins with its name."""


def _open_held(held: bytes | None, key: VerifierKey, report: Report) -> Checkpoint | None:
    if held is None:
        return None
    try:
        return open_checkpoint(held, key)
    except NoteError as error:
        report.problems.append(f"the checkpoint you hold is not one of this log and its key: {error}")
        return None


def _open(path: Path) -> BinaryIO:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise _FileError(f"{path.name}: not a regular file")  # a pipe would wait for ever
    return path.open("rb")


def _read(path: Path, limit: int = MAX_MANIFEST_BYTES) -> bytes:
    try:
        with _open(path) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _FileError(f"{path.name}: {'missing' if isinstance(error, FileNotFoundError) else error}") from error
    if len(data) > limit:
        raise _FileError(f"{path.name}: too large")
    return data


def _list_files(folder: Path, report: Report) -> dict[str, str]:
    """Digest by name of every regular file; anything else is a problem."""
    digests = {}
    for parent, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            path = Path(parent, name)
            shown = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                with path.open("rb") as file:
                    digests[shown] = hashlib.file_digest(file, "sha256").hexdigest()
            elif not stat.S_ISDIR(mode):
                report.problems.append(f"{shown!a}: neither file nor folder")
    return digests


def _check_manifest(folder: Path, key: VerifierKey, report: Report) -> set[str]:
    found = _list_files(folder, report)
    data = _read(folder / MANIFEST)
    try:
        note = open_note(data, [key], MAX_MANIFEST_BYTES)
        version, origin, *lines = note.text[:-1].split("\n")
        matches = [_MANIFEST_LINE.fullmatch(line) for line in lines]
        if note.lines != 1 or version != BUNDLE_VERSION or origin != key.name or not all(matches):
            raise NoteError("not a list of files of this format")
    except ValueError as error:
        report.problems.append(f"{MANIFEST}: {error}")
        return set(found)
    listed = {match[2]: match[1] for match in matches if match}
    for name, digest in listed.items():
        if name not in found:
            report.problems.append(f"{name}: missing")
        elif found[name] != digest:
            report.problems.append(f"{name}: changed")
    report.problems += [
        f"{name!a}: does not belong to the bundle" for name in sorted(found.keys() - listed - {MANIFEST})
    ]
    return set(found)


def _read_about(data: bytes) -> _About:
    try:
        about = json.loads(data)
        if about["schema"] != BUNDLE_VERSION:
            raise ValueError("unknown version")
        return _About(str(about["origin"]), about["client"], bytes.fromhex(about["body_salt"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _FileError(f"{ABOUT}: malformed ({error})") from error


def read_entries(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, dict[str, object] | None, str | None]]:
    """Yield (index, leaf hash, event, problem) of each line of an entries file."""
    for index, line in enumerate(lines):
        match = _ENTRY_LINE.fullmatch(line)
        if not match or int(match[1]) != index:
            yield index, hash_leaf(line), None, f"entry {index}: its line is malformed or not in its place"
            continue
        leaf = LEAF_PREFIX + bytes.fromhex(match[3].decode()) + match[4]
        computed = hash_leaf(leaf)
        try:
            event = read_leaf(leaf, index)
            wrong = None if computed.hex().encode() == match[2] else f"entry {index}: changed, its hash does not fit"
        except LeafError as error:
            event, wrong = None, f"entry {index}: changed, {error}"
        yield index, computed, event, wrong


def _read_epochs(
    folder: Path, key: VerifierKey, about: _About, names: set[str], pinned: VerifierKey | None, report: Report
) -> list[Epoch]:
    """Epochs of this log: entries of the firm's log, each with a declaration of the recovery key inside."""
    epochs: list[Epoch] = []
    stems = sorted(name.removesuffix(".entry") for name in names if re.fullmatch(rf"{EPOCHS}/[0-9]+\.entry", name))
    if not stems:
        return epochs
    recovery = VerifierKey.parse(_read(folder / RECOVERY_FILE).decode())
    report.recovery = str(recovery)
    if pinned is not None and recovery != pinned:
        report.problems.append(f"{RECOVERY_FILE}: this is not the recovery key you gave")
        recovery = pinned
    for stem in stems:
        try:
            epoch = read_epoch(_read_firm_entry(folder / stem, key), recovery)
            if epoch.origin != about.origin:
                raise NoteError("it is of another log")
        except (ValueError, OSError) as error:
            report.problems.append(f"{stem}: {error}")
        else:
            epochs.append(epoch)
            report.epochs.append(str(epoch))
    return epochs


def _excuse(held: Checkpoint | None, epochs: Sequence[Epoch], pinned: bool, report: Report) -> Checkpoint | None:
    """The held checkpoint, unless it is one that was declared lost with the recovery key the reader pinned."""
    if held is None or not any(epoch.explains(held) for epoch in epochs):
        return held
    if not pinned:  # whoever holds only the signing key could have put another recovery key into the bundle
        report.epochs.append("EPOCH: it would explain the checkpoint you hold; pass the recovery key you were given")
        return held
    report.epochs.append(f"EPOCH: the checkpoint of {held.size} entries that you hold is one of those declared lost")
    return None


def _check_entries(
    folder: Path, key: VerifierKey, report: Report, held: Checkpoint | None, kept: Sequence[tuple[int, str]]
) -> dict[str, int]:
    """Replay the entries against every checkpoint; returns digest -> first entry that refers to it.

    `kept`: size and root of the trees that epochs left; the log has to go on from each.
    """
    checkpoints = _read_checkpoints(folder, key, report)
    referring: dict[str, int] = {}
    replay, hashes, good = Replay(), [], 0
    try:
        with _open(folder / ENTRIES) as file:
            for index, leaf_hash, event, wrong in read_entries(file):
                if wrong:
                    report.problems.append(wrong)
                for digest in bodies_of(event or {}):
                    referring.setdefault(digest, index)
                replay.add(leaf_hash)
                hashes.append(leaf_hash)
                if held and held.size == replay.size and held.root != replay.root().hex():
                    report.problems.append(f"entries 0 to {index}: not those of the checkpoint you hold")
                if any(size == replay.size and root != replay.root().hex() for size, root in kept):
                    report.problems.append(f"entries 0 to {index}: not those that the epoch kept")
                checkpoint = checkpoints.get(replay.size)
                if checkpoint and checkpoint.root == replay.root().hex():
                    good = replay.size
                elif checkpoint:
                    report.problems.append(
                        f"entries {good} to {replay.size - 1}: one of them differs from what the checkpoint "
                        f"of {replay.size} entries signed (the checkpoint of {good} still fits)"
                    )
    except OSError as error:
        raise _FileError(f"{ENTRIES}: {error}") from error
    report.size, report.root = replay.size, replay.root().hex()
    last = max(checkpoints, default=0)
    if held and held.size > replay.size:
        report.problems.append(f"entry {replay.size}: missing, the checkpoint you hold signed {held.size} entries")
    if any(size > replay.size for size, _ in kept):
        report.problems.append(f"entry {replay.size}: missing, an epoch kept it")
    if replay.size < last:
        report.problems.append(f"entry {replay.size}: missing, the last checkpoint signed {last} entries")
    elif replay.size > last:
        report.problems.append(f"entry {last}: not covered by any checkpoint")
    else:
        _check_last_proof(folder, key, checkpoints.get(last), hashes, report)
    return referring


def _read_checkpoints(folder: Path, key: VerifierKey, report: Report) -> dict[int, Checkpoint]:
    checkpoints = {}
    for path in sorted((folder / CHECKPOINTS).glob("*")):
        try:
            checkpoint = open_checkpoint(_read(path), key)
            if path.name != checkpoint_name(checkpoint.size):
                raise NoteError("it stands under another size")
            checkpoints[checkpoint.size] = checkpoint
        except ValueError as error:
            report.problems.append(f"{CHECKPOINTS}/{path.name}: {error}")
    if not checkpoints:
        report.problems.append(f"{CHECKPOINTS}: no checkpoint signed by the key")
    return checkpoints


def checkpoint_name(size: int) -> str:
    """File name of the checkpoint of `size` entries; names sort like sizes."""
    return f"{size:012d}.txt"


def _check_last_proof(
    folder: Path, key: VerifierKey, latest: Checkpoint | None, hashes: list[bytes], report: Report
) -> None:
    try:
        proof = read_proof(_read(folder / LAST_PROOF))
        checkpoint = open_checkpoint(proof.checkpoint.encode(), key)
        if latest is None or checkpoint != latest or proof.index != checkpoint.size - 1:
            raise ProofError("it is not of the last entry under the last checkpoint")
        verify_inclusion(hashes[-1], proof.index, checkpoint.size, proof.hashes, bytes.fromhex(checkpoint.root))
    except (ValueError, IndexError) as error:
        report.problems.append(f"{LAST_PROOF}: {error}")


def _check_bodies(
    folder: Path, key: VerifierKey, about: _About, referring: dict[str, int], names: set[str], report: Report
) -> None:
    for digest, index in referring.items():
        name = f"{BODIES}/{digest}.json"
        if name in names:
            report.bodies += 1
            if hashlib.sha256(about.salt + _read(folder / name)).hexdigest() != digest:
                report.problems.append(f"body {digest} of entry {index}: changed")
            continue
        try:
            _check_erasure(folder, key, about, digest)
            report.erased += 1
        except (ValueError, OSError) as error:
            report.problems.append(f"body {digest} of entry {index}: missing ({error})")
    wanted = {f"{BODIES}/{digest}.json" for digest in referring}
    extra = sorted(name for name in names - wanted if name.startswith(f"{BODIES}/"))
    report.problems += [f"{name!a}: no entry refers to this body" for name in extra]


def _check_erasure(folder: Path, key: VerifierKey, about: _About, digest: str) -> None:
    """Require proof that the firm's own log, signed by the same key, names the erasure of a body."""
    stem = folder / ERASURES / digest
    if not stem.with_suffix(".entry").exists():
        raise NoteError("no erasure of it is proven")
    event = _read_firm_entry(stem, key)
    if (event["type"], event.get("client"), event.get("digest")) != ("body.erased", about.client, digest):
        raise NoteError("the proof of its erasure speaks of something else")


def _read_firm_entry(stem: Path, key: VerifierKey) -> dict[str, object]:
    """The event of one entry of the firm's own log, proven by the files beside it. Raises ValueError, OSError."""
    match = _ENTRY_LINE.fullmatch(_read(stem.with_suffix(".entry")))
    proof = read_proof(_read(stem.with_suffix(".tlog-proof")))
    origin = proof.checkpoint.partition("\n")[0]
    if not re.fullmatch(rf"[^/]+/firm/{re.escape(key.name.rpartition('/')[2])}", origin) or not match:
        raise NoteError("the proof is not from the firm's log")
    leaf = LEAF_PREFIX + bytes.fromhex(match[3].decode()) + match[4]
    event = read_leaf(leaf, proof.index)
    checkpoint = open_checkpoint(proof.checkpoint.encode(), VerifierKey(origin, key.public))
    verify_inclusion(hash_leaf(leaf), proof.index, checkpoint.size, proof.hashes, bytes.fromhex(checkpoint.root))
    return event


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Check a proof bundle of itcare. Exit code: 0 sound, 1 unsound, 2 unusable call."
    )
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--key", metavar="VKEY", help="verifier key that you were given on another way than the bundle")
    parser.add_argument("--held", metavar="FILE", type=Path, help="older checkpoint of this log that you kept")
    parser.add_argument("--recovery-key", metavar="VKEY", help="recovery key that you were given; for epochs")
    options = parser.parse_args(arguments)
    if not options.bundle.is_dir():
        print(f"{options.bundle}: not a folder", file=sys.stderr)
        return 2
    try:
        held = options.held.read_bytes() if options.held else None
        report = verify_bundle(options.bundle, options.key, held, options.recovery_key)
    except OSError as error:
        print(f"--held: {error}", file=sys.stderr)
        return 2
    except NoteError as error:
        print(f"--key or --recovery-key: {error}. A key looks like name+0123abcd+base64", file=sys.stderr)
        return 2
    _print_report(report, pinned=options.key is not None, recovery_pinned=options.recovery_key is not None)
    return 1 if report.problems else 0


def _print_report(report: Report, *, pinned: bool, recovery_pinned: bool) -> None:
    for problem in report.problems[:SHOWN_PROBLEMS]:
        print(f"UNSOUND: {_shown(problem)}")
    if len(report.problems) > SHOWN_PROBLEMS:
        print(f"UNSOUND: and {len(report.problems) - SHOWN_PROBLEMS} more")
    for line in report.epochs:
        print(_shown(line))
    if report.recovery and not recovery_pinned:
        print("The recovery key of the epoch was NOT PINNED; compare it, or pass yours with --recovery-key:")
        print(_shown(report.recovery))
    if not pinned:
        print("The key was NOT PINNED: anybody can make a bundle that fits its own key.")
        print("Compare this key with the one you were given, or pass that one with --key:")
        print(_shown(report.key) or "(none)")
    if not report.problems:
        print(f"SOUND: {_shown(report.origin)}\n{report.size} entries, root {report.root}")
        print(f"bodies: {report.bodies}, erased on record: {report.erased}")


def _shown(text: str) -> str:
    """Text of the bundle as plain ASCII: nothing in it may steer a terminal."""
    return "".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in text)


if __name__ == "__main__":
    sys.exit(main())
