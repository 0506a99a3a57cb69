# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make any value of a task result safe to store: bounded in size and depth, plain JSON.

Private to the collection itcare.maintenance. The caps are part of the format (docs/spool-v1.md).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import typing as t

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.redaction import NOTHING, Redaction
from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import encode

STRING_CHARACTERS = 16384
HEAD_CHARACTERS = 4096
KEY_CHARACTERS = 256
RESULT_BYTES = 256 * 1024
# A list that one of our modules packed: text that is of no use when cut.
PACKED_CHARACTERS = 640 * 1024
PACKED_RESULT_BYTES = 700 * 1024
DEPTH = 32
LARGEST_INTEGER = 2**53  # beyond it a reader in another language sees a different number
OMITTED_KEYS = 64
_PACKED, _PACKED_DEPTH = "packed", 2  # result -> what the module returns -> packed -> data
_PARTS = RESULT_BYTES // 2  # more parts than this cannot fit into a result, so they are not walked
_CHUNK = 1 << 20
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")

_STATE = ("changed", "failed", "skipped", "unreachable", "attempts")
_KEPT = (*_STATE, "msg", "rc", "stdout", "stderr", "warnings", "skip_reason")
_DERIVED = frozenset(("stdout_lines", "stderr_lines"))  # ansible-core makes them from stdout and stderr
_NEVER = frozenset(("invocation", "diff", "exception"))
_OWN = "itcare.maintenance."


class Reduction:
    """One walk over a result; `was_cut` tells whether anything of it was lost.

    `keeps_packed`: the result is of a module of ours, whose packed list is kept whole; `has_packed`
    tells whether there was one that needed it. `redaction`: what no text of the result may hold.
    """

    def __init__(self, keeps_packed: bool = False, redaction: Redaction = NOTHING) -> None:
        self.redaction = redaction
        self.was_cut = False
        self.has_packed = False
        self._keeps_packed = keeps_packed
        self._nodes = 0

    def reduce(self, value: t.Any, depth: int = 0) -> t.Any:
        """A bounded copy of the value in plain JSON types."""
        self._nodes += 1
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self._reduce_text(value)
        if isinstance(value, int):
            return int(value) if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else self._cut("integer")
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else self._cut("number")
        if isinstance(value, (dict, list, tuple)):
            if depth >= DEPTH:
                return self._cut("depth")
            if self._nodes + len(value) > _PARTS:
                return self._cut("parts")
            if isinstance(value, dict):
                return {self._reduce_key(key): self._reduce_member(key, value[key], depth + 1) for key in value}
            return [self.reduce(part, depth + 1) for part in value]
        return self._cut("type")

    def _reduce_member(self, key: t.Any, value: t.Any, depth: int) -> t.Any:
        is_packed = self._keeps_packed and depth == _PACKED_DEPTH and key == _PACKED and isinstance(value, dict)
        data = value.get("data") if is_packed else None
        if not isinstance(data, str) or not STRING_CHARACTERS < len(data) <= PACKED_CHARACTERS:
            return self.reduce(value, depth)
        self.has_packed = True
        rest = self.reduce({name: part for name, part in value.items() if name != "data"}, depth)
        return {**rest, "data": clean(data)}

    def _cut(self, reason: str) -> dict[str, t.Any]:
        self.was_cut = True
        return {"_cut": {"reason": reason}}

    def _reduce_text(self, value: str) -> t.Any:
        if len(value) > STRING_CHARACTERS:
            self.was_cut = True
            size, digest = measure_text(value)
            head = self.redaction.head(value, HEAD_CHARACTERS)
            return {"_cut": {"bytes": size, "sha256": digest, "head": clean(head)}}
        return clean(self.redaction.apply(value))

    def _reduce_key(self, key: t.Any) -> str:
        text = clean(self.redaction.apply(key if isinstance(key, str) else repr(key)))
        if len(text) > KEY_CHARACTERS:
            self.was_cut = True
            text = f"{text[:64]}…{measure_text(text)[1]}"
        return text


def clean(text: str) -> str:
    """The text as a plain str with NUL and lone surrogates replaced by U+FFFD."""
    text = str(text)
    return text if text.isascii() and "\x00" not in text else _UNCLEAN.sub("�", text)


def measure_text(text: str) -> tuple[int, str]:
    """Bytes and SHA-256 of the text in UTF-8, without a second copy of a large one in memory."""
    digest, size = hashlib.sha256(), 0
    for start in range(0, len(text), _CHUNK):
        part = text[start : start + _CHUNK].encode("utf-8", "surrogatepass")
        digest.update(part)
        size += len(part)
    return size, digest.hexdigest()


def _measure(value: object, redaction: Redaction) -> dict[str, t.Any]:
    """Bytes and SHA-256 of the value as sorted JSON.

    Both null where JSON cannot hold it, and where it holds a known secret: of a short one a digest
    is enough to try guesses on.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return {"bytes": None, "sha256": None}
    if redaction.is_in_json(text):
        return {"bytes": None, "sha256": None}
    size, digest = measure_text(text)
    return {"bytes": size, "sha256": digest}


def is_censored(result: t.Mapping[str, t.Any]) -> bool:
    """Whether ansible-core hid this result because of no_log."""
    return "censored" in result


def _select_censored(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    # ansible-core leaves warnings and the exception in a censored result; both may quote the secret
    kept = {key: result[key] for key in _STATE if isinstance(result.get(key), (bool, int))}
    return {"censored": True, **kept}


def _select_own(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    if is_censored(result):
        return _select_censored(result)
    kept = {key: result[key] for key in result if key not in _NEVER and not str(key).startswith("_ansible_")}
    if isinstance(kept.get("results"), list):
        kept["results"] = [_select_own(item) if isinstance(item, dict) else item for item in kept["results"]]
    return kept


def _select_foreign(result: t.Mapping[str, t.Any], reduction: Reduction) -> dict[str, t.Any]:
    if is_censored(result):
        return _select_censored(result)
    kept = {key: result[key] for key in _KEPT if key in result}
    rest = [k for k in result if k not in kept and k not in _NEVER | _DERIVED and not str(k).startswith("_ansible_")]
    if len(rest) > OMITTED_KEYS:
        reduction.was_cut = True
    if rest:
        kept["omitted"] = {key: _measure(result[key], reduction.redaction) for key in rest[:OMITTED_KEYS]}
    return kept


def reduce_result(
    result: t.Mapping[str, t.Any], module: str, hide: bool, redaction: Redaction = NOTHING
) -> tuple[str, bool]:
    """The JSON text of what may be stored of a result, and whether anything of it was cut.

    `module`: resolved name; the results of this collection's own modules are evidence and kept
    whole. `hide`: the task has no_log, whatever the result says.
    `redaction`: secrets that are known, for the task that has none.
    """
    reduction = Reduction(keeps_packed=module.startswith(_OWN), redaction=redaction)
    if hide:
        selected = _select_censored(result)
    elif module.startswith(_OWN):
        selected = _select_own(result)
    else:
        selected = _select_foreign(result, reduction)
    text = encode(reduction.reduce(selected))
    if len(text) > (PACKED_RESULT_BYTES if reduction.has_packed else RESULT_BYTES):
        size, digest = measure_text(text)
        return encode({"_cut": {"bytes": size, "sha256": digest}}), True
    return text, reduction.was_cut
