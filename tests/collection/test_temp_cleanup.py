"""What a plan promises and a cleaning removes, on prepared trees."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.collection import import_module_util
from tests.support.components import ROOT
from tests.support.temp_trees import DAY, Tree, hurry, make_young, passing_tree, skips

decision = import_module_util("_temp.decision")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    with passing_tree(tmp_path / "root") as made:
        yield made


def fill_with_everything(tree: Tree) -> set[str]:
    """A tree with something of each kind; returns the paths that are to go."""
    gone = {tree.file(f"tmp/old{number}", number) for number in range(40)}
    gone |= {tree.file("tmp/deep/er/old"), tree.file("var/tmp/big", 100_000)}
    gone |= {tree.temp / "deep" / "er", tree.temp / "deep"}
    gone.add(tree.file("tmp/mixed/old"))
    tree.file("tmp/mixed/young", young=True)
    tree.file("tmp/young", young=True)
    (tree.temp / "empty").mkdir()
    gone.add(tree.temp / "empty")
    (tree.temp / "link").symlink_to(tree.file("etc/canary"))
    os.mkfifo(tree.temp / "pipe")
    tree.file("tmp/.X11-unix/old")
    tree.file("tmp/.X0-lock")
    return {str(path) for path in gone}


def test_a_cleaning_removes_exactly_the_old_files_and_the_empty_old_directories(tree: Tree) -> None:
    gone = fill_with_everything(tree)
    before = tree.paths()
    result = tree.clean()
    assert before - tree.paths() == gone
    assert not tree.paths() - before
    assert result["total"]["deleted_files"] == 43
    assert skips(result) == {"excluded": 3, "link": 1, "too_young": 2}
    assert result["differences"] == []


def test_a_plan_changes_nothing_and_equals_the_cleaning_that_follows(tree: Tree) -> None:
    fill_with_everything(tree)
    before = tree.paths()
    now = time.time() + 8 * DAY
    planned = tree.plan(now=now)
    assert tree.paths() == before
    assert planned["mode"] == "plan"
    assert planned["total"]["deleted_files"] == 0
    cleaned = tree.clean(now=now)
    for key in ("state", "paths", "planned", "digest", "skipped", "examples", "ceiling_reached"):
        assert planned["categories"]["system_temp"][key] == cleaned["categories"]["system_temp"][key]
    assert cleaned["categories"]["system_temp"]["deleted"] == planned["categories"]["system_temp"]["planned"]


@pytest.mark.parametrize("ceiling", [{}, {"ceiling_files": 7}, {"ceiling_bytes": 300}])
@pytest.mark.parametrize("cleans", [False, True])
def test_the_inner_loop_decides_as_the_long_way_does(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, cleans: bool, ceiling: dict[str, int]
) -> None:
    fill_with_everything(tree)
    os.link(tree.temp / "old1", tree.temp / "deep" / "second")
    now = time.time() + 8 * DAY
    nothing = decision.compile_globs(["no such name"])  # with a glob of the user's every file goes the long way
    long_way = tree.plan(now=now, exclude=nothing, **ceiling)["categories"]["system_temp"]
    hurry(monkeypatch)
    result = tree.run(cleans=cleans, now=now, **ceiling)["categories"]["system_temp"]
    for key in ("planned", "skipped", "digest", "ceiling_reached"):
        assert result[key] == long_way[key]
    assert result["deleted"] == (long_way["planned"] if cleans else {"files": 0, "bytes": 0})


@pytest.mark.component("strace")
def test_nothing_lies_between_the_look_at_a_file_and_its_removal(tree: Tree, tmp_path: Path) -> None:
    for number in range(40):
        tree.file(f"tmp/old{number}")
    os.link(tree.file("tmp/linked"), tree.root / "etc/linked")
    log = tmp_path / "log"
    command = ["strace", "-o", str(log), "-e", "trace=%file,%desc", sys.executable, "-m", "tests.support.clean_once"]
    subprocess.run([*command, str(tree.root)], cwd=ROOT, check=True, capture_output=True)
    calls = log.read_text().splitlines()
    removals = [number for number, call in enumerate(calls) if call.startswith("unlinkat(") and '"old' in call]
    assert len(removals) == 40
    for number in removals:
        name = calls[number].split('"')[1]
        assert calls[number - 1].startswith("statx(")
        assert f'"{name}"' in calls[number - 1]


def test_a_file_is_as_young_as_the_later_of_its_two_times(tree: Tree) -> None:
    path = tree.file("tmp/unpacked_today")
    os.utime(path, (0, 0))  # the date of the archive, fifty years ago
    assert tree.clean(now=time.time() + 6 * DAY)["total"]["deleted_files"] == 0
    assert path.exists()
    assert tree.clean()["total"]["deleted_files"] == 1


def test_a_second_cleaning_finds_nothing(tree: Tree) -> None:
    fill_with_everything(tree)
    tree.clean()
    result = tree.clean()
    assert result["total"] == {"planned_files": 0, "planned_bytes": 0, "deleted_files": 0, "deleted_bytes": 0}


@pytest.mark.parametrize("ceiling", [{"ceiling_files": 5}, {"ceiling_bytes": 50}])
def test_a_run_stops_at_its_ceiling_over_all_categories(tree: Tree, ceiling: dict[str, int]) -> None:
    for number in range(4):
        tree.file(f"tmp/{number}")
        tree.file(f"home/ada/.cache/{number}")
    result = tree.clean(categories=("system_temp", "user_cache"), **ceiling)
    assert result["total"] == {"planned_files": 5, "planned_bytes": 50, "deleted_files": 5, "deleted_bytes": 50}
    assert result["categories"]["user_cache"]["ceiling_reached"]
    assert skips(result, "user_cache") == {"over_ceiling": 3}
    assert result["differences"] == []


def test_one_large_file_above_the_ceiling_leaves_room_for_the_small_ones(tree: Tree) -> None:
    tree.file("tmp/large", 5000)
    tree.file("tmp/small", 10)
    assert tree.clean(ceiling_bytes=100)["total"]["deleted_files"] == 1
    assert (tree.temp / "large").exists()


@pytest.mark.parametrize(
    ("globs", "stays"),
    [
        (["*.iso"], {"tmp/a.iso", "tmp/sub/b.iso"}),
        (["/tmp/sub"], {"tmp/sub/b.iso", "tmp/sub/c"}),
        (["sub"], {"tmp/sub/b.iso", "tmp/sub/c"}),
        (["/tmp/*/c"], {"tmp/sub/c"}),
        (["a.is"], set()),
    ],
)
def test_what_the_user_excludes_stays(tree: Tree, globs: list[str], stays: set[str]) -> None:
    for path in ("tmp/a.iso", "tmp/sub/b.iso", "tmp/sub/c"):
        tree.file(path)
    tree.clean(exclude=decision.compile_globs(globs))
    assert {p for p in ("tmp/a.iso", "tmp/sub/b.iso", "tmp/sub/c") if (tree.root / p).exists()} == stays


def test_of_a_file_with_two_names_space_is_counted_with_the_last(tree: Tree) -> None:
    first = tree.file("tmp/first", 8192)
    (tree.temp / "d").mkdir()
    os.link(first, tree.temp / "d" / "second")
    outside = tree.file("etc/kept", 8192)
    os.link(outside, tree.temp / "third")
    now = time.time() + 8 * DAY
    digest = tree.plan(now=now)["categories"]["system_temp"]["digest"]
    result = tree.clean(now=now)
    assert result["total"]["deleted_files"] == 3
    assert result["total"]["deleted_bytes"] == 3 * 8192
    assert result["blocks_bytes"] == 8192
    assert (result["differences"], result["categories"]["system_temp"]["digest"]) == ([], digest)
    assert outside.exists()


def test_two_names_go_together_even_by_the_real_clock(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removing the first name changes the inode, which by itself would make the second one young."""
    sweep = import_module_util("_temp.sweep")
    for number in range(3):
        os.link(tree.file(f"tmp/a{number}"), tree.temp / f"b{number}")
    time.sleep(0.05)
    made = time.time_ns()

    def is_young(look: object, _cutoff: int) -> bool:
        return look.changed * 10**9 + look.changed_ns > made  # type: ignore[attr-defined]  # a type of the collection

    monkeypatch.setattr(decision, "is_too_young", is_young)
    monkeypatch.setattr(sweep, "is_too_young", is_young)
    time.sleep(0.05)
    result = tree.clean()
    assert result["total"]["deleted_files"] == 6
    assert result["differences"] == []


def test_names_of_any_bytes_are_removed_and_shown_on_one_line(tree: Tree) -> None:
    folder = os.fsencode(tree.temp)
    names = [
        b"\xff\xfe",
        b"two\nlines",
        b"\x1b[31mred",
        b"-rf",
        "zażółć".encode(),
        b"\xe2\x80\xae",
        b"n" * 255,
        b"$(id)",
    ]
    for name in names:
        os.close(os.open(folder + b"/" + name, os.O_CREAT | os.O_WRONLY))
    result = tree.clean()
    assert os.listdir(folder) == []
    shown = result["categories"]["system_temp"]["examples"]
    assert len(shown) == len(names)
    assert all(text.isprintable() for text in shown)
    assert {"/tmp/\\xff\\xfe", "/tmp/two\\nlines", "/tmp/zażółć"} <= set(shown)


@pytest.mark.parametrize("levels", [60, 64, 65, 66, 400])
def test_paths_longer_than_the_kernel_takes_are_reached(tree: Tree, levels: int) -> None:
    _make_deep(tree, levels, lambda: os.mknod("bottom"))
    assert tree.plan()["total"]["planned_files"] == 1
    result = tree.clean()
    assert result["differences"] == []
    assert result["total"]["deleted_files"] == 1
    assert list(tree.temp.iterdir()) == []


def test_a_young_file_at_the_bottom_keeps_the_whole_way_to_it(tree: Tree) -> None:
    _make_deep(tree, 100, lambda: (os.mknod("bottom"), make_young(Path("bottom"))))
    assert tree.clean()["total"]["deleted_files"] == 0
    assert len(list(tree.temp.iterdir())) == 1


def _make_deep(tree: Tree, levels: int, at_bottom: Callable[[], object]) -> None:
    """Folders with names of 100 letters, entered one by one as no path reaches the lower ones."""
    here = os.getcwd()
    os.chdir(tree.temp)
    try:
        for _level in range(levels):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        at_bottom()
    finally:
        os.chdir(here)


class TestCategories:
    def test_caches_of_browsers_and_environments_are_no_ordinary_caches(self, tree: Tree) -> None:
        stays = [
            tree.file(f"home/ada/.cache/{path}")
            for path in ("mozilla/p/cache2/e", "google-chrome/x", "JetBrains/h", "pypoetry/virtualenvs/v")
        ]
        goes = [
            tree.file(f"home/ada/{path}") for path in (".cache/thumbnails/t", ".cache/pypoetry/a", ".var/app/x/cache/c")
        ]
        firefox = tree.file("home/ada/.var/app/org.mozilla.firefox/cache/c")
        result = tree.clean(categories=("user_cache",))
        assert result["total"]["deleted_files"] == 3
        assert all(path.exists() for path in [*stays, firefox])
        assert not any(path.exists() for path in goes)
        tree.clean(categories=("browser_cache",))
        assert [path.exists() for path in stays] == [False, False, True, True]
        assert not firefox.exists()

    def test_of_packages_only_archives_go(self, tree: Tree) -> None:
        tree.file("var/cache/apt/archives/a.deb")
        tree.file("var/cache/apt/archives/partial/b.deb")
        tree.file("var/cache/apt/archives/lock")
        tree.file("var/cache/dnf/repo/c.rpm")
        result = tree.clean(categories=("package_cache",))
        assert result["total"]["deleted_files"] == 3
        assert (tree.root / "var/cache/apt/archives/lock").exists()
        assert (tree.root / "var/cache/apt/archives/partial").exists()

    def test_packages_stay_while_a_package_manager_holds_its_lock(self, tree: Tree) -> None:
        tree.file("var/cache/apt/archives/a.deb")
        with tree.file("var/lib/dpkg/lock-frontend").open():
            category = tree.clean(categories=("package_cache",))["categories"]["package_cache"]
        assert (category["state"], category["reason"]) == ("skipped", "in_use")
        assert (tree.root / "var/cache/apt/archives/a.deb").exists()

    def test_what_was_thrown_away_lately_stays_with_all_its_old_files(self, tree: Tree) -> None:
        tree.file("home/ada/.local/share/Trash/files/lately/old")
        make_young(tree.home / ".local/share/Trash/files/lately")
        tree.file("home/ada/.local/share/Trash/files/long_ago/old")
        result = tree.clean(categories=("trash",))
        assert result["total"]["deleted_files"] == 1
        assert skips(result, "trash") == {"too_young": 1}
        assert (tree.home / ".local/share/Trash/files/lately/old").exists()

    def test_the_private_folders_of_running_services_stay_and_those_of_an_earlier_start_go(self, tree: Tree) -> None:
        boot = import_module_util("_temp.categories").read_boot().decode()
        running = tree.file(f"tmp/systemd-private-{boot}-nginx.service-abc/tmp/old")
        ended = tree.file(f"tmp/systemd-private-{'0' * 32}-nginx.service-abc/tmp/old")
        tree.clean()
        assert running.exists()
        assert not ended.exists()

    def test_a_computer_without_the_folders_says_absent(self, tree: Tree) -> None:
        result = tree.plan(categories=("package_cache", "trash", "crash_reports", "journal"), journal_keep_days=30)
        assert {name: part["state"] for name, part in result["categories"].items()} == dict.fromkeys(
            ("package_cache", "trash", "crash_reports", "journal"), "absent"
        )

    def test_two_names_of_one_folder_are_walked_once(self, tree: Tree) -> None:
        (tree.root / "var/tmp").rmdir()
        (tree.root / "var/tmp").symlink_to(tree.temp)
        tree.file("tmp/one")
        assert tree.plan()["total"]["planned_files"] == 1

    def test_a_cache_that_is_a_link_is_not_followed(self, tree: Tree) -> None:
        canary = tree.file("etc/canary")
        (tree.home / ".cache").symlink_to(tree.root / "etc")
        category = tree.clean(categories=("user_cache",))["categories"]["user_cache"]
        assert (category["state"], category["reason"]) == ("unavailable", "link")
        assert canary.exists()

    def test_a_home_that_belongs_to_somebody_else_is_none(self, tree: Tree) -> None:
        canary = tree.file("home/ada/.cache/old")
        (tree.root / "etc/passwd").write_text("ada:x:4711:4711::/home/ada:/bin/sh\n")
        tree.clean(categories=("user_cache",))
        assert canary.exists()
