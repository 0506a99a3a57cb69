"""Rows to column values and back; one rule per type, so that writer and reader cannot drift apart."""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any, Protocol, get_args, get_type_hints

from itcare.core.clock import read_instant, write_instant
from itcare.publish.clean import clean_json, clean_text

type Column = str | int | float | None

_MAXIMUM_SHAPES = 1000
_write_instant = lru_cache(maxsize=4096)(write_instant)  # the rows of one visit share their instants
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


class NamedColumns(Protocol):
    """A fetched row that is asked by column name, as `sqlite3.Row` is."""

    def __getitem__(self, key: str, /) -> Any:
        """The value of that column."""


@dataclass(frozen=True, slots=True)
class _Codec:
    """`stored`: the type of a value that is fetched; `turn`: from it to the field, None where it stays as it is."""

    column: str
    field: str
    encode: Callable[[Any], Column]
    decode: Callable[[Any], object]
    optional: bool
    stored: type
    turn: Callable[[Any], object] | None


def column_names(kind: type) -> tuple[str, ...]:
    """The columns of a row class, in order; JSON fields end in `_json`."""
    return tuple(codec.column for codec in _codecs(kind))


def encode_row(row: Any) -> tuple[Column, ...]:
    """The column values of a row, in column order."""
    kind: Any = type(row)
    pick, turns = _encoder(kind)
    values = list(pick(row))
    for place, turn in turns:
        if (value := values[place]) is not None:
            values[place] = turn(value)
    return tuple(values)


@cache
def _encoder(kind: Any) -> tuple[Callable[[Any], Any], tuple[tuple[int, Callable[[Any], Column]], ...]]:
    """What picks the fields of a row, and what turns those that are not stored as they are."""
    codecs = _codecs(kind)
    pick = attrgetter(*(codec.field for codec in codecs))  # no class has but one field
    return pick, tuple((place, codec.encode) for place, codec in enumerate(codecs))


def decoder[T](kind: type[T], names: tuple[str, ...]) -> Callable[[Sequence[Any]], T]:
    """What makes values of `kind` of rows with columns of these `names`; ValueError when one is missing.

    The function raises ValueError for a value that the format does not allow. It is made once for each
    statement, because a page decodes thousands of rows: types are compared a row at a time, and only
    what is stored otherwise than it is shown is touched one by one.
    """
    cacheable: Any = kind
    made: Callable[[Sequence[Any]], T] = _decoder(cacheable, names)
    return made


@lru_cache(maxsize=256)
def _decoder(kind: Any, names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    codecs = _codecs(kind)
    if missing := [codec.column for codec in codecs if codec.column not in names]:
        raise ValueError(f"{', '.join(missing)} is missing")
    pick = itemgetter(*(names.index(codec.column) for codec in codecs))  # no class has but one field
    turns = tuple((place, codec.turn) for place, codec in enumerate(codecs) if codec.turn is not None)
    known: set[tuple[type, ...]] = set()

    def decode(row: Sequence[Any]) -> Any:
        values = list(pick(row))
        shape = tuple(map(type, values))
        if shape not in known:
            _refuse_types(codecs, shape)
            if len(known) < _MAXIMUM_SHAPES:
                known.add(shape)
        for place, turn in turns:
            if (value := values[place]) is not None:
                values[place] = turn(value)
        return kind(*values)

    return decode


def _refuse_types(codecs: Sequence[_Codec], shape: Sequence[type]) -> None:
    for codec, found in zip(codecs, shape, strict=True):
        if found is NoneType and not codec.optional:
            raise ValueError(f"{codec.column} is empty")
        if found is not NoneType and found is not codec.stored:
            raise ValueError(f"{codec.column} is of the type {found.__name__}")


def decode_row[T: Hashable](kind: type[T], columns: NamedColumns) -> T:
    """A row from columns that may all be text; ValueError for a value that the format does not allow."""
    values = {}
    for codec in _codecs(kind):
        value = columns[codec.column]
        if value is None and not codec.optional:
            raise ValueError(f"{codec.column} is empty")
        values[codec.field] = None if value is None else codec.decode(value)
    return kind(**values)


def write_json(value: object) -> str:
    """Compact JSON with sorted keys, cleaned of what no reader could take."""
    if not value and isinstance(value, dict | tuple | list):  # arguments and alarms of nearly every task and host
        return "{}" if isinstance(value, dict) else "[]"
    return _ENCODER.encode(clean_json(value))


@cache
def _codecs(kind: Any) -> tuple[_Codec, ...]:
    hints = get_type_hints(kind)
    return tuple(_codec(item, hints[item.name]) for item in fields(kind))


def _codec(item: Field[Any], hint: Any) -> _Codec:
    if item.metadata.get("json"):
        many = tuple in (hint, getattr(hint, "__origin__", None))
        read = _read_list if many else _read_json
        return _Codec(f"{item.name}_json", item.name, write_json, read, hint is object, str, read)
    choices = [choice for choice in get_args(hint) if choice is not NoneType] or [hint]
    encode, decode, stored, turn = _scalar(choices[0])
    return _Codec(item.name, item.name, encode, decode, NoneType in get_args(hint), stored, turn)


type _Rule = tuple[Callable[[Any], Column], Callable[[Any], object], type, Callable[[Any], object] | None]


def _scalar(kind: Any) -> _Rule:
    if kind is datetime:
        return _write_instant, _read_instant, str, _read_instant
    if kind is date:
        return date.isoformat, date.fromisoformat, str, date.fromisoformat
    if kind is bool:
        return int, bool, int, bool
    if issubclass(kind, StrEnum):
        return str, kind, str, _Words(kind).__getitem__
    if kind is str:
        return clean_text, str, str, None
    return kind, kind, kind, None


class _Words(dict[str, StrEnum]):
    """The words of an enum by their text: a third of what a call of the enum costs."""

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__((str(word), word) for word in kind)

    def __missing__(self, text: str) -> StrEnum:
        raise ValueError(f"{text!a} is no word of this column")


def _read_instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo is UTC else read_instant(text)


def _read_json(text: str) -> object:
    return {} if text == "{}" else json.loads(text)


def _read_list(text: str) -> tuple[object, ...]:
    if text == "[]":
        return ()
    value = json.loads(text)
    if not isinstance(value, list):
        raise ValueError("a JSON list was expected")
    return tuple(value)


def encode_meta(meta: Any) -> Mapping[str, str]:
    """Key and text of every value of `meta` that is set."""
    pairs = zip(column_names(meta.__class__), encode_row(meta), strict=True)
    return {key: str(value) for key, value in pairs if value is not None}
