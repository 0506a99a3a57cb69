"""Run a small program many times without paying for its imports each time.

As a program, `python stage.py PROGRAM`: imports what PROGRAM imports, then forks a child for every order on its
standard input; the child stops itself, is released by SIGCONT when its tracer holds it, and runs PROGRAM from its
first line to the end of the interpreter, as `python PROGRAM` would. As a module: `Stage`, which gives the orders.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

SECONDS = 60
"""A child that takes longer is ended by SIGALRM, which no test accepts."""


@dataclass(frozen=True)
class Ended:
    """How a child ended. `code`: negative when a signal ended it."""

    code: int
    output: str
    errors: str


@dataclass
class Stage:
    """A started server for one program. Its children get no input; their output goes through files in `folder`."""

    program: str
    environment: Mapping[str, str]
    folder: Path

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, __file__, self.program], env=dict(self.environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(SECONDS)

    def run(self, arguments: Sequence[str], tracer: Sequence[str], more: Mapping[str, str] | None = None) -> Ended:
        """One child under `strace` with the options `tracer`; `more`: further environment variables of it."""
        paths = {name: str(self.folder / name) for name in ("output", "errors")}
        self._say(json.dumps({"arguments": list(arguments), "environment": dict(more or {}), **paths}))
        child = int(self._hear())
        # without -q it says on its standard error when it holds the process
        with subprocess.Popen(["strace", "-f", *tracer, "-p", str(child)], stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            said = strace.stderr.readline()
            os.kill(child, signal.SIGCONT if "attached" in said else signal.SIGKILL)
            code = int(self._hear())
            said += strace.stderr.read()
        if "attached" not in said:
            raise RuntimeError(f"strace holds no process: {said}")
        return Ended(code, *(Path(path).read_text(errors="replace") for path in paths.values()))

    def _say(self, line: str) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(line + "\n")
        self._server.stdin.flush()

    def _hear(self) -> str:
        assert self._server.stdout is not None
        if line := self._server.stdout.readline():
            return line
        raise RuntimeError(f"the stage of {self.program} ended with {self._server.wait(SECONDS)}")


def _prepare_child(order: Mapping[str, object]) -> None:
    """Take the server's channels away and wait for the tracer."""
    opened = os.open(os.devnull, os.O_RDONLY)
    os.dup2(opened, 0)
    os.close(opened)
    for target, name in ((1, "output"), (2, "errors")):
        opened = os.open(str(order[name]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, target)
        os.close(opened)
    os.environ.update(order["environment"])  # type: ignore[call-overload]  # JSON that Stage wrote
    signal.alarm(SECONDS)
    os.kill(os.getpid(), signal.SIGSTOP)


def _serve(program: str) -> None:
    """Answer orders until the input ends; in a child it returns at the program's end."""
    runpy.run_path(program, run_name="prepared")
    while line := sys.stdin.readline():
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _prepare_child(order)
            sys.argv = [program, *order["arguments"]]
            runpy.run_path(program, run_name="__main__")
            return
        os.waitpid(child, os.WUNTRACED)
        os.write(1, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    _serve(sys.argv[1])
