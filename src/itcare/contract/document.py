"""YAML as contracts use it: plain data with a place for every key, and nothing that can surprise.

Contracts are data of the firm, yet a wrong file must neither stall the controller nor read
differently in two programs. So anchors, aliases, tags, merge keys, duplicate keys and further documents
are refused, and so is every unquoted scalar that some YAML version does not read as the text it
looks like (`12:00` is 720 in YAML 1.1, `no` is false, `0000000000` is 0). Hours are refused without quotes even where
they would be read as text: who leaves them out once will leave them out where it matters.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import yaml

from itcare.contract.problems import ContractError, KeyPath, Problem, is_secret_place, plain, show_found, write_key

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

type Scalar = str | int | float | bool | date | None
type Tree = Scalar | tuple["Tree", ...] | dict[str, "Tree"]

# libyaml reads a contract some twenty times faster; the two tell the same events.
_Loader: type = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_resolver = yaml.resolver.Resolver()
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_HOURS = re.compile(r"[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Numbers, times and truth values of YAML 1.1 or 1.2 that the other version, or a reader, takes for text.
_TWO_FACED = re.compile(r"[-+]?\.?[0-9][0-9_]*|[-+]?0[xob][0-9A-Fa-f_]+|[-+]?[0-9]+(:[0-9]{1,2})+(\.[0-9]*)?"
                        r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[yYnN]")  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A position in the file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """One parsed file: its data, where each key and each value stands, and what the reading found wrong."""

    file: str
    tree: Tree
    keys: Mapping[KeyPath, Place]
    values: Mapping[KeyPath, Place]
    problems: tuple[tuple[KeyPath, Problem], ...]

    def problem(self, path: KeyPath, found: str, expected: str, *, at_key: bool = False) -> Problem:
        """A problem with the value at `path` (or its key); a missing one is placed at its nearest parent."""
        place = None if at_key else self.values.get(path)
        for length in range(len(path), -1, -1):
            place = place or self.keys.get(path[:length])
        line, column = (place.line, place.column) if place else (1, 1)
        return Problem(self.file, line, column, write_key(path), found, expected)


def read_document(data: bytes, file: str) -> Document:
    """Parse the bytes of one contract file.

    Raises ContractError where reading on makes no sense (size, encoding, syntax, aliases, depth);
    lesser problems are listed in the result.
    """
    if len(data) > MAX_BYTES:
        raise ContractError(
            file, [Problem(file, None, None, "", f"more than {MAX_BYTES} bytes", "a contract of at most 1 MiB")]
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{data[error.start]:02x}, which is not UTF-8"
        raise ContractError(file, [Problem(file, line, None, "", found, "a file saved as UTF-8")]) from error
    return _Composer(text, file).compose()


@dataclass
class _Composer:
    """Builds the tree from the parser's events, so that a bomb is met before it is expanded."""

    text: str
    file: str
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[tuple[KeyPath, Problem]] = field(default_factory=list)

    def compose(self) -> Document:
        self.events = self._read_events()
        next(self.events)  # start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise self._stop(None, (), "an empty file", "a contract: see docs/contract-v1.md")
        tree = self._read_node((), next(self.events))
        next(self.events)  # end of the document
        if isinstance(event := next(self.events), yaml.DocumentStartEvent):
            raise self._stop(event, (), "a second document (a line ---)", "one contract a file")
        return Document(self.file, tree, self.keys, self.values, tuple(self.problems))

    def _read_events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self.text, Loader=_Loader)
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position) + 1
            raise ContractError(
                self.file, self._listed(Problem(self.file, line, None, "", "a control character", "plain text"))
            ) from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
            found = f"text that is not YAML ({plain(error.problem or 'unreadable', 100)})"
            expected = "keys with values, indented with spaces, and special text in quotes"
            raise ContractError(
                self.file, self._listed(Problem(self.file, place.line, place.column, "", found, expected))
            ) from error

    def _listed(self, last: Problem) -> list[Problem]:
        return [problem for _, problem in self.problems] + [last]

    def _problem(self, event: yaml.Event, path: KeyPath, found: str, expected: str) -> Problem:
        place = _place(event)
        return Problem(self.file, place.line, place.column, write_key(path), found, expected)

    def _note(self, event: yaml.Event, path: KeyPath, found: str, expected: str) -> None:
        self.problems.append((path, self._problem(event, path, found, expected)))

    def _stop(self, event: yaml.Event | None, path: KeyPath, found: str, expected: str) -> ContractError:
        last = self._problem(event, path, found, expected) if event else Problem(self.file, 1, 1, "", found, expected)
        return ContractError(self.file, self._listed(last))

    def _read_node(self, path: KeyPath, event: yaml.Event) -> Tree:
        self._refuse_indirection(path, event)
        if len(path) >= MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            raise self._stop(event, path[:4], f"more than {MAX_DEPTH} levels", "at most a few levels of keys")
        self.values[path] = _place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._read_mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._read_sequence(path)
        return self._read_scalar(path, cast(yaml.ScalarEvent, event))

    def _refuse_indirection(self, path: KeyPath, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise self._stop(event, path, f"the alias *{plain(event.anchor or '')}", "the value itself")
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            raise self._stop(event, path, f"the anchor &{plain(event.anchor)}", "the value without an anchor")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            self._note(event, path, f"the tag {plain(event.tag)}", "the value without a tag")

    def _read_mapping(self, path: KeyPath) -> Tree:
        mapping: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._refuse_indirection(path, event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._stop(event, path, "a list or mapping as key", "text as key")
            key = event.value
            if key == "<<":
                self._note(event, (*path, key), "the merge key <<", "the keys themselves")
            elif not isinstance(_resolve(event), str):
                self._note(event, (*path, key), f"the unquoted key {plain(key)}", f'text: "{plain(key)}" in quotes')
            elif not key.strip():
                self._note(event, (*path, key), "an empty key", "a name as key")
            if key in mapping:
                first = self.keys[*path, key].line
                self._note(event, (*path, key), f"the key a second time (first in line {first})", "each key once")
                self._skip(path, key)
                continue
            self.keys[*path, key] = _place(event)
            mapping[key] = self._read_node((*path, key), next(self.events))
        return mapping

    def _skip(self, path: KeyPath, key: str) -> None:
        """Read a value that is not kept, with all checks, and leave the places of the first one alone."""
        kept = self.keys, self.values
        self.keys, self.values = {}, {}
        self._read_node((*path, key), next(self.events))
        self.keys, self.values = kept

    def _read_sequence(self, path: KeyPath) -> Tree:
        items: list[Tree] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._read_node((*path, len(items)), event))
        return tuple(items)

    def _read_scalar(self, path: KeyPath, event: yaml.ScalarEvent) -> Scalar:
        value = _resolve(event)
        if not isinstance(value, _TwoFaced):
            return value
        text: str = event.value
        reading = "" if is_secret_place(path) else f" ({value.reading})"
        found = f"{show_found(text, path).strip('"')} without quotes{reading}"
        self._note(event, path, found, value.expected)
        return text


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


@dataclass(frozen=True)
class _TwoFaced:
    reading: str
    expected: str = "quotes around text, or a plain number, date, true or false"


def _resolve(event: yaml.ScalarEvent) -> Scalar | _TwoFaced:
    """The value of a scalar where every YAML version agrees on it, else what one of them makes of it."""
    text: str = event.value
    if event.style not in (None, ""):
        return text
    if text in ("null", "~", ""):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        return _read_date(text)
    if _HOURS.fullmatch(text):
        return _TwoFaced("YAML 1.1 reads a time such as 12:00 as the number 720", 'hours in quotes: "08:00-16:00"')
    tag: str = _resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call] # stubs lack it
    kind = tag.rpartition(":")[2]
    if kind != "str" or _TWO_FACED.fullmatch(text):
        return _TwoFaced(_describe_reading(kind, text))
    return text


def _read_date(text: str) -> date | _TwoFaced:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _TwoFaced("there is no such day", "a day of the calendar")


def _describe_reading(kind: str, text: str) -> str:
    if kind == "int" and len(text) <= 40:  # longer ones cost time to convert and say nothing
        number = yaml.SafeLoader("").construct_yaml_int(yaml.ScalarNode("", text))
        return f"YAML 1.1 reads it as the number {number}"
    readings = {"bool": "YAML 1.1 reads it as true or false", "timestamp": "YAML 1.1 reads it as an instant"}
    return readings.get(kind, "programs differ on what it means")
