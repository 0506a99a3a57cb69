"""The cleanup against a racing user, a full quota and very many files."""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collection import import_module_util
from tests.support.components import ROOT
from tests.support.temp_trees import Tree, fill, make_tree, passing_tree, skips


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    with passing_tree(tmp_path / "root") as made:
        yield made


def swap_without_end(temp: str, outside: str) -> None:
    """Folder, link, folder, link: as fast as the kernel lets."""
    while True:
        for number in range(8):
            victim, aside, link = (f"{temp}/{kind}{number}" for kind in ("victim", "aside", "link"))
            try:
                os.rename(victim, aside)
                os.symlink(outside, link)
                os.rename(link, victim)
                os.unlink(victim)
                os.rename(aside, victim)
            except OSError:
                os.makedirs(victim, exist_ok=True)


def test_a_racing_user_never_leads_it_outside(tree: Tree) -> None:
    canaries = [tree.file(f"etc/outside/sub/{number}") for number in range(20)]
    for number in range(8):
        tree.file(f"tmp/victim{number}/sub/old")
    outside = str(tree.root / "etc/outside")
    racer = multiprocessing.get_context("fork").Process(
        target=swap_without_end, args=(str(tree.temp), outside), daemon=True
    )
    racer.start()
    met: set[str] = set()
    try:
        until = time.monotonic() + 8
        while time.monotonic() < until and not {"link", "changed"} <= met:
            for number in range(8):
                try:
                    (tree.temp / f"victim{number}" / "sub").mkdir(parents=True, exist_ok=True)
                except OSError:
                    continue
            met |= skips(tree.clean()).keys()
            assert all(path.exists() for path in canaries)
    finally:
        racer.kill()
        racer.join()
    assert met & {"link", "changed"}


def test_a_folder_moved_away_while_its_depths_are_walked_ends_nowhere_else(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below 64 levels the way back is `..`, and `..` of a moved folder is another one."""
    frame = import_module_util("_temp.frame")
    monkeypatch.setattr(frame, "OPEN_LEVELS", 2)
    canary = tree.file("etc/outside/canary")
    tree.file("tmp/a/b/c/d/e/f/old")
    sweep = import_module_util("_temp.sweep")
    open_entry, moved = sweep.open_entry, []

    def move_and_open(descriptor: int, name: bytes, looked: object) -> object:
        opened = open_entry(descriptor, name, looked)
        if name == b"f" and not moved:
            moved.append(True)
            (tree.temp / "a/b/c/d/e").rename(tree.root / "etc/outside/e")
        return opened

    monkeypatch.setattr(sweep, "open_entry", move_and_open)
    tree.clean()
    assert moved
    assert canary.exists()


def test_few_descriptors_are_enough_for_a_deep_tree(tree: Tree) -> None:
    here = os.getcwd()
    os.chdir(tree.temp)
    for _level in range(1500):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 200, hard))
    try:
        result = tree.clean()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert list(tree.temp.iterdir()) == []
    assert result["differences"] == []


@pytest.mark.component("btrfs")
class TestAFullQuota:
    @pytest.fixture
    def full(self, tree: Tree, tmp_path: Path) -> Iterator[Tree]:
        """The folder is a btrfs subvolume whose quota is used up."""
        image = tmp_path / "image"
        with image.open("wb") as file:
            file.truncate(256 << 20)
        subprocess.run(["/usr/sbin/mkfs.btrfs", "-q", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, tree.temp], check=True)
        try:
            subprocess.run(["btrfs", "quota", "enable", tree.temp], check=True)
            subprocess.run(["btrfs", "qgroup", "limit", "20M", tree.temp], check=True, capture_output=True)
            with pytest.raises(OSError, match="quota"):
                for number in range(200):
                    with (tree.temp / f"old{number}").open("wb") as file:
                        file.write(os.urandom(1 << 20))
                        file.flush()
                        os.fsync(file.fileno())
            yield tree
        finally:
            subprocess.run(["umount", tree.temp], check=True)

    def test_old_files_go_all_the_same_and_the_space_is_measured(self, full: Tree) -> None:
        files = len(list(full.temp.iterdir()))
        assert files > 10
        result = full.clean()
        assert result["total"]["deleted_files"] == files
        assert list(full.temp.iterdir()) == []
        assert result["freed_bytes"] > 10 << 20
        (full.temp / "new").write_bytes(os.urandom(1 << 20))


def measure_peak(root: Path, files: int) -> tuple[int, dict[str, Any]]:
    """Peak memory in bytes of a fresh process that plans and cleans, and the result's total."""
    tree = make_tree(root)
    fill(tree.temp / "flat", files // 2, per_folder=files)
    fill(tree.temp / "split", files - files // 2)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.clean_once", str(root)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["differences"] == []
    assert list(tree.temp.iterdir()) == []
    return told["peak"], told["total"]


def check_growth(tmp_path: Path, files: int) -> None:
    small, _total = measure_peak(tmp_path / "small", 20_000)
    large, total = measure_peak(tmp_path / "large", files)
    assert total["planned_files"] == total["deleted_files"] == files
    assert large - small < 10_000_000


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    check_growth(tmp_path, 50_000)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_million_files_take_ten_megabytes_more_at_most(tmp_path: Path) -> None:
    check_growth(tmp_path, 1_000_000)
