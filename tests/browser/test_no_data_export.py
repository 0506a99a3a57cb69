"""A table of the pages cannot be taken away as a file: a formula in a name would come to life in a spreadsheet."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from itcare.core.clock import SystemClock
from tests.support.browser import browser, visit
from tests.support.components import ROOT
from tests.support.dashboard import Server, serving
from tests.support.portal import make_portal

pytestmark = pytest.mark.component("chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


def offers(server: Server, chromium: Browser) -> list[str]:
    """Names of the buttons that a table of computers shows to whoever points at it."""
    with visit(chromium) as seen:
        seen.open(server.url("/computers", client="ACME", lang="en"))
        table = seen.page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        table.hover(position={"x": 240, "y": 48})
        seen.page.wait_for_timeout(300)
        toolbar = seen.page.get_by_test_id("stElementToolbarButton")
        return [toolbar.nth(place).inner_text() or str(toolbar.nth(place).get_by_role("button").get_attribute(
            "aria-label")) for place in range(toolbar.count())]  # fmt: skip


def is_download(name: str) -> bool:
    return "csv" in name.lower() or "download" in name.lower()


def test_a_table_offers_no_download(tmp_path: Path, chromium: Browser) -> None:
    make_portal(tmp_path, SystemClock().now())
    with serving(tmp_path) as server:
        found = offers(server, chromium)
    assert found  # the toolbar is there, with search and full screen
    assert not any(map(is_download, found)), found


def test_without_the_setting_it_would(tmp_path: Path, chromium: Browser) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "src", code / "src")
    shutil.copytree(ROOT / "dashboard", code / "dashboard")
    settings = code / "dashboard" / ".streamlit" / "config.toml"
    settings.write_text(settings.read_text().replace("disableDataExport = true", "disableDataExport = false"))
    (tmp_path / "home").mkdir()
    make_portal(tmp_path / "home", SystemClock().now())
    with serving(tmp_path / "home", code=code) as server:
        found = offers(server, chromium)
    assert any(map(is_download, found)), found
