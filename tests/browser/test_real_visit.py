"""A real visit of this computer, from the contract to what the client sees in Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import browser, visit
from tests.support.components import ROOT
from tests.support.dashboard import Server, serving
from tests.support.installation import Installation

pytestmark = [pytest.mark.component("chromium"), pytest.mark.component("sshd")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("real"), ROOT / "inventories" / "demo").initialise()
    made.run("run", "DOMOWA", "visit.daily", "--operator", "Ada Example")
    made.run("run", "NORDWIND", "visit.daily", accept=(3,))
    made.run("publish")
    return made


@pytest.fixture(scope="module")
def server(place: Installation) -> Iterator[Server]:
    with serving(place.home) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


def test_the_run_of_the_ledger_is_on_the_page(place: Installation, server: Server, chromium: Browser) -> None:
    run = place.json("show", "DOMOWA/1")
    with visit(chromium) as seen:
        seen.open(server.url("/worklog", client="DOMOWA", run="1", lang="en"))
        told = seen.text()
        assert "DOMOWA/1" in told
        seen.page.wait_for_function(
            "host => [...document.querySelectorAll('canvas')].some(table => table.textContent.includes(host))",
            arg=run["hosts"][0]["host"],
        )
        assert "Ada Example" in told
        assert run["operator"] in told
        assert str(run["leaf_opened"])[:16] in told or str(run["entry_opened"]) in told
        assert not seen.left


def test_a_computer_that_was_off_reads_not_reached(server: Server, chromium: Browser) -> None:
    with visit(chromium) as seen:
        seen.open(server.url("/", client="NORDWIND", lang="en"))
        told = seen.text().lower()
        assert "not reached" in told or "could not be reached" in told
        assert "this-computer" not in told
        assert "DOMOWA/" not in seen.text()


def test_each_finding_of_the_command_line_is_on_the_computers_page(
    place: Installation, server: Server, chromium: Browser
) -> None:
    rows = [row for row in place.json("findings", "DOMOWA") if row["status"] in ("warn", "fail")]
    with visit(chromium) as seen:
        seen.open(server.url("/computers", client="DOMOWA", host="this-computer", lang="en"))
        told = seen.text()
    assert rows
    for row in rows:
        assert row["reason"].split(" (")[0][:40] in told
