"""docs/snapshot-v3.md tells of every table, every value of meta and every word."""

import re
from pathlib import Path

import pytest

from itcare.core.words import (
    FindingStatus,
    ForecastReason,
    HostOutcome,
    ObligationState,
    RunGrade,
    RunState,
    SoftwareChange,
    SourceState,
    TaskOutcome,
    TempState,
)
from itcare.publish import clean, forecast, host_rows, measures, reader, software
from itcare.publish.codec import column_names
from itcare.publish.rows import Meta
from itcare.publish.schema import MONTH_TABLES, PRESENT_TABLES, SNAPSHOT_VERSION

TEXT = (Path(__file__).parents[3] / "docs" / f"snapshot-v{SNAPSHOT_VERSION}.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", TEXT, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("table", ["meta", *PRESENT_TABLES, *MONTH_TABLES])
def test_every_table_has_a_heading(table):
    assert table in SECTIONS


@pytest.mark.parametrize("key", ["snapshot_version", *column_names(Meta)])
def test_every_value_of_meta_is_explained(key):
    assert f"`{key}`" in SECTIONS["meta"]


WORDS = [("run", RunState), ("host_result", HostOutcome), ("task", TaskOutcome), ("finding", FindingStatus),
         ("fact", SourceState), ("obligation", ObligationState), ("run", RunGrade), ("finding_interval", FindingStatus),
         ("software_change", SoftwareChange), ("temp", TempState), ("forecast", ForecastReason)]  # fmt: skip


@pytest.mark.parametrize(("table", "words"), WORDS)
def test_every_word_of_a_state_is_listed_with_its_table(table, words):
    assert [word for word in words if f"`{word}`" not in SECTIONS[table]] == []


def test_the_limits_in_the_text_are_those_of_the_code():
    assert f"({reader.MAXIMUM_ROWS} rows at most)" in TEXT
    assert f"at most {clean.TEXT_MAXIMUM_LENGTH} characters" in TEXT
    assert f"last {measures.KEPT.days} days" in TEXT
    assert f"at most {software.MAXIMUM_PACKAGES}," in TEXT
    assert f"fewer than {forecast.FEWEST_POINTS} looks, or less than {forecast.SHORTEST_SPAN.days} days" in TEXT
    assert f"last {forecast.WINDOW.days // 7} weeks" in TEXT
    assert f"more than {host_rows.OLDEST_LOOK.days} days old" in TEXT
