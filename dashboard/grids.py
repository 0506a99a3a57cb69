"""Four small components for what Streamlit cannot draw: fields to press, bars by count, a grid.

They carry our own words, numbers and names from the contract; text of a computer stays in
`widgets`. Even so every text becomes a text node, never markup. Colours come from the theme.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent / "grids"


@cache  # files of the program; the same for every client
def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _mount(name: str, key: str, data: object) -> str | None:
    css = None if name == "language" else _source("grids.css")
    component = st.components.v2.component(f"itcare_{name}", css=css, js=_source("shared.js") + _source(f"{name}.js"))
    result: Any = component(key=key, data=data, on_open_change=lambda: None)
    pressed = result.open
    return pressed if isinstance(pressed, str) else None


def badges(key: str, fields: Sequence[Mapping[str, object]]) -> str | None:
    """A line of fields {id, state, glyph, text, title}; the id of the one pressed in this run, or None."""
    return _mount("badges", key, {"badges": fields})


def bars(key: str, head: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str | None:
    """Rows {label, parts: [field + count], total: field, why}; the id of the field pressed, or None."""
    return _mount("bars", key, {"head": head, "rows": rows})


def table(
    key: str, head: Sequence[str], rows: Sequence[Mapping[str, object]], legend: Sequence[Mapping[str, str]]
) -> str | None:
    """Rows {name: field, note, worst: {state, glyph} | None, cells: [field | {text}]}; the id pressed, or None."""
    return _mount("table", key, {"head": head, "rows": rows, "legend": legend})


def document_language(code: str) -> None:
    """Tell the browser which language the page is in."""
    _mount("language", "document_language", code)
