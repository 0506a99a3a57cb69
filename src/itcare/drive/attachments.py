"""Lists inside a task's result that become bodies of their own, so that an unchanged list is stored once.

The list is what a computer said: packed or plain, it is untrusted. What is not of the known shape
stays where it is and is named by a problem; nothing here raises.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

LARGEST_BYTES: Final = 64 * 1024 * 1024
"""Largest list when unpacked; the largest body of the ledger."""

LARGEST_PARTS: Final = 2_000_000
"""Most brackets and commas in a list: 200,000 packages have 1.6 million. Bounds the memory that parsing takes."""

_ATTACHED = {"itcare.maintenance.software_info": ("software", "packages")}
_KEYS = frozenset({"name", "version", "publisher", "architecture", "scope", "installed_at", "source"})
_MAY_BE_NULL = frozenset({"publisher", "architecture", "installed_at"})
_ORDER = ("source", "scope", "name", "architecture", "version", "installed_at", "publisher")
_ENCODING = "gzip+base64"
_GZIP = 31  # zlib: a gzip header and a window of 32 kB


@dataclass(frozen=True)
class Detached:
    """A result without its list, and the list by name. `problem` is one word when a list could not be taken out.

    Problems: cut (the spool cut it), malformed, not_base64, not_gzip, too_large, digest_differs, not_canonical.
    """

    result: dict[str, object] | None
    attachments: Mapping[str, list[dict[str, str | None]]] = field(default_factory=dict)
    problem: str | None = None


class _DamagedError(Exception):
    """The list is not what the module writes; `args[0]` is the problem."""


def detach(module: str, result: Mapping[str, object] | None) -> Detached:
    """Take the list out of a task's result. A result of another module, or without a list, stays as it is."""
    key, name = _ATTACHED.get(module, ("", ""))
    observation = (result or {}).get(key)
    if result is None or not isinstance(observation, Mapping) or name not in observation:
        return Detached(None if result is None else dict(result))
    rest = {member: value for member, value in observation.items() if member not in (name, "packed")}
    packed = observation.get("packed")
    try:
        packages = _read_list(observation[name], packed)
    except _DamagedError as error:
        problem = str(error)
        kept = {**rest, name: observation[name], **({"packed": _summarise(packed)} if "packed" in observation else {})}
        return Detached({**result, key: kept}, problem=problem)
    told = {"attached": True, "count": len(packages)}
    return Detached({**result, key: {**rest, name: told}}, {name: packages})


def _read_list(plain: object, packed: object) -> list[dict[str, str | None]]:
    if packed is None:
        packages = plain
    elif plain is None:
        packages = _unpack(packed)
    else:
        raise _DamagedError("malformed")
    if not isinstance(packages, list) or not all(_is_package(package) for package in packages):
        raise _DamagedError("malformed")
    return sorted(packages, key=lambda package: [package[key] or "" for key in _ORDER])


def _is_package(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != _KEYS:
        return False
    return all(isinstance(text, str) or (text is None and key in _MAY_BE_NULL) for key, text in value.items())


def _unpack(packed: object) -> object:
    """The value inside; raises _DamagedError. The unpacked size is bounded before anything is parsed."""
    if not isinstance(packed, Mapping) or packed.get("encoding") != _ENCODING:
        raise _DamagedError("malformed")
    data, digest, size = packed.get("data"), packed.get("sha256"), packed.get("bytes")
    if isinstance(data, Mapping) and "_cut" in data:
        raise _DamagedError("cut")
    if not isinstance(data, str) or not isinstance(digest, str) or not isinstance(size, int):
        raise _DamagedError("malformed")
    content = _decompress(data)
    if len(content) != size or sha256(content).hexdigest() != digest:
        raise _DamagedError("digest_differs")
    if sum(map(content.count, (b"{", b"[", b","))) > LARGEST_PARTS:
        raise _DamagedError("too_large")
    return _parse(content)


def _decompress(data: str) -> bytes:
    try:
        compressed = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise _DamagedError("not_base64") from None
    decompressor = zlib.decompressobj(_GZIP)
    try:
        content = decompressor.decompress(compressed, LARGEST_BYTES + 1)
    except zlib.error:
        raise _DamagedError("not_gzip") from None
    if len(content) > LARGEST_BYTES:
        raise _DamagedError("too_large")
    if not decompressor.eof or decompressor.unused_data:
        raise _DamagedError("not_gzip")
    return content


def _parse(content: bytes) -> object:
    """The value, written in the one form that the module writes: no second text stands for the same list."""
    try:
        value: object = json.loads(content)
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise _DamagedError("malformed") from None
    if again != content:
        raise _DamagedError("not_canonical")
    return value


def _summarise(packed: object) -> object:
    """What is kept of a damaged list: all but its data, and of that size and digest."""
    if not isinstance(packed, Mapping) or not isinstance(data := packed.get("data"), str):
        return packed
    text = data.encode("utf-8", "surrogatepass")
    return {**packed, "data": {"_cut": {"bytes": len(text), "sha256": sha256(text).hexdigest()}}}
