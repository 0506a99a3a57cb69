"""The pages in a real Chromium on the real server: every number leads to its evidence.

Screenshots of every page in both languages go to ITCARE_SCREENSHOTS, else `.demo/screenshots`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from itcare.core.clock import SystemClock
from tests.support.browser import Visit, browser, visit
from tests.support.dashboard import ROOT, Server, serving
from tests.support.portal import DAYS, HOSTS, TASKS, UNANNOUNCED_AGO, make_portal, make_progress, portal_rows
from tests.support.translations import catalogue

pytestmark = pytest.mark.component("chromium")
NOW = SystemClock().now()
SCREENSHOTS = Path(os.environ.get("ITCARE_SCREENSHOTS", ROOT / ".demo" / "screenshots"))
LAST_RUN = DAYS + 1
PAGES = {
    "overview": ("/", {}),
    "computers": ("/computers", {}),
    "computer": ("/computers", {"host": "pc03"}),
    "worklog": ("/worklog", {}),
    "run": ("/worklog", {"run": str(LAST_RUN - 6)}),
    "computer-disks": ("/computers", {"host": "srv01"}),
    "computer-young": ("/computers", {"host": "pc01"}),
    "run-unannounced": ("/worklog", {"run": str(LAST_RUN - UNANNOUNCED_AGO)}),
    "clients": ("/clients", {}),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    make_portal(home, NOW)
    make_progress(home, NOW)
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture
def seen(chromium: Browser) -> Iterator[Visit]:
    with visit(chromium) as one:
        yield one
        assert not one.left
        assert not one.errors


def _fields(seen: Visit, component: str) -> list[str]:
    """Accessible names of everything to press in one component."""
    return [
        str(button.get_attribute("aria-label"))
        for button in seen.page.locator(f".{component} button").all()  # Playwright looks into shadow roots
    ]


def _drawer(seen: Visit) -> str:
    dialog = seen.page.get_by_role("dialog")
    dialog.wait_for()
    seen.settle()
    return str(dialog.inner_text())


def _close(seen: Visit) -> None:
    seen.page.keyboard.press("Escape")
    seen.page.get_by_role("dialog").wait_for(state="hidden")
    seen.page.wait_for_timeout(300)


def _check_evidence(told: str, name: str) -> None:
    """Run, computer, task, time, operator, contract and ledger entry are all in the drawer."""
    commit = str(portal_rows(NOW).meta.contract_commit)[:12]
    assert re.search(r"ACME/(\d+)", told), f"{name}: no run"
    assert any(host in told for host in HOSTS), f"{name}: no computer"
    assert "Task" in told, f"{name}: no task"
    assert re.search(r"\d\d:\d\d:\d\d", told), f"{name}: no time"
    assert "Operator" in told, f"{name}: no operator"
    assert f"commit {commit}" in told, f"{name}: no contract commit"
    assert re.search(r"ledger entry \d+\n[0-9a-f]{64}", told), f"{name}: no ledger entry"


def test_every_number_on_overview_opens_its_evidence(server: Server, seen: Visit) -> None:
    seen.open(server.url(client="ACME", lang="en"))
    numbers = [name for component in ("badges", "bars") for name in _fields(seen, component)]
    assert len(numbers) >= 10
    for name in numbers:
        seen.press(name)
        _check_evidence(_drawer(seen), name)
        _close(seen)


def test_every_field_on_computers_opens_its_evidence(server: Server, seen: Visit) -> None:
    """Badges, and of the grid each kind of field once for a good and a bad computer."""
    seen.open(server.url("/computers", client="ACME", lang="en"))
    names = [name for component in ("badges", "drawn") for name in _fields(seen, component)]
    numbers = [n for n in dict.fromkeys(names) if not n.startswith(("Open computer", "pc01", "pc02", "nb01"))]
    assert len(numbers) >= 4 + 2 * 8
    for name in numbers:
        seen.press(name)
        _check_evidence(_drawer(seen), name)
        _close(seen)


_COLUMNS = {"Last visit": 150, "Fullest disk": 250, "Used over time": 450, "Full in": 600, "Changes": 720, "Files": 930}


@pytest.mark.parametrize("column", _COLUMNS)
def test_every_number_over_time_opens_its_evidence(server: Server, seen: Visit, column: str) -> None:
    seen.open(server.url("/computers", client="ACME", lang="en"))
    _press_cell(seen, 0, _COLUMNS[column])
    told = _drawer(seen)
    _check_evidence(told, column)
    wanted = {"Changes": "List the installed software", "Files": "Look at temporary files"}
    assert wanted.get(column, "Observe the health of the computer") in told
    _close(seen)
    seen.page.get_by_role("radio", name="Polski").click()  # another run of the page does not open it again
    seen.page.wait_for_timeout(800)
    seen.settle()
    assert not seen.page.get_by_role("dialog").count()


def _press_cell(seen: Visit, place: int, x: int, row: int = 0) -> None:
    table = seen.page.get_by_test_id("stDataFrame").nth(place)
    table.scroll_into_view_if_needed()
    seen.page.wait_for_timeout(1500)  # a table is drawn before it takes a press
    table.click(position={"x": x, "y": 48 + 32 * row})


def _open_cell(seen: Visit, place: int, x: int) -> str:
    """The drawer of a cell; on a slow machine the first press may come before the table listens."""
    for _attempt in range(4):
        _press_cell(seen, place, x)
        try:
            seen.page.get_by_role("dialog").wait_for(timeout=6000)
        except PlaywrightTimeout:
            continue
        break
    return _drawer(seen)


def test_a_name_in_the_table_opens_the_computer(server: Server, seen: Visit) -> None:
    seen.open(server.url("/computers", client="ACME", lang="en"))
    _press_cell(seen, 0, 40)
    seen.page.get_by_role("heading", name=re.compile("^pc03:")).wait_for()


def test_every_number_of_a_computer_opens_its_evidence(server: Server, seen: Visit) -> None:
    seen.open(server.url("/computers", client="ACME", lang="en", host="srv01"))
    buttons = [
        str(button.inner_text())
        for button in seen.page.get_by_test_id("stMain").get_by_role("button").all()
        if re.search(r"^Evidence|checks: fine", button.inner_text())
    ]
    assert len(buttons) >= 4
    for name in dict.fromkeys(buttons):
        seen.page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).first.click()
        _check_evidence(_drawer(seen), name)
        _close(seen)
    for place, what in enumerate(("Measured", "Version", "Publisher", "State")):
        told = _open_cell(seen, place, 60)
        assert what in told
        _check_evidence(told, what)
        _close(seen)


def test_every_field_on_all_clients_opens_its_evidence(server: Server, seen: Visit) -> None:
    seen.open(server.url("/clients", client="NORD", lang="en"))
    numbers = [name for name in _fields(seen, "drawn") if name.startswith(("ACME,", "ACME:"))]
    assert len(numbers) >= 4
    for name in numbers:
        seen.press(name)
        _check_evidence(_drawer(seen), name)
        _close(seen)
    seen.press("Open client ACME")
    seen.page.get_by_role("heading", name=re.compile("jobs due")).wait_for()
    seen.settle()
    assert "client=ACME" in seen.page.url


def test_a_run_in_progress_goes_on_before_the_eyes(server: Server, seen: Visit) -> None:
    """Only this part is drawn anew, without a press."""
    home = server.home
    seen.open(server.url("/clients", client="ACME", lang="en"))
    seen.page.get_by_text("1 of 3 computers begun").wait_for()
    make_progress(home, SystemClock().now(), begun=2)
    seen.page.get_by_text("2 of 3 computers begun").wait_for(timeout=15_000)
    make_progress(home, NOW)


def test_the_log_is_filtered_in_the_browser(server: Server, seen: Visit) -> None:
    seen.open(server.url("/worklog", client="ACME", lang="en"))
    seen.page.get_by_role("button", name=re.compile("^unannounced")).click()
    seen.page.get_by_text(re.compile("Shown: 1 of")).wait_for()
    _press_cell(seen, 0, 18)
    seen.page.get_by_text("This run is unannounced.").wait_for()


def test_the_evidence_leads_to_the_run_and_its_tasks(server: Server, seen: Visit) -> None:
    seen.open(server.url(client="ACME", lang="en"))
    failed = next(name for name in _fields(seen, "badges") if name.startswith("not done"))
    seen.press(failed)
    number = re.search(r"ACME/(\d+)", _drawer(seen))
    assert number
    seen.page.get_by_role("dialog").get_by_role("link", name=f"Open run ACME/{number[1]}").click()
    seen.page.wait_for_url("**/worklog?**")
    seen.page.get_by_role("heading", name=f"Run ACME/{number[1]}").wait_for()
    seen.settle()
    assert f"run={number[1]}" in seen.page.url
    assert "client=ACME" in seen.page.url
    told = seen.text()
    for section in ("Who and when", "By what", "Connections", "Tasks", "Scripts and playbooks", "Proof in the ledger"):
        assert section in told
    assert seen.page.get_by_test_id("stDataFrame").count() == 4


def test_the_finding_leads_to_rule_threshold_and_task(server: Server, seen: Visit) -> None:
    seen.open(server.url(client="ACME", lang="en"))
    seen.page.get_by_role("button", name=re.compile("^Evidence: run ACME")).first.click()
    told = _drawer(seen)
    for part in ("disk.free, version 1", "problem below 10% free", "itcare's own choice", "Observe the health"):
        assert part in told


def test_a_computer_opens_from_the_table_and_by_keyboard(server: Server, seen: Visit) -> None:
    seen.open(server.url("/computers", client="ACME", lang="en"))
    first = seen.page.get_by_role("button", name=re.compile("^Open computer")).first
    first.focus()
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    seen.page.get_by_role("heading", name=re.compile("^(pc|srv|nb)\\d\\d:")).wait_for()
    seen.settle()
    assert "host=" in seen.page.url


def test_the_session_survives_the_pages_and_the_token_leaves_the_address(server: Server, seen: Visit) -> None:
    seen.open(server.url(client="ACME", lang="pl"))
    assert "token" not in seen.page.url
    for name in ("Komputery", "Dziennik prac", "Przegląd"):
        seen.page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
        seen.settle()
        assert "token" not in seen.page.url
        assert "client=ACME" in seen.page.url
        assert "adres, który wypisał" not in seen.text()


def test_a_reload_needs_the_token_again(server: Server, seen: Visit) -> None:
    seen.open(server.url(client="ACME", lang="en"))
    seen.page.reload()
    seen.settle()
    told = seen.text()
    assert "Please open the address that itcare printed." in told
    assert "ACME" not in told


def test_the_language_can_be_switched(server: Server, seen: Visit) -> None:
    seen.open(server.url(client="ACME", lang="pl"))
    assert seen.page.evaluate("document.documentElement.lang") == "pl"
    seen.page.get_by_test_id("stSidebar").get_by_role("radio", name="English").click()
    seen.page.get_by_text("What was due").wait_for()
    seen.settle()
    assert "lang=en" in seen.page.url
    assert seen.page.evaluate("document.documentElement.lang") == "en"


def test_the_client_can_be_switched_and_nothing_of_the_other_stays(server: Server, seen: Visit) -> None:
    seen.open(server.url("/computers", client="ACME", lang="en", host="pc03"))
    seen.page.get_by_test_id("stSidebar").get_by_role("combobox").first.click()
    seen.page.get_by_role("option", name="NORD").click()
    seen.page.get_by_text("Nordlicht").wait_for()
    seen.settle()
    assert "client=NORD" in seen.page.url
    assert "host=" not in seen.page.url
    assert "Żółw" not in seen.text()


@pytest.mark.parametrize("query", [{"client": "OTHER"}, {"client": "ACME", "month": "1999-01"}])
def test_foreign_and_missing_are_one_sentence(server: Server, seen: Visit, query: dict[str, str]) -> None:
    seen.open(server.url(lang="pl", **query))
    assert "Nie ma takiej strony." in seen.page.get_by_test_id("stMain").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_polish_page_has_no_english_left(server: Server, seen: Visit, name: str) -> None:
    path, query = PAGES[name]
    seen.open(server.url(path, client="ACME", lang="pl", **query))
    lines = {line.strip() for line in seen.text().replace("\u00a0", " ").splitlines()}
    assert len(lines) > 15
    lines -= {name for name, *_ in TASKS}  # the playbook's own words are evidence and stay as they are
    left = [line for line in lines for message in _english() if message.fullmatch(line)]
    assert not left


def _english() -> list[re.Pattern[str]]:
    """Every English message that Polish says otherwise, with room for its values."""
    found = []
    for message in catalogue():
        forms = message.id if isinstance(message.id, tuple) else (message.id,)
        polish = message.string if isinstance(message.string, tuple) else (message.string,)
        for form in forms:
            letters = re.sub(r"\{[a-z_]+\}|[^a-zA-Z]", "", str(form))
            if form and form not in polish and len(letters) > 3:
                pattern = re.escape(form.replace("**", "")).replace(r"\{n\}", r"[\d,. ]+")
                found.append(re.compile(re.sub(r"\\\{[a-z_]+\\\}", ".+", pattern)))
    return found


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_picture_of_each_page_is_taken(server: Server, chromium: Browser, name: str, language: str) -> None:
    """Every page in both languages and themes, on a desk and on a phone, which scrolls in one direction only."""
    path, query = PAGES[name]
    with visit(chromium) as one:
        one.open(server.url(path, client="ACME", lang=language, **query))
        for scheme in ("light", "dark"):
            one.page.emulate_media(color_scheme=scheme)
            for width, suffix in ((1440, ""), (390, "-phone")):
                one.page.set_viewport_size({"width": width, "height": 900})
                one.page.wait_for_timeout(600)
                _picture(one, f"{name}-{language}-{scheme}{suffix}")
                assert one.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
        assert not one.left
        assert not one.errors


_GRIDS = """() => {
  const counts = []
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (!node.shadowRoot) continue
      const drawn = [...node.shadowRoot.children].filter((child) => child.classList.contains('drawn'))
      if (drawn.length) counts.push(drawn.length)
      walk(node.shadowRoot)
    }
  }
  walk(document)
  return counts
}"""


@pytest.mark.parametrize("path", ["/", "/computers"])
def test_a_change_of_the_colour_scheme_draws_nothing_twice(server: Server, chromium: Browser, path: str) -> None:
    with visit(chromium) as one:
        one.open(server.url(path, client="ACME", lang="en"))
        before = one.page.evaluate(_GRIDS)
        assert before and set(before) == {1}
        one.page.emulate_media(color_scheme="dark")
        one.page.wait_for_timeout(1500)
        one.settle()
        assert one.page.evaluate(_GRIDS) == before


def test_a_picture_of_the_drawer_is_taken(server: Server, chromium: Browser) -> None:
    with visit(chromium) as one:
        one.open(server.url(client="ACME", lang="pl"))
        one.press(next(name for name in _fields(one, "badges") if name.startswith("nieosiągnięte")))
        _drawer(one)
        one.page.wait_for_timeout(500)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        one.page.screenshot(path=SCREENSHOTS / "evidence-pl-light.png")


def _picture(one: Visit, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = one.page.viewport_size["width"]  # type: ignore[index] # set by `visit`
    height = one.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    one.page.set_viewport_size({"width": width, "height": max(900, int(height) + 20)})
    one.settle()
    one.page.wait_for_timeout(700)
    one.page.screenshot(path=SCREENSHOTS / f"{name}.png")
