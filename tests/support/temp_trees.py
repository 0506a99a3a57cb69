"""Prepared trees for the cleanup of temporary files.

The time of change of an inode cannot be set, so the trees are made now and looked at with a clock that is some days
ahead; a file that is to be young by that clock gets a time of modification in the future.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.collection import import_module_util

DAY = 86400
AGE_DAYS = 7


@dataclass(frozen=True)
class Tree:
    """A made-up computer below `root`, with an empty /tmp and /var/tmp and one home of the user who runs the test."""

    root: Path

    @property
    def temp(self) -> Path:
        return self.root / "tmp"

    @property
    def home(self) -> Path:
        return self.root / "home" / "ada"

    def file(self, path: str, size: int = 10, *, young: bool = False) -> Path:
        """A file below the root, old unless told otherwise."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x" * size)
        if young:
            make_young(target)
        return target

    def paths(self) -> set[str]:
        """Every entry below the root, links not followed."""
        return {str(path) for path in _walk(str(self.root))}

    def run(self, *, cleans: bool, categories: Sequence[str] = ("system_temp",), **changes: Any) -> dict[str, Any]:
        """The result of one run with a clock that is eight days ahead."""
        cleanup = import_module_util("_temp.cleanup")
        order = cleanup.Order(
            categories=tuple(categories),
            cleans=cleans,
            now=changes.pop("now", time.time() + (AGE_DAYS + 1) * DAY),
            root=str(self.root),
            **changes,
        )
        return dict(cleanup.clean_up(order)[0])

    def plan(self, **changes: Any) -> dict[str, Any]:
        return self.run(cleans=False, **changes)

    def clean(self, **changes: Any) -> dict[str, Any]:
        return self.run(cleans=True, **changes)


def make_tree(root: Path) -> Tree:
    tree = Tree(root)
    for folder in ("tmp", "var/tmp", "etc", "home/ada"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    (root / "var/tmp").chmod(0o1777)
    (root / "etc/passwd").write_text(f"ada:x:{os.getuid()}:{os.getgid()}::/home/ada:/bin/sh\n")
    return tree


@contextmanager
def passing_tree(root: Path) -> Iterator[Tree]:
    """A tree that is gone afterwards, however deep: pytest's own removal recurses and would give up."""
    try:
        yield make_tree(root)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=False)


def make_young(path: Path) -> None:
    later = time.time() + 5 * DAY
    os.utime(path, (later, later), follow_symlinks=False)


def look_without_statx(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a Python without ctypes, or a C library without the call."""
    look = import_module_util("_temp.look")
    monkeypatch.setattr(look, "_statx", None)
    monkeypatch.setattr(look, "_quiet_statx", None)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first file on by the inner loop; else the first twenty, which become examples, go the long way."""
    monkeypatch.setattr(import_module_util("_temp.tally"), "MOST_EXAMPLES", 0)


def fill(folder: Path, files: int, per_folder: int = 1000) -> None:
    """Empty files, quickly made."""
    for start in range(0, files, per_folder):
        part = folder / f"d{start}"
        part.mkdir(parents=True)
        directory = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
        for number in range(start, min(files, start + per_folder)):
            os.mknod(f"f{number}", dir_fd=directory)
        os.close(directory)


def skips(result: dict[str, Any], category: str = "system_temp") -> dict[str, int]:
    """Reason -> files that stayed."""
    return {reason: counts["files"] for reason, counts in result["categories"][category]["skipped"].items()}


def _walk(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.path
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
