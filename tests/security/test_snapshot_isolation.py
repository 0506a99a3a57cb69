"""A's folder holds nothing of B: not in a row, not in a free page, not in a name."""

import os
import re
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from itcare.access import Principal, find_scope, list_scopes, staff_scope
from itcare.core.errors import ItcareError, NotFoundError, UnsafeError
from itcare.publish.firm_reader import FirmOverview
from itcare.publish.firm_writer import publish_firm
from itcare.publish.publication import publish_client
from itcare.publish.reader import Snapshot
from itcare.publish.schema import MONTH_TABLES, PRESENT_TABLES
from tests.support.publishing import SMALL_JUDGE, make_source, write_contract
from tests.support.snapshots import change_table, make_snapshot, month_files
from tests.support.stories import DAY, Story, observe, task

NOON = DAY + timedelta(hours=4)
SOURCES = Path(__file__).parents[2] / "src"


def tell_everything(code, mark, hosts):
    """A story with the mark in every text that a person or a computer can put into the ledger."""
    story = Story(code)
    story.visit({host: observe(mark=f"{mark}-os", free_percent=4) for host in hosts}, at=DAY - timedelta(days=1))
    number = story.open_run(
        hosts,
        asked=story.keep({"operator": {"user": f"{mark}-user", "login": f"{mark}-login", "stated": f"{mark}-stated",
                                       "sudo_user": f"{mark}-sudo"}, "reason": f"{mark}-why", "controller": mark}),
        files=story.keep([{"kind": "script", "path": f"{mark}/x.yml", "sha256": "9" * 64}]),
    )  # fmt: skip
    failed = task(0, "a.b.c", name=f"{mark}-task", outcome="failed", args={"path": f"{mark}-args"},
                  result=story.keep({"msg": f"{mark}-message"}))  # fmt: skip
    for host in hosts:
        detail = story.keep({"address": f"{mark}.example", "remote_user": f"{mark}-remote", "message": f"{mark}-said"})
        story.tell_host(number, host, "failed", tasks=[failed], detail=detail, alarms=[f"{mark}-alarm"])
    told = task(0, "itcare.maintenance.software_info", attachments={"packages": story.keep(
        [{"name": f"{mark}-package", "version": f"{mark}-version", "publisher": f"{mark}-publisher", "source": "dpkg",
          "scope": f"user:{mark}-account"}])}, result=story.keep(
        {"software": {"schema": "itcare/software/v1", "sources": {"dpkg": {"state": "ok"}}}}))  # fmt: skip
    cleaned = task(1, "itcare.maintenance.temp_cleanup", result=story.keep(
        {"temp": {"schema": "itcare/temp/v1", "categories": {f"{mark}-category": {"state": "ok"}}}}))  # fmt: skip
    for host in hosts:
        looked = story.open_run([host])
        story.tell_host(looked, host, tasks=[told, cleaned])
        story.close_run(looked)
    story.close_run(number, "cancelled", cancelled=story.keep({"by": f"{mark}-boss"}), reason=f"{mark}-end")
    return story


MARKS = {"ACME": "kanarek-żółty-7f3a", "NORD": "canary-blue-91c4"}
NAMES = {"ACME": ["pc01", "acme-serwer"], "NORD": ["pc01", "nord-server"]}


@pytest.fixture
def published(tmp_path):
    for number, (code, mark) in enumerate(MARKS.items(), start=1):
        loaded = write_contract(tmp_path / "contracts", code, NAMES[code], legal_name=f"{mark} Sp. z o.o.")
        source = make_source(tell_everything(code, mark, NAMES[code]), loaded, number)
        publication = publish_client(tmp_path / "published", source, SMALL_JUDGE, NOON)
        publish_firm(tmp_path / "published", publication.summary)
    return tmp_path / "published"


def traces(folder, *words):
    """Which of the words stand anywhere in the bytes or names of a folder's files."""
    content = b"".join(path.read_bytes() + path.name.encode() for path in folder.iterdir())
    return {word for word in words for form in (word, word.swapcase()) if form.encode() in content}


def traces_of_file(path, *words):
    content = path.read_bytes()
    return {word for word in words if word.encode() in content}


def traces_of(folder, code):
    return traces(folder, MARKS[code], code, *NAMES[code][1:], f"visit of {code}", f"DPA/{code}")


def test_nothing_of_one_client_is_in_the_folder_of_the_other(published):
    assert traces_of(published / "1", "NORD") == set()
    assert traces_of(published / "2", "ACME") == set()


def test_the_search_finds_what_is_there(published):
    for folder, code in (("1", "ACME"), ("2", "NORD")):
        assert {MARKS[code], code, NAMES[code][1], f"visit of {code}"} <= traces_of(published / folder, code)
        mark = MARKS[code].encode()
        content = b"".join(path.read_bytes() for path in (published / folder).iterdir())
        for part in ("os", "user", "login", "stated", "sudo", "why", "task", "args", "message", "remote", "said",
                     "alarm", "boss", "end", "package", "version", "publisher", "account", "category"):  # fmt: skip
            assert mark + f"-{part}".encode() in content, part


def test_the_search_would_find_rows_that_a_copied_database_keeps_in_free_pages(published):
    """Why the file is filled and never copied: deleting B's rows from a copy leaves B's bytes in it."""
    (month,) = month_files(published, 2)
    for file, tables in ((published / "2" / "current.sqlite", PRESENT_TABLES), (month, MONTH_TABLES)):
        copied = published / "1" / "copied.sqlite"
        shutil.copy(file, copied)
        with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = OFF")
            for table in ("meta", *reversed(tables)):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 our own names
        assert MARKS["NORD"] in traces_of(published / "1", "NORD"), file
        copied.unlink()


def test_the_overview_holds_sums_of_both_and_lies_in_neither_folder(published):
    with FirmOverview.open(staff_scope(published, Principal("staff", is_staff=True))) as overview:
        assert [row.code for row in overview.clients()] == ["ACME", "NORD"]
    content = (published / "firm.sqlite").read_bytes()
    for mark in MARKS.values():
        for part in ("os", "user", "login", "stated", "why", "task", "message", "remote", "package", "boss"):
            assert f"{mark}-{part}".encode() not in content, "the overview holds sums, and names of clients"
    months = {path.name for path in month_files(published)}
    assert {path.name for path in (published / "1").iterdir()} == {"current.sqlite", "client.json", *months}


def test_a_person_of_a_client_never_gets_to_the_overview(published, monkeypatch):
    opened = []
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, *args, **options: opened.append(str(path)) or real(
        path, *args, **options))  # fmt: skip
    with pytest.raises(NotFoundError):
        staff_scope(published, Principal("a person of ACME"))
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        snapshot.runs()
    assert opened and not any("firm" in path for path in opened)


def test_a_clients_publication_reads_no_other_clients_snapshot(published, tmp_path, monkeypatch):
    opened = []
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, *args, **options: opened.append(str(path)) or real(
        path, *args, **options))  # fmt: skip
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    publication = publish_client(published, make_source(Story("ACME"), loaded, 1), SMALL_JUDGE, NOON)
    publish_firm(published, publication.summary)
    assert opened and not any("/2/" in path for path in opened)


def test_publishing_again_does_not_grow_what_is_known(published, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"], legal_name="Acme")
    publish_client(published, make_source(Story("ACME"), loaded, 1), SMALL_JUDGE, NOON)
    assert not traces_of_file(published / "1" / "current.sqlite", MARKS["ACME"], "acme-serwer")
    # The months stay for readers of the snapshot before, until the next publication.
    publish_client(published, make_source(Story("ACME"), loaded, 1), SMALL_JUDGE, NOON)
    assert traces(published / "1", MARKS["ACME"], "acme-serwer") == set(), "what left the ledger left the files"
    assert traces_of(published / "1", "NORD") == set()


def test_no_code_copies_or_attaches_a_database():
    copying = re.compile(r"VACUUM|\bATTACH\b|\.backup\(|iterdump", re.IGNORECASE)
    in_memory = "memory = _connect(None)\n                source.backup(memory)\n"  # what a command asks, and forgets
    for path in (SOURCES / "itcare" / "publish").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count(in_memory) == (path.name == "bookmark.py")
        assert not copying.search(text.replace(in_memory, "")), path


@pytest.mark.parametrize("asked", ["NORD", "../2", "2", "1/../2", "NORD\x00", "nord", "", "ACME/../../2"])
def test_a_person_of_one_client_gets_no_scope_of_another(published, asked):
    mine = [scope for scope in list_scopes(published) if scope.code == "ACME"]
    assert find_scope(mine, asked) is None


def test_a_host_or_run_of_another_client_is_not_there(published):
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        assert snapshot.host("nord-server") is snapshot.host("nobody") is None
        assert snapshot.host_history("nord-server") == snapshot.facts("nord-server") == ()
        assert not any(MARKS["NORD"] in repr(row) for row in snapshot.findings())


def test_a_strangers_month_under_the_right_name_is_refused(published):
    (mine,), (theirs,) = month_files(published, 1), month_files(published, 2)
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        assert snapshot.host_results(1)
    shutil.copy(theirs, mine)
    with (
        Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot,
        pytest.raises(UnsafeError, match="of another client"),
    ):
        snapshot.host_results(1)


def test_a_link_to_a_strangers_month_is_not_followed(published):
    (mine,), (theirs,) = month_files(published, 1), month_files(published, 2)
    for target in (theirs, Path("../2") / theirs.name):
        mine.unlink()
        mine.symlink_to(target)
        with (
            Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot,
            pytest.raises(UnsafeError, match="not a regular file"),
        ):
            snapshot.host_history("pc01")


@pytest.mark.parametrize("name", ["../2/{}", "/{}", "2026-03.sqlite", "current.sqlite", "2026-02.1.sqlite", "", "\x00"])
def test_a_name_in_the_snapshot_is_never_taken_for_a_path(published, name, monkeypatch):
    """Else whoever can write one file of a client could have another client's shown, or any file opened."""
    (theirs,) = month_files(published, 2)
    change_table(published, "month", "UPDATE month SET file = ?", (name.format(theirs.name),))
    opened = []
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, *args, **options: opened.append(str(path)) or real(
        path, *args, **options))  # fmt: skip
    with (
        Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot,
        pytest.raises(UnsafeError, match="it names the file"),
    ):
        snapshot.tasks(1)
    assert len(opened) == 1, "the snapshot itself"


def as_stranger(group, work):
    """Run `work` in a child that is another user in this one group; its exit code."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(65534)
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def shared():
    """Published data where another user could get at it, in a folder of the portal's group."""
    folder = Path(tempfile.mkdtemp(prefix="itcare-shared-"))
    folder.chmod(0o711)
    portal = folder / "published"
    portal.mkdir()
    os.chown(portal, -1, 12345)
    portal.chmod(0o2750)
    yield make_snapshot(folder, clients=1)
    shutil.rmtree(folder)


def _read_all(published):
    try:
        with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
            seen = len(snapshot.hosts()) == 5 and snapshot.meta().client == "ACME" and snapshot.tasks(3)
            return 0 if seen else 1
    except (ItcareError, AttributeError):
        return 2


@pytest.mark.component("root")
def test_the_portals_group_reads_and_others_see_no_client(shared):
    assert as_stranger(12345, lambda: _read_all(shared)) == 0
    assert as_stranger(54321, lambda: len(list_scopes(shared))) == 0


@pytest.mark.component("root")
def test_the_portals_group_can_neither_change_nor_add_a_file(shared):
    def spoil():
        for act in (
            lambda: (shared / "1" / "current.sqlite").open("r+b"),
            lambda: (shared / "1" / "client.json").unlink(),
            lambda: month_files(shared)[0].open("r+b"),
            lambda: month_files(shared)[0].unlink(),
            lambda: (shared / "1" / "x").touch(),
            lambda: (shared / "2").mkdir(),
        ):
            try:
                act()
            except PermissionError:
                continue
            return 1
        return 0

    assert as_stranger(12345, spoil) == 0


@pytest.mark.component("root")
def test_a_snapshot_that_the_portal_may_not_read_is_told_not_guessed(shared):
    (shared / "1" / "current.sqlite").chmod(0o600)

    def ask():
        scope = find_scope(list_scopes(shared), "ACME")
        try:
            Snapshot.open(scope)
        except (UnsafeError, NotFoundError):
            return 0
        return 1

    assert as_stranger(12345, ask) == 0


def test_nobody_but_owner_and_group_has_any_right(published):
    for path in (published / "1", *(published / "1").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0, path
