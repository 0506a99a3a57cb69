"""Hostile text in every free text field: shown as text, makes no element, lets no request leave."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from itcare.core.clock import SystemClock
from tests.support.browser import Visit, browser, visit
from tests.support.corpus import MARK, OUTSIDE, poison, poison_firm
from tests.support.dashboard import Server, serving
from tests.support.portal import make_portal

pytestmark = pytest.mark.component("chromium")
PAGES = [
    ("/", {}),
    ("/computers", {}),
    ("/computers", {"host": "pc03"}),
    ("/computers", {"host": "srv01"}),
    ("/worklog", {}),
    ("/worklog", {"run": "40"}),
]
_FORBIDDEN = """() => {
  const found = []
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) walk(node.shadowRoot)
      const link = node.getAttribute('href') || node.getAttribute('src') || ''
      if (/evil\\.example|^javascript:/i.test(link)) found.push(node.outerHTML.slice(0, 200))
      if (node.id === 'pwned') found.push('an element of hostile markup')
      const drawn = node.closest('.katex, .stMarkdownColoredText')
      if (drawn && node.textContent.includes('ZQX')) found.push(node.className)
      if (['B', 'STRONG', 'EM', 'DEL', 'H1', 'H2', 'H3', 'TABLE', 'A', 'SCRIPT', 'IMG'].includes(node.tagName)
          && node.textContent.includes('ZQX') && !node.closest('.drawn, canvas')) {
        found.push(node.outerHTML.slice(0, 200))
      }
    }
  }
  walk(document)
  return found
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("hostile")
    file = make_portal(home, SystemClock().now()) / "1" / "current.sqlite"
    file.chmod(0o600)
    poison(file)
    with serving(home, client="ACME") as running:
        yield running


@pytest.fixture(scope="module")
def staff_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("staff")
    published = make_portal(home, SystemClock().now())
    for file in (published / "1" / "current.sqlite", published / "firm.sqlite"):
        file.chmod(0o600)
    poison(published / "1" / "current.sqlite")
    poison_firm(published / "firm.sqlite", home / "progress")
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


def _check(seen: Visit) -> None:
    assert not seen.page.evaluate(_FORBIDDEN)
    assert not seen.left
    assert "pwned" not in seen.page.title()
    assert not seen.errors


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize(("path", "query"), PAGES)
def test_hostile_text_is_only_text(
    server: Server, chromium: Browser, path: str, query: dict[str, str], language: str
) -> None:
    with visit(chromium) as seen:
        seen.open(server.url(path, client="ACME", lang=language, **query))
        assert MARK in seen.text() or seen.page.get_by_test_id("stDataFrame").count()
        _check(seen)


def test_hostile_text_in_the_drawer_is_only_text(server: Server, chromium: Browser) -> None:
    with visit(chromium) as seen:
        seen.open(server.url(client="ACME", lang="en"))
        for component in ("badges", "bars"):
            buttons = seen.page.locator(f".{component} button")
            for place in range(buttons.count()):
                buttons.nth(place).click()
                dialog = seen.page.get_by_role("dialog")
                dialog.wait_for()
                seen.settle()
                assert MARK in dialog.inner_text()
                _check(seen)
                seen.page.keyboard.press("Escape")
                dialog.wait_for(state="hidden")


def test_a_hostile_cell_stays_text_when_it_is_opened(server: Server, chromium: Browser) -> None:
    with visit(chromium) as seen:
        seen.open(server.url("/worklog", client="ACME", lang="en", run="40"))
        for table in seen.page.get_by_test_id("stDataFrame").all():
            table.scroll_into_view_if_needed()
            table.dblclick(position={"x": 150, "y": 50})
            seen.page.wait_for_timeout(300)
            _check(seen)
            seen.page.keyboard.press("Escape")


@pytest.mark.parametrize("language", ["pl", "en"])
def test_hostile_text_on_the_page_of_all_clients_is_only_text(
    staff_server: Server, chromium: Browser, language: str
) -> None:
    with visit(chromium) as seen:
        seen.open(staff_server.url("/clients", client="ACME", lang=language))
        told = seen.text()
        assert told.count(MARK) > 10
        assert not {"\u202e", "\u200b", "\u2066", "\x1b", "\x00"} & set(told)
        _check(seen)
        seen.page.get_by_role("button", name=re.compile(r"^ACME: ")).first.click()
        seen.page.get_by_role("dialog").wait_for()
        seen.settle()
        assert MARK in seen.page.get_by_role("dialog").inner_text()
        _check(seen)


def test_hostile_names_of_disks_stay_letters_in_figures(server: Server, chromium: Browser) -> None:
    with visit(chromium) as seen:
        seen.open(server.url("/computers", client="ACME", lang="en", host="srv01"))
        charts = seen.page.locator(".js-plotly-plot")
        charts.first.wait_for()
        titles = seen.page.locator(".js-plotly-plot .gtitle")
        titles.first.wait_for()
        assert MARK in " ".join(titles.all_text_contents())
        assert not seen.page.locator(
            ".js-plotly-plot a, .js-plotly-plot tspan[style*=bold], .js-plotly-plot image"
        ).count()
        charts.first.hover(position={"x": 120, "y": 120})
        seen.page.wait_for_timeout(300)
        _check(seen)


@pytest.mark.parametrize(
    ("path", "query", "place"),
    [("/computers", {}, 0), ("/computers", {"host": "srv01"}, 1), ("/computers", {"host": "srv01"}, 2)],
)
def test_a_pressed_cell_of_hostile_rows_opens_only_text(
    server: Server, chromium: Browser, path: str, query: dict[str, str], place: int
) -> None:
    with visit(chromium) as seen:
        seen.open(server.url(path, client="ACME", lang="en", **query))
        table = seen.page.get_by_test_id("stDataFrame").nth(place)
        table.scroll_into_view_if_needed()
        table.hover(position={"x": 240, "y": 48})  # the table ignores a mouse that jumps
        seen.page.wait_for_timeout(200)
        table.click(position={"x": 240, "y": 48})
        dialog = seen.page.get_by_role("dialog")
        dialog.wait_for()
        seen.settle()
        assert MARK in dialog.inner_text()
        _check(seen)


def test_direction_marks_are_written_out(server: Server, chromium: Browser) -> None:
    with visit(chromium) as seen:
        for path, query in PAGES:
            seen.open(server.url(path, client="ACME", lang="en", **query))
            told = seen.text()
            assert not {"\u202e", "\u202c", "\u200b", "\u2066", "\x1b", "\x00"} & set(told)


def test_the_check_notices_what_it_looks_for(chromium: Browser, server: Server) -> None:
    """The same eyes on a page that does render: a link, an image, bold text and a request are all seen."""
    with visit(chromium) as seen:
        seen.open(server.url(client="ACME", lang="en"))
        seen.page.evaluate(
            "([mark, outside]) => { const d = document.createElement('div');"
            " d.innerHTML = `<b>${mark}</b><a href='http://${outside}/'>x</a><img src='http://${outside}/p.png'>`;"
            " document.body.append(d) }",
            [MARK, OUTSIDE],
        )
        seen.page.wait_for_timeout(500)
        found = seen.page.evaluate(_FORBIDDEN)
        assert len(found) >= 3
        assert seen.errors or seen.left  # the policy stops the image before it leaves, and says so
