"""Rows to column values and back; one rule per type, so that writer and reader cannot drift apart."""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import Field, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Protocol, get_args, get_type_hints

from itcare.core.clock import read_instant, write_instant
from itcare.publish.clean import clean_json, clean_text

type Column = str | int | float | None

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


class NamedColumns(Protocol):
    """A fetched row that is asked by column name, as `sqlite3.Row` is."""

    def __getitem__(self, key: str, /) -> Any:
        """The value of that column."""


@dataclass(frozen=True, slots=True)
class _Codec:
    column: str
    field: str
    encode: Callable[[Any], Column]
    decode: Callable[[Any], object]
    optional: bool


def column_names(kind: type) -> tuple[str, ...]:
    """The columns of a row class, in order; JSON fields end in `_json`."""
    return tuple(codec.column for codec in _codecs(kind))


def encode_row(row: Any) -> tuple[Column, ...]:
    """The column values of a row, in column order."""
    kind: Any = type(row)
    return tuple(
        None if (value := getattr(row, codec.field)) is None else codec.encode(value) for codec in _codecs(kind)
    )


def decode_row[T: Hashable](kind: type[T], columns: NamedColumns) -> T:
    """A row from its columns; ValueError for a value that the format does not allow."""
    values = {}
    for codec in _codecs(kind):
        value = columns[codec.column]
        if value is None and not codec.optional:
            raise ValueError(f"{codec.column} is empty")
        values[codec.field] = None if value is None else codec.decode(value)
    return kind(**values)


def write_json(value: object) -> str:
    """Compact JSON with sorted keys, cleaned of what no reader could take."""
    return _ENCODER.encode(clean_json(value))


@cache
def _codecs(kind: Any) -> tuple[_Codec, ...]:
    hints = get_type_hints(kind)
    return tuple(_codec(item, hints[item.name]) for item in fields(kind))


def _codec(item: Field[Any], hint: Any) -> _Codec:
    if item.metadata.get("json"):
        many = tuple in (hint, getattr(hint, "__origin__", None))
        return _Codec(f"{item.name}_json", item.name, write_json, _read_list if many else json.loads, hint is object)
    choices = [choice for choice in get_args(hint) if choice is not NoneType] or [hint]
    encode, decode = _scalar(choices[0])
    return _Codec(item.name, item.name, encode, decode, NoneType in get_args(hint))


def _scalar(kind: Any) -> tuple[Callable[[Any], Column], Callable[[Any], object]]:
    if kind is datetime:
        return write_instant, read_instant
    if kind is date:
        return date.isoformat, date.fromisoformat
    if kind is bool:
        return int, bool
    if issubclass(kind, StrEnum):
        return str, kind
    if kind is str:
        return clean_text, str
    return kind, kind


def _read_list(text: str) -> tuple[object, ...]:
    value = json.loads(text)
    if not isinstance(value, list):
        raise ValueError("a JSON list was expected")
    return tuple(value)


def encode_meta(meta: Any) -> Mapping[str, str]:
    """Key and text of every value of `meta` that is set."""
    pairs = zip(column_names(meta.__class__), encode_row(meta), strict=True)
    return {key: str(value) for key, value in pairs if value is not None}
