"""Figures over time in the look of the pages: one line or one row of bars, and words where others have a legend.

Plotly reads markup in every text of a figure. So text of a computer comes into one only through `literal`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import streamlit as st

import widgets
from itcare.publish.rows import ForecastRow, MeasureRow
from scene import Scene
from words import day, lang, number, short_day, size, tr

FONT = '"Source Sans", "Source Sans 3", "Liberation Sans", sans-serif'
# No zoom, no mode bar: whoever needs the numbers finds them in the evidence beside the figure.
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
HEIGHT = 270  # pixels; a height inside a template is ignored
FARTHEST = timedelta(days=180)  # of a forecast inside the figure; its date is named all the same
# The colours of .streamlit/config.toml.
INK = {
    "light": {
        "text": "#1E2328", "soft": "#545B63", "grid": "#E6E6E0", "line": "#B9BAB3", "paper": "#FDFDFB",
        "accent": "#1F4E79", "warn": "#B65C0C",
    },
    "dark": {
        "text": "#E4E7EA", "soft": "#A5ACB3", "grid": "#2C3237", "line": "#4A5157", "paper": "#14171A",
        "accent": "#8FBFEF", "warn": "#E39A4E",
    },
}  # fmt: skip
_WRITTEN_OUT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "$": "&#36;", "{": "&#123;",
                "}": "&#125;", "%": "&#37;"}  # fmt: skip


def literal(text: object, limit: int = 60) -> str:
    """Text of a computer such that a figure shows it letter by letter: no tag, link, formula or place for a value."""
    return "".join(_WRITTEN_OUT.get(letter, letter) for letter in widgets.plain(text, limit))


def mode() -> str:
    """Whether the page is light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def template(shade: str, language: str) -> go.layout.Template:
    """Our look for one theme and one language (its signs for thousands and decimals)."""
    ink = INK[shade]
    axis: dict[str, Any] = {
        "gridcolor": ink["grid"], "linecolor": ink["line"], "zeroline": False, "ticks": "outside", "ticklen": 4,
        "tickcolor": ink["line"], "tickfont": {"color": ink["soft"], "size": 12}, "fixedrange": True,
        "automargin": True,
    }  # fmt: skip
    font = {"family": FONT, "size": 13, "color": ink["text"]}
    return go.layout.Template(
        layout={
            "font": font,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "title": {"font": {"size": 14, "color": ink["text"]}, "x": 0, "xanchor": "left", "xref": "container",
                      "yref": "container", "y": 0.97, "yanchor": "top"},
            "margin": {"l": 8, "r": 16, "t": 52, "b": 8},
            "dragmode": False,
            "hovermode": "closest",
            "separators": ",\u00a0" if language == "pl" else ".,",
            "hoverlabel": {"bgcolor": ink["paper"], "bordercolor": ink["line"], "font": font, "align": "left"},
            "showlegend": False,
            "colorway": [ink["accent"], ink["warn"]],
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
        }
    )  # fmt: skip


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """Show a figure; `alt` is the sentence that it says."""
    st.plotly_chart(figure, theme=None, config=CONFIG, key=key, alt=alt)


def disk(scene: Scene, rows: Sequence[MeasureRow], forecast: ForecastRow) -> go.Figure:
    """Bytes used of one file system from zero to its capacity, and a dotted line to the day on which it is full."""
    ink = INK[mode()]
    capacity = forecast.capacity or max(row.value for row in rows)
    unit, factor = ("GB", 1e9) if capacity >= 1e9 else ("MB", 1e6)
    times = [scene.local(row.at) for row in rows]
    figure = go.Figure(
        go.Scatter(
            x=times, y=[row.value / factor for row in rows], mode="lines" if len(rows) > 1 else "markers",
            line={"color": ink["accent"], "width": 2}, marker={"size": 8},
            hovertext=[f"{day(at.date(), year=True)}: {size(row.value)}" for at, row in zip(times, rows, strict=True)],
            hoverinfo="text",
        )
    )  # fmt: skip
    last = times[-1]
    end = last
    if forecast.full_at is not None:
        full = scene.local(forecast.full_at)
        end = min(full, last + FARTHEST)
        reached = forecast.value + (capacity - forecast.value) * _share(last, end, full)
        figure.add_scatter(
            x=[last, end], y=[forecast.value / factor, reached / factor], mode="lines", hoverinfo="skip",
            line={"color": ink["warn"], "width": 2, "dash": "dot"},
        )  # fmt: skip
        figure.add_annotation(
            x=end, y=reached / factor, text=tr("full about {day}", day=day(full.date(), year=full.year != last.year)),
            showarrow=False, xanchor="right", yanchor="bottom", yshift=2, font={"size": 12, "color": ink["warn"]},
        )  # fmt: skip
    title = tr("Space used on {mount} in {unit}, capacity {capacity}", mount=literal(forecast.subject or ""), unit=unit,
               capacity=size(capacity))  # fmt: skip
    top = capacity / factor
    _finish(figure, title)
    figure.add_hline(y=top, line={"color": ink["line"], "width": 1})
    steps = [top * part / 4 for part in range(5)]
    figure.update_yaxes(
        range=[0, top * 1.12], tickvals=steps, ticktext=[number(step, 1 if top < 20 else 0) for step in steps]
    )
    days = _day_ticks(times[0].date(), end.date())
    figure.update_xaxes(tickvals=days, ticktext=[short_day(when) for when in days])
    return figure


def months(totals: Mapping[date, float], title: str) -> go.Figure:
    """One bar a month, with its size written on it; keys are the first days of the months, in order."""
    ink = INK[mode()]
    names = [_month(when) for when in totals]
    figure = go.Figure(
        go.Bar(
            x=names, y=[value / 1e9 for value in totals.values()], marker={"color": ink["accent"]}, width=0.6,
            text=[size(value) for value in totals.values()], textposition="outside", cliponaxis=False, hoverinfo="skip",
        )
    )  # fmt: skip
    _finish(figure, title)
    top = max(totals.values(), default=0) / 1e9
    figure.update_yaxes(range=[0, top * 1.2 or 1], showticklabels=False, showgrid=False, ticks="")
    figure.update_xaxes(type="category")
    return figure


def _month(when: date) -> str:
    return f"{when:%m.%Y}" if lang() == "pl" else f"{when:%b %Y}"


def _finish(figure: go.Figure, title: str) -> None:
    figure.update_layout(template=template(mode(), lang()), height=HEIGHT, title={"text": title})


def _share(start: datetime, at: datetime, end: datetime) -> float:
    whole = (end - start).total_seconds()
    return 1.0 if whole <= 0 else (at - start).total_seconds() / whole


def _day_ticks(first: date, last: date) -> list[date]:
    """At most six days, evenly apart."""
    step = max(1, -(-(last - first).days // 5))
    return [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)]
