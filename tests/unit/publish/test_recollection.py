"""A part of a ledger, asked with what the last publication remembers, is what reading everything gives."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from itcare.access import find_scope, list_scopes
from itcare.cli.history import describe_run, describe_run_fully
from itcare.publish.host_rows import make_finding_rows
from itcare.publish.recollection import recollect
from itcare.publish.run_list import find_doubts, list_runs, tell_doubts
from itcare.publish.run_rows import make_run_rows
from itcare.publish.snapshot import list_hosts_today
from tests.support.firms import HOSTS, Firm, pass_days
from tests.unit.publish.test_piecewise import STEPS, act


@pytest.fixture
def firm(tmp_path):
    return Firm(tmp_path)


def scope_of(firm):
    return find_scope(list_scopes(firm.folder / "published"), "ACME")


def listed(firm):
    return [
        {**describe_run("ACME", run.row), "to_verify": list(run.to_verify)}
        for run in list_runs(firm.recollect(), scope_of(firm))
    ]


def findings(firm, records):
    hosts = list_hosts_today(firm.source().contract.contract, firm.now)
    return make_finding_rows(records, hosts, firm.judge, firm.now)


def newest(firm):
    hosts = list_hosts_today(firm.source().contract.contract, firm.now)
    return firm.recollect().read_newest(host.name for host in hosts)


def check(firm):
    """Everything that commands ask for, beside what the whole history says."""
    history = firm.source().history
    doubts = find_doubts(tell_doubts(history))
    assert listed(firm) == [
        {**describe_run("ACME", row), "to_verify": doubts.get(row.number, [])} for row in make_run_rows(history)
    ]
    for number in [run.number for run in history.runs][-2:]:
        alone = firm.recollect().read_runs([number])
        (run,) = (run for run in history.runs if run.number == number)
        assert alone.runs == (run,)
    if (records := newest(firm)) is not None:
        assert findings(firm, records) == findings(firm, history)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_however_the_ledger_grew_a_part_of_it_is_told_as_out_of_the_whole(steps):
    folder = Path(tempfile.mkdtemp())
    try:
        firm = Firm(folder)
        for step in steps:
            act(firm, step)
            check(firm)
    finally:
        shutil.rmtree(folder)


def test_a_host_in_doubt_is_named_until_somebody_has_looked(firm):
    firm.visit(["pc01", "pc02"], outcome="unknown")
    pass_days(firm, 40)
    firm.visit(["pc01"], outcome="not_reached")
    firm.publish()
    assert [run["to_verify"] for run in listed(firm)] == [["pc01", "pc02"], []]
    firm.visit(["pc01"], grade="unannounced")  # anybody can write a spool
    assert [run["to_verify"] for run in listed(firm)] == [["pc01", "pc02"], [], []]
    firm.visit(["pc01"])
    assert [run["to_verify"] for run in listed(firm)] == [["pc02"], [], [], []]
    firm.publish()
    assert [run["to_verify"] for run in listed(firm)] == [["pc02"], [], [], []]
    check(firm)


def counting(firm):
    """A recollection, and the ranges of entries that are asked of the ledger."""
    source, asked = firm.source(), []

    def entries(start, stop):
        asked.append((start, stop))
        return source.entries(start, stop)

    return recollect(firm.bookmark, entries, source.checkpoint, source.body, source.live_runs), asked


def test_what_is_read_does_not_grow_with_the_past(firm):
    for _ in range(30):
        firm.visit()
        pass_days(firm, 1)
    firm.publish()
    firm.visit(["pc01"])
    known, asked = counting(firm)
    known.read_runs([3])
    list_runs(known, scope_of(firm))
    assert known.read_newest(HOSTS) is not None
    assert sum(stop - start for start, stop in asked) < 40  # of 153: one run, and what came since, four times
    assert len(firm.source().history.runs) == 31


def test_a_run_that_is_shown_is_that_run_to_its_last_task(firm):
    firm.visit()
    firm.visit(["pc01"], outcome="failed")
    firm.publish()
    told = describe_run_fully("ACME", firm.recollect().read_runs([2]))
    assert (told["number"], told["hosts"][0]["host"], told["hosts"][0]["outcome"]) == (2, "pc01", "failed")
    assert [task["module"] for task in told["hosts"][0]["tasks"]][0] == "itcare.maintenance.health_info"
    assert firm.recollect().read_runs([9]).runs == ()


def spoil_nothing(firm):
    pass


def spoil_bookmark(firm):
    firm.bookmark.write_bytes(b"SQLite format 3\0" + b"\xff" * 9000)


def lose_bookmark(firm):
    firm.bookmark.unlink()


def spoil_snapshot(firm):
    current = firm.folder / "published" / "1" / "current.sqlite"
    content = bytearray(current.read_bytes())
    content[-10] ^= 1
    current.write_bytes(content)


def lose_month(firm):
    for month in (firm.folder / "published" / "1").glob("2026-*.sqlite"):
        month.unlink()


@pytest.mark.parametrize("spoil", [spoil_nothing, spoil_bookmark, lose_bookmark, spoil_snapshot, lose_month])
def test_what_is_not_as_the_publication_left_it_is_not_relied_upon(firm, spoil):
    firm.visit()
    firm.visit(["pc02"], outcome="unknown")
    firm.publish()
    firm.visit(["pc01"], free=4)
    spoil(firm)
    check(firm)


def test_the_bookmark_of_another_ledger_is_not_relied_upon(firm):
    firm.visit(HOSTS, outcome="unknown")
    firm.visit()
    firm.publish()
    other = Firm(firm.folder)
    other.visit(["pc01"], free=4)
    other.visit(["pc02"], free=4)
    other.visit(["pc02"], outcome="unknown")
    assert [run["to_verify"] for run in listed(other)] == [[], [], ["pc02"]]
    check(other)


def test_asking_leaves_everything_as_it_is(firm):
    firm.visit()
    firm.recollect()
    assert not firm.bookmark.exists()
    firm.publish()
    firm.visit(["pc01"])
    before = {path: path.read_bytes() for path in firm.folder.rglob("*") if path.is_file()}
    check(firm)
    assert {path: path.read_bytes() for path in firm.folder.rglob("*") if path.is_file()} == before
