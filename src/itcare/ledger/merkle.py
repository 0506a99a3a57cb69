"""The writer's side of the tree: the stored right edge, and proofs for others to check.

RFC 9162, section 2.1. Checking is `itcare.ledger.verify`'s work; it is offered here again so that
callers need one module.
"""

from collections.abc import Sequence

from itcare.ledger.verify import (
    EMPTY_ROOT,
    ProofError,
    hash_leaf,
    hash_node,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "ProofError",
    "hash_leaf",
    "hash_node",
    "prove_consistency",
    "prove_inclusion",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

_HASH_BYTES = 32


class Frontier:
    """Right edge of a tree: one hash per complete subtree, left to right, as many as `size` has bits set."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count() or any(len(h) != _HASH_BYTES for h in hashes):
            raise ValueError(f"{len(hashes)} hashes are no right edge of a tree of {size}")
        self.size = size
        self._hashes = list(hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Read what `to_bytes` wrote; raises ValueError when it cannot belong to `size`."""
        if len(data) % _HASH_BYTES:
            raise ValueError("a right edge of broken hashes")
        return cls(size, [data[i : i + _HASH_BYTES] for i in range(0, len(data), _HASH_BYTES)])

    def copy(self) -> "Frontier":
        """The same edge, to go on from apart."""
        return Frontier(self.size, self._hashes)

    def to_bytes(self) -> bytes:
        """All hashes in a row, left to right."""
        return b"".join(self._hashes)

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf at the end."""
        merges = self.size
        while merges & 1:
            leaf_hash = hash_node(self._hashes.pop(), leaf_hash)
            merges >>= 1
        self._hashes.append(leaf_hash)
        self.size += 1

    def root(self) -> bytes:
        """Root of the whole tree."""
        if not self._hashes:
            return EMPTY_ROOT
        *lefts, root = self._hashes
        for left in reversed(lefts):
            root = hash_node(left, root)
        return root


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    edge = Frontier()
    for leaf_hash in hashes:
        edge.append(leaf_hash)
    return edge.root()


def prove_inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Proof that the leaf at `index` is in the tree over `hashes`, its sibling first (2.1.3.1).

    Raises ValueError for an index outside the tree.
    """
    if not 0 <= index < len(hashes):
        raise ValueError(f"index {index} is outside a tree of {len(hashes)}")
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    left, right = hashes[:split], hashes[split:]
    if index < split:
        return [*prove_inclusion(left, index), root_of(right)]
    return [*prove_inclusion(right, index - split), root_of(left)]


def prove_consistency(hashes: Sequence[bytes], size: int) -> list[bytes]:
    """Proof that the tree over `hashes` begins with its first `size` leaves (2.1.4.1).

    Raises ValueError for a size outside the tree.
    """
    if not 0 <= size <= len(hashes):
        raise ValueError(f"size {size} is outside a tree of {len(hashes)}")
    return [] if size in (0, len(hashes)) else _subproof(hashes, size, known=True)


def _subproof(hashes: Sequence[bytes], size: int, *, known: bool) -> list[bytes]:
    if size == len(hashes):
        return [] if known else [root_of(hashes)]
    split = _split(len(hashes))
    left, right = hashes[:split], hashes[split:]
    if size <= split:
        return [*_subproof(left, size, known=known), root_of(right)]
    return [*_subproof(right, size - split, known=False), root_of(left)]


def _split(size: int) -> int:
    """Largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
