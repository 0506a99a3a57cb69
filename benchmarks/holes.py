"""Canonical JSON (RFC 8785) with holes: written once, filled many thousand times.

The order of the members does not depend on what fills the holes, since only values are holes, never keys.
"""

import re
from collections.abc import Mapping

from itcare.store.bodies import canonical_bytes

# Control characters stand in no host text that is recorded here, and canonical JSON writes them as \u00XX.
_HOLE = re.compile(rb'"\\u0002(\w+)\\u0003"')


def hole(name: str) -> str:
    """What stands in a value where something of that name is filled in."""
    return f"\x02{name}\x03"


class Template:
    """A JSON value with holes. `names`: those holes, in the order of the text; a name may come more than once."""

    def __init__(self, value: object) -> None:
        text = canonical_bytes(value, "a template").replace(b"%", b"%%")
        self.names = tuple(name.decode() for name in _HOLE.findall(text))
        self._text = _HOLE.sub(b"%b", text)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The canonical bytes with `values`, canonical bytes themselves, in the holes. KeyError for a missing one."""
        return self._text % tuple([values[name] for name in self.names])


def json_number(value: float) -> bytes:
    """An integer, or a number of at most six digits after its point and below 10**15, as RFC 8785 writes it."""
    if isinstance(value, int):
        return b"%d" % value
    text = repr(round(value, 6) + 0.0)  # never -0.0
    if "e" in text:  # Python and ECMAScript write exponents differently: not needed here, so not guessed
        raise ValueError(f"{text} has an exponent")
    return text.removesuffix(".0").encode()


def json_plain(text: str) -> bytes:
    """A text of ASCII letters, digits and marks, none of which JSON escapes."""
    return b'"%b"' % text.encode("ascii")
