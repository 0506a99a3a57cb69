"""What every command prints with: one console for people, plain JSON for programs.

Text from computers and people never reaches the terminal with its control characters or as Rich
markup: it passes through `plain`. Rich is imported by what prints: --help needs none of it.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from itcare.core.errors import ItcareError

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_FILES = 200  # columns where the output is no terminal: a log or a pipe needs no narrow columns


@cache
def console() -> "Console":
    """The console of results (stdout)."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)


@cache
def progress_console() -> "Console":
    """The console of progress and remarks (stderr), so that stdout stays usable by programs."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _print_line(target: "Console", text: str, style: str = "") -> None:
    from rich.text import Text

    target.print(Text(text, style=style), soft_wrap=True)


def plain(value: object, limit: int = 300) -> str:
    """Text that is safe to show: capped, control and format characters made visible."""
    text = "" if value is None else str(value)
    shown = "".join(
        character if character.isprintable() else f"<{unicodedata.name(character, f'U+{ord(character):04X}')}>"
        for character in text[:limit]
    )
    return shown + ("…" if len(text) > limit else "")


def join(values: object) -> str:
    """A list as one cell of a table; empty for an empty one."""
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def say(text: str) -> None:
    """Print one line of result; no markup is interpreted."""
    _print_line(console(), text)


def remark(text: str) -> None:
    """Print one line beside the result, on stderr."""
    _print_line(progress_console(), text)


def complain(error: ItcareError) -> None:
    """Print an error as what was attempted, why it failed and what to do next."""
    target = progress_console()
    _print_line(target, f"itcare: could not {error.attempted} {plain(error.subject)}", style="bold red")
    _print_line(target, f"  because {plain(error.why, 2000)}")
    _print_line(target, f"  next: {plain(error.remedy, 1000)}")


def print_json(value: object) -> None:
    """Print one JSON document and nothing else, ASCII only."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, indent=2, sort_keys=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print a table whose cells are plain text."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console().print(table)
