"""Computers over time and the work log's filters, run by Streamlit's own test driver."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from itcare.core.clock import SystemClock
from itcare.core.words import HostOutcome, RunState
from tests.support.dashboard import app, at_page
from tests.support.portal import DAYS, HOSTS, RERUN_AGO, UNANNOUNCED_AGO, make_portal, portal_rows
from tests.support.snapshots import change_table, make_snapshot

NOW = SystemClock().now()
LAST = DAYS + 1


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_portal(tmp_path_factory.mktemp("portal"), NOW)


def _open(published: Path, monkeypatch: pytest.MonkeyPatch, page: str, **query: str) -> AppTest:
    test = at_page(app(published, monkeypatch, client="ACME", lang="en", **query), page).run()
    assert not test.exception, test.exception
    return test


def _frame(test: AppTest, place: int) -> list[list[str]]:
    return test.dataframe[place].value.values.tolist()  # type: ignore[no-any-return] # a frame of texts


def _texts(test: AppTest) -> list[str]:
    return [text.value for text in test.text]


def test_each_computer_has_its_trend(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row[0]: row for row in _frame(_open(portal, monkeypatch, "computers"), 0)}
    assert set(rows) == set(HOSTS)
    assert rows["srv01"][2].replace("\u00a0", " ") == "/srv: 137 GB of 980 GB free"
    assert all(0 <= share <= 100 for row in rows.values() for share in row[3])
    assert rows["srv01"][4].replace("\u00a0", " ") == "about 40 days"
    assert rows["pc01"][4] == "too little data"  # looked at for six days only
    assert rows["pc02"][4] == "does not grow"
    assert rows["srv01"][5].replace("\u00a0", " ") == "2 updated"
    assert "freed" in rows["srv01"][6]
    assert "could be freed" in rows["nb01"][6]  # there clean-ups only look


def test_the_parts_of_the_title_can_be_pressed(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "computers")
    badges = next(json.loads(e.proto.json) for e in test.main if "hosts_by_state" in str(getattr(e.proto, "id", "")))
    numbers = [int(field["text"].replace("\u00a0", " ").split()[-1 if place else 0])
               for place, field in enumerate(badges["badges"])]  # fmt: skip
    assert numbers[0] == sum(numbers[1:]) == len(HOSTS)


def test_a_finding_says_since_when_it_stands(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = " ".join(element.value for element in _open(portal, monkeypatch, "computers", host="srv01").markdown)
    assert "Since " in told


def test_one_computer_shows_its_disks_programs_and_clean_ups(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "computers", host="srv01")
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in test.get("plotly_chart")]
    assert titles == [
        "Space used on /srv in GB, capacity 980\u00a0GB", "Space used on / in GB, capacity 118\u00a0GB",
        "Freed by clean-ups, by month",
    ]  # fmt: skip
    assert "2\u00a0programs changed." in _texts(test)
    assert any("7\u00a0programs are installed." in text for text in _texts(test))


def test_the_visits_can_be_chosen(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "computers", host="srv01")
    earlier = next(box for box in test.selectbox if box.label == "From the visit of")
    earlier.set_value(40).run()  # 40 looks back: every change but none of the oldest is between
    changes = _frame(test, 1)
    told = {row[1]: (row[0], row[2]) for row in changes}
    assert told["openssl"] == ("updated", "3.0.16-1~deb12u1 → 3.0.17-1~deb12u3")
    assert told["vlc"] == ("removed", "3.0.21-0+deb12u1")
    assert told["libreoffice-writer"][0] == "installed"


def test_the_search_finds_by_every_word(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "computers", host="srv01")
    test.text_input[0].set_value("MOZILLA esr").run()
    assert "2\u00a0of 7 programs match." in [text.replace("2 of", "2\u00a0of") for text in _texts(test)]
    test.text_input[0].set_value("no such program").run()
    assert "Clear the search" in test.info[0].value


def test_what_is_not_there_yet_explains_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=2, runs=2, now=NOW)
    for table in ("measure", "forecast", "software", "software_look", "software_change", "temp"):
        change_table(published, table, f"DELETE FROM {table}")  # noqa: S608 - names above
    told = _texts(_open(published, monkeypatch, "computers", host=_first_host(published)))
    assert "No visit has measured the disks of this computer yet." in told
    assert "No visit has listed the programs of this computer yet." in told
    assert "No clean-up has looked at this computer yet." in told
    assert _frame(_open(published, monkeypatch, "computers"), 0)[0][2:6:3] == ["no data", "no data"]


def _first_host(published: Path) -> str:
    with sqlite3.connect(published / "1" / "current.sqlite") as connection:
        return str(connection.execute("SELECT name FROM host WHERE current = 1 ORDER BY name").fetchone()[0])


def test_too_little_data_is_told_as_such(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = " ".join(element.value for element in _open(portal, monkeypatch, "computers", host="pc01").markdown)
    assert "Too little data for a forecast" in told


def test_an_unannounced_run_is_shown_as_such(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = _open(portal, monkeypatch, "worklog")
    assert "1\u00a0unannounced" in log.title[0].value
    (row,) = [row for row in _frame(log, 0) if "unannounced" in row[0]]
    assert row[7] == f"ACME/{LAST - UNANNOUNCED_AGO}"
    page = _open(portal, monkeypatch, "worklog", run=str(LAST - UNANNOUNCED_AGO))
    assert "This run is unannounced" in page.warning[0].value
    assert any(text.startswith("By its own record it took place") for text in _texts(page))
    polish = at_page(app(portal, monkeypatch, client="ACME", lang="pl"), "worklog").run()
    assert any("niezapowiedziany" in row[0] for row in _frame(polish, 0))


def test_a_rerun_names_the_run_it_repeats(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = [row for row in _frame(_open(portal, monkeypatch, "worklog"), 0) if "repeats" in row[4]]
    assert f"repeats ACME/{LAST - RERUN_AGO - 1}" in row[4]
    page = _open(portal, monkeypatch, "worklog", run=str(LAST - RERUN_AGO))
    assert any("repeats a part" in element.value for element in page.markdown)


def _month_runs() -> list[int]:
    return [row.number for row in portal_rows(NOW).runs if f"{row.opened_at:%Y-%m}" == f"{NOW:%Y-%m}"]


def _outcomes(test: AppTest):  # type: ignore[no-untyped-def] # AppTest's class for pills is not public
    return next(group for group in test.button_group if str(group.key).startswith("outcomes"))


def _shown(test: AppTest) -> set[str]:
    return {row[7] for row in _frame(test, 0)}


def test_the_log_is_filtered_by_outcome(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "worklog")
    _outcomes(test).set_value([str(RunState.PARTIAL)]).run()
    wanted = {row.number for row in portal_rows(NOW).runs if row.state is RunState.PARTIAL} & set(_month_runs())
    assert _shown(test) == {f"ACME/{number}" for number in wanted}


def test_the_log_is_filtered_by_computer_person_and_day(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "worklog")
    boxes = {box.label: box for box in test.selectbox}
    who = boxes["Who"].options
    boxes["Who"].set_value(who.index("Katarzyna Wójcik")).run()
    assert _shown(test) <= {f"ACME/{LAST - ago}" for ago in (0, 5, 12)}
    assert _shown(test)
    {box.label: box for box in test.selectbox}["Day"].set_value(1).run()
    assert _shown(test) == {f"ACME/{LAST}"}
    assert "Shown: 1 of" in " ".join(element.value for element in test.markdown)


def test_the_computer_filter_shows_the_runs_that_were_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_portal(tmp_path, NOW)
    for table in ("task", "host_result"):
        statement = f"DELETE FROM {table} WHERE host = 'nb01' AND run < ?"  # noqa: S608 - names above
        change_table(published, table, statement, (LAST,))
    test = _open(published, monkeypatch, "worklog")
    box = next(box for box in test.selectbox if box.label == "Computer")
    box.set_value(box.options.index("nb01")).run()
    assert _shown(test) == {f"ACME/{LAST}"}


def test_a_filter_without_a_result_says_how_to_go_on(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = _open(portal, monkeypatch, "worklog")
    _outcomes(test).set_value([str(RunState.INTERRUPTED)]).run()
    {box.label: box for box in test.selectbox}["Day"].set_value(1).run()
    assert "Clear the filter" in test.info[0].value


def test_old_data_fades_the_good_on_the_new_parts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_portal(tmp_path, NOW - timedelta(hours=50))
    for page, query in (("computers", {}), ("computers", {"host": "srv01"}), ("worklog", {})):
        assert "This data is old" in _open(published, monkeypatch, page, **query).warning[0].value


def test_no_page_shows_figures_while_the_ledger_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = make_snapshot(tmp_path, clients=1, hosts=3, runs=2, now=NOW, sound=False)
    for page in ("computers", "worklog"):
        test = _open(published, monkeypatch, page)
        assert test.title[0].value == "The ledger cannot be confirmed right now."
        assert not test.dataframe
        assert not test.get("plotly_chart")


def test_the_believable_client_has_every_outcome_that_the_tests_speak_of() -> None:
    assert {row.outcome for row in portal_rows(NOW).host_results} >= {HostOutcome.NOT_REACHED, HostOutcome.INTERRUPTED}
