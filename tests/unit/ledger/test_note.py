"""Signed notes, verifier keys, checkpoints and tlog-proofs; the key file."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.core.errors import BadInputError, UnsafeError
from itcare.ledger.note import SIGNING_KEY, Signer, check_origin, load_public, load_signer
from itcare.ledger.verify import (
    MAX_NOTE_BYTES,
    NoteError,
    VerifierKey,
    open_checkpoint,
    open_note,
    read_proof,
    write_proof,
)

SIGNER, STRANGER = Signer.generate(), Signer.generate()
NAME = "firm.example/client/1/00"
KEY = SIGNER.verifier_key(NAME)
NOTE = SIGNER.sign("one\n\ntwo\n", NAME)

# The example of the Go package golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signature_line(note: bytes) -> bytes:
    return note.rpartition(b"\n\n")[2]


def test_it_opens_a_note_of_another_implementation() -> None:
    assert open_note(GO_NOTE.encode(), [VerifierKey.parse(GO_KEY)]).text.startswith("If you think")
    assert str(VerifierKey.parse(GO_KEY)) == GO_KEY


def test_it_refuses_that_note_when_one_word_is_altered() -> None:
    with pytest.raises(NoteError, match="bad"):
        open_note(GO_NOTE.replace("answer", "Answer").encode(), [VerifierKey.parse(GO_KEY)])


def test_the_text_ends_at_the_last_empty_line() -> None:
    assert open_note(NOTE, [KEY]).text == "one\n\ntwo\n"


def test_every_flipped_bit_of_a_signature_is_refused() -> None:
    line = signature_line(NOTE).decode()
    head, _, encoded = line.strip().rpartition(" ")
    data = base64.b64decode(encoded)
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        forged = NOTE.replace(encoded.encode(), base64.b64encode(bytes(flipped)))
        with pytest.raises(NoteError):
            open_note(forged, [KEY])
    assert head == f"\u2014 {NAME}"


def test_every_flipped_bit_of_a_note_is_refused() -> None:
    for bit in range(len(NOTE) * 8):
        flipped = bytearray(NOTE)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NoteError):
            open_note(bytes(flipped), [KEY])


def test_a_signature_of_an_unknown_key_is_ignored() -> None:
    both = NOTE + signature_line(STRANGER.sign("one\n\ntwo\n", "stranger.example"))
    assert open_note(both, [KEY]).lines == 2


def test_a_bad_signature_of_a_known_key_spoils_a_good_one() -> None:
    second = STRANGER.verifier_key("second.example")
    both = NOTE + signature_line(STRANGER.sign("something else\n", "second.example"))
    with pytest.raises(NoteError, match=r"second\.example"):
        open_note(both, [KEY, second])
    assert open_note(both, [KEY]).lines == 2  # to whom the second key is unknown


@pytest.mark.parametrize(
    "key",
    [STRANGER.verifier_key(NAME), SIGNER.verifier_key("other.example")],
    ids=["another key under this name", "this key under another name"],
)
def test_no_known_key_is_refused(key: VerifierKey) -> None:
    with pytest.raises(NoteError, match="no known key"):
        open_note(NOTE, [key])
    with pytest.raises(NoteError, match="no known key"):
        open_note(NOTE, [])


def test_a_key_of_the_same_id_cannot_stand_in() -> None:
    line = signature_line(NOTE).decode().strip()
    own = base64.b64decode(line.rpartition(" ")[2])
    other = base64.b64decode(signature_line(STRANGER.sign("one\n\ntwo\n", NAME)).decode().strip().rpartition(" ")[2])
    forged = base64.b64encode(own[:4] + other[4:])
    with pytest.raises(NoteError, match="bad"):
        open_note(NOTE.replace(base64.b64encode(own), forged), [KEY])


def test_sixteen_signatures_of_post_quantum_size_are_accepted() -> None:
    lines = b"".join(
        f"\u2014 witness{n}.example {base64.b64encode(bytes([n]) * 5000).decode()}\n".encode() for n in range(16)
    )
    assert open_note(NOTE + lines, [KEY]).lines == 17


def test_a_note_has_a_largest_size() -> None:
    padding = "x" * (MAX_NOTE_BYTES - 10) + "\n"
    with pytest.raises(NoteError, match="too large"):
        open_note(SIGNER.sign(padding, NAME), [KEY])


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"text\n",
        b"\xff\n\n" + signature_line(NOTE),
        NOTE[:-1],
        NOTE.replace("\u2014".encode(), b"-"),
        NOTE.replace(b"one", b"o\tne"),
        NOTE.replace(b"one\n", b"one\r\n"),
        NOTE + b"\n",
        NOTE + b"more\n",
        NOTE + "\u2014 x.example AAAA\n".encode(),
        NOTE + "\u2014 x+y.example AAAAAAAA\n".encode(),
        NOTE + "\u2014 x.example AAAAAAB=\n".encode(),
    ],
)
def test_a_malformed_note_is_refused(broken: bytes) -> None:
    with pytest.raises(NoteError):
        open_note(broken, [KEY])


@given(st.binary(max_size=300))
def test_outside_bytes_never_open_and_never_crash(data: bytes) -> None:
    for attempt in (lambda: open_note(data, [KEY]), lambda: read_proof(data)):
        with pytest.raises(NoteError):
            attempt()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+",
        f"{KEY}x",
        str(KEY).replace(NAME, "other.example"),
        f"na me+{str(KEY).partition('+')[2]}",
        VerifierKey.parse(GO_KEY).name + "+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
    ids=lambda text: text.partition("+")[0] + f", {len(text)} characters",  # keys are random; a name must not be
)
def test_a_malformed_or_foreign_key_text_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("text", ["no newline", "a\x07\n", ""])
def test_it_signs_nothing_a_note_cannot_carry(text: str) -> None:
    with pytest.raises(NoteError):
        SIGNER.sign(text, NAME)


ROOT = base64.b64encode(b"\x07" * 32).decode()


def test_a_checkpoint_tells_origin_size_and_root() -> None:
    note = SIGNER.sign(f"{NAME}\n12\n{ROOT}\n", NAME)
    checkpoint = open_checkpoint(note, KEY)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (NAME, 12, "07" * 32)
    assert checkpoint.text.encode() == note


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n012\n{ROOT}\n",
        f"{NAME}\n-1\n{ROOT}\n",
        f"{NAME}\n\u0661\n{ROOT}\n",
        f"{NAME}\n12\n{ROOT[:-4]}\n",
        f"{NAME}\n12\n{ROOT}\nextension\n",
        f"{NAME}\n12\n",
        f"firm.example/client/2/00\n12\n{ROOT}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        open_checkpoint(SIGNER.sign(text, NAME), KEY)


def test_a_tlog_proof_reads_back() -> None:
    checkpoint = SIGNER.sign(f"{NAME}\n12\n{ROOT}\n", NAME).decode()
    proof = read_proof(write_proof(7, [b"a" * 32, b"b" * 32], checkpoint))
    assert (proof.index, proof.hashes, proof.checkpoint) == (7, (b"a" * 32, b"b" * 32), checkpoint)
    extra = write_proof(7, [], checkpoint).replace(b"\nindex", b"\nextra AAAA\nindex")
    assert read_proof(extra).index == 7


@pytest.mark.parametrize(
    "change",
    [(b"@v1", b"@v2"), (b"index 7", b"index 07"), (b"index 7", b"index"), (b"index 7\n", b""), (b"\n\n", b"\n")],
)
def test_a_malformed_tlog_proof_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(NoteError):
        read_proof(write_proof(7, [b"a" * 32], "checkpoint\n").replace(*change))


def keys_folder(folder: Path) -> Path:
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    (keys / SIGNING_KEY).write_bytes(SIGNER.to_pem())
    (keys / SIGNING_KEY).chmod(0o600)
    return keys


def test_the_key_file_loads_back(tmp_path: Path) -> None:
    assert load_signer(keys_folder(tmp_path)).public == SIGNER.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700, 0o4600])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    keys = keys_folder(tmp_path)
    (keys / SIGNING_KEY).chmod(mode)
    with pytest.raises(UnsafeError, match="0600"):
        load_signer(keys)


def test_a_keys_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    keys = keys_folder(tmp_path)
    keys.chmod(0o755)
    with pytest.raises(UnsafeError, match="0700"):
        load_signer(keys)


def test_a_key_behind_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    keys = keys_folder(tmp_path)
    (keys / SIGNING_KEY).rename(tmp_path / "elsewhere")
    (keys / SIGNING_KEY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeError):
        load_signer(keys)


def test_a_key_of_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = keys_folder(tmp_path)
    owner = (keys / SIGNING_KEY).stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(UnsafeError, match="owner"):
        load_signer(keys)


@pytest.mark.parametrize("content", [b"", b"no key", SIGNER.to_pem()[:60]], ids=["empty", "other text", "cut key"])
def test_a_broken_key_file_is_told_in_words(tmp_path: Path, content: bytes) -> None:
    keys = keys_folder(tmp_path)
    (keys / SIGNING_KEY).write_bytes(content)
    with pytest.raises(UnsafeError, match="load signing key"):
        load_signer(keys)
    with pytest.raises(UnsafeError, match="load verifier key"):
        load_public(keys)


@pytest.mark.parametrize("prefix", ["", "a b", "a+b", "a/b", "a\nb"])
def test_a_prefix_that_no_note_can_carry_is_refused(prefix: str) -> None:
    with pytest.raises(BadInputError):
        check_origin(prefix)
