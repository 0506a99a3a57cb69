"""How soon a page is seen: Overview of our dashboard beside the emptiest page that Streamlit can serve.

Both are opened in turns in fresh contexts of one Chromium, with the real servers and nothing cached. A page is seen at
the frame in which its first figure (there: its one button) is visible, in seconds since the navigation began, told by
the page itself: a look from outside comes up to half a second late.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.fleet import CLIENT
from benchmarks.homes import ROOT, Home
from itcare.cli.serving import free_port, is_healthy
from tests.support.browser import browser
from tests.support.dashboard import serving

PAINTS = 5
OURS = ".badges button"  # of the Overview: the jobs of the month, by state
BARE = "[data-testid=stButton] button"
_BARE_SCRIPT = 'import streamlit as st\n\nst.title("Empty")\nst.button("Nothing")\n'
_START_SECONDS = 60.0
# Components draw into shadow roots, where a selector of the document does not reach.
_SEEN = """(selector) => {
  const hosts = document.querySelectorAll('[data-testid^=stBidiComponent], [data-testid^=stBidiComponent] *')
  const roots = [document, ...[...hosts].map((node) => node.shadowRoot).filter(Boolean)]
  const shown = (node) => node.checkVisibility() && node.getBoundingClientRect().height > 0
  return roots.some((root) => [...root.querySelectorAll(selector)].some(shown)) && performance.now()
}"""


def measure_first_paints(home: Home) -> tuple[list[float], list[float]]:
    """Seconds until Overview was seen and until the empty page was, in turns; the first of each does not count."""
    ours, bare = [], []
    with serving(home.folder, CLIENT) as server, _serving_bare() as empty, browser() as chromium:
        for number in range(PAINTS + 1):  # the first one warms the server
            seconds = [
                _seconds_until_seen(chromium, server.url("/", client=CLIENT, lang="en"), OURS),
                _seconds_until_seen(chromium, empty, BARE),
            ]
            if number:
                ours.append(seconds[0])
                bare.append(seconds[1])
    return ours, bare


def _seconds_until_seen(chromium: Browser, address: str, selector: str) -> float:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.goto(address, wait_until="commit")
        seen = page.wait_for_function(_SEEN, arg=selector, polling="raf", timeout=120_000)
        return float(seen.json_value()) / 1000
    finally:
        context.close()


@contextmanager
def _serving_bare() -> Iterator[str]:
    """The address of Streamlit with the dashboard's settings and a script of two lines."""
    port = free_port(None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "dashboard" / ".streamlit", folder / ".streamlit")
        (folder / "empty.py").write_text(_BARE_SCRIPT)
        command = [sys.executable, "-m", "streamlit", "run", "empty.py", "--server.port", str(port)]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": name}, stdout=log, stderr=log
            )  # fmt: skip
            try:
                _wait_until_healthy(port, process)
                yield f"http://127.0.0.1:{port}/"
            finally:
                process.terminate()
                process.wait(20)


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not is_healthy(port):
        if time.monotonic() > give_up or process.poll() is not None:
            raise RuntimeError(f"the empty page was not served within {_START_SECONDS:.0f} s")
        time.sleep(0.1)
