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
        event = json.loads(line, object_pairs_hook=_collect, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise LineError("not_json") from None
    if not isinstance(event, dict):
        raise LineError("not_an_object")
    _check_clean(event, 0)
    return event


def _collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
    collected = dict(pairs)
    if len(collected) != len(pairs):
        raise LineError("duplicate_key")
    return collected


def _refuse_constant(name: str) -> NoReturn:
    raise LineError("unclean_value")


def _check_clean(value: object, depth: int) -> None:
    if isinstance(value, str):
        is_clean = not _UNCLEAN.search(value)
    elif isinstance(value, int):
        is_clean = -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER
    elif isinstance(value, float):
        is_clean = math.isfinite(value)
    else:
        is_clean = depth <= _LARGEST_DEPTH
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
