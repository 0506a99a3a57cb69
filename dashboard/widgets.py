"""The only place that draws text which a computer or a person wrote.

`st.text`, `st.code` and text columns of `st.dataframe` are the ones that render no Markdown and
fetch nothing (measured in the browser for this Streamlit version). Everything passes `plain`.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from itcare.core.names import HOST_NAME
from words import number, tr

LONGEST = 400  # characters of one value; a page is no place for more
LONGEST_BLOCK = 4000  # characters of a block of lines


def plain(value: object, limit: int = LONGEST, *, lines: bool = False) -> str:
    """`value` as harmless text of at most `limit` characters (plus a note on what was cut).

    Control characters and lone surrogates become U+FFFD; marks that change direction or have no
    width are written out, so that nobody is shown another text than the one that is there.
    With `lines`, line ends stay.
    """
    text = "" if value is None else str(value)
    cut = text[:limit]
    shown = "".join(_harmless(letter, lines) for letter in cut)
    return shown if len(text) <= limit else f"{shown}… ({tr('{n} characters', n=len(text))})"


def _harmless(letter: str, lines: bool) -> str:
    if letter == "\n" and lines:
        return letter
    if letter in "\t\n\u2028\u2029":
        return " "
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Cs", "Co", "Cn"):
        return "\ufffd"
    if kind == "Cf" or letter in "\u115f\u1160\u3164\uffa0\u034f":
        return f"⟨U+{ord(letter):04X}⟩"
    return letter


def host_label(name: str) -> str:
    """A host name for labels and titles: such a name is one DNS label, or it is not shown there."""
    return name if HOST_NAME.fullmatch(name) else tr("computer with an unreadable name")


def text(value: object, limit: int = LONGEST) -> None:
    """One line of plain text."""
    st.text(plain(value, limit))


def strong(name: str) -> None:
    """The name of a computer in bold; one that is no DNS label stays plain text."""
    if HOST_NAME.fullmatch(name):
        st.markdown(f"**{name}**", width="content")
    else:
        text(name)


def block(value: object, limit: int = LONGEST_BLOCK) -> None:
    """Lines in the code font: digests, checkpoints, messages of a computer."""
    st.code(plain(value, limit, lines=True), language=None, wrap_lines=True)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Label (ours) and value (plain), one line each; pairs without a value are left out."""
    with st.container(gap="xsmall"):
        for label, value in pairs:
            if value is None or value == "":
                continue
            left, right = st.columns([2, 5], gap="small", wrap=False)
            left.markdown(f":small[:gray[{label}]]")
            right.text(plain(value))


def table(
    key: str, columns: Mapping[str, int | None], rows: Sequence[Sequence[object]], alt: str, *, selectable: bool = False
) -> int | None:
    """A table of text columns: heading (ours) to width in pixels; returns the selected row.

    Every cell is text, also numbers: no column type that could make a link or an image is used.
    """
    frame = pd.DataFrame(
        [[plain(cell) for cell in row] for row in rows], columns=[str(i) for i in range(len(columns))], dtype="string"
    )
    shown = {
        str(place): st.column_config.TextColumn(heading, width=width)
        for place, (heading, width) in enumerate(columns.items())
    }
    height: Literal["content"] | int = "content" if len(rows) <= 12 else 400
    if not selectable:
        st.dataframe(frame, hide_index=True, key=key, height=height, row_height=32, alt=alt, column_config=shown)
        return None
    picked: Any = st.dataframe(
        frame, hide_index=True, key=key, height=height, row_height=32, alt=alt, column_config=shown,
        on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    chosen = picked["selection"]["rows"]
    return int(chosen[0]) if chosen else None


def cells(
    key: str, columns: Mapping[str, int | None], rows: Sequence[Sequence[object]], alt: str, *, trend: int | None = None
) -> tuple[int, int] | None:
    """A table whose cells can be pressed; returns row and column of the one pressed in this very run.

    Every cell is text, but those of the column `trend`: a list of shares from 0 to 100, drawn as a line.
    """
    frame = pd.DataFrame(
        {
            str(place): pd.Series(
                [row[place] if place == trend else plain(row[place]) for row in rows],
                dtype="object" if place == trend else "string",
            )
            for place in range(len(columns))
        }
    )
    shown = {
        str(place): st.column_config.LineChartColumn(heading, width=width, y_min=0, y_max=100)
        if place == trend
        else st.column_config.TextColumn(heading, width=width)
        for place, (heading, width) in enumerate(columns.items())
    }
    flag = f"{key} pressed"

    def note() -> None:
        st.session_state[flag] = True

    picked: Any = st.dataframe(
        frame, hide_index=True, key=key, height="content" if len(rows) <= 12 else 400, row_height=32, alt=alt,
        column_config=shown, on_select=note, selection_mode="single-cell",
    )  # fmt: skip
    # A selection stays until the next one; only the press itself opens something.
    chosen = picked["selection"]["cells"] if st.session_state.pop(flag, False) else []
    if not chosen:
        return None
    row, column = chosen[0]
    if not (isinstance(row, int) and 0 <= row < len(rows) and column in shown):
        return None
    return row, int(column)


def count(value: int | None) -> str:
    return "" if value is None else number(value)
