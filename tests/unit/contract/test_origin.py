"""Which commit a contract is, and whether the bytes that were read are that commit's."""

import subprocess

import pytest

from itcare.contract.loader import load_contract
from tests.support.contracts import spoil, write

pytestmark = pytest.mark.component("git")


def _git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_it_names_the_commit_that_last_changed_the_file(tmp_path):
    _git(tmp_path, "init", "-q")
    path = write(tmp_path)
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    write(tmp_path, "a: b\n", "other.yml")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "two")
    loaded = load_contract(path)
    assert (loaded.commit, loaded.dirty) == (commit, False)


def test_a_change_after_the_commit_is_dirty_even_where_git_was_told_to_look_away(tmp_path):
    _git(tmp_path, "init", "-q")
    path = write(tmp_path)
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    _git(tmp_path, "update-index", "--assume-unchanged", "acme.yml")
    write(tmp_path, spoil("version: 4", "version: 5"))
    assert _git(tmp_path, "status", "--porcelain") == ""
    assert load_contract(path).dirty


def test_an_uncommitted_file_has_no_commit_and_is_dirty(tmp_path):
    _git(tmp_path, "init", "-q")
    write(tmp_path, "a: b\n", "other.yml")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    loaded = load_contract(write(tmp_path))
    assert (loaded.commit, loaded.dirty) == (None, True)


def test_the_callers_git_variables_do_not_point_git_elsewhere(tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "-q")
    write(other)
    _git(other, "add", ".")
    _git(other, "commit", "-qm", "one")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    loaded = load_contract(write(tmp_path))
    assert (loaded.commit, loaded.dirty) == (None, False)


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    loaded = load_contract(write(tmp_path))
    assert (loaded.commit, loaded.dirty) == (None, False)
