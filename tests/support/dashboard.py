"""The dashboard as tests reach it: its modules, its script in AppTest, its real server."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dashboard"
TOKEN = "t" * 43  # as long as the launcher's
_SERVE = """
import sys
from pathlib import Path
from itcare.cli.serving import serve
from itcare.core.settings import Settings
home, client = Path(sys.argv[1]), sys.argv[2] or None
raise SystemExit(serve(Settings(home=home, contracts=home), client, None))
"""

if str(FOLDER) not in sys.path:  # as the server does: the modules of the dashboard lie beside its script
    sys.path.append(str(FOLDER))


def app(
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    client: str | None = None,
    token: str | None = TOKEN,
    staff: bool = False,
    **query: str,
) -> AppTest:
    """The script, ready to run, opened with `query` in the address; with `staff` as the launcher starts it for them."""
    if staff:
        monkeypatch.setenv("ITCARE_DASHBOARD_STAFF", "1")
    else:
        monkeypatch.delenv("ITCARE_DASHBOARD_STAFF", raising=False)
    monkeypatch.setenv("ITCARE_PUBLISHED", str(published))
    monkeypatch.setenv("ITCARE_DASHBOARD_TOKEN", TOKEN)
    if client is None:
        monkeypatch.delenv("ITCARE_DASHBOARD_CLIENT", raising=False)
    else:
        monkeypatch.setenv("ITCARE_DASHBOARD_CLIENT", client)
    test = AppTest.from_file(str(FOLDER / "app.py"), default_timeout=30)
    if token is not None:
        test.query_params["token"] = token
    for name, value in query.items():
        test.query_params[name] = value
    return test


def words(test: AppTest) -> list[str]:
    """Every text of the page, in order, components' data included."""
    assert not test.exception, test.exception
    shown = []
    for element in [*test.main, *test.sidebar]:
        value = getattr(element, "value", None)
        shown.append(str(value if value is not None else getattr(element, "label", "")))
    return shown


def at_page(test: AppTest, url_path: str) -> AppTest:
    """The same, opened at another page than the first; AppTest knows only pages that are files."""
    test._page_hash = calc_hash(url_path)
    return test


@dataclass(frozen=True)
class Server:
    """A running dashboard. `process` is the launcher, `address` what it printed."""

    process: subprocess.Popen[str]
    address: str
    home: Path

    @property
    def base(self) -> str:
        return self.address.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    def url(self, path: str = "/", **query: str) -> str:
        """An address with the token."""
        return f"{self.base}{path}?" + "&".join(f"{k}={v}" for k, v in {**query, "token": self.token}.items())


@contextmanager
def serving(home: Path, client: str = "", errors: Path | None = None, code: Path = ROOT) -> Iterator[Server]:
    """The real launcher over `home`/published; ended by SIGTERM, as a service manager does.

    `code`: folder with `src` and `dashboard`, for a copy in which something is different.
    """
    stderr = (errors or home / "dashboard.stderr").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(home), client], stdout=subprocess.PIPE, stderr=stderr, text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(code / "src")},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, f"the dashboard did not start: {(errors or home / 'dashboard.stderr').read_text()}"
        yield Server(process, address, home)
    finally:
        process.terminate()
        process.wait(20)
        stderr.close()
