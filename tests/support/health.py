"""Made-up computers and tools for the sources of `health_info`, and the private helpers under test."""

import importlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTIONS = REPOSITORY / "collections"
COLLECTION = COLLECTIONS / "ansible_collections" / "itcare" / "maintenance"
PACKAGE = "ansible_collections.itcare.maintenance.plugins.module_utils._health"
NOW = 1_795_680_000.0  # 2026-11-26T08:00:00Z
DAY = 86400


def import_health(name: str) -> ModuleType:
    """A module of `module_utils/_health`; directories below `collections/` are namespace packages."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    return importlib.import_module(f"{PACKAGE}.{name}")


@dataclass(frozen=True)
class Computer:
    """A directory that stands for `/`, and a directory of tools that stands before all others on PATH."""

    root: Path
    tools: Path

    def write(self, path: str, text: str | bytes = "") -> Path:
        """Write a file of the computer, `path` as seen on it."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def disk(self, name: str, **attributes: str) -> None:
        """A block device in /sys/block; attributes of its device are given as `device_model` and so on."""
        for attribute, value in {"size": "1000000", "removable": "0", **attributes}.items():
            self.write(f"/sys/block/{name}/{attribute.replace('device_', 'device/')}", f"{value}\n")

    def tool(self, name: str, script: str) -> None:
        """A tool written in sh."""
        file = self.tools / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def says(self, name: str, output: str | bytes, rc: int = 0) -> None:
        """A tool that prints one thing whatever it is asked."""
        spoken = self.tools / f"{name}.output"
        spoken.write_bytes(output if isinstance(output, bytes) else output.encode())
        self.tool(name, f"cat {spoken}\nexit {rc}")

    def request(self, seconds: float = 10.0, since: float = NOW - 7 * DAY, services: tuple[str, ...] = ()) -> object:
        """What a source is called with."""
        answer = import_health("answer")
        return answer.Request(
            deadline=time.monotonic() + seconds, now=NOW, since=since, services=services, root=str(self.root)
        )


def make_computer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    """An empty computer below `folder` whose tools are found first."""
    computer = Computer(folder / "root", folder / "tools")
    computer.root.mkdir()
    computer.tools.mkdir()
    monkeypatch.setenv("PATH", f"{computer.tools}{os.pathsep}{os.environ['PATH']}")
    return computer


def hide_tools(computer: Computer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make `name` impossible to find, as on a computer without it."""
    tool = import_health("tool")
    real = tool.get_bin_path

    def find(wanted: str) -> str:
        if wanted == name:
            raise ValueError(f"{name} is not here")
        return real(wanted)

    monkeypatch.setattr(tool, "get_bin_path", find)
