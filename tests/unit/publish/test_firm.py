"""The overview across clients: sums of what was published, one door, replaced whole."""

import errno
import os
import sqlite3
import stat
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from itcare.access import Principal, list_scopes, staff_scope
from itcare.core.errors import BusyError, NotFoundError, UnsafeError
from itcare.core.words import FindingStatus, ObligationState
from itcare.publish import files, firm_reader
from itcare.publish.codec import column_names
from itcare.publish.files import locked_root
from itcare.publish.firm import FirmAreaRow, FirmClientRow
from itcare.publish.firm_reader import FirmOverview
from itcare.publish.firm_schema import FIRM_DDL
from itcare.publish.firm_writer import publish_firm
from tests.support.snapshots import NOW, make_rows, make_snapshot, plan_client, summarise_rows, with_meta

ZONE = ZoneInfo("Europe/Warsaw")
STAFF = Principal("kwojcik", is_staff=True)


def summary(number, **options):
    return summarise_rows(number, make_rows(plan_client(number, **options)))


@pytest.fixture
def published(tmp_path):
    published = make_snapshot(tmp_path, clients=2)
    for number in (1, 2):
        publish_firm(published, summary(number))
    return published


def open_overview(published):
    return FirmOverview.open(staff_scope(published, STAFF))


@pytest.mark.parametrize(("table", "kind"), [("client", FirmClientRow), ("area", FirmAreaRow)])
def test_fields_of_a_row_are_the_columns_of_its_table_in_order(table, kind):
    connection = sqlite3.connect(":memory:")
    connection.executescript(FIRM_DDL)
    assert tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})")) == column_names(kind)


def test_a_clients_numbers_are_the_sums_over_its_own_snapshot(published):
    rows = make_rows(plan_client(2))
    with open_overview(published) as overview:
        client = overview.clients()[1]
        (area,) = overview.areas(2)
    assert (client.code, client.published_at, client.tree_size) == ("NORD", rows.meta.published_at, rows.meta.tree_size)
    assert client.findings_fail == sum(row.status is FindingStatus.FAIL for row in rows.findings)
    assert client.findings_unknown == sum(row.status is FindingStatus.UNKNOWN for row in rows.findings)
    assert client.hosts == sum(host.current for host in rows.hosts)
    month = [row for row in rows.obligations if row.month == f"{NOW:%Y-%m}"]
    assert area.done == sum(row.state is ObligationState.DONE for row in month)
    assert sum(getattr(area, state.value) for state in ObligationState) == len(month)
    assert area.delivered <= area.settled <= len(month)


def test_publishing_one_client_again_leaves_the_others_as_they_were(published):
    with open_overview(published) as overview:
        before = overview.clients()[1], overview.areas(2)
    publish_firm(published, summary(1, hosts=12, now=NOW + timedelta(days=1)))
    with open_overview(published) as overview:
        assert (overview.clients()[1], overview.areas(2)) == before
        assert overview.clients()[0].published_at == NOW + timedelta(days=1)


def test_a_duty_that_owed_nothing_this_month_is_listed_with_zeros(tmp_path):
    rows = with_meta(make_rows(plan_client(1, hosts=0, runs=0)), duties={"visit.daily": None, "patch.weekly": "Łaty"})
    (area, visit) = summarise_rows(1, rows).areas
    assert (area.area, area.title, area.settled, area.planned) == ("patch.weekly", "Łaty", 0, 0)
    assert visit.title is None


def test_an_unsound_ledger_is_told(tmp_path):
    published = make_snapshot(tmp_path, clients=1)
    publish_firm(published, summary(1, sound=False))
    with open_overview(published) as overview:
        assert not overview.clients()[0].ledger_is_sound
        assert "entry 7" in overview.clients()[0].ledger_message


def test_the_file_is_for_the_group_to_read_and_leaves_nothing_beside_it(published):
    assert stat.S_IMODE((published / "firm.sqlite").stat().st_mode) == 0o640
    assert sorted(path.name for path in published.iterdir()) == ["1", "2", "firm.sqlite"]


@pytest.mark.parametrize(
    "principal", [Principal("anna"), Principal("anna", False), Principal("anna", "yes"), Principal("", 1)]
)
def test_only_staff_passes_the_door(published, principal):
    with pytest.raises(NotFoundError):
        staff_scope(published, principal)


def test_the_list_of_clients_does_not_see_the_overview(published):
    assert [scope.code for scope in list_scopes(published)] == ["ACME", "NORD"]


@pytest.mark.parametrize("name", ["CLIENTS", "AREAS", "CLIENT_AREAS"])
def test_every_statement_goes_by_a_key(published, name):
    with open_overview(published) as overview:
        plan = overview._connection.execute(
            f"EXPLAIN QUERY PLAN {getattr(firm_reader, name)}", {"limit": 1, "offset": 0, "client": 1}
        ).fetchall()
    assert not any("TEMP B-TREE" in row["detail"] for row in plan)


def change(published, statement):
    with sqlite3.connect(published / "firm.sqlite") as connection:
        connection.execute(statement)


def test_another_version_is_refused_and_the_next_publication_begins_anew(published):
    change(published, "UPDATE meta SET value = '9'")
    with pytest.raises(UnsafeError, match="version is '9'"):
        open_overview(published)
    publish_firm(published, summary(2))
    with open_overview(published) as overview:
        assert [row.code for row in overview.clients()] == ["NORD"]


def test_a_damaged_file_and_a_link_are_refused(published):
    path = published / "firm.sqlite"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    with pytest.raises(UnsafeError):
        open_overview(published)
    path.unlink()
    path.symlink_to(published / "1" / "current.sqlite")
    with pytest.raises(UnsafeError, match="not a regular file"):
        open_overview(published)
    path.unlink()
    with pytest.raises(NotFoundError):
        open_overview(published)


@pytest.mark.parametrize("name", ["fsync", "fchmod", "replace"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failing_system_call_leaves_the_old_overview(published, monkeypatch, name, code):
    real = getattr(os, name)
    calls = []

    def fail(*args, **options):
        calls.append(args)
        if len(calls) == 1:
            raise OSError(code, os.strerror(code))
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        with pytest.raises(UnsafeError):
            publish_firm(published, summary(1, hosts=12))
    with open_overview(published) as overview:
        assert overview.clients()[0].hosts == summary(1).client.hosts
    assert not list(published.glob(".part-*"))


def test_two_publishers_take_turns_or_are_told(published, monkeypatch):
    monkeypatch.setattr(files, "LOCK_ATTEMPTS", 2)
    with locked_root(published), pytest.raises(BusyError):
        publish_firm(published, summary(1))


def test_no_client_is_lost_when_there_are_more_rows_than_one_answer_has(published, monkeypatch):
    monkeypatch.setattr("itcare.publish.database.MAXIMUM_ROWS", 1)
    monkeypatch.setattr("itcare.publish.firm_writer.MAXIMUM_ROWS", 1)
    publish_firm(published, summary(3))
    monkeypatch.undo()
    with open_overview(published) as overview:
        assert [row.code for row in overview.clients()] == ["ACME", "NORD", "K03"]
        assert {row.client_id for row in overview.areas()} == {1, 2, 3}
