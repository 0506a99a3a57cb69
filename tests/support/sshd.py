"""Real sshd processes on 127.0.0.x, each a host of its own: own port, host key and log with times.

`sshd -e` prints no times, so every line is stamped while it is read.
"""

import getpass
import os
import re
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

SSHD = "/usr/sbin/sshd"
_WAIT_SECONDS = 10


@dataclass(frozen=True)
class LogLine:
    at: datetime
    text: str


def make_key(path: Path) -> Path:
    """An ed25519 key pair without a passphrase; returns the private half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "invented", "-f", path]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return path


def free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


class Sshd:
    """One host. `start` and `stop` may follow each other; the host key stays unless it is changed."""

    def __init__(self, folder: Path, address: str, authorized: Path) -> None:
        self.folder = folder
        self.address = address
        self.port = free_port(address)
        self.user = getpass.getuser()
        self.log: list[LogLine] = []
        self._authorized = authorized
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        folder.mkdir(parents=True)
        make_key(folder / "host_key")

    def start(self) -> "Sshd":
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd of Debian locks itself in
        config = self.folder / "sshd_config"
        # SHLVL keeps bash from the ~/.bashrc of whoever runs the tests, which it reads below a network daemon alone: it
        # may do anything, and a host that is switched off in the middle of it leaves that half done (a lock of pyenv).
        config.write_text(
            f"ListenAddress {self.address}:{self.port}\nHostKey {self.folder / 'host_key'}\n"
            f"AuthorizedKeysFile {self._authorized}\nPidFile none\nStrictModes no\nUsePAM no\nUseDNS no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
            "LogLevel VERBOSE\nSubsystem sftp internal-sftp\nSetEnv SHLVL=2\n"
        )
        self._process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self._wait_until_it_listens()
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.append(LogLine(datetime.now(UTC), line.rstrip()))

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.create_connection((self.address, self.port), timeout=1) as probe:
                    if probe.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"sshd did not start: {[line.text for line in self.log]}")

    def kill(self) -> None:
        """Pull the plug: the listener and every live session, at once and without a word."""
        if self._process is None:
            return
        listener = psutil.Process(self._process.pid)
        victims = [listener, *listener.children(recursive=True)]
        for victim in victims:
            if victim.is_running():
                victim.kill()
        self._process.wait(_WAIT_SECONDS)
        psutil.wait_procs(victims, timeout=_WAIT_SECONDS)
        self._process = None

    def change_host_key(self) -> None:
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink()
        make_key(self.folder / "host_key")

    def times(self, pattern: str) -> list[datetime]:
        """When each log line that matches was written."""
        return [line.at for line in list(self.log) if re.search(pattern, line.text)]

    @property
    def logins(self) -> list[datetime]:
        return self.times(r"^Accepted publickey")

    @property
    def logouts(self) -> list[datetime]:
        """Ends of connections since the first login; before it there are only scans and probes."""
        ends = self.times(r"^(Disconnected from user|Connection (closed|reset) by .* port \d+$)")
        return [at for at in ends if self.logins and at >= self.logins[0]]

    def wait_for_logout(self) -> datetime:
        """The last logout, as soon as sshd has written it."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not self.logouts:
            assert time.monotonic() < deadline, [line.text for line in self.log]
            time.sleep(0.02)
        return self.logouts[-1]


class Fleet:
    """Several hosts with one key that all of them accept."""

    def __init__(self, folder: Path, size: int) -> None:
        self.key = make_key(folder / "client_key")
        authorized = Path(f"{self.key}.pub")
        self.hosts = [Sshd(folder / f"sshd{n}", f"127.0.0.{n + 10}", authorized) for n in range(size)]

    def stop(self) -> None:
        for host in self.hosts:
            host.kill()
