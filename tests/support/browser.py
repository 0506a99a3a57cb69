"""A real Chromium for the dashboard: loopback only, and every request that would leave is counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

EXECUTABLE = "/usr/bin/chromium"
LOOPBACK = {"127.0.0.1", "localhost"}
# As root Chromium needs --no-sandbox; the rest keeps it from calling home, so that what is counted is the page's.
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--disable-domain-reliability", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip


@dataclass
class Visit:
    """One page of one browser context; `left` lists addresses outside this machine that it asked for."""

    page: Page
    left: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run to its end and the page stands still."""
        self.page.wait_for_selector("[data-testid=stApp]")
        self.page.wait_for_function(
            "() => document.querySelector('[data-testid=stMain]')?.innerText.trim().length > 0"
            " && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
            " && !document.querySelector('[data-testid=stSkeleton]')",
            timeout=30_000,
        )
        self.page.wait_for_timeout(350)

    def text(self) -> str:
        """All text of the page, also inside the shadow roots of components."""
        return str(self.page.evaluate(_ALL_TEXT))

    def press(self, words: str) -> None:
        """Press the field of a component, or the button, whose accessible name is `words`."""
        self.page.get_by_role("button", name=words, exact=True).first.click()
        self.settle()


_ALL_TEXT = """() => {
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent
    if (node.nodeType !== Node.ELEMENT_NODE && node.nodeType !== Node.DOCUMENT_FRAGMENT_NODE) return ''
    if (['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(node.tagName)) return ''
    const own = [...node.childNodes].map(walk).join('')
    const shadow = node.shadowRoot ? walk(node.shadowRoot) : ''
    const display = getComputedStyle(node.nodeType === Node.ELEMENT_NODE ? node : node.host).display
  return shadow + own + (display.startsWith('inline') ? '' : '\\n')
  }
  return walk(document.body)
}"""


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=EXECUTABLE, args=list(QUIET))
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def visit(chromium: Browser, **options: Any) -> Iterator[Visit]:
    """A fresh context (`viewport`, `color_scheme`, `locale` ...) with one page."""
    context: BrowserContext = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    seen = Visit(context.new_page())

    def guard(route: Route) -> None:
        if urlsplit(route.request.url).hostname in LOOPBACK or route.request.url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            seen.left.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on(
        "console", lambda message: seen.errors.append(message.text) if "Content Security" in message.text else None
    )
    try:
        yield seen
    finally:
        context.close()
