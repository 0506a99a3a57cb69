"""The guide for a first client does what it says, line by line, and shows what is really seen."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.components import ROOT
from tests.support.guide import Shell, Step, differs, read_steps
from tests.support.portal_client import ask
from tests.support.sshd import Sshd

GUIDE = ROOT / "docs" / "guides" / "first-client.md"
KEY = "firm/state/credentials/ACME/office.pub"
_KEPT = ("LANG", "TMPDIR")
_WAIT_SECONDS = 90


class Reader:
    """Somebody who follows the guide, with one computer that can be switched off."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.host = Sshd(folder / "srv01", "127.0.0.10", self.home / KEY)
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        itcare = bin_folder / "itcare"
        itcare.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT / "src"}" exec "{sys.executable}" -m itcare "$@"\n')
        itcare.chmod(0o755)
        path = f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self.shell = Shell(folder, {**kept, "PATH": path, "HOME": str(self.home)})
        self.printed = ""

    def put(self, text: str) -> str:
        """The guide's text with the computer that is really there, and the reader's own folder."""
        text = text.replace("192.0.2.10", self.host.address).replace("2222", str(self.host.port))
        return (
            text.replace("caretaker", self.host.user)
            .replace("zofia", self.host.user)
            .replace("/home/you", str(self.home))
        )

    def follow(self, step: Step) -> None:
        match step.marks.get("host"):
            case "on":
                self.host.start()
            case "off":
                self.host.kill()
        if step.kind == "sh":
            self.type(step)
        elif step.kind == "text":
            wrong = differs(self.put(step.text), self.printed)
            assert wrong is None, f"{GUIDE.name}:{step.line}: {wrong}\n--- was printed:\n{self.printed}"
        else:
            self.write(step)

    def write(self, step: Step) -> None:
        how = "write" if "write" in step.marks else "append"
        path = self.home / step.marks[how]
        before = path.read_text() if how == "append" else ""
        path.write_text(before + self.put(step.text))

    def type(self, step: Step) -> None:
        self.printed = ""
        lines = step.commands
        if "serve" in step.marks:
            self.serve(self.put(lines.pop()))
        for number, line in enumerate(lines, 1):
            code, output = self.shell.run(self.put(line), step.marks.get("answer"))
            self.printed += output
            wanted = int(step.marks.get("exit", "0")) if number == len(lines) else 0
            assert code == wanted, f"{GUIDE.name}:{step.line}: {line} ended with {code}:\n{output}"

    def serve(self, line: str) -> None:
        """Start the pages, look at them as a browser would, and end them as Ctrl-C does."""
        server = self.shell.start(f"exec {line}")
        assert server.stdout is not None
        try:
            until = time.monotonic() + _WAIT_SECONDS
            while "token=" not in self.printed and time.monotonic() < until and server.poll() is None:
                self.printed += server.stdout.readline()
            told = re.search(r"(http://[\d.:]+)/\?token=(\S+)", self.printed)
            assert told is not None, self.printed
            address, token = told.groups()
            assert "Warsztat" in ask(address, {"token": token, "lang": "en"}).text
            assert "Warsztat" not in ask(address, {"lang": "en"}).text
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(30) == 0


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    person = Reader(tmp_path)
    yield person
    person.host.kill()


@pytest.mark.component("sshd")
@pytest.mark.timeout(900)  # four runs and a server, on a computer that may have much else to do
def test_the_guide_for_a_first_client_can_be_followed_to_its_end(reader: Reader) -> None:
    steps = list(read_steps(GUIDE.read_text(encoding="utf-8")))
    for step in steps:
        reader.follow(step)
    assert {"sh", "text", "yaml"} == {step.kind for step in steps}


def test_an_output_that_is_not_what_was_printed_is_noticed() -> None:
    printed = "Run ACME/1: complete. 1 ok. 3.4 s.\n  srv01: ok\n"
    assert differs("Run ACME/1: complete. 1 ok. 12.0 s.\n  srv01: ok\n", printed) is None
    assert differs("Run ACME/1: complete. 1 ok. 3.4 s.\n…\n", printed) is None
    assert differs("Run ACME/2: complete. 1 ok. 3.4 s.\n  srv01: ok\n", printed) is not None
    assert differs("Run ACME/1: complete. 1 ok. 3.4 s.\n", printed) is not None
    assert differs("…\n  srv02: ok\n", printed) is not None
