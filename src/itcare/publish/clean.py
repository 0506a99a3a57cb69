"""Text and JSON of hosts made fit for a snapshot: nothing that SQLite, UTF-8 or JSON cannot carry.

What is shown on a page is made plain there; here only what would break a file or a reader goes.
"""

import math
import re

TEXT_MAXIMUM_LENGTH = 4096
"""Longest text of a column, in characters; the whole text stays in the ledger's body."""

_MAXIMUM_DEPTH = 32
_MAXIMUM_INTEGER = 2**53  # the largest integer that every JSON reader keeps exactly
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_CUT_MARK = "…"


def clean_text(text: str, maximum: int = TEXT_MAXIMUM_LENGTH) -> str:
    """`text` without NUL and lone surrogates (each becomes U+FFFD), cut at `maximum` characters."""
    if len(text) > maximum:
        text = text[: maximum - 1] + _CUT_MARK
    if text.isascii() and "\0" not in text:  # nearly all there is
        return text
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def clean_json(value: object, depth: int = 0) -> object:
    """`value` as JSON that every reader takes: texts cleaned, odd numbers and other types as text, depth cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int):
        # Not str(): Python refuses to print an integer of more than 4300 digits.
        return value if abs(value) <= _MAXIMUM_INTEGER else hex(value)[:40]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _MAXIMUM_DEPTH:
        return _CUT_MARK
    if isinstance(value, dict):
        return {clean_text(str(key)): clean_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item, depth + 1) for item in value]
    return clean_text(ascii(value))
