"""The launcher: loopback, a token nobody else sees, a clean end."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from itcare.cli import serving as launcher
from itcare.core.clock import SystemClock
from itcare.core.errors import BusyError, NotFoundError, UnsafeError
from itcare.core.settings import Settings
from tests.support.dashboard import FOLDER, Server, serving
from tests.support.snapshots import make_snapshot

SECRET = "s" * 43


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    make_snapshot(tmp_path, clients=2, hosts=1, runs=1, now=SystemClock().now())
    return Settings(home=tmp_path, contracts=tmp_path, allowed_hosts=("portal.example.pl",))


def test_the_token_is_in_no_argument(settings: Settings) -> None:
    command = launcher.server_command(settings, 8501)
    environment = launcher.server_environment(settings, "ACME", SECRET, os.environ)
    assert SECRET not in " ".join(command)
    assert environment["ITCARE_DASHBOARD_TOKEN"] == SECRET


def test_the_server_binds_to_loopback_and_names_its_hosts(settings: Settings) -> None:
    command = " ".join(launcher.server_command(settings, 8501))
    assert "--server.address 127.0.0.1" in command
    for host in ("portal.example.pl", "127.0.0.1", "localhost"):
        assert f"--server.allowedHosts {host}" in command


def test_the_environment_of_the_server_is_a_fresh_one(settings: Settings) -> None:
    dirty = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "/evil", "HOME": "/evil",
             "LD_PRELOAD": "/evil", "STREAMLIT_SERVER_ENABLE_AGENT_API": "true", "ITCARE_HOME": "/evil"}  # fmt: skip
    given = launcher.server_environment(settings, None, SECRET, dirty)
    assert set(given) & set(dirty) == {"PATH", "PYTHONPATH", "HOME"}
    assert "/evil" not in given.values()
    assert given["HOME"] == str(FOLDER)
    assert "ITCARE_DASHBOARD_CLIENT" not in given
    assert given["ITCARE_DASHBOARD_STAFF"] == "1"


def test_a_server_for_one_client_is_not_for_staff(settings: Settings) -> None:
    given = launcher.server_environment(settings, "ACME", SECRET, {"ITCARE_DASHBOARD_STAFF": "1"})
    assert given["ITCARE_DASHBOARD_CLIENT"] == "ACME"
    assert "ITCARE_DASHBOARD_STAFF" not in given


def test_two_starts_have_two_tokens(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def refuse(_command: object, *, env: dict[str, str], **_: object) -> None:
        seen.append(env["ITCARE_DASHBOARD_TOKEN"])
        raise OSError

    monkeypatch.setattr(subprocess, "Popen", refuse)
    for _ in range(2):
        with pytest.raises(OSError):
            launcher.serve(settings, None, None)
    assert len(set(seen)) == 2
    assert min(map(len, seen)) >= 43


def test_a_taken_port_is_passed_over_or_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BusyError):
            launcher.free_port(port)
    assert launcher.free_port(None) in range(8501, 8601)


def test_an_unknown_client_is_not_served(settings: Settings) -> None:
    with pytest.raises(NotFoundError):
        launcher.serve(settings, "MISSING", None)


def test_a_server_that_ends_by_itself_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "server_command", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(UnsafeError, match="code 3"):
        launcher.serve(settings, None, None)


def test_a_port_that_is_taken_at_the_last_moment_is_given_up_for_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between looking for a port and binding to it another process may be quicker."""
    with socket.socket() as quick:
        quick.bind(("127.0.0.1", 0))
        quick.listen()
        taken = quick.getsockname()[1]
        offers = [taken]
        search = launcher.free_port
        monkeypatch.setattr(launcher, "free_port", lambda wanted: offers.pop() if offers else search(wanted))
        real = launcher._answers

        def answer_then_stop(child: subprocess.Popen[bytes], port: int) -> bool:
            if not real(child, port):
                return False
            child.terminate()
            return True

        monkeypatch.setattr(launcher, "_answers", answer_then_stop)
        with pytest.raises(UnsafeError):
            launcher.serve(settings, None, None)
    told = capsys.readouterr().out
    assert f":{taken}/" not in told
    assert "/?token=" in told


def test_the_token_is_not_told_to_somebody_else_who_listens(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another user took the port first: the child is alive, the port answers, but it is not ours."""
    monkeypatch.setattr(launcher, "server_command", lambda *_: [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(launcher, "is_healthy", lambda _port: True)
    monkeypatch.setattr(launcher, "_START_SECONDS", 1.0)
    with pytest.raises(UnsafeError, match="did not answer"):
        launcher.serve(settings, None, None)
    assert "token" not in capsys.readouterr().out


def _server_process(server: Server) -> psutil.Process:
    return psutil.Process(server.process.pid).children()[0]


def test_the_running_server_shows_its_token_to_nobody(tmp_path: Path) -> None:
    make_snapshot(tmp_path, clients=1, hosts=1, runs=1, now=SystemClock().now())
    with serving(tmp_path) as server:
        child = _server_process(server)
        assert server.token not in " ".join(child.cmdline())
        listening = [c.laddr.ip for c in child.net_connections() if c.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1"]
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0
        assert not child.is_running()
        assert server.token not in (tmp_path / "dashboard.stderr").read_text()


def test_the_server_ends_when_its_launcher_is_killed(tmp_path: Path) -> None:
    make_snapshot(tmp_path, clients=1, hosts=1, runs=1, now=SystemClock().now())
    with serving(tmp_path) as server:
        child = _server_process(server)
        server.process.kill()
        until = time.monotonic() + 20
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
            time.sleep(0.2)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
