"""What lies across clients is out of reach of a server that was started for one client.

The server is the real one, watched by the kernel: every file that it or its children open is known.
The same eyes on a server for staff see `firm.sqlite` opened, so that seeing nothing means something.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from itcare.access import Principal, staff_scope
from itcare.core.clock import SystemClock
from itcare.core.errors import NotFoundError
from tests.support.dashboard import FOLDER, ROOT, Server, serving
from tests.support.portal import make_portal
from tests.support.portal_client import Answer, ask

NOT_THERE = "There is no such page."
CLIENTS_TITLE = "jobs not done"
PAGES = ("", "computers", "worklog", "clients", "clients/", "Clients", "firm.sqlite", "../clients")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    make_portal(folder, SystemClock().now())
    (folder / "progress").mkdir()
    (folder / "progress" / f"{'b' * 32}.json").write_text(
        '{"run": "NORD/5", "duty": "visit.daily", "hosts": {"pc9": null}}'
    )
    return folder


@contextmanager
def watched(server: Server, log: Path) -> Iterator[None]:
    """Every open of the launcher and its children goes into `log`."""
    launcher = psutil.Process(server.process.pid)
    pids = [str(process.pid) for process in (launcher, *launcher.children(recursive=True))]
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-y", "-s", "512", "-e", "trace=%file", "-o", str(log),
         *(option for pid in pids for option in ("-p", pid))],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 20
        while not log.exists() and tracer.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.5)  # attaching to every thread takes a moment
        assert tracer.poll() is None, tracer.stderr.read() if tracer.stderr else ""
        yield
    finally:
        tracer.terminate()
        tracer.wait(20)


def _visit(server: Server, hashes: dict[str, str], *, client: str = "ACME") -> list[Answer]:
    """By every path, page hash and forged choice that a visitor could think of."""
    query = {"token": server.token, "client": client, "lang": "en"}
    answers = [ask(server.base, query, page_name=page) for page in PAGES]
    answers += [ask(server.base, query, page_hash=page_hash) for page_hash in hashes.values()]
    answers += [ask(server.base, {**query, name: "1"}) for name in ("staff", "ITCARE_DASHBOARD_STAFF", "is_staff")]
    answers.append(ask(server.base, query, widgets={"staff": "true", "door": "true", "clients": "ACME"}))
    answers.append(ask(server.base, {**query, "host": "srv01"}, page_name="computers"))
    return answers


@pytest.mark.component("strace")
def test_a_server_for_one_client_never_opens_what_lies_across_clients(home: Path, tmp_path: Path) -> None:
    with serving(home, errors=tmp_path / "staff.stderr") as staff:
        with watched(staff, tmp_path / "staff.trace"):
            seen = ask(staff.base, {"token": staff.token, "lang": "en"}, page_name="clients")
        assert "clients" in seen.pages
        assert CLIENTS_TITLE in seen.text
        assert "NORD/5" in seen.text
    staff_opened = (tmp_path / "staff.trace").read_text()
    assert "firm.sqlite" in staff_opened
    assert "/progress" in staff_opened

    with (
        serving(home, client="ACME", errors=tmp_path / "client.stderr") as client,
        watched(client, tmp_path / "client.trace"),
    ):
        answers = _visit(client, seen.pages)
    opened = (tmp_path / "client.trace").read_text()
    assert f"{home}/published/1/current.sqlite" in opened  # it was watched, and it did read its own client
    assert "firm.sqlite" not in opened
    assert f"{home}/progress" not in opened
    assert "published/2/current.sqlite" not in opened
    for answer in answers:
        assert "clients" not in answer.pages
        assert CLIENTS_TITLE not in answer.text or "NORD" not in answer.text
        assert "NORD" not in answer.text
        assert "All clients" not in answer.text


def test_the_page_is_as_unknown_as_any_other(home: Path) -> None:
    """Byte by byte the same answer for the page that is not for you and one that never was."""
    with serving(home, client="ACME") as server:
        query = {"token": server.token, "client": "ACME", "lang": "en"}
        missing = ask(server.base, query, page_name="no-such-page")
        foreign = ask(server.base, query, page_name="clients")
    assert foreign.pages == missing.pages
    assert "clients" not in foreign.pages


@pytest.mark.parametrize("query", [{}, {"token": "x" * 43}])
def test_a_stranger_sees_nothing_of_it(home: Path, query: dict[str, str]) -> None:
    with serving(home) as server:
        answer = ask(server.base, {"lang": "en", **query}, page_name="clients")
    assert not answer.pages
    assert "ACME" not in answer.text
    assert "NORD" not in answer.text
    assert "Please open the address that itcare printed." in answer.text


def test_the_door_opens_for_staff_only(home: Path) -> None:
    assert staff_scope(home / "published", Principal("somebody", is_staff=True)).published == home / "published"
    with pytest.raises(NotFoundError):
        staff_scope(home / "published", Principal("somebody"))


_ASK = """
import os, sys
opened = []
def hear(event, args):
    if event in ("open", "os.scandir", "sqlite3.connect"):
        opened.append(str(args[0]))
sys.addaudithook(hear)
import staff
print(staff.door() is not None, any("firm.sqlite" in name or name.endswith("progress") for name in opened))
"""


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "False False"),
        ({"ITCARE_DASHBOARD_STAFF": "yes"}, "False False"),
        ({"ITCARE_DASHBOARD_STAFF": "1", "ITCARE_DASHBOARD_CLIENT": "ACME"}, "False False"),
        ({"ITCARE_DASHBOARD_STAFF": "1", "ITCARE_DASHBOARD_CLIENT": ""}, "False False"),
        ({"ITCARE_DASHBOARD_STAFF": "1"}, "True False"),
    ],
)
def test_only_a_plain_word_of_the_launcher_opens_the_door(home: Path, environment: dict[str, str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASK], cwd=FOLDER, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{FOLDER}", "PYTHONDONTWRITEBYTECODE": "1",
             "ITCARE_PUBLISHED": str(home / "published"), **environment},
    )  # fmt: skip
    assert done.stdout.strip() == told
