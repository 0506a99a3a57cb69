"""The writer: a new snapshot appears whole or not at all."""

import errno
import os
import sqlite3
import stat
from dataclasses import replace

import pytest

from itcare.access import find_scope, list_scopes
from itcare.core.errors import BusyError, UnsafeError
from itcare.core.words import (
    FindingStatus,
    ForecastReason,
    HostOutcome,
    ObligationState,
    RunGrade,
    RunState,
    SoftwareChange,
    SourceState,
    TaskOutcome,
    TempState,
)
from itcare.publish import files, writer
from itcare.publish.codec import column_names
from itcare.publish.month_schema import MONTH_DDL
from itcare.publish.reader import Snapshot
from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostResultRow,
    HostRow,
    MeasureRow,
    MonthRow,
    ObligationRow,
    RunRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TaskRow,
    TempRow,
)
from itcare.publish.schema import MONTH_TABLES, PRESENT_DDL, PRESENT_TABLES, SNAPSHOT_FILE
from itcare.publish.writer import locked_folder, write_sidecar, write_snapshot
from tests.support.snapshots import make_rows, month_files, plan_client, with_meta, write_client

OLD = with_meta(make_rows(plan_client(1)), tree_size=7)
NEW = with_meta(make_rows(plan_client(1, hosts=12)), tree_size=8)


@pytest.fixture
def published(tmp_path):
    write_client(tmp_path / "published", 1, OLD)
    return tmp_path / "published"


def shown_size(published):
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        hosts = len(snapshot.hosts())
        assert hosts == len(snapshot.host_results(1)) == {7: 5, 8: 12}[snapshot.meta().tree_size]
        return snapshot.meta().tree_size


ROW_KINDS = {
    "host": HostRow, "month": MonthRow, "run": RunRow, "host_result": HostResultRow, "task": TaskRow, "file": FileRow,
    "finding": FindingRow, "fact": FactRow, "obligation": ObligationRow,
    "measure": MeasureRow, "forecast": ForecastRow, "finding_interval": FindingIntervalRow, "software": SoftwareRow,
    "software_look": SoftwareLookRow,
    "software_change": SoftwareChangeRow, "temp": TempRow,
}  # fmt: skip


@pytest.mark.parametrize(
    ("ddl", "table"),
    [(ddl, table) for ddl, tables in ((PRESENT_DDL, PRESENT_TABLES), (MONTH_DDL, MONTH_TABLES)) for table in tables],
)
def test_fields_of_a_row_are_the_columns_of_its_table_in_order(ddl, table):
    connection = sqlite3.connect(":memory:")
    connection.executescript(ddl)
    columns = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
    assert columns == column_names(ROW_KINDS[table])


WORDS = [
    ("host_result", "outcome", HostOutcome), ("host", "last_outcome", HostOutcome), ("run", "state", RunState),
    ("task", "outcome", TaskOutcome), ("finding", "status", FindingStatus), ("fact", "state", SourceState),
    ("run", "grade", RunGrade), ("finding_interval", "status", FindingStatus), ("temp", "state", TempState),
    ("software_change", "kind", SoftwareChange), ("forecast", "reason", ForecastReason),
    ("obligation", "state", ObligationState), ("obligation", "last_outcome", HostOutcome),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "words"), WORDS, ids=[f"{row[0]}.{row[1]}" for row in WORDS])
def test_the_words_that_a_column_takes_are_those_of_core(table, column, words):
    definition = (PRESENT_DDL + MONTH_DDL).split(f"CREATE TABLE {table} (")[1].split(") STRICT")[0]
    listed = definition.split(f"CHECK ({column} IN")[1].split("('")[1].split("')")[0]
    assert set(listed.split("', '")) == set(words)


def test_folder_and_files_are_for_the_group_to_read_whatever_the_umask_is(tmp_path):
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            write_client(tmp_path / f"{umask:o}", 1, OLD)
        finally:
            os.umask(before)
        folder = tmp_path / f"{umask:o}" / "1"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o750
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
            "current.sqlite": 0o640, "client.json": 0o640, "2026-03.7.sqlite": 0o640
        }  # fmt: skip


def test_files_take_the_group_of_a_folder_marked_for_it(tmp_path):
    published = tmp_path / "published"
    published.mkdir()
    group = max(os.getgroups(), default=os.getegid()) if os.geteuid() else 1
    os.chown(published, -1, group)
    published.chmod(0o2750)
    write_client(published, 1, OLD)
    write_client(published, 1, OLD)
    folder = published / "1"
    assert {path.stat().st_gid for path in (folder, *folder.iterdir())} == {group}
    assert folder.stat().st_mode & stat.S_ISGID


def test_a_new_snapshot_replaces_the_old_one_and_leaves_nothing_beside_it(published):
    inode = (published / "1" / SNAPSHOT_FILE).stat().st_ino
    write_client(published, 1, NEW)
    assert shown_size(published) == 8
    assert (published / "1" / SNAPSHOT_FILE).stat().st_ino != inode
    names = {path.name for path in (published / "1").iterdir()}
    assert names == {"client.json", "current.sqlite", "2026-03.7.sqlite", "2026-03.8.sqlite"}, (
        "readers may have it open"
    )


def test_a_month_that_no_reader_can_want_is_removed_by_the_publication_after(published):
    write_client(published, 1, NEW)
    write_client(published, 1, NEW)
    assert [path.name for path in month_files(published)] == ["2026-03.8.sqlite"]


def test_a_reader_of_the_old_snapshot_finds_its_months_after_a_publication(published):
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        write_client(published, 1, NEW)
        assert len(snapshot.host_results(3)) == 5, "read for the first time, and from the old file"
        with Snapshot.open(find_scope(list_scopes(published), "ACME")) as newer:
            assert len(newer.host_results(3)) == 12


def test_each_month_of_runs_has_a_file_of_its_own(tmp_path):
    rows = make_rows(plan_client(1, hosts=2, runs=70))
    write_client(tmp_path / "published", 1, rows)
    assert [path.name[:7] for path in month_files(tmp_path / "published")] == ["2026-01", "2026-02", "2026-03"]
    with Snapshot.open(find_scope(list_scopes(tmp_path / "published"), "ACME")) as snapshot:
        assert [len(snapshot.tasks(run.number)) for run in reversed(snapshot.runs(limit=100))] == [
            len([task for task in rows.tasks if task.run == number]) for number in range(1, 71)
        ]


@pytest.mark.parametrize("name", ["fsync", "fchmod", "open", "replace"])
@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failing_system_call_leaves_one_whole_snapshot(published, monkeypatch, name, turn, code):
    calls = []
    real = getattr(os, name)

    def fail(*args, **options):
        calls.append(args)
        if len(calls) == turn + 1:
            raise OSError(code, os.strerror(code))
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        try:
            write_client(published, 1, NEW)
            failed = False
        except UnsafeError as error:
            failed = True
            assert os.strerror(code) in error.why
    assert failed == (len(calls) > turn)
    assert shown_size(published) in ((7, 8) if failed else (8,))
    assert not list((published / "1").glob(".part-*"))
    write_client(published, 1, NEW)
    assert shown_size(published) == 8


def test_a_failed_fsync_of_the_file_is_never_followed_by_its_rename(published, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UnsafeError), locked_folder(published, 1) as folder:
        write_snapshot(folder, NEW)
    assert shown_size(published) == 7


def test_leftovers_of_a_crash_are_removed_by_the_next_publication(published):
    leftover = published / "1" / f".part-{SNAPSHOT_FILE}"
    leftover.write_bytes(b"half")
    write_client(published, 1, NEW)
    assert not leftover.exists()
    assert shown_size(published) == 8


def test_a_link_in_place_of_a_leftover_is_removed_not_followed(published, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (published / "1" / f".part-{SNAPSHOT_FILE}").symlink_to(victim)
    write_client(published, 1, NEW)
    assert victim.read_text() == "precious"
    assert shown_size(published) == 8


def test_a_link_in_place_of_the_clients_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeError, match="symbolic link"):
        write_client(tmp_path / "published", 1, OLD)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o700


def test_two_publishers_of_one_client_take_turns_or_are_told(published, monkeypatch):
    monkeypatch.setattr(files, "LOCK_ATTEMPTS", 2)
    with locked_folder(published, 1):
        with pytest.raises(BusyError, match="another process publishes"):
            write_client(published, 1, NEW)
        write_client(published, 2, make_rows(plan_client(2)))
    write_client(published, 1, NEW)
    assert shown_size(published) == 8


def without_results_of_the_first_host(rows):
    name = rows.hosts[0].name
    return replace(rows, host_results=tuple(row for row in rows.host_results if row.host != name))


BROKEN = {
    "a task of no result": without_results_of_the_first_host,
    "a finding of no host": lambda rows: replace(rows, hosts=rows.hosts[1:]),
    "a host twice": lambda rows: replace(rows, hosts=(*rows.hosts, rows.hosts[0])),
    "a word nobody knows": lambda rows: replace(rows, hosts=(replace(rows.hosts[0], last_outcome="splendid"),)),
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN.keys())
def test_rows_that_do_not_fit_together_are_not_published(published, breaking):
    with pytest.raises(UnsafeError), locked_folder(published, 1) as folder:
        write_snapshot(folder, breaking(NEW))
    assert shown_size(published) == 7


def test_a_result_of_no_run_has_no_month_to_go_to(published):
    with pytest.raises(KeyError), locked_folder(published, 1) as folder:
        write_snapshot(folder, replace(NEW, runs=NEW.runs[1:]))
    assert shown_size(published) == 7


def spoiled(monkeypatch, name, spoil):
    """Let somebody change the file of this name between its filling and its check."""
    real = writer.fill_file

    def fill(path, *rows):
        real(path, *rows)
        if path.name == f".part-{name}":
            spoil(path)

    monkeypatch.setattr(writer, "fill_file", fill)


CHANGES = [
    ("current.sqlite", "DELETE FROM finding"),
    ("current.sqlite", "UPDATE meta SET value = 'NORD' WHERE key = 'client'"),
    ("current.sqlite", "CREATE TABLE stranger (x)"),
    ("current.sqlite", "CREATE VIEW stranger AS SELECT * FROM run"),
    ("2026-03.8.sqlite", "DELETE FROM task"),
    ("2026-03.8.sqlite", "UPDATE meta SET value = '2026-02' WHERE key = 'month'"),
    ("2026-03.8.sqlite", "INSERT INTO meta VALUES ('other', 'NORD')"),
    ("2026-03.8.sqlite", "CREATE TABLE stranger (x)"),
]


@pytest.mark.parametrize(("name", "statement"), CHANGES)
def test_a_file_that_is_not_what_was_to_be_written_is_not_published(published, monkeypatch, name, statement):
    def spoil(path):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    spoiled(monkeypatch, name, spoil)
    with pytest.raises(UnsafeError, match="does not verify"), locked_folder(published, 1) as folder:
        write_snapshot(folder, NEW)
    assert shown_size(published) == 7


@pytest.mark.parametrize("name", ["current.sqlite", "2026-03.8.sqlite"])
def test_a_flipped_page_is_noticed_before_the_rename(published, monkeypatch, name):
    def spoil(path):
        with path.open("r+b") as file:
            file.seek(3 * 4096)
            file.write(b"\xff" * 4096)

    spoiled(monkeypatch, name, spoil)
    with pytest.raises(UnsafeError), locked_folder(published, 1) as folder:
        write_snapshot(folder, NEW)
    assert shown_size(published) == 7


def test_a_legal_name_that_no_reader_would_take_is_refused_when_written(published):
    with locked_folder(published, 1) as folder, pytest.raises(UnsafeError, match="too long"):
        write_sidecar(folder, "ACME", "ż" * 3000)
    assert shown_size(published) == 7


def test_texts_that_sqlite_or_utf_8_cannot_carry_are_made_fit(published):
    hostile = make_rows(plan_client(1, hosts=12, runs=3, hostile=True))
    write_client(published, 1, hostile)
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        names = {task.name for run in (1, 2, 3) for task in snapshot.tasks(run)}
        assert len(names) > 2
        assert all(len(name) <= 4096 for name in names)
