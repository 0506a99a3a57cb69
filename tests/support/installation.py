"""A fresh installation driven through the command line, as an operator does it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.components import ROOT

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class Installation:
    """State folder, recovery key outside it, contracts; commands run in processes of their own."""

    folder: Path
    contracts: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "state"

    def initialise(self) -> "Installation":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run("init", "--recovery-key", str(self.folder / "recovery.key"), "--contracts", str(self.contracts))
        return self

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "itcare", *arguments]

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return kept | {"ITCARE_HOME": str(self.home), "PYTHONPATH": str(ROOT / "src")} | self.environment

    def run(
        self, *arguments: str, accept: Sequence[int] = (0,), extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; AssertionError with all it printed if its exit code is not accepted.

        Command and output are printed, so that `pytest -s` and a failure show the whole session.
        """
        done = subprocess.run(
            self.command(*arguments), env=self.environ | dict(extra or {}), cwd=self.folder,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        sys.stdout.write(f"$ itcare {' '.join(arguments)}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        assert done.returncode in accept, f"{arguments} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, accept: Sequence[int] = (0,)) -> Any:
        """The one JSON document that a command prints on stdout."""
        return json.loads(self.run(*arguments, "--json", accept=accept).stdout)
