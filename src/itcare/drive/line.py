"""One line of a spool: bytes into an object that holds nothing surprising.

The writer neutralises what would surprise; a line that holds such a thing is not from it.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import NoReturn

LARGEST_LINE_BYTES = 2 * 1024 * 1024  # a result is at most 700 kB, a key of it at most 256 characters
_LARGEST_DEPTH = 40  # 32 inside a result, and the line around it
_LARGEST_INTEGER = 2**53
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")


class LineError(Exception):
    """A line does not count; `problem` is one word of those that `read_spool` lists."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def parse_line(line: bytes) -> dict[str, object]:
    """Read one line with its line feed; raises LineError."""
    if not line.isascii():
        raise LineError("not_ascii")
    try:
        event = _DECODER.decode(line.decode("ascii"))
    except (ValueError, RecursionError):
        raise LineError("not_json") from None
    if not isinstance(event, dict):
        raise LineError("not_an_object")
    if _may_be_unclean(line):
        _check_clean(event, 0)
    return event


def _may_be_unclean(line: bytes) -> bool:
    """Whether the values have to be looked at one by one: of most lines the bytes say that nothing can be wrong.

    In ASCII only an escape makes a NUL or half a surrogate pair, and depth needs brackets.
    """
    return b"\\u" in line or line.count(b"{") + line.count(b"[") > _LARGEST_DEPTH


def _parse_integer(text: str) -> int:
    value = int(text)
    if not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
        raise LineError("unclean_value")
    return value


def _parse_number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise LineError("unclean_value")
    return value


def _collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
    collected = dict(pairs)
    if len(collected) != len(pairs):
        raise LineError("duplicate_key")
    return collected


def _refuse_constant(name: str) -> NoReturn:
    raise LineError("unclean_value")


# made once: `json.loads` with hooks makes one for each line
_DECODER = json.JSONDecoder(
    object_pairs_hook=_collect, parse_constant=_refuse_constant, parse_int=_parse_integer, parse_float=_parse_number
)


def _check_clean(value: object, depth: int) -> None:
    if isinstance(value, str):
        is_clean = not _UNCLEAN.search(value)
    else:  # numbers were checked while they were read
        is_clean = depth <= _LARGEST_DEPTH or not isinstance(value, list | dict)
    if not is_clean:
        raise LineError("unclean_value")
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    for part in parts:
        _check_clean(part, depth + 1)


def read_text(event: Mapping[str, object], key: str) -> str:
    """A member that has to be text; raises LineError("malformed")."""
    value = event.get(key)
    if not isinstance(value, str):
        raise LineError("malformed")
    return value


def read_integer(event: Mapping[str, object], key: str) -> int:
    """A member that has to be a number of things; raises LineError("malformed")."""
    value = event.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise LineError("malformed")
    return value


def read_boolean(event: Mapping[str, object], key: str) -> bool:
    """A member that has to be true or false; raises LineError("malformed")."""
    value = event.get(key)
    if not isinstance(value, bool):
        raise LineError("malformed")
    return value
