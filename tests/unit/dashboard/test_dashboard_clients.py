"""All clients: what it counts, in which order, and what it says when something is wrong or running."""

import json
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from itcare.core.clock import SystemClock, write_instant
from itcare.publish.firm import ClientSummary, FirmAreaRow, FirmClientRow
from itcare.publish.firm_writer import publish_firm
from tests.support.dashboard import app, at_page
from tests.support.portal import make_portal

NOW = SystemClock().now()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_portal(tmp_path_factory.mktemp("portal"), NOW)


def _summary(number: int, code: str, **values: object) -> ClientSummary:
    client = FirmClientRow(
        client_id=number, code=code, legal_name=f"{code} sp. z o.o.", published_at=NOW - timedelta(minutes=10 * number),
        stale_after_hours=26.0, last_observed_at=NOW, hosts=3, findings_fail=0, findings_warn=0, findings_unknown=0,
        findings_ok=9, needs_verify=0, ledger_state="sound", ledger_message="", ledger_checked_at=NOW, tree_size=100,
        problems=0, full_within_30_days=0,
    )  # fmt: skip
    area = FirmAreaRow(number, "visit.daily", None, "2026-03", 5, 0, 20, 0, 0, 0, 0, 0, 20, 20)
    rows = {name: value for name, value in values.items() if hasattr(area, name) and name != "client_id"}
    own = {name: value for name, value in values.items() if hasattr(client, name)}
    return ClientSummary(replace(client, **own), (replace(area, **rows),))  # type: ignore[arg-type] # fields by name


def _published(folder: Path, *summaries: ClientSummary) -> Path:
    published = folder / "published"
    published.mkdir()
    for summary in summaries:
        publish_firm(published, summary)
    return published


def _open(published: Path, monkeypatch: pytest.MonkeyPatch, *, staff: bool = True, lang: str = "en") -> AppTest:
    test = at_page(app(published, monkeypatch, staff=staff, lang=lang), "clients").run()
    assert not test.exception, test.exception
    return test


def _grid(test: AppTest) -> list[dict]:
    for element in test.main:
        proto = getattr(element, "proto", None)
        if "itcare_table" in str(getattr(proto, "component_name", "")) or "clients" in str(getattr(proto, "id", "")):
            return json.loads(proto.json)["rows"]  # type: ignore[no-any-return] # rows of fields
    raise AssertionError("no grid")


def _words(test: AppTest) -> str:
    return " ".join(
        str(getattr(element, "value", "")) for kind in ("text", "markdown", "warning", "error", "info", "code")
        for element in test.get(kind)
    )  # fmt: skip


def test_the_title_counts_the_clients_that_need_somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(
        tmp_path, _summary(1, "ALFA"), _summary(2, "BETA", failed=2), _summary(3, "GAMMA", no_data=1),
        _summary(4, "DELTA", published_at=NOW - timedelta(hours=31)),
    )  # fmt: skip
    title = _open(published, monkeypatch).title[0].value.replace("\u00a0", " ")
    assert title == "4 clients: 2 with jobs not done, 1 without fresh data."
    polish = _open(published, monkeypatch, lang="pl").title[0].value.replace("\u00a0", " ")
    assert polish == "4 klienci: 2 z niewykonanymi pracami, 1 bez świeżych danych."


def test_old_data_comes_first_and_its_good_states_fade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(
        tmp_path, _summary(1, "ALFA"), _summary(2, "BETA", failed=2),
        _summary(3, "OLD", published_at=NOW - timedelta(hours=31)),
        _summary(4, "OLDER", published_at=NOW - timedelta(hours=90)),
        _summary(5, "UNSOUND", ledger_state="unsound", ledger_message="entry 7 was changed"),
    )  # fmt: skip
    rows = _grid(_open(published, monkeypatch))
    assert [row["name"]["id"] for row in rows] == ["UNSOUND", "OLDER", "OLD", "BETA", "ALFA"]
    assert [row["cells"][1].get("state") for row in rows] == [None, "faded", "faded", "failed", "done"]
    assert all("state" not in cell for cell in rows[0]["cells"][1:])  # no figure on a ledger in doubt


def test_fields_count_what_is_not_done_out_of_what_was_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(
        tmp_path, _summary(1, "BAD", failed=1, no_data=1, done=18, waived=4),
        _summary(2, "GOOD"), _summary(3, "IDLE", done=0, settled=0, delivered=0),
        _summary(4, "LATE", done=17, done_late=3),
    )  # fmt: skip
    told = {row["name"]["id"]: row["cells"][1] for row in _grid(_open(published, monkeypatch))}
    assert (told["BAD"]["glyph"], told["BAD"]["text"]) == ("×", "2/20")
    assert (told["GOOD"]["glyph"], told["GOOD"]["text"]) == ("✓", "20")
    assert (told["LATE"]["glyph"], told["LATE"]["text"]) == ("✓»", "3/20")
    assert told["IDLE"] == {"text": "nothing due"}


def test_a_ledger_in_doubt_says_what_the_check_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(
        tmp_path, _summary(1, "ALFA"),
        _summary(2, "BETA", ledger_state="unsound", ledger_message="entry 7 was changed"),
        _summary(3, "GAMMA", problems=2),
    )  # fmt: skip
    told = _words(_open(published, monkeypatch))
    assert "entry 7 was changed" in told
    assert "Other ledgers (1): sound." in told
    assert "BETA, BETA sp. z o.o." in told
    assert "GAMMA, GAMMA sp. z o.o." in told


def test_nothing_published_and_a_damaged_file_explain_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = tmp_path / "published"
    published.mkdir()
    assert _open(published, monkeypatch).title[0].value == "No client has been published yet."
    (published / "firm.sqlite").write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    test = _open(published, monkeypatch)
    assert test.title[0].value == "The overview of all clients cannot be read."
    assert str(published) not in _words(test)


def test_a_broken_client_does_not_hide_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_portal(tmp_path, NOW)
    file = published / "1" / "current.sqlite"
    file.chmod(0o600)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE meta SET value = 'unsound' WHERE key = 'ledger_state'")
    connection.close()
    assert "2\u00a0clients" in _open(published, monkeypatch).title[0].value
    file.write_bytes(b"\xff" * 4096)
    assert "2\u00a0clients" in _open(published, monkeypatch).title[0].value


def _progress(published: Path, at: object, **hosts: object) -> None:
    folder = published.parent / "progress"
    folder.mkdir(exist_ok=True)
    step = {"task": "Observe <b>health</b>", "position": 2, "outcome": None, "at": at}
    content = {"run": "BETA/12", "duty": "visit.daily", "hosts": {"pc01": step, "pc02": None, "pc03": None} | hosts}
    (folder / f"{'a' * 32}.json").write_text(json.dumps(content))


def test_runs_in_progress_are_told_with_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(tmp_path, _summary(1, "BETA"))
    assert "No run is in progress." in _words(_open(published, monkeypatch))
    _progress(published, write_instant(SystemClock().now()))
    test = _open(published, monkeypatch)
    assert "BETA/12: Daily remote check" in _words(test)
    (bar,) = test.get("progress")
    assert bar.proto.text == "1 of 3 computers begun"
    assert "pc01: Observe <b>health</b>, runs now" in _words(test)  # plain text, not markup
    assert "Last sign" in _words(test)


def test_a_silent_run_is_called_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(tmp_path, _summary(1, "BETA"))
    _progress(published, write_instant(SystemClock().now() - timedelta(minutes=7)))
    assert "Silent for 7\u00a0min" in _open(published, monkeypatch).warning[0].value


def test_a_strange_progress_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = _published(tmp_path, _summary(1, "BETA"))
    _progress(published, write_instant(SystemClock().now()))
    next((published.parent / "progress").iterdir()).write_text("{")
    assert "No run is in progress." in _words(_open(published, monkeypatch))


@pytest.mark.parametrize("environment", [{}, {"ITCARE_DASHBOARD_STAFF": "0"}, {"ITCARE_DASHBOARD_STAFF": "1",
                                         "ITCARE_DASHBOARD_CLIENT": "ACME"}])  # fmt: skip
def test_only_a_server_for_staff_has_the_page(
    portal: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """A launcher that names a client, or says nothing of staff, opens no door; both together open none either."""
    test = app(portal, monkeypatch, lang="en", client=environment.get("ITCARE_DASHBOARD_CLIENT"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    at_page(test, "clients").run()
    assert "clients:" not in " ".join(title.value for title in test.title)
    assert "All clients" not in str(test.sidebar)
