"""What each page says, state by state, run by Streamlit's own test driver."""

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from itcare.core.clock import SystemClock
from itcare.core.words import ObligationState
from itcare.publish.reader import Snapshot
from itcare.publish.rows import Meta
from tests.support.dashboard import app, at_page
from tests.support.portal import make_portal, portal_rows
from tests.support.snapshots import make_rows, make_snapshot, month_files, plan_client, with_meta, write_client

import scene  # isort: skip

NOW = SystemClock().now()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_portal(tmp_path_factory.mktemp("portal"), NOW)


def _run(test: AppTest, page: str | None = None) -> AppTest:
    test.run()
    if page is not None:
        test.switch_page(page)
    assert not test.exception, test.exception
    return test


def _titles(test: AppTest) -> list[str]:
    return [title.value for title in test.title]


def _component(test: AppTest, key: str) -> dict:
    """What a component of `grids` was given."""
    for element in test.main:
        proto = getattr(element, "proto", None)
        if proto is not None and key in str(getattr(proto, "id", "")):
            return json.loads(proto.json)
    raise AssertionError(f"no component {key}")


def test_the_title_adds_up_to_what_was_due(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _run(app(portal, monkeypatch, client="ACME", lang="en"))
    (title,) = _titles(test)
    rows = [row for row in portal_rows(NOW).obligations if row.month == f"{NOW:%Y-%m}"]
    numbers = [int(word.split("\u00a0")[0]) for word in title.partition(": ")[2].replace(" – ", ", ").split(", ")]
    assert numbers[0] == sum(numbers[1:]) == len(rows)


def test_the_fields_below_the_title_add_up_too(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _run(app(portal, monkeypatch, client="ACME", lang="en"))
    badges = [
        field
        for field in _component(test, "states")["badges"]
        if field["id"].rpartition("|")[2] in tuple(ObligationState)
    ]
    month = [row for row in portal_rows(NOW).obligations if row.month == f"{NOW:%Y-%m}"]
    assert sum(field["count"] for field in badges) == len(month)
    for field in badges:
        assert field["count"] == sum(row.state == field["id"].partition("|")[2] for row in month)


def test_the_page_speaks_the_clients_language(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "do wykonania" in _titles(_run(app(portal, monkeypatch, client="ACME")))[0]
    assert "due" in _titles(_run(app(portal, monkeypatch, client="NORD")))[0]
    assert "due" in _titles(_run(app(portal, monkeypatch, client="ACME", lang="en")))[0]
    assert "do wykonania" in _titles(_run(app(portal, monkeypatch, client="ACME", lang="<b>")))[0]


def test_the_address_loses_its_token(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _run(app(portal, monkeypatch, client="ACME", lang="en"))
    assert "token" not in test.query_params
    assert _titles(_run(test))  # and the session goes on without it


def test_without_a_token_only_one_sentence_is_shown(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _run(app(portal, monkeypatch, token=None, lang="en"))
    assert [text.value for text in test.text] == ["Please open the address that itcare printed."]
    assert not test.title
    assert not test.sidebar


def test_a_launcher_without_a_token_lets_nobody_in(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = app(portal, monkeypatch, token="", lang="en")
    monkeypatch.setenv("ITCARE_DASHBOARD_TOKEN", "")
    assert [text.value for text in _run(test).text] == ["Please open the address that itcare printed."]


def test_old_data_says_so_and_its_green_loses_its_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_portal(tmp_path, NOW - timedelta(hours=33))
    test = _run(app(published, monkeypatch, client="ACME", lang="en"))
    assert "This data is old" in test.warning[0].value
    assert "34 hours ago" in test.warning[0].value.replace("\u00a0", " ")
    states = {field["id"].partition("|")[2]: field["state"] for field in _component(test, "states")["badges"]}
    assert states["done"] == "faded"
    assert states["failed"] == "failed"


def test_a_broken_ledger_shows_no_figures_on_any_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=3, runs=2, now=NOW, sound=False)
    for query in ({}, {"host": "pc01"}, {"run": "1"}):
        test = _run(app(published, monkeypatch, lang="en", **query))
        assert _titles(test) == ["The ledger cannot be confirmed right now."]
        assert "no figures" in test.error[0].value
        assert not test.dataframe
        assert "+48 22 555 01 23" in [text.value for text in test.text]
        assert "entry 7 was changed" in test.code[0].value


def test_a_client_without_computers_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=0, runs=0, now=NOW)
    test = _run(app(published, monkeypatch, lang="pl"))
    assert _titles(test)[0].endswith("nic nie było do wykonania.")
    assert test.info[0].value == "Umowa nie wymienia komputerów."


def test_computers_without_any_duty_owe_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=2, runs=0, now=NOW)
    _sql(published, "DELETE FROM obligation")
    test = _run(app(published, monkeypatch, lang="pl"))
    assert "Nic nie było do wykonania." in [text.value for text in test.text]


def test_a_month_before_the_start_is_explained(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    since = portal_rows(NOW).meta.kept_since
    assert since is not None
    before = (since.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    test = _run(app(portal, monkeypatch, client="ACME", lang="en", month=before))
    assert _titles(test)[0].endswith(": no results.")
    assert "kept in itcare since" in test.info[0].value


@pytest.mark.parametrize("month", ["1999-01", "2999-01", "x", "2026-13", "<b>"])
def test_a_month_that_is_not_there_is_no_page(portal: Path, monkeypatch: pytest.MonkeyPatch, month: str) -> None:
    test = _run(app(portal, monkeypatch, client="ACME", lang="en", month=month))
    assert "There is no such page." in [text.value for text in test.text]


def test_nothing_published_yet_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _titles(_run(app(tmp_path / "none", monkeypatch, lang="en"))) == ["Nothing has been published yet."]


def test_a_damaged_snapshot_shows_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=1, runs=1, now=NOW)
    file = published / "1" / "current.sqlite"
    file.chmod(0o600)
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    test = _run(app(published, monkeypatch, lang="en"))
    assert _titles(test) == ["The published data cannot be read."]
    assert str(published) not in str(test.main)


def test_a_month_that_is_missing_is_no_half_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=2, runs=2, now=NOW)
    for file in month_files(published):
        file.unlink()
    assert "due" in _titles(_run(app(published, monkeypatch, lang="en")))[0]  # which needs none of them
    test = at_page(app(published, monkeypatch, lang="en", run="2"), "worklog").run()
    assert not test.exception
    assert _titles(test)[-1] == "The published data cannot be read."
    assert not test.dataframe


def test_a_page_that_a_second_publication_overtook_is_drawn_of_the_new_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=2, runs=2, now=NOW)
    rows = with_meta(make_rows(plan_client(1, hosts=2, runs=2, now=NOW)), legal_name="Overtaken")
    real, sizes = Snapshot.meta, iter((100, 101))

    def meta(self: Snapshot) -> Meta:
        told = real(self)
        for size in sizes:  # both publications while the first page is drawn: its months are gone
            write_client(published, 1, with_meta(rows, tree_size=size))
        return told

    monkeypatch.setattr(Snapshot, "meta", meta)
    test = at_page(app(published, monkeypatch, lang="en", run="2"), "worklog").run()
    assert not test.exception
    assert _titles(test)[0].startswith("Run ACME/2")
    assert "Overtaken" in str([element.value for element in test.sidebar.text])


def test_every_state_of_the_generator_can_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=9, runs=8, now=NOW)
    test = _run(app(published, monkeypatch, lang="pl"))
    states = {field["id"].partition("|")[2] for field in _component(test, "states")["badges"]} - {""}
    assert states == set(ObligationState)


def test_an_unknown_duty_shows_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=2, runs=1, now=NOW)
    _sql(published, "UPDATE obligation SET duty = 'moon.phase'")
    test = _run(app(published, monkeypatch, lang="pl"))
    assert _component(test, "duties")["rows"][0]["label"] == "moon.phase"


def _meta(**values: object) -> Meta:
    rows = with_meta(make_rows(plan_client(1, hosts=0, runs=0, now=datetime(2026, 3, 18, 9, tzinfo=UTC))), **values)
    return rows.meta


def test_months_run_from_the_last_publication_to_one_before_the_start() -> None:
    meta = _meta(kept_since=date(2026, 1, 7))
    assert [f"{m:%Y-%m}" for m in scene.months(meta)] == ["2026-03", "2026-02", "2026-01", "2025-12"]


def test_the_months_are_those_of_the_clients_own_clock() -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # already March in Warsaw
    assert scene.months(_meta(published_at=late, kept_since=None))[0] == date(2026, 3, 1)
    assert scene.months(_meta(published_at=late, kept_since=None, tz="no/such"))[0] == date(2026, 2, 1)


def test_a_start_after_the_publication_does_not_turn_months_around() -> None:
    assert scene.months(_meta(kept_since=date(2027, 1, 1)))[0] == date(2026, 3, 1)


def _sql(published: Path, statement: str) -> None:
    file = published / "1" / "current.sqlite"
    file.chmod(0o600)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()
