"""A visitor who may see one client asks for another by every road, over the true WebSocket.

Row by row what an attacker may send: query parameter, page path, page hash, widget value, session id,
token, Host and Origin. The server is the real one, limited to ACME; NORD lies published beside it.
"""

import http.client
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import websockets

from itcare.core.clock import SystemClock
from tests.support.dashboard import Server, serving
from tests.support.portal_client import Answer, ask
from tests.support.snapshots import make_snapshot

ACME, NORD = "mark-of-acme", "mark-of-nord"
NOT_THERE = "There is no such page."
CLOSED = "Please open the address that itcare printed."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    make_snapshot(home, hosts=6, runs=5, now=SystemClock().now())
    with serving(home, client="ACME", errors=home / "stderr") as running:
        yield running


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same without the limit: NORD can be asked for, so that "nothing came" is not for want of data."""
    home = tmp_path_factory.mktemp("free")
    make_snapshot(home, hosts=6, runs=5, now=SystemClock().now())
    with serving(home) as running:
        yield running


def _texts(answer: Answer) -> list[str]:
    return re.findall(r'"body": "((?:[^"\\]|\\.)*)"', answer.text)


def _is_clean(answer: Answer) -> bool:
    return NORD not in answer.text and "Nordlicht" not in answer.text and '"NORD' not in answer.text


def test_nord_is_shown_where_it_is_allowed(free: Server) -> None:
    answer = ask(free.base, {"token": free.token, "client": "NORD", "lang": "en"})
    assert "Nordlicht" in answer.text
    assert not _is_clean(answer)
    assert ACME not in answer.text


@pytest.mark.parametrize("code", ["NORD", "MISSING", "nord", "../2", "", "%00", "ACME' OR '1'='1"])
def test_a_foreign_client_and_a_missing_one_answer_the_same(server: Server, code: str) -> None:
    answer = ask(server.base, {"token": server.token, "client": code, "lang": "en"})
    assert _is_clean(answer)
    if code:
        assert _texts(answer) == [NOT_THERE]


@pytest.mark.parametrize("page", ["computers", "worklog"])
@pytest.mark.parametrize(
    "query", [{"host": "no-such"}, {"run": "999"}, {"run": "-1"}, {"run": "1 OR 1"}, {"host": "../"}]
)
def test_a_missing_run_or_host_is_told_in_one_sentence(server: Server, page: str, query: dict[str, str]) -> None:
    wanted = "host" if page == "computers" else "run"
    if wanted not in query:
        return
    answer = ask(server.base, {"token": server.token, "client": "ACME", "lang": "en", **query}, page_name=page)
    assert NOT_THERE in _texts(answer)
    assert ACME not in answer.text


def test_page_path_and_page_hash_lead_to_the_own_client_only(server: Server, free: Server) -> None:
    foreign = ask(free.base, {"token": free.token, "client": "NORD", "lang": "en"})
    assert foreign.pages
    for path, page_hash in foreign.pages.items():
        answer = ask(server.base, {"token": server.token, "lang": "en"}, page_name=path, page_hash=page_hash)
        assert _is_clean(answer)
        assert "Zakład" in answer.text


def test_a_forged_widget_value_chooses_nothing(server: Server, free: Server) -> None:
    # The select box of clients exists only where more than one may be seen; its id is taken from there.
    seen = ask(free.base, {"token": free.token, "lang": "en"})
    assert "Client" in seen.widgets
    for name in (*seen.widgets.values(), "client", "shown_client", "admitted"):
        answer = ask(server.base, {"token": server.token, "lang": "en"}, widgets={name: "NORD"})
        assert _is_clean(answer)


def test_a_replayed_session_gives_nothing_of_it(server: Server) -> None:
    first = ask(server.base, {"token": server.token, "lang": "en"})
    assert ACME in first.text or "Zakład" in first.text
    again = ask(server.base, {"lang": "en"}, session=first.session)
    assert _texts(again) == [CLOSED] or again.session == first.session


def test_two_sessions_at_once_keep_apart(free: Server) -> None:
    """What one session chose is not what the next one sees."""
    nord = ask(free.base, {"token": free.token, "client": "NORD", "lang": "pl"})
    acme = ask(free.base, {"token": free.token, "client": "ACME", "lang": "en"})
    assert "Nordlicht" in nord.text
    assert "Nordlicht" not in acme.text
    assert "Overview" in acme.text
    assert "Przegląd" in nord.text


@pytest.mark.parametrize("query", [{}, {"token": ""}, {"token": "x" * 43}, {"token": "\u017c" * 43}, {"admitted": "1"}])
@pytest.mark.parametrize("page", ["", "computers", "worklog"])
def test_without_the_token_nothing_is_shown(server: Server, query: dict[str, str], page: str) -> None:
    answer = ask(server.base, {"lang": "en", "client": "ACME", "run": "1", **query}, page_name=page)
    assert _texts(answer) == [CLOSED]
    assert "ACME" not in answer.text
    assert not answer.pages


def test_a_part_of_the_token_is_not_enough(server: Server) -> None:
    for token in (server.token[:-1], server.token + "x", server.token.swapcase()):
        assert _texts(ask(server.base, {"token": token, "lang": "en"})) == [CLOSED]


def test_a_forged_widget_does_not_open_the_gate(server: Server) -> None:
    answer = ask(server.base, {"lang": "en"}, widgets={"admitted": "true", "$$ID-0-admitted": "true"})
    assert _texts(answer) == [CLOSED]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.0.2.1"])
def test_a_foreign_host_header_is_refused(server: Server, host: str) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus):
        ask(server.base, {"token": server.token}, host=f"{host}:{server.port}")
    assert _get(server, "/", host)[0] == 400
    assert _get(server, "/_stcore/health", host)[0] == 400


def test_a_foreign_origin_is_refused(server: Server) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus):
        ask(server.base, {"token": server.token}, origin="http://evil.example")


def test_the_address_that_people_type_works(server: Server) -> None:
    assert _get(server, "/", "127.0.0.1")[0] == 200
    assert _get(server, "/", "localhost")[0] == 200
    assert "Zakład" in ask(server.base, {"token": server.token}, host=f"localhost:{server.port}",
                           origin=f"http://localhost:{server.port}").text  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/_stcore/agent/openapi.json",
    ],
)
def test_paths_that_no_page_needs_are_closed(server: Server, path: str) -> None:
    assert _get(server, path, "127.0.0.1")[0] == 404


def test_every_answer_carries_the_security_headers(server: Server) -> None:
    for path in ("/", "/_stcore/health", "/_stcore/metrics"):
        _, headers = _get(server, path, "127.0.0.1")
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"


def test_a_newly_published_snapshot_is_seen_at_once(tmp_path: Path) -> None:
    make_snapshot(tmp_path, clients=1, hosts=2, runs=2, now=SystemClock().now())
    with serving(tmp_path) as running:
        assert "ACME/3" not in ask(running.base, {"token": running.token}, page_name="worklog").text
        make_snapshot(tmp_path, clients=1, hosts=2, runs=3, now=datetime.now(UTC))
        assert "ACME" in ask(running.base, {"token": running.token}, page_name="worklog").text
        newest = ask(running.base, {"token": running.token, "run": "3", "lang": "en"}, page_name="worklog")
        assert NOT_THERE not in _texts(newest)


def _get(server: Server, path: str, host: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{server.port}"})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()
