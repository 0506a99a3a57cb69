"""Each defence of the cleanup is needed: what passes with all of them fails when exactly one is switched off."""

import inspect
import os
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collection import import_module_util
from tests.support.inotify import watch_opening
from tests.support.temp_trees import DAY, Tree, hurry, passing_tree

Patch = pytest.MonkeyPatch
Scenario = Callable[[Tree, Patch], None]
Switch = Callable[[Patch], None]

MODULES = [import_module_util(f"_temp.{name}") for name in ("categories", "decision", "directory", "sweep")]
sweep = MODULES[-1]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    with passing_tree(tmp_path / "root") as made:
        yield made


def nothing_outside_is_opened_when_a_folder_becomes_a_link(tree: Tree, monkeypatch: Patch) -> None:
    """Even an opening has effects: on a device, a pipe, a file system that is mounted when somebody enters it."""
    tree.file("tmp/victim/old")
    canary = tree.file("etc/outside/canary")
    open_entry, swapped = sweep.open_entry, []

    def swap_and_open(descriptor: int, name: bytes, looked: object) -> object:
        (tree.temp / "victim").rename(tree.temp / "moved")
        (tree.temp / "victim").symlink_to(canary.parent)
        swapped.append(name)
        return open_entry(descriptor, name, looked)

    monkeypatch.setattr(sweep, "open_entry", swap_and_open)
    with watch_opening(canary.parent, canary) as watch:
        tree.clean()
        assert watch.read_opened() == []
    assert swapped == [b"victim"]
    assert canary.exists()


def no_descriptor_leads_outside_when_a_file_becomes_a_link(tree: Tree, monkeypatch: Patch) -> None:
    """A file with two names is held while one of them goes. With O_PATH, so that inotify would not tell."""
    os.link(tree.file("tmp/name"), tree.root / "etc/other_name")
    canary = tree.file("etc/outside/canary")
    real_open, led_to = os.open, []

    def swap_and_open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == b"name":
            (tree.temp / "name").unlink()
            (tree.temp / "name").symlink_to(canary)
        descriptor = real_open(path, flags, mode, dir_fd=dir_fd)
        if path == b"name":
            led_to.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        return descriptor

    monkeypatch.setattr(os, "open", swap_and_open)
    tree.clean()
    assert led_to == [str(tree.temp / "name")]
    assert (tree.temp / "name").is_symlink()


def a_cache_that_is_a_link_is_not_entered(tree: Tree, _monkeypatch: Patch) -> None:
    canary = tree.file("etc/canary")
    (tree.home / ".cache").symlink_to(canary.parent)
    with watch_opening(canary.parent) as watch:
        tree.clean(categories=("user_cache",))
        assert "canary" not in " ".join(watch.read_opened())
    assert canary.exists()


def another_mount_of_the_same_device_is_not_entered(tree: Tree, _monkeypatch: Patch) -> None:
    canary = tree.file("etc/canary")
    (tree.temp / "mounted").mkdir()
    subprocess.run(["mount", "--bind", tree.root / "etc", tree.temp / "mounted"], check=True)
    try:
        tree.clean()
    finally:
        subprocess.run(["umount", tree.temp / "mounted"], check=True)
    assert canary.exists()


def a_file_that_somebody_has_open_stays(tree: Tree, _monkeypatch: Patch) -> None:
    path = tree.file("tmp/open")
    with path.open():
        tree.clean()
    assert path.exists()


def a_file_modified_lately_stays(tree: Tree, _monkeypatch: Patch) -> None:
    path = tree.file("tmp/young", young=True)
    tree.clean()
    assert path.exists()


def a_file_with_an_old_date_that_came_here_lately_stays(tree: Tree, _monkeypatch: Patch) -> None:
    path = tree.file("tmp/unpacked")
    os.utime(path, (0, 0))
    tree.clean(now=path.stat().st_ctime + 6 * DAY)
    assert path.exists()


def links_and_pipes_stay(tree: Tree, _monkeypatch: Patch) -> None:
    (tree.temp / "link").symlink_to("/nonexistent")
    os.mkfifo(tree.temp / "pipe")
    tree.clean()
    assert sorted(path.name for path in tree.temp.iterdir()) == ["link", "pipe"]


def the_locks_of_the_window_system_stay(tree: Tree, _monkeypatch: Patch) -> None:
    path = tree.file("tmp/.X0-lock")
    tree.clean()
    assert path.exists()


def packages_go_and_the_lock_beside_them_stays(tree: Tree, _monkeypatch: Patch) -> None:
    path = tree.file("var/cache/apt/archives/lock")
    tree.clean(categories=("package_cache",))
    assert path.exists()


def no_more_goes_than_the_ceiling_allows(tree: Tree, _monkeypatch: Patch) -> None:
    paths = [tree.file(f"tmp/{number}") for number in range(3)]
    tree.clean(ceiling_files=1)
    assert sum(path.exists() for path in paths) == 2


def follow_links(monkeypatch: Patch) -> None:
    monkeypatch.setattr(os, "O_NOFOLLOW", 0)


def replace(name: str, stand_in: Callable[..., Any]) -> Switch:
    """Put another function in the place of one, wherever the collection imported it."""

    def switch(monkeypatch: Patch) -> None:
        users = [module for module in MODULES if hasattr(module, name)]
        assert users
        for module in users:
            monkeypatch.setattr(module, name, stand_in)

    return switch


DEFENCES: dict[str, tuple[Scenario, Switch]] = {
    "no links, folders": (nothing_outside_is_opened_when_a_folder_becomes_a_link, follow_links),
    "no links, files": (no_descriptor_leads_outside_when_a_file_becomes_a_link, follow_links),
    "no links, roots": (a_cache_that_is_a_link_is_not_entered, follow_links),
    "mount": (another_mount_of_the_same_device_is_not_entered, replace("crosses_mount", lambda _look, _base: False)),
    "open files": (a_file_that_somebody_has_open_stays, replace("is_in_use", lambda _look, _open_files: False)),
    "age": (a_file_modified_lately_stays, replace("is_too_young", lambda _look, _cutoff: False)),
    "age, inode": (
        a_file_with_an_old_date_that_came_here_lately_stays,
        replace("is_too_young", lambda look, cutoff: look.modified >= cutoff),
    ),
}
of_each_defence = pytest.mark.parametrize("name", DEFENCES)
both_ways = pytest.mark.parametrize("is_hurried", [False, True], ids=["long way", "inner loop"])


@pytest.mark.component("root")
class TestEachDefence:
    @both_ways
    @of_each_defence
    def test_with_all_defences_nothing_is_harmed(
        self, tree: Tree, monkeypatch: Patch, name: str, is_hurried: bool
    ) -> None:
        if is_hurried:
            hurry(monkeypatch)
        DEFENCES[name][0](tree, monkeypatch)

    @both_ways
    @of_each_defence
    def test_with_it_alone_switched_off_the_same_scenario_fails(
        self, tree: Tree, monkeypatch: Patch, name: str, is_hurried: bool
    ) -> None:
        if is_hurried:
            hurry(monkeypatch)
        scenario, switch_off = DEFENCES[name]
        switch_off(monkeypatch)
        with pytest.raises(AssertionError):
            scenario(tree, monkeypatch)


# A condition of the inner loop -> what goes wrong without it.
CONDITIONS: dict[str, Scenario] = {
    "and mode & kind_bits == regular": links_and_pipes_stay,
    "and changed < cutoff": a_file_with_an_old_date_that_came_here_lately_stays,
    "and modified < cutoff": a_file_modified_lately_stays,
    "and identity not in identities": a_file_that_somebody_has_open_stays,
    "and not (suffixes and not name.endswith(suffixes))": packages_go_and_the_lock_beside_them_stays,
    "and not (is_kept is not None and is_kept(name))": the_locks_of_the_window_system_stay,
    "and (is_endless or takes(size))": no_more_goes_than_the_ceiling_allows,
}


# The first file of each user takes the long way, which finds out whether the user's files may go from this folder at
# all. It is left out below, so that the only file of a scenario stays in the inner loop.
FIRST_OF_USER = 'and refusals.get(uid, "unknown") is None'


def drop_conditions(monkeypatch: Patch, *conditions: str) -> None:
    """Run the inner loop without some of its lines."""
    source = textwrap.dedent(inspect.getsource(sweep.Sweep._let_plain_files_go))
    for condition in conditions:
        line = f"\n                {condition}\n"
        assert source.count(line) == 1
        source = source.replace(line, "\n")
    names = dict(vars(sweep))
    exec(source, names)  # noqa: S102 - the project's own source, less these lines
    monkeypatch.setattr(sweep.Sweep, "_let_plain_files_go", names["_let_plain_files_go"])


@pytest.mark.parametrize("condition", CONDITIONS)
class TestEachConditionOfTheInnerLoop:
    def test_with_it_nothing_is_harmed(self, tree: Tree, monkeypatch: Patch, condition: str) -> None:
        hurry(monkeypatch)
        drop_conditions(monkeypatch, FIRST_OF_USER)
        CONDITIONS[condition](tree, monkeypatch)

    def test_without_it_the_same_scenario_fails(self, tree: Tree, monkeypatch: Patch, condition: str) -> None:
        hurry(monkeypatch)
        drop_conditions(monkeypatch, FIRST_OF_USER, condition)
        with pytest.raises(AssertionError):
            CONDITIONS[condition](tree, monkeypatch)
