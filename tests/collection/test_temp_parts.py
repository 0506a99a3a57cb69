"""The parts of the cleanup by themselves: digest, journal, users of open files."""

import os
import random
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.collection import import_module_util
from tests.support.temp_trees import DAY, Tree, make_tree, skips

tally = import_module_util("_temp.tally")
journal = import_module_util("_temp.journal")
directory = import_module_util("_temp.directory")
look = import_module_util("_temp.look")
openfiles = import_module_util("_temp.openfiles")

MACHINE = "0123456789abcdef0123456789abcdef"


class TestTheTally:
    @given(st.lists(st.tuples(st.integers(0, 2**256 - 1), st.integers(0, 2**40)), max_size=50), st.randoms())
    def test_the_digest_does_not_depend_on_the_order(
        self, entries: list[tuple[int, int]], shuffler: random.Random
    ) -> None:
        one, other = tally.Tally(), tally.Tally()
        for number, size in entries:
            one.add(number, size, 0, b"x")
        shuffler.shuffle(entries)
        for number, size in entries:
            other.add(number, size, 0, b"x")
        assert one.is_same_set(other)
        other.add(1, 0, 0, b"y")
        assert not one.is_same_set(other)


@given(st.binary(max_size=5000))
def test_any_path_is_shown_on_one_short_printable_line(path: bytes) -> None:
    text = directory.show_path(path)
    assert text.isprintable()
    assert len(text) <= 300
    text.encode("utf-8")


def test_names_that_went_make_no_room_for_more_files_than_a_plan_has() -> None:
    links = tally.Links(most=1)
    here = look.look_at_descriptor(os.open("/", os.O_RDONLY))._replace(links=2, inode=1)
    assert links.has_room_for(here)
    links.note_removal(here._replace(links=0))
    assert not links.has_room_for(here._replace(inode=2))


@given(st.integers(0, 60))
def test_links_beyond_the_limit_are_left_and_known_ones_stay_known(names: int) -> None:
    links = tally.Links(most=20)
    here = look.look_at_descriptor(os.open("/", os.O_RDONLY))._replace(links=2)
    fits = [links.has_room_for(here._replace(inode=number)) for number in range(names)]
    assert fits == [number < 20 for number in range(names)]
    assert all(links.has_room_for(here._replace(inode=number)) for number in range(min(names, 20)))


def test_both_ways_of_looking_see_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 5000)
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("a")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fields = [field for field in look.Look._fields if field not in ("answered", "attributes", "mount")]
    for name in (b"a", b"d", b"l"):
        one, other = look.look_at(descriptor, name), look._ask_stat(descriptor, name, 0)
        assert [getattr(one, field) for field in fields] == [getattr(other, field) for field in fields]
        assert look.look_into(descriptor)(name) == tuple(one)
    assert look.look_at_descriptor(descriptor).mount == look.read_mount(descriptor) != 0
    os.close(descriptor)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for ask in (look.look_into(descriptor), lambda name: look.look_at(descriptor, name)):
        with pytest.raises(FileNotFoundError, match="No such file"):
            ask(b"missing")


class TestOpenFiles:
    def process(self, proc: Path, pid: int, *, comm: str = "worker") -> None:
        (proc / str(pid) / "fd").mkdir(parents=True)
        (proc / str(pid) / "comm").write_text(comm + "\n")

    def test_without_proc_nothing_is_known(self, tmp_path: Path) -> None:
        files = openfiles.OpenFiles(str(tmp_path / "none"), str(tmp_path))
        files.refresh()
        assert files.cannot_see(os.geteuid())

    def test_a_process_that_cannot_be_read_makes_its_user_unknown(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.process(tmp_path, 7, comm="(sd-pam)")
        files = openfiles.OpenFiles(str(tmp_path), str(tmp_path))
        real = os.listdir

        def refuse(path: Any) -> list[str]:
            if str(path).endswith("/fd"):
                raise PermissionError(path)
            return real(path)

        monkeypatch.setattr(os, "listdir", refuse)
        files.refresh()
        assert not files.cannot_see(os.geteuid())
        self.process(tmp_path, 8)
        files.refresh()
        assert files.cannot_see(os.geteuid())

    def test_maps_of_another_device_are_found_by_path(self, tmp_path: Path) -> None:
        """As on btrfs, whose maps name a device that stat does not."""
        self.process(tmp_path / "proc", 9)
        library = tmp_path / "library with blanks.so"
        library.touch()
        line = f"7f0000000000-7f0000001000 r-xp 00000000 00:99 1234567          {library}\n"
        (tmp_path / "proc" / "9" / "maps").write_text(line)
        (tmp_path / "proc" / "9" / "root").symlink_to("/")
        files = openfiles.OpenFiles(str(tmp_path / "proc"), str(tmp_path))
        files.refresh()
        status = library.stat()
        assert (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino) in files.identities
        assert (0, 0x99, 1234567) in files.identities


class TestTheJournal:
    """journalctl itself removes the files; these have a real header and no entries worth reading."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Tree:
        tree = make_tree(tmp_path / "root")
        (tree.root / "etc/machine-id").write_text(MACHINE + "\n")
        return tree

    def archived(self, tree: Tree, name: str, first_days: float, last_days: float, entries: int = 3) -> Path:
        """An archived file whose first and last entry are that many days old."""
        now = time.time()
        first, last = (int((now - days * DAY) * 1e6) for days in (first_days, last_days))
        path = tree.root / f"var/log/journal/{MACHINE}/{name}@{'ab' * 16}-{first:016x}-{first:016x}.journal"
        header = struct.pack("<8sII B7x", b"LPKSHHRH", 0, 0, 0) + bytes(64)
        header += struct.pack("<QQ", 272, 0) + bytes(48) + struct.pack("<Q", entries) + bytes(24)
        header += struct.pack("<QQ", first, last) + bytes(72)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(header + bytes(8000))
        os.utime(path, (last / 1e6, last / 1e6))
        return path

    def test_files_older_than_the_retention_go_and_journalctl_removes_them(self, tree: Tree) -> None:
        old = self.archived(tree, "system", 90, 60)
        kept = self.archived(tree, "user-1000", 20, 10)
        active = tree.file(f"var/log/journal/{MACHINE}/system.journal")
        result = tree.clean(categories=("journal",), journal_keep_days=30, now=time.time())
        assert not old.exists()
        assert kept.exists()
        assert active.exists()
        assert result["total"]["deleted_files"] == 1
        assert result["differences"] == []

    def test_a_file_that_began_long_ago_stays_while_it_holds_one_younger_entry(self, tree: Tree) -> None:
        """Left to itself, `journalctl --vacuum-time=30d` removes it: it goes by the first entry."""
        long = self.archived(tree, "system", 90, 5)
        tree.clean(categories=("journal",), journal_keep_days=30, now=time.time())
        assert long.exists()
        subprocess.run(["journalctl", f"--directory={long.parent}", "--vacuum-time=30d"], check=True)
        assert not long.exists()

    def test_files_without_entries_go_as_journalctl_takes_them_along(self, tree: Tree) -> None:
        path = self.archived(tree, "system", 2, 1, entries=0)
        kept = self.archived(tree, "other", 2, 1)
        result = tree.clean(categories=("journal",), journal_keep_days=30, now=time.time())
        assert (path.exists(), kept.exists()) == (False, True)
        assert result["total"]["planned_files"] == result["total"]["deleted_files"] == 1
        assert result["differences"] == []

    def test_the_larger_of_age_and_retention_counts(self, tree: Tree) -> None:
        path = self.archived(tree, "system", 12, 10)
        tree.clean(categories=("journal",), journal_keep_days=3, min_age_days=14, now=time.time())
        assert path.exists()

    def test_a_plan_equals_the_cleaning_and_the_ceiling_holds(self, tree: Tree) -> None:
        files = [self.archived(tree, f"n{number}", 90 - number, 60 - number) for number in range(5)]
        now = time.time()
        planned = tree.plan(categories=("journal",), journal_keep_days=30, ceiling_files=2, now=now)
        assert all(path.exists() for path in files)
        cleaned = tree.clean(categories=("journal",), journal_keep_days=30, ceiling_files=2, now=now)
        assert [path.exists() for path in files] == [False, False, True, True, True]
        assert planned["categories"]["journal"]["digest"] == cleaned["categories"]["journal"]["digest"]
        assert cleaned["total"]["deleted_files"] == planned["total"]["planned_files"] == 2
        assert skips(planned, "journal") == skips(cleaned, "journal") == {"over_ceiling": 3}
        assert cleaned["differences"] == []

    @given(
        st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)).map(lambda pair: (max(pair), min(pair))), max_size=20),
        st.integers(1, 365),
    )
    def test_no_limit_ever_lets_a_younger_entry_go(self, spans: list[tuple[float, float]], keep_days: int) -> None:
        now = 2e9
        files = [
            journal.JournalFile(str(number), 1, 1, now - first * DAY, now - last * DAY, False)
            for number, (first, last) in enumerate(spans)
        ]
        limit = journal.choose_limit(files, now, keep_days)
        assert all(file.last <= now - keep_days * DAY for file in files if file.first < limit)
