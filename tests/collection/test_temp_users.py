"""What a user without rights may clean: what is the user's own, and nothing of others."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ordinary_user import USER, clean_as_user, find_readable_python
from tests.support.temp_trees import Tree, make_tree, skips

pytestmark = pytest.mark.component("root")


@pytest.fixture
def tree() -> Iterator[Tree]:
    """In a folder that everybody reaches, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="itcare-test-"))
    folder.chmod(0o755)
    tree = make_tree(folder / "root")
    (tree.root / "etc/passwd").write_text(f"ada:x:{USER}:{USER}::/home/ada:/bin/sh\n")
    os.chown(tree.home, USER, USER)
    yield tree
    shutil.rmtree(folder)


def give(*paths: Path) -> None:
    for path in paths:
        os.chown(path, USER, USER)


def test_exactly_the_users_own_files_go(tree: Tree) -> None:
    own = [tree.file("tmp/own"), tree.file("tmp/dir/own"), tree.file("home/ada/.cache/a")]
    give(*own, tree.temp / "dir", tree.home / ".cache")
    foreign = [tree.file("tmp/foreign"), tree.file("tmp/theirs/old")]
    unreadable = tree.file("tmp/closed/old")
    unreadable.parent.chmod(0o700)
    before = tree.paths()
    result = clean_as_user(tree.root.parent / "code", tree.root)
    assert before - tree.paths() == {str(path) for path in [*own, tree.temp / "dir"]}
    assert all(path.exists() for path in [*foreign, unreadable])
    assert skips(result) == {"not_owned": 3}
    assert result["differences"] == []


def test_a_plan_of_the_user_equals_the_cleaning(tree: Tree) -> None:
    give(tree.file("tmp/own"))
    tree.file("tmp/foreign")
    planned = clean_as_user(tree.root.parent / "code", tree.root, cleans=False)
    assert (tree.temp / "own").exists()
    cleaned = clean_as_user(tree.root.parent / "code", tree.root)
    for key in ("planned", "skipped", "digest"):
        assert planned["categories"]["system_temp"][key] == cleaned["categories"]["system_temp"][key]


def test_others_files_in_the_users_own_folder_stay_as_nobody_knows_who_has_them_open(tree: Tree) -> None:
    path = tree.file("tmp/dir/foreign")
    give(path.parent)
    assert skips(clean_as_user(tree.root.parent / "code", tree.root)) == {"cannot_see_open_files": 1}
    assert path.exists()


def test_a_file_that_the_user_has_open_stays(tree: Tree) -> None:
    path = tree.file("tmp/own")
    give(path)
    switched = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "sleep", "60"]
    with path.open() as file, subprocess.Popen(switched, stdin=file, cwd="/") as process:
        try:
            result = clean_as_user(tree.root.parent / "code", tree.root)
        finally:
            process.kill()
    assert skips(result) == {"in_use": 1}
    assert path.exists()


def test_a_process_of_the_user_that_cannot_be_read_keeps_all_the_users_files(tree: Tree) -> None:
    path = tree.file("tmp/own")
    give(path)
    undumpable = "import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print(flush=True); time.sleep(60)"
    switched = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    command = [*switched, find_readable_python(), "-c", undumpable]
    with subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            result = clean_as_user(tree.root.parent / "code", tree.root)
        finally:
            process.kill()
    assert skips(result) == {"cannot_see_open_files": 1}
    assert path.exists()


def test_root_cleans_what_is_in_the_sticky_folders_of_all(tree: Tree) -> None:
    paths = [tree.file("tmp/dir/own"), tree.file("tmp/root")]
    give(paths[0], paths[0].parent)
    paths[0].parent.chmod(0o1777)
    assert tree.clean()["total"]["deleted_files"] == 2
    assert not any(path.exists() for path in paths)
