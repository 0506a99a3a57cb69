"""Nothing outside a folder is touched, and nothing that is in use or young; each defence is also switched off once."""

import errno
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.collection import import_module_util
from tests.support.temp_trees import Tree, hurry, look_without_statx, make_young, passing_tree, skips

directory: ModuleType = import_module_util("_temp.directory")
decision: ModuleType = import_module_util("_temp.decision")
frame: ModuleType = import_module_util("_temp.frame")
removal: ModuleType = import_module_util("_temp.removal")
sweep: ModuleType = import_module_util("_temp.sweep")

Switch = Callable[..., None]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    with passing_tree(tmp_path / "root") as made:
        yield made


@pytest.fixture
def switch_off(monkeypatch: pytest.MonkeyPatch) -> Switch:
    """Replace a function of the collection wherever it was imported."""

    def replace(name: str, stand_in: Callable[..., Any]) -> None:
        users = [module for module in (directory, decision, frame, removal, sweep) if hasattr(module, name)]
        assert users
        for module in users:
            monkeypatch.setattr(module, name, stand_in)

    return replace


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Callable[[Path, Path], None]]:
    """Mount a directory or file at a second place, until the test ends."""
    mounted: list[Path] = []

    def mount(source: Path, target: Path) -> None:
        subprocess.run(["mount", "--bind", source, target], check=True)
        mounted.append(target)

    yield mount
    for target in reversed(mounted):
        subprocess.run(["umount", target], check=True)


class TestLinks:
    """Somebody puts a link to a canary in the place of a folder, just between the look at it and its opening."""

    @pytest.fixture
    def canary(self, tree: Tree) -> Path:
        tree.file("tmp/victim/old")
        return tree.file("etc/outside/canary")

    def swap(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        open_entry = directory.open_entry

        def swap_and_open(descriptor: int, name: bytes, looked: object) -> object:
            if name == b"victim":
                (tree.temp / "victim").rename(tree.temp / "moved")
                (tree.temp / "victim").symlink_to(tree.root / "etc/outside")
            return open_entry(descriptor, name, looked)

        monkeypatch.setattr(sweep, "open_entry", swap_and_open)

    def follow_links(self, switch_off: Switch) -> None:
        flags = directory.directory_flags() & ~os.O_NOFOLLOW
        switch_off("directory_flags", lambda: flags)

    def ignore_identities(self, switch_off: Switch) -> None:
        switch_off("is_same_entry", lambda _looked, _opened: True)

    @pytest.mark.parametrize("cleans", [True, False])
    def test_the_link_leads_nowhere(
        self, tree: Tree, canary: Path, monkeypatch: pytest.MonkeyPatch, cleans: bool
    ) -> None:
        self.swap(tree, monkeypatch)
        result = tree.run(cleans=cleans)
        assert canary.exists()
        assert skips(result)["changed"] == 1

    def test_not_following_is_enough_by_itself(
        self, tree: Tree, canary: Path, monkeypatch: pytest.MonkeyPatch, switch_off: Switch
    ) -> None:
        self.swap(tree, monkeypatch)
        self.ignore_identities(switch_off)
        tree.clean()
        assert canary.exists()

    def test_comparing_identities_is_enough_by_itself(
        self, tree: Tree, canary: Path, monkeypatch: pytest.MonkeyPatch, switch_off: Switch
    ) -> None:
        self.swap(tree, monkeypatch)
        self.follow_links(switch_off)
        tree.clean()
        assert canary.exists()

    def test_with_both_off_the_canary_is_lost(
        self, tree: Tree, canary: Path, monkeypatch: pytest.MonkeyPatch, switch_off: Switch
    ) -> None:
        self.swap(tree, monkeypatch)
        self.follow_links(switch_off)
        self.ignore_identities(switch_off)
        tree.clean()
        assert not canary.exists()

    def test_links_stay_and_what_they_lead_to_as_well(self, tree: Tree) -> None:
        canary = tree.file("etc/canary")
        (tree.temp / "to_file").symlink_to(canary)
        (tree.temp / "to_folder").symlink_to(tree.root / "etc")
        (tree.temp / "dangling").symlink_to("/nonexistent")
        assert skips(tree.clean()) == {"link": 3}
        assert canary.exists()


@pytest.mark.component("root")
class TestMounts:
    def test_a_bind_mount_of_the_same_device_is_not_entered(
        self, tree: Tree, bind: Callable[[Path, Path], None]
    ) -> None:
        canary = tree.file("etc/canary")
        (tree.temp / "mounted").mkdir()
        bind(tree.root / "etc", tree.temp / "mounted")
        assert (tree.temp / "mounted").stat().st_dev == tree.temp.stat().st_dev
        result = tree.clean()
        assert canary.exists()
        assert skips(result) == {"mount": 1}
        assert result["differences"] == []

    def test_with_the_check_off_its_files_are_lost(
        self, tree: Tree, bind: Callable[[Path, Path], None], switch_off: Switch
    ) -> None:
        canary = tree.file("etc/canary")
        (tree.temp / "mounted").mkdir()
        bind(tree.root / "etc", tree.temp / "mounted")
        switch_off("crosses_mount", lambda _look, _base: False)
        tree.clean()
        assert not canary.exists()

    def test_without_an_answer_of_statx_the_mount_is_read_from_proc(
        self, tree: Tree, bind: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_without_statx(monkeypatch)
        canary = tree.file("etc/canary")
        old = tree.file("tmp/old")
        (tree.temp / "mounted").mkdir()
        bind(tree.root / "etc", tree.temp / "mounted")
        assert skips(tree.clean()) == {"mount": 1}
        assert canary.exists()
        assert not old.exists()

    def test_a_file_that_is_a_mount_point_stays(self, tree: Tree, bind: Callable[[Path, Path], None]) -> None:
        canary = tree.file("etc/canary")
        bind(canary, tree.file("tmp/mounted"))
        result = tree.clean()
        assert skips(result) == {"mount": 1}
        assert result["differences"] == []

    def test_a_file_system_of_its_own_inside_is_not_entered_and_one_that_is_the_folder_is(self, tree: Tree) -> None:
        inner = tree.temp / "inner"
        try:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tree.temp], check=True)
            inner.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", inner], check=True)
            tree.file("tmp/old")
            canary = tree.file("tmp/inner/canary")
            result = tree.clean()
            assert canary.exists()
            assert result["total"]["deleted_files"] == 1
            assert skips(result) == {"mount": 1}
        finally:
            subprocess.run(["umount", "-q", inner], check=False)
            subprocess.run(["umount", "-q", tree.temp], check=False)


class TestFilesInUse:
    def test_an_open_file_stays_and_its_folder_with_it(self, tree: Tree) -> None:
        path = tree.file("tmp/folder/open")
        with path.open():
            assert skips(tree.clean()) == {"in_use": 1}
        assert path.exists()
        tree.clean()
        assert not path.parent.exists()

    def test_a_file_open_in_another_process_stays(self, tree: Tree) -> None:
        path = tree.file("tmp/open")
        with path.open() as file, subprocess.Popen(["sleep", "60"], stdin=file) as process:
            file.close()
            try:
                assert skips(tree.clean()) == {"in_use": 1}
            finally:
                process.kill()
        assert path.exists()

    def test_a_file_that_is_only_mapped_stays(self, tree: Tree) -> None:
        path = tree.file("tmp/mapped", 4096)
        # mmap duplicates the descriptor, so the mapping is made by a process that closes it again
        code = (
            "import ctypes, os, sys; fd = os.open(sys.argv[1], os.O_RDONLY); c = ctypes.CDLL(None); "
            "c.mmap.restype = ctypes.c_void_p; "
            "c.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]; "
            f"c.mmap(None, 4096, {mmap.PROT_READ}, {mmap.MAP_PRIVATE}, fd, 0); os.close(fd); print(flush=True); input()"
        )
        command = [sys.executable, "-c", code, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert skips(tree.clean()) == {"in_use": 1}
            process.kill()
        assert path.exists()

    def test_a_folder_in_which_somebody_works_stays(self, tree: Tree) -> None:
        (tree.temp / "work").mkdir()
        with subprocess.Popen(["sleep", "60"], cwd=tree.temp / "work") as process:
            try:
                tree.clean()
            finally:
                process.kill()
        assert (tree.temp / "work").exists()

    def test_with_the_check_off_it_is_lost(self, tree: Tree, switch_off: Switch) -> None:
        path = tree.file("tmp/open")
        switch_off("is_in_use", lambda _look, _open_files: False)
        with path.open():
            tree.clean()
        assert not path.exists()

    @pytest.mark.parametrize("is_hurried", [False, True])
    def test_the_list_of_open_files_is_renewed_while_files_are_removed(
        self, tree: Tree, monkeypatch: pytest.MonkeyPatch, is_hurried: bool
    ) -> None:
        if is_hurried:
            hurry(monkeypatch)
        path = tree.file("tmp/opened_late")
        open_files = import_module_util("_temp.openfiles").OpenFiles
        processes: list[subprocess.Popen[bytes]] = []

        def open_and_look_again(self: Any) -> None:
            if not processes:
                with path.open() as file:
                    processes.append(subprocess.Popen(["sleep", "60"], stdin=file))
            self.refresh()

        monkeypatch.setattr(open_files, "refresh_when_stale", open_and_look_again)
        try:
            result = tree.clean()
        finally:
            for process in processes:
                process.kill()
                process.wait()
        assert path.exists()
        assert processes
        assert skips(result) == {"in_use": 1}

    def test_a_list_that_is_older_than_two_seconds_is_renewed(
        self, tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.file("tmp/old")
        openfiles = import_module_util("_temp.openfiles")
        files = openfiles.OpenFiles()
        files.refresh()
        first = files.scanned_at
        files.refresh_when_stale()
        assert files.scanned_at == first
        assert files.stale_at - first >= 2
        monkeypatch.setattr(files, "stale_at", 0.0)
        files.refresh_when_stale()
        assert files.scanned_at > first

    @pytest.mark.component("root")
    def test_the_file_behind_a_loop_device_stays(self, tree: Tree) -> None:
        path = tree.file("tmp/image", 1 << 20)
        device = subprocess.run(["losetup", "-f", "--show", path], capture_output=True, text=True, check=True).stdout
        try:
            assert skips(tree.clean()) == {"in_use": 1}
        finally:
            subprocess.run(["losetup", "-d", device.strip()], check=True)
        assert path.exists()


class TestAge:
    def test_a_young_file_stays(self, tree: Tree) -> None:
        path = tree.file("tmp/young", young=True)
        assert skips(tree.clean()) == {"too_young": 1}
        assert path.exists()

    def test_with_the_rule_off_it_is_lost(self, tree: Tree, switch_off: Switch) -> None:
        path = tree.file("tmp/young", young=True)
        switch_off("is_too_young", lambda _look, _cutoff: False)
        tree.clean()
        assert not path.exists()

    @pytest.mark.parametrize("is_hurried", [False, True])
    def test_a_file_that_changes_after_the_folder_was_listed_stays(
        self, tree: Tree, monkeypatch: pytest.MonkeyPatch, is_hurried: bool
    ) -> None:
        if is_hurried:
            hurry(monkeypatch)
        names = [f"{number}" for number in range(5)]
        for name in names:
            tree.file(f"tmp/{name}")
        unlink, removed = os.unlink, set()

        def remove_and_touch_the_others(name: bytes, *, dir_fd: int) -> None:
            unlink(name, dir_fd=dir_fd)
            removed.add(os.fsdecode(name))
            for other in names:
                if other not in removed:
                    make_young(tree.temp / other)

        monkeypatch.setattr(os, "unlink", remove_and_touch_the_others)
        result = tree.clean()
        assert len(removed) == 1
        assert skips(result) == {"too_young": 4}
        assert result["differences"] == []


@pytest.mark.component("root")
class TestWhatCannotBeRemoved:
    @pytest.fixture
    def attribute(self) -> Iterator[Callable[[str, Path], None]]:
        changed: list[Path] = []

        def change(letter: str, path: Path) -> None:
            subprocess.run(["chattr", f"+{letter}", path], check=True)
            changed.append(path)

        yield change
        for path in changed:
            subprocess.run(["chattr", "-ia", path], check=True)

    @pytest.mark.parametrize("letter", ["i", "a"])
    def test_immutable_files_stay_and_the_plan_knows_it(
        self, tree: Tree, attribute: Callable[[str, Path], None], letter: str
    ) -> None:
        path = tree.file("tmp/fixed")
        tree.file("tmp/loose")
        attribute(letter, path)
        planned = tree.plan()["categories"]["system_temp"]["planned"]
        result = tree.clean()
        assert path.exists()
        assert planned["files"] == 1
        assert skips(result) == {"immutable": 1}
        assert result["differences"] == []

    def test_files_in_an_immutable_folder_stay(self, tree: Tree, attribute: Callable[[str, Path], None]) -> None:
        path = tree.file("tmp/fixed/old")
        attribute("i", path.parent)
        assert skips(tree.clean()) == {"immutable": 1}
        assert path.exists()

    def test_a_folder_that_may_only_be_read_is_left(self, tree: Tree) -> None:
        path = tree.file("tmp/old")
        subprocess.run(["mount", "--bind", tree.temp, tree.temp], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", tree.temp], check=True)
            result = tree.clean()
        finally:
            subprocess.run(["umount", tree.temp], check=True)
        assert path.exists()
        assert skips(result) == {"error": 1}
        assert result["differences"] == []

    def test_sockets_pipes_and_devices_are_never_touched(self, tree: Tree) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.getcwd()
            os.chdir(tree.temp)  # a socket's path has at most 107 bytes
            listener.bind("socket")
            os.chdir(here)
        os.mkfifo(tree.temp / "pipe")
        os.mknod(tree.temp / "null", 0o20600, os.makedev(1, 3))
        assert skips(tree.clean()) == {"excluded": 3}
        assert len(list(tree.temp.iterdir())) == 3

    def test_where_nothing_tells_beforehand_it_is_met_at_the_removal(
        self, tree: Tree, attribute: Callable[[str, Path], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_without_statx(monkeypatch)
        attribute("i", tree.file("tmp/fixed"))
        result = tree.clean()
        assert skips(result) == {"immutable": 1}
        assert result["differences"] == [
            "/tmp/fixed: planned, not deleted (immutable)",
            "system_temp: 1 entries planned, 0 deleted",
        ]


@pytest.mark.parametrize("is_hurried", [False, True])
def test_differences_are_a_hundred_at_most_and_end_with_the_numbers(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, is_hurried: bool
) -> None:
    if is_hurried:
        hurry(monkeypatch)
    for number in range(1000):
        tree.file(f"tmp/folder/{number}")

    def refuse(_name: bytes, *, dir_fd: int) -> None:
        raise OSError(errno.EIO, f"unreadable block below {dir_fd}")

    monkeypatch.setattr(os, "unlink", refuse)
    result = tree.clean()
    assert skips(result) == {"error": 1000}
    assert len(result["differences"]) == 100
    assert result["differences"][-2:] == [
        "more entries differ than could be named",
        "system_temp: 1001 entries planned, 0 deleted",
    ]


def test_a_folder_that_stays_with_a_file_that_could_not_go_is_named_as_well(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.file("tmp/above/folder/fixed")
    tree.file("tmp/above/folder/loose")
    unlink = os.unlink

    def refuse_one(name: bytes, *, dir_fd: int) -> None:
        if name == b"fixed":
            raise OSError(errno.EBUSY, "busy")
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse_one)
    result = tree.clean()
    assert result["total"] == {"planned_files": 2, "planned_bytes": 20, "deleted_files": 1, "deleted_bytes": 10}
    assert skips(result) == {"mount": 1}
    assert result["differences"] == [
        "/tmp/above/folder/fixed: planned, not deleted (mount)",
        "/tmp/above/folder: planned, not deleted (not empty)",
        "/tmp/above: planned, not deleted (not empty)",
        "system_temp: 4 entries planned, 1 deleted",
    ]
