"""What is wrong with a contract file, told so that the author can mend it without asking."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from itcare.core.errors import BadInputError

type KeyPath = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN_CHARACTERS = 60
_SHOWN_ITEMS = 4
_SEARCHED_CHARACTERS = 200  # enough for what is shown; searching all of a long text would take for ever
_HIDDEN = "a value that is not shown here"
# Keys whose value may be a secret written into the wrong place. `credential` is among them: it holds
# a reference, and what is refused there is often the secret itself.
_SECRET_KEY = re.compile(r"pass|secret|token|credential|(private|api|access|ssh)[_-]?key|^(key|pin|pw|pwd)$", re.I)
# Values that are secrets wherever they stand: key material, vaults, service tokens, long unbroken random text.
_SECRET_VALUE = re.compile(
    r"PRIVATE KEY|\$ANSIBLE_VAULT|\b(AKIA|ASIA)[0-9A-Z]{12}|\b(gh[pousr]|github_pat|glpat|sk|xox[abp])[-_]"
    r"|(?=[A-Za-z0-9+/=_-]*[0-9])(?=[A-Za-z0-9+/=_-]*[A-Za-z])[A-Za-z0-9+/=_-]{32,}"
)


@dataclass(frozen=True)
class Problem:
    """One thing to mend. `line` and `column` count from 1 and are None where no line can be named."""

    file: str
    line: int | None
    column: int | None
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = ":".join([self.file, *(str(n) for n in (self.line, self.column) if n is not None)])
        return f"{where}: {self.key or 'the whole file'}: found {self.found}, expected {self.expected}"


class ContractError(BadInputError):
    """A contract that cannot be used; `problems` lists everything found, in the order of the file."""

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first, others = self.problems[0], len(self.problems) - 1
        why = f"{first}" + (f" (and {others} more)" if others else "")
        super().__init__("read contract", subject, why, f"Mend it, then run: itcare contract check {first.file}")


def plain(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """`text` on one line, cut to `limit` characters; control, bidi and invisible characters as escapes."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def write_key(path: KeyPath) -> str:
    """A path of keys as the author would say it: `hosts.pc01.port`, `duties."visit.daily".per[0]`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            word = step if _PLAIN_KEY.fullmatch(step) else f'"{plain(step)}"'
            parts.append(f".{word}" if parts else word)
    return "".join(parts)


def is_secret_place(path: KeyPath) -> bool:
    """Whether a value under these keys may be a secret and is never repeated in a message."""
    return any(isinstance(step, str) and _SECRET_KEY.search(step) for step in path)


def show_found(value: object, path: KeyPath = ()) -> str:
    """`value` as the author wrote it, short and harmless; a possible secret is not shown at all."""
    if is_secret_place(path) and value is not None:
        return _HIDDEN
    return _show(value, nested=False)


def _show(value: object, nested: bool) -> str:
    if isinstance(value, str):
        if _SECRET_VALUE.search(value[:_SEARCHED_CHARACTERS]):
            return _HIDDEN
        return plain(value) if nested else f'"{plain(value)}"'
    if value is None:
        return "nothing" if not nested else "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | int | float):
        return plain(str(value))
    if isinstance(value, Mapping):
        return _show_mapping(value, nested)
    if isinstance(value, list | tuple):
        shown = ", ".join(_show(item, nested=True) for item in value[:_SHOWN_ITEMS])
        return f"[{shown}{', …' if len(value) > _SHOWN_ITEMS else ''}]" if not nested else "[…]"
    return plain(type(value).__name__)


def _show_mapping(value: Mapping[object, object], nested: bool) -> str:
    if nested:
        return "{…}"
    if not value:
        return "an empty mapping"
    pairs = [
        f"{plain(str(key))}: {_HIDDEN if is_secret_place((str(key),)) else _show(item, nested=True)}"
        for key, item in list(value.items())[:_SHOWN_ITEMS]
    ]
    return ", ".join(pairs) + (", …" if len(value) > _SHOWN_ITEMS else "")


def render_problems(problems: Iterable[Problem]) -> str:
    """The problems for a person at a terminal: place and key, then what stands there and what should."""
    listed = list(problems)
    blocks = []
    for problem in listed:
        where = ":".join([problem.file, *(str(n) for n in (problem.line, problem.column) if n is not None)])
        blocks.append(
            f"{where}  {problem.key or '(the whole file)'}\n"
            f"    found     {problem.found}\n"
            f"    expected  {problem.expected}"
        )
    blocks.append("No problems." if not listed else "1 problem." if len(listed) == 1 else f"{len(listed)} problems.")
    return "\n\n".join(blocks) + "\n"
