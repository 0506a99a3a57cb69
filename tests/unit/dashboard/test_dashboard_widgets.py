"""Text of computers made plain: short, visible, without control."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import dashboard  # noqa: F401 - puts the dashboard's modules on the path
from tests.support.corpus import MEGABYTE, TEXTS

import widgets  # isort: skip

anything = st.text(st.characters(exclude_categories=()), max_size=2000)  # lone surrogates too


@given(anything)
def test_plain_text_has_no_control_and_no_invisible_characters(text: str) -> None:
    shown = widgets.plain(text)
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode("utf-8")


@given(anything, st.integers(1, 300))
def test_plain_text_is_bounded(text: str, limit: int) -> None:
    assert len(widgets.plain(text, limit)) <= limit * len("⟨U+10FFFF⟩") + 40


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=100).filter(lambda t: "\u3164" not in t))
def test_ordinary_text_is_shown_as_it_stands(text: str) -> None:
    fillers = set("\u115f\u1160\u3164\uffa0\u034f")
    if not fillers & set(text):
        assert widgets.plain(text) == text


def test_a_cut_text_says_how_long_it_was() -> None:
    assert widgets.plain(MEGABYTE).endswith("… (1,048,579\u00a0characters)")


def test_a_mark_that_turns_the_direction_is_written_out() -> None:
    assert widgets.plain("\u202egpj.exe") == "⟨U+202E⟩gpj.exe"


def test_lines_stay_only_in_blocks() -> None:
    assert widgets.plain("a\nb") == "a b"
    assert widgets.plain("a\nb", lines=True) == "a\nb"


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_name_is_no_label(text: str) -> None:
    assert widgets.host_label(text) == "computer with an unreadable name"
    assert widgets.host_label("pc-01") == "pc-01"
