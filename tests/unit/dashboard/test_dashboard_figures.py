"""Figures: our look in both themes, and text of a computer that stays text."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from types import SimpleNamespace

import pytest

from itcare.core.words import ForecastReason
from itcare.publish.reader import Amount
from itcare.publish.rows import ForecastRow, MeasureRow
from tests.support import dashboard  # noqa: F401 - puts the dashboard's modules on the path
from tests.support.corpus import TEXTS

import disks  # isort: skip
import figures  # isort: skip
import widgets  # isort: skip
import words  # isort: skip

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
SCENE = SimpleNamespace(local=lambda at: at, now=NOW)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "lang", lambda: "en")
    monkeypatch.setattr(figures, "lang", lambda: "en")
    monkeypatch.setattr(figures, "mode", lambda: "light")


def _rows(count: int, subject: str = "/") -> list[MeasureRow]:
    return [
        MeasureRow("pc01", "disk_used_bytes", subject, NOW - timedelta(days=count - n), (100 + n) * 1e9, 500e9, n + 1)
        for n in range(count)
    ]


def _forecast(subject: str = "/", days: float | None = 40.0) -> ForecastRow:
    full = None if days is None else NOW + timedelta(days=days)
    reason = ForecastReason.TOO_SHORT if days is None else None
    return ForecastRow("pc01", "disk_used_bytes", subject, NOW, 120e9, 500e9, full, days, reason, 20)


@pytest.mark.parametrize("text", TEXTS)
def test_no_markup_of_a_computer_gets_into_a_figure(text: str) -> None:
    told = figures.literal(text)
    assert not set(told) & set("<>$\"'{}%")
    assert unescape(told) == widgets.plain(text, 60)  # and yet every letter is shown
    title = figures.disk(SCENE, _rows(5, text), _forecast(text)).layout.title.text
    assert told in title
    assert "<" not in title


def test_the_forecast_is_dotted_and_names_its_day() -> None:
    figure = figures.disk(SCENE, _rows(20), _forecast())
    assert [line.line.dash for line in figure.data] == [None, "dot"]
    assert figure.layout.annotations[0].text == "full about 27 April"
    assert figure.data[1].y[-1] == pytest.approx(500.0)


def test_a_far_day_is_named_and_the_line_stays_inside() -> None:
    figure = figures.disk(SCENE, _rows(20), _forecast(days=900.0))
    assert figure.layout.annotations[0].text == "full about 3 September 2028"
    assert figure.data[1].x[-1] - figure.data[1].x[0] <= figures.FARTHEST
    assert figure.data[1].y[-1] < 300


def test_without_a_forecast_there_is_no_dotted_line() -> None:
    figure = figures.disk(SCENE, _rows(3), _forecast(days=None))
    assert len(figure.data) == 1
    assert not figure.layout.annotations


@pytest.mark.parametrize("rows", [_rows(1), [replace(_rows(1)[0], value=0.0, capacity=None)]])
def test_one_look_is_a_point(rows: list[MeasureRow]) -> None:
    forecast = replace(_forecast(days=None), capacity=rows[0].capacity, value=rows[0].value)
    assert figures.disk(SCENE, rows, forecast).data[0].mode == "markers"


def test_the_axis_runs_from_nothing_to_the_capacity() -> None:
    axis = figures.disk(SCENE, _rows(9), _forecast()).layout.yaxis
    assert axis.range[0] == 0
    assert axis.tickvals[-1] == 500


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_the_look_is_that_of_the_theme(shade: str) -> None:
    look = figures.template(shade, "pl").layout
    assert look.font.color == figures.INK[shade]["text"]
    assert look.separators == ",\u00a0"
    config = (dashboard.FOLDER / ".streamlit" / "config.toml").read_text()
    assert all(figures.INK[shade][name] in config for name in ("text", "accent", "paper"))


def test_bars_carry_their_size() -> None:
    figure = figures.months({date(2026, 2, 1): 1.5e9, date(2026, 3, 1): 0.0}, "Freed")
    assert list(figure.data[0].text) == ["1.5\u00a0GB", "0\u00a0MB"]
    assert list(figure.data[0].x) == ["Feb 2026", "Mar 2026"]


def test_a_disk_is_told_in_counts() -> None:
    row = _forecast()
    assert disks.left(row) == "380 GB of 500 GB free".replace(" GB", "\u00a0GB")
    assert disks.until_full(row, NOW) == "about 40\u00a0days"
    assert disks.until_full(row, NOW + timedelta(days=60)) == "any day now"
    assert disks.until_full(_forecast(days=None), NOW) == "too little data"
    assert disks.told(replace(row, full_at=None, reason=ForecastReason.NOT_GROWING), NOW).startswith("It does not grow")


def test_a_line_is_of_shares_in_per_cent() -> None:
    """How many points it has, and that the newest stays, is the reader's (`Snapshot.amounts`)."""
    assert disks.line([Amount(100e9, 500e9), Amount(451.2e9, 500e9), Amount(9e12, 500e9)]) == [20.0, 90.2, 100.0]
    assert disks.line([Amount(1.0, None)]) == [0.0]
