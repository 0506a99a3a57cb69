"""Values picked out of events and bodies whose shape nobody guarantees: each picker answers or says None."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from itcare.core.clock import read_instant

_MAXIMUM_WHOLE = 2**53


def text(value: object) -> str | None:
    """A text that is not empty."""
    return value if isinstance(value, str) and value else None


def whole(value: object) -> int | None:
    """An integer from 0 to 2**53; a truth value is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAXIMUM_WHOLE else None


def truth(value: object) -> bool | None:
    """True or False, and not what merely counts as such."""
    return value if isinstance(value, bool) else None


def instant(value: object) -> datetime | None:
    """An aware UTC instant from its written form."""
    try:
        return read_instant(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def word[E: StrEnum](kind: type[E], value: object) -> E | None:
    """A member of the enum by its word."""
    try:
        return kind(value) if isinstance(value, str) else None
    except ValueError:
        return None


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """A JSON list; an empty one for anything else."""
    return value if isinstance(value, list | tuple) else ()
