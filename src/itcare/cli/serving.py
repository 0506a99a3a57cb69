"""The process around the dashboard: loopback only, an address with a random token, a clean end.

The token goes to the child by environment and is printed once; it is in no argument list and in no
log. The child gets a fresh environment, not the caller's.
"""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import psutil
import typer

import itcare
from itcare.access import find_scope, list_scopes
from itcare.core.errors import BusyError, ItcareError, NotFoundError, UnsafeError
from itcare.core.settings import Settings

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501
_PORTS_TO_TRY = 100
_START_SECONDS = 60.0
_STARTS = 5  # when others take the port that was just free
_STOP_SECONDS = 5.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def serve(settings: Settings, client: str | None, port: int | None) -> int:
    """Serve the published snapshots until a signal ends it; print the address once it answers.

    `client`: only this client is served. `port`: exactly this one, else the next free from 8501.
    Returns 0 after SIGINT, SIGTERM or SIGHUP. Raises NotFoundError for an unknown client or a
    missing dashboard folder, BusyError for a taken port, UnsafeError when the server does not
    start or ends by itself.
    """
    if client is not None and find_scope(list_scopes(settings.published), client) is None:
        raise NotFoundError(
            "serve the client", ascii(client[:40]), "nothing is published under this code for you",
            "Check the code, or publish first: itcare publish.",
        )  # fmt: skip
    token = secrets.token_urlsafe(32)
    environment = server_environment(settings, client, token, os.environ)
    before = {number: signal.signal(number, _stop) for number in _SIGNALS}
    child = None
    try:
        for attempt in range(_STARTS):
            chosen = free_port(port)
            child = _start(server_command(settings, chosen), environment)
            if _answers(child, chosen):
                typer.echo(f"http://{ADDRESS}:{chosen}/?token={token}")
                raise _ended_by_itself(child.wait())
            if port is not None or attempt == _STARTS - 1 or _is_free(chosen):
                raise _ended_by_itself(child.wait())
            # Somebody else took the port between our look and the start: take the next one.
        raise AssertionError("unreachable")
    except _Stopped:
        return 0
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if child is not None:
            _end(child)
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=dashboard_folder(),
        env=dict(environment),
        stdin=subprocess.PIPE,  # its end tells the child that we are gone
        stdout=subprocess.DEVNULL,  # Streamlit's banner, an address without the token
        start_new_session=True,  # the terminal's Ctrl-C comes to us; we end the child
    )


def dashboard_folder() -> Path:
    """The folder `dashboard/` of the checkout this package runs from; NotFoundError without one."""
    folder = Path(itcare.__file__).resolve().parents[2] / "dashboard"
    if not (folder / "server.py").is_file():
        raise NotFoundError(
            "find the dashboard", str(folder), "it is not there",
            "Run itcare from a checkout of the repository; the dashboard is not part of the package.",
        )  # fmt: skip
    return folder


def free_port(wanted: int | None) -> int:
    """`wanted`, or the first free port from 8501 on; BusyError when there is none."""
    ports = range(FIRST_PORT, FIRST_PORT + _PORTS_TO_TRY) if wanted is None else (wanted,)
    port = next(filter(_is_free, ports), None)
    if port is None:
        raise BusyError(
            "find a free port on", ADDRESS, f"{ports[0]} to {ports[-1]} are taken or not allowed",
            "Name another one: itcare dashboard --port PORT.",
        )  # fmt: skip
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":  # as the server itself does; elsewhere it would allow a second owner
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except (OSError, OverflowError):
            return False
        return True


def server_command(settings: Settings, port: int) -> list[str]:
    """How the child is started; nothing secret is in it."""
    hosts = [option for host in _hosts(settings) for option in ("--server.allowedHosts", host)]
    return [
        sys.executable, "-m", "streamlit", "run", "server.py",
        "--server.address", ADDRESS, "--server.port", str(port), *hosts,
    ]  # fmt: skip


def server_environment(
    settings: Settings, client: str | None, token: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """A fresh environment: what Python needs, and what the dashboard is told."""
    package_root = Path(itcare.__file__).resolve().parents[1]
    given = {
        "HOME": str(dashboard_folder()),  # no foreign ~/.streamlit may change the configuration
        "PYTHONPATH": str(package_root),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ITCARE_PUBLISHED": str(settings.published),
        "ITCARE_DASHBOARD_TOKEN": token,
        "ITCARE_DASHBOARD_HOSTS": ",".join(_hosts(settings)),
        "ITCARE_DASHBOARD_TETHERED": "1",
    }
    if client is None:
        given["ITCARE_DASHBOARD_STAFF"] = "1"  # this user may read every client: the page across them exists
    else:
        given["ITCARE_DASHBOARD_CLIENT"] = client
    return {name: environ[name] for name in _KEPT_VARIABLES if name in environ} | given


def _hosts(settings: Settings) -> tuple[str, ...]:
    # An empty list would mean "any host" to Streamlit, and the printed address must always work.
    return tuple(dict.fromkeys((*settings.allowed_hosts, ADDRESS, "localhost")))


class _Stopped(BaseException):
    """A signal asked us to end."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stopped


def _answers(child: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until our own child listens and is healthy; False when it ended before that.

    Only then may the token be told: another user's server on this port must not get it.
    """
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        if child.poll() is not None:
            return False
        if _listens(child.pid, port) and is_healthy(port):
            return True
        time.sleep(0.1)
    raise UnsafeError(
        "start", "the dashboard", f"it did not answer within {_START_SECONDS:.0f} seconds", "See its messages above."
    )


def _listens(pid: int, port: int) -> bool:
    try:
        connections = psutil.Process(pid).net_connections("tcp4")
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr == (ADDRESS, port) for c in connections)


def is_healthy(port: int) -> bool:
    """Whether a Streamlit server on this port of loopback says that it can be used."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ended_by_itself(code: int) -> ItcareError:
    return UnsafeError("run", "the dashboard", f"its server ended with code {code}", "See its messages above.")


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
