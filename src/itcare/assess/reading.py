"""Strict readers for what a host or a file says: every shape is checked, nothing is guessed.

Readers raise `Malformed`, which the engine turns into an `unknown` finding; a file that cannot be
taken as an observation at all is a `BadInputError` of the person who named it.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from itcare.core.clock import read_instant
from itcare.core.errors import BadInputError

type Value = str | int | float | None
"""What a finding may carry."""

MOST_BYTES = 8 * 1024 * 1024
MOST_COUNT = 2**63 - 1  # what a 64-bit counter can hold
MOST_NUMBER = 1e15
MOST_TEXT = 200
_MOST_DIGITS = 100
_WHITE = {"\t": " ", "\n": " ", "\r": " "}
# Controls, direction and zero-width marks, lone surrogates, private use, line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Malformed(ValueError):
    """Something in an observation is not what the format says: where, what was found, what was expected."""

    def __init__(self, place: str, found: str, expected: str) -> None:
        self.place = place
        self.found = found
        self.expected = expected
        super().__init__(f"{place}: found {found}, expected {expected}")


def neutral_text(text: str, most: int = MOST_TEXT) -> str:
    """`text` without control, direction and surrogate characters, at most `most` characters long."""
    head = text[:most]
    if head.isascii() and head.isprintable():  # nearly all there is
        return head if len(text) <= most else head[:-1] + "…"
    clean = "".join(
        _WHITE.get(char) or ("\ufffd" if unicodedata.category(char) in _UNSAFE_CATEGORIES else char) for char in head
    )
    return clean if len(text) <= most else clean[:-1] + "…"


def describe(value: object) -> str:
    """What kind of thing a JSON value is, without repeating the host's text."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"the number {value}" if abs(value) <= MOST_COUNT else "a number beyond 64 bits"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, str):
        return "text" if value else "empty text"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else "something that is not JSON"


def read_list(value: object, place: str) -> list[object]:
    """A JSON list; raises Malformed."""
    if not isinstance(value, list):
        raise Malformed(place, describe(value), "a list")
    return value


@dataclass(slots=True)  # not frozen, which triples the cost of making one; nobody changes it
class Record:
    """A JSON object of an observation; `place` says where, in the format's own words.

    Every method names a key, raises Malformed when the value is missing or of another shape, and its
    `optional_` sister answers None for null or a missing key.
    """

    place: str
    fields: Mapping[object, object]

    @classmethod
    def of(cls, value: object, place: str) -> "Record":
        """`value` as a record; raises Malformed when it is no object."""
        if not isinstance(value, dict | Mapping):  # what JSON gives is known at once
            raise Malformed(place, describe(value), "an object")
        return cls(place, value)

    def _refuse(self, key: str, expected: str) -> NoReturn:
        raise Malformed(f"{self.place}.{key}", describe(self.fields.get(key)), expected)

    def text(self, key: str, most: int = MOST_TEXT) -> str:
        """Text that says something, neutralised."""
        value = self.fields.get(key)
        if not isinstance(value, str) or not value.strip():
            self._refuse(key, "text")
        return neutral_text(value, most)

    def optional_text(self, key: str, most: int = MOST_TEXT) -> str | None:
        """Neutralised text; None where there is none, also for empty text."""
        value = self.fields.get(key)
        return None if value is None or value == "" else self.text(key, most)

    def word(self, key: str, known: frozenset[str]) -> str:
        """One of the words that the format knows."""
        value = self.fields.get(key)
        if not isinstance(value, str) or value not in known:
            self._refuse(key, f"one of {', '.join(sorted(known))}")
        return value

    def count(self, key: str, *, least: int = 0, most: int = MOST_COUNT) -> int:
        """A whole number from `least` to `most`."""
        value = self.fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._refuse(key, f"a whole number from {least} to {most}")
        return value

    def optional_count(self, key: str, *, least: int = 0, most: int = MOST_COUNT) -> int | None:
        """A whole number from `least` to `most`, or None."""
        return None if self.fields.get(key) is None else self.count(key, least=least, most=most)

    def number(self, key: str, *, least: float = -MOST_NUMBER, most: float = MOST_NUMBER) -> float:
        """A finite number from `least` to `most`."""
        value = self.fields.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self._refuse(key, f"a number from {least:g} to {most:g}")
        if not least <= value <= most:  # also true of NaN, which compares with nothing
            self._refuse(key, f"a number from {least:g} to {most:g}")
        return float(value)

    def optional_number(self, key: str, *, least: float = -MOST_NUMBER, most: float = MOST_NUMBER) -> float | None:
        """A finite number from `least` to `most`, or None."""
        return None if self.fields.get(key) is None else self.number(key, least=least, most=most)

    def flag(self, key: str) -> bool:
        """True or false, nothing that merely looks like it."""
        value = self.fields.get(key)
        if not isinstance(value, bool):
            self._refuse(key, "true or false")
        return value

    def optional_flag(self, key: str) -> bool | None:
        """True, false or None."""
        return None if self.fields.get(key) is None else self.flag(key)

    def instant(self, key: str) -> datetime:
        """An instant with its offset, as `core.clock` writes it."""
        value = self.fields.get(key)
        if not isinstance(value, str) or len(value) > 40:
            self._refuse(key, "an instant such as 2026-11-26T08:00:00Z")
        try:
            return read_instant(value)
        except (ValueError, OverflowError):  # OverflowError: the offset moves it out of the calendar
            self._refuse(key, "an instant such as 2026-11-26T08:00:00Z")

    def optional_instant(self, key: str) -> datetime | None:
        """An instant, or None."""
        return None if self.fields.get(key) is None else self.instant(key)

    def record(self, key: str) -> "Record":
        """The object under `key`."""
        return Record.of(self.fields.get(key), f"{self.place}.{key}")

    def optional_record(self, key: str) -> "Record | None":
        """The object under `key`, or None."""
        return None if self.fields.get(key) is None else self.record(key)

    def rows(self, key: str) -> list[object]:
        """The list under `key`, its members unread."""
        return read_list(self.fields.get(key), f"{self.place}.{key}")


def load_observation(content: str | bytes, name: str = "observation") -> Mapping[str, object]:
    """The health observation in the text of a JSON file; `name` is how errors call the file.

    Taken are a bare observation, an object with it under `health`, and a whole task result with it
    under `health`. Whether its schema is known is `assess`'s business. Raises BadInputError for what
    is no JSON (with line and column), not UTF-8, above 8 MiB, has a key twice, or holds no observation.
    """
    document = _parse(_decode(content, name), name)
    if isinstance(document, dict):
        if isinstance(health := document.get("health"), dict):
            return health
        if "schema" in document or "sources" in document:
            return document
        found = f"an object with {_name_keys(document)}"
    else:
        found = describe(document)
    raise _unusable(
        name,
        f"found {found}, expected a health observation, bare or under the key `health`",
        "Pass the result of the module itcare.maintenance.health_info.",
    )


def _name_keys(document: Mapping[str, object]) -> str:
    if not document:
        return "no keys"
    names = ", ".join(ascii(key[:30]) for key in list(document)[:5])
    return f"the keys {names}" + (", …" if len(document) > 5 else "")


def _decode(content: str | bytes, name: str) -> str:
    size = len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise _unusable(name, f"it has {size} bytes, more than {MOST_BYTES}", "Pass one observation of one computer.")
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(name, f"byte {error.start} is not UTF-8", "Save the file as UTF-8.") from error


def _parse(text: str, name: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_refuse_repeats, parse_constant=_refuse_constant, parse_int=_read_integer
        )
    except json.JSONDecodeError as error:
        why = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        why = "it is nested too deeply"
    except ValueError as error:  # from our own hooks below
        why = str(error)
    raise _unusable(name, why, "Pass the JSON as the module wrote it.")


def _refuse_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        repeated = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {ascii(repeated[:60])} stands twice in one object")
    return fields


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _read_integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:  # int() itself takes long over many digits, and refuses 4301
        raise ValueError(f"a number has {len(digits)} digits, more than {_MOST_DIGITS}")
    return int(digits)


def _unusable(name: str, why: str, remedy: str) -> BadInputError:
    return BadInputError("read observation", name, why, remedy)
