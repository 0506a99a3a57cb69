"""The tree against RFC 9162, against a naive twin, and against lying proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from itcare.ledger.verify import Replay

# Eight leaves and the roots over the first 1 to 8 of them, as known from Certificate Transparency
# implementations since RFC 6962; the hashes can be computed again with any SHA-256 tool.
LEAVES = [
    bytes.fromhex(h)
    for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [hash_leaf(b"leaf %d" % number) for number in range(41)]
OTHER = hash_leaf(b"not in any tree")


def naive_root(hashes: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word for word and by the shortest way."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_it_knows_the_roots_that_others_publish(size: int) -> None:
    assert root_of([hash_leaf(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


def test_proofs_are_those_of_the_seven_leaf_example_in_the_standard() -> None:
    a, b, c, d, e, f, j = h = HASHES[:7]
    g, i = naive_root([a, b]), naive_root([e, f])
    k, l = naive_root(h[:4]), naive_root([e, f, j])  # noqa: E741 - the letters of RFC 9162, 2.1.5
    right = naive_root([c, d])
    assert prove_inclusion(h, 0) == [b, right, l]
    assert prove_inclusion(h, 3) == [c, g, l]
    assert prove_inclusion(h, 4) == [f, j, k]
    assert prove_inclusion(h, 6) == [i, k]
    assert prove_consistency(h, 3) == [c, d, g, l]
    assert prove_consistency(h, 4) == [l]
    assert prove_consistency(h, 6) == [i, j, k]


@pytest.mark.parametrize("size", range(41))
def test_writer_verifier_and_definition_agree_at_every_size(size: int) -> None:
    hashes = HASHES[:size]
    root = naive_root(hashes)
    edge, replay = Frontier(), Replay()
    for leaf_hash in hashes:
        edge.append(leaf_hash)
        replay.add(leaf_hash)
    assert edge.root() == replay.root() == root_of(hashes) == root
    assert edge.to_bytes() == replay.edge()
    assert Frontier.from_bytes(size, edge.to_bytes()).root() == root
    for index in range(size):
        verify_inclusion(hashes[index], index, size, prove_inclusion(hashes, index), root)
    for older in range(size + 1):
        verify_consistency(older, size, prove_consistency(hashes, older), naive_root(hashes[:older]), root)


def lies(proof: list[bytes]) -> dict[str, list[bytes]]:
    """What a dishonest server may send instead of `proof`."""
    made = {"padded": [*proof, OTHER], "padded in front": [OTHER, *proof]}
    for place, sibling in enumerate(proof):
        made[f"cut at {place}"] = proof[:place] + proof[place + 1 :]
        made[f"twice {place}"] = [*proof[:place], sibling, *proof[place:]]
        made[f"bit of {place}"] = [*proof[:place], bytes([sibling[0] ^ 1]) + sibling[1:], *proof[place + 1 :]]
        made[f"short hash {place}"] = [*proof[:place], sibling[:31], *proof[place + 1 :]]
        if place:
            made[f"swapped {place}"] = [*proof[: place - 1], sibling, proof[place - 1], *proof[place + 1 :]]
    return made


@pytest.mark.parametrize("size", range(1, 41))
def test_a_lying_inclusion_proof_is_refused(size: int) -> None:
    hashes = HASHES[:size]
    root = naive_root(hashes)
    for index in range(size):
        proof = prove_inclusion(hashes, index)
        for lie in lies(proof).values():
            with pytest.raises(ProofError):
                verify_inclusion(hashes[index], index, size, lie, root)
        with pytest.raises(ProofError):
            verify_inclusion(OTHER, index, size, proof, root)
        with pytest.raises(ProofError):
            verify_inclusion(hashes[index], index, size, proof, OTHER)
        for elsewhere in set(range(-1, size + 2)) - {index}:
            with pytest.raises(ProofError):
                verify_inclusion(hashes[index], elsewhere, size, proof, root)


@pytest.mark.parametrize("size", range(1, 41))
def test_a_lying_consistency_proof_is_refused(size: int) -> None:
    hashes = HASHES[:size]
    root = naive_root(hashes)
    for older in range(1, size):
        proof, old_root = prove_consistency(hashes, older), naive_root(hashes[:older])
        for lie in lies(proof).values():
            with pytest.raises(ProofError):
                verify_consistency(older, size, lie, old_root, root)
        for first, second in ((OTHER, root), (old_root, OTHER), (root, old_root)):
            with pytest.raises(ProofError):
                verify_consistency(older, size, proof, first, second)


@pytest.mark.parametrize(
    ("size1", "size2", "proof", "root1", "root2"),
    [
        (0, 5, [], OTHER, naive_root(HASHES[:5])),
        (0, 5, [OTHER], EMPTY_ROOT, naive_root(HASHES[:5])),
        (5, 5, [], naive_root(HASHES[:5]), OTHER),
        (5, 5, [OTHER], naive_root(HASHES[:5]), naive_root(HASHES[:5])),
        (6, 5, [], naive_root(HASHES[:6]), naive_root(HASHES[:5])),
        (-1, 5, [], EMPTY_ROOT, naive_root(HASHES[:5])),
        (4, 5, [], naive_root(HASHES[:4]), naive_root(HASHES[:5])),
        (3, 5, [], naive_root(HASHES[:3]), naive_root(HASHES[:5])),
    ],
)
def test_a_consistency_claim_at_the_edge_is_refused(
    size1: int, size2: int, proof: list[bytes], root1: bytes, root2: bytes
) -> None:
    with pytest.raises(ProofError):
        verify_consistency(size1, size2, proof, root1, root2)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=8), st.integers(0, 300), st.integers(0, 300))
def test_an_invented_proof_never_passes(proof: list[bytes], index: int, size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(OTHER, index, size, proof, HASHES[0])


@pytest.mark.parametrize(("size", "data"), [(3, b"\x00" * 32), (1, b""), (2, b"\x00" * 33), (-1, b"")])
def test_it_refuses_a_right_edge_that_cannot_be(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match="right edge"):
        Frontier.from_bytes(size, data)


def test_no_proof_is_made_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="outside"):
        prove_inclusion(HASHES[:3], 3)
    with pytest.raises(ValueError, match="outside"):
        prove_consistency(HASHES[:3], 4)
