"""How leaves and bodies lie in the database: compressed, with the phrases that every ledger repeats left out.

An entry is mostly words that stand in every other one, and too short for a compressor to learn them from it. So the
compressor knows `phrases-1.txt` beforehand: invented entries and results of the usual kinds. What is packed begins with
the number of its phrases; a file of phrases is frozen, since what was packed with it needs it for ever, and better
phrases get the next number. Packing is no part of the evidence: hashes and digests are those of the bytes within.

Source: RFC 8878 (Zstandard), section 5 on dictionaries of raw content.
"""

import threading
from importlib.resources import files

import zstandard

_PHRASES = 1
_MARK = bytes([_PHRASES])  # no leaf begins with it (`itcare/leaf/v1`), and no bare frame (28 B5 2F FD)
_LEVEL = 6

MAX_LEAF_BYTES = 64 * 1024 * 1024
"""Largest leaf that is unpacked; one of 40 tasks has 20 kB."""


def read_phrases() -> bytes:
    """The frozen phrases that this version packs with."""
    return files("itcare.store").joinpath(f"phrases-{_PHRASES}.txt").read_bytes()


class _Zstd(threading.local):
    """Compressor and decompressors, made once: making them costs thrice what a small body does. Not for two threads."""

    def __init__(self) -> None:
        phrases = zstandard.ZstdCompressionDict(read_phrases(), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        phrases.precompute_compress(level=_LEVEL)
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=phrases)
        self.with_phrases = zstandard.ZstdDecompressor(dict_data=phrases)
        self.bare = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def pack(content: bytes) -> bytes:
    """`content` as it is stored."""
    return _MARK + _zstd.compressor.compress(content)


def pack_leaf(data: bytes) -> bytes:
    """A leaf as it is stored: as it is, when it is larger than what is unpacked again."""
    return pack(data) if len(data) <= MAX_LEAF_BYTES else data


def unpack(stored: bytes, size: int) -> bytes | None:
    """What was packed, of `size` bytes; None when that is not what is stored.

    Reads a bare zstd frame as well: what ledgers before schema 0002 hold.
    """
    return _open(stored, size, size)


def unpack_leaf(stored: bytes) -> bytes:
    """The bytes of a leaf; a leaf before schema 0002 is stored as it is.

    What cannot be unpacked is returned as it is: it is no leaf, and every check of a leaf says so.
    """
    if not stored.startswith(_MARK):
        return stored
    content = _open(stored, 0, MAX_LEAF_BYTES)
    return stored if content is None else content


def _open(stored: bytes, least: int, most: int) -> bytes | None:
    """The content of exactly one frame, whose header says that it has `least` to `most` bytes."""
    packed = stored.startswith(_MARK)
    frame = stored[len(_MARK) :] if packed else stored
    decompressor = _zstd.with_phrases if packed else _zstd.bare
    try:
        size = zstandard.frame_content_size(frame)
        if not least <= size <= most:
            return None
        content: bytes = decompressor.decompress(frame, max_output_size=max(size, 1), allow_extra_data=False)
    except zstandard.ZstdError:
        return None
    return content if len(content) == size else None
