"""How leaves and bodies lie in the database, and that what older versions stored is still read."""

from hashlib import sha256

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from itcare.store import packing
from itcare.store.packing import MAX_LEAF_BYTES, pack, pack_leaf, read_phrases, unpack, unpack_leaf

PREFIX = b"itcare/leaf/v1\n"
FROZEN = "5aa13c62582fc8ef32e4753ad273ff780310092d120bed4f78bb446bf92ce4fd"


def test_the_phrases_are_the_ones_that_ledgers_were_packed_with() -> None:
    """If this fails, put the file back: with other phrases nothing that was packed can be read."""
    assert sha256(read_phrases()).hexdigest() == FROZEN


def test_what_this_version_packed_is_what_later_ones_must_unpack() -> None:
    """A vector: packed once, kept as bytes."""
    stored = bytes.fromhex("0128b52ffd203f9d00004078223a22c485227d0200e0700a38319b1508")
    assert unpack(stored, 63) == b'{"changed":false,"msg":"All assertions passed","rc":0,"x":"\xc4\x85"}'


@given(st.binary(max_size=500))
def test_a_leaf_comes_back_as_it_was(content: bytes) -> None:
    assert unpack_leaf(pack_leaf(PREFIX + content)) == PREFIX + content


@given(st.binary(max_size=500))
def test_a_body_comes_back_as_it_was(content: bytes) -> None:
    assert unpack(pack(content), len(content)) == content


def test_a_leaf_and_a_body_from_before_packing_are_read() -> None:
    assert unpack_leaf(PREFIX + b"{}") == PREFIX + b"{}"
    assert unpack(zstandard.ZstdCompressor().compress(b"{}"), 2) == b"{}"


@given(st.binary(max_size=300))
def test_outside_bytes_are_no_leaf_and_no_crash(data: bytes) -> None:
    assert unpack_leaf(b"\x01" + data) is not None


@pytest.mark.parametrize("spoil", [lambda s: s + b" ", lambda s: s[:-1], lambda s: s + s[1:], lambda s: s[:1]])
def test_what_is_not_exactly_one_frame_is_no_leaf(spoil) -> None:
    stored = spoil(pack_leaf(PREFIX + b'{"type":"a.b"}'))
    assert unpack_leaf(stored) == stored


def test_an_entry_takes_a_fraction_of_its_bytes() -> None:
    """The point of the phrases: an entry alone is too short for a compressor."""
    leaf = read_phrases().split(b"itcare/leaf/v1\n")[-1].replace(b"pc01", b"host-of-another-name")
    assert len(pack(leaf)) < len(zstandard.ZstdCompressor(level=19).compress(leaf)) / 3


def test_a_frame_that_claims_more_than_a_leaf_may_have_is_not_unpacked() -> None:
    stored = b"\x01" + zstandard.ZstdCompressor().compress(bytes(MAX_LEAF_BYTES + 1))
    assert unpack_leaf(stored) == stored


def test_a_leaf_larger_than_what_is_unpacked_is_stored_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_LEAF_BYTES", 100)
    leaf = PREFIX + bytes(100)
    assert pack_leaf(leaf) == leaf
    assert unpack_leaf(leaf) == leaf
