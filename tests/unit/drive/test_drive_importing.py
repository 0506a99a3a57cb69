"""A spool counts once, for its own run, by its own driver; what is in it cannot reach another host."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from itcare.core.clock import SystemClock
from itcare.core.errors import BadInputError, BusyError
from itcare.core.words import HostOutcome, RunState
from itcare.drive import rows
from itcare.drive.importing import read_import
from itcare.drive.orders import Ended, Ending
from itcare.drive.report import RunReport
from itcare.store.engine import read, write
from tests.support.driving import Bench, make_bench
from tests.support.open_runs import CLIENT
from tests.support.open_runs import OpenRun as Open
from tests.support.spools import SpoolText

CLOCK = SystemClock()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def outcomes(report: RunReport) -> dict[str, str]:
    return {host.name: host.outcome.value for host in report.hosts}


def test_a_whole_spool_becomes_one_leaf_per_host_and_a_closing_one(bench: Bench) -> None:
    run = Open(bench)
    report = run.bring(run.whole())
    assert (report.state, outcomes(report)) == (RunState.COMPLETE, {"pc01": "ok", "pc02": "ok"})
    assert [event["type"] for event in bench.events(CLIENT)[1:]] == ["run.host", "run.host", "run.closed"]
    with read(bench.ledger.engine) as connection:
        row = rows.find_run(connection, run.row.id)
        assert row is not None
        assert (row.state, rows.leases_expired(connection, row.id, CLOCK.now())) == (RunState.COMPLETE, True)
    assert bench.ledger.latest_checkpoint(run.log).size == len(bench.events(CLIENT))


def test_people_and_addresses_are_in_bodies_only(bench: Bench) -> None:
    run = Open(bench)
    run.bring(run.whole())
    told = json.dumps(bench.events(CLIENT))
    assert "192.0.2.7" not in told
    detail: Any = bench.ledger.body(run.log, bench.host_event(CLIENT, 1, "pc01")["detail"])
    assert (detail["address"], detail["remote_user"]) == ("192.0.2.7", "itcare")


def test_the_same_spool_counts_once(bench: Bench) -> None:
    run = Open(bench)
    run.bring(run.whole())
    before = bench.events(CLIENT)
    with pytest.raises(BadInputError, match="closed already"):
        run.bring(None)
    assert bench.events(CLIENT) == before


@pytest.mark.parametrize(
    "changes", [{"id": "f" * 32}, {"nonce": "cd" * 16}, {"fence": 999}], ids=["run", "nonce", "fence"]
)
def test_the_spool_of_another_run_is_refused_whatever_its_name(bench: Bench, changes: dict[str, object]) -> None:
    run = Open(bench)
    text = run.text(**changes)
    for host in ("pc01", "pc02"):
        text.start(host, "t1").end(host, "t1")
    report = run.bring(text.close())
    assert report.state is RunState.INCOMPLETE
    assert set(outcomes(report).values()) == {HostOutcome.UNKNOWN}
    assert [alarm.kind for alarm in report.alarms] == ["foreign_spool"]
    assert all(event["tasks"] == [] for event in bench.events(CLIENT, "run.host"))


def test_a_spool_without_an_identity_is_no_driver_s_spool(bench: Bench) -> None:
    run = Open(bench)
    text = SpoolText().header(None).play("pc01").start("pc01", "t1").end("pc01", "t1").close()
    assert [alarm.kind for alarm in run.bring(text).alarms] == ["foreign_spool"]


def test_a_dry_run_s_spool_is_not_taken_for_a_real_one(bench: Bench) -> None:
    run = Open(bench)
    text = SpoolText().header(run.identity, check=True).play("pc01").start("pc01", "t1").end("pc01", "t1").close()
    assert [alarm.kind for alarm in run.bring(text).alarms] == ["foreign_spool"]


def test_an_owner_that_was_replaced_writes_nothing(bench: Bench) -> None:
    run = Open(bench)
    before = bench.events(CLIENT)
    with write(bench.ledger.engine) as connection:
        newer = rows.take_over(connection, run.row.id, CLOCK.now())
    with pytest.raises(BusyError, match="taken the run over"):
        run.bring(run.whole())
    assert bench.events(CLIENT) == before
    assert run.bring(None, owner=newer).state is RunState.COMPLETE


def test_a_host_that_the_run_did_not_plan_gets_no_leaf_and_an_alarm(bench: Bench) -> None:
    run = Open(bench)
    text = run.text()
    for host in ("pc01", "pc02", "srv-other"):
        text.start(host, "t1").end(host, "t1")
    report = run.bring(text.close())
    assert {event["host"] for event in bench.events(CLIENT, "run.host")} == {"pc01", "pc02"}
    assert [alarm.kind for alarm in report.alarms] == ["foreign_host"]


def test_a_host_without_a_line_was_not_run(bench: Bench) -> None:
    run = Open(bench)
    report = run.bring(run.text().start("pc01", "t1").end("pc01", "t1").close())
    assert (report.state, outcomes(report)) == (RunState.PARTIAL, {"pc01": "ok", "pc02": "not_run"})


def test_a_file_that_was_changed_under_the_run_raises_an_alarm(bench: Bench) -> None:
    run = Open(bench)
    run.plan = replace(run.plan, files={"plugins/modules/health_info.py": "00" * 32})
    assert [alarm.kind for alarm in run.bring(run.whole()).alarms] == ["file_changed"]


def test_a_forged_event_is_told_with_its_host_when_the_run_has_it(bench: Bench) -> None:
    run = Open(bench)
    forged = {"event": "runner_on_ok", "host": "pc02", "task": "t1", "n": 1}
    run.folder.events.write_text("".join(json.dumps(one) + "\n" for one in (forged, forged)))
    report = run.bring(run.whole())
    assert [(alarm.kind, alarm.host) for alarm in report.alarms] == [("forged_event", "pc02")]
    assert bench.host_event(CLIENT, 1, "pc02")["alarms"] == ["forged_event"]
    assert bench.host_event(CLIENT, 1, "pc01")["alarms"] == []


def test_without_the_comparison_a_forged_event_would_go_unnoticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defence is needed: nothing else tells of the lie."""
    monkeypatch.setattr("itcare.drive.alarms.find_forged", lambda *_: ())
    run = Open(bench)
    run.folder.events.write_text(json.dumps({"event": "runner_on_ok", "host": "pc02", "task": "t1", "n": 1}) + "\n")
    assert run.bring(run.whole()).alarms == ()


def test_cut_at_any_byte_a_spool_never_makes_a_complete_run(bench: Bench) -> None:
    run = Open(bench)
    content = run.whole().encoded()
    Ended(Ending.FINISHED, 0).write(run.folder)
    for length in range(0, len(content), 7):
        run.folder.spool.write_bytes(content[:length])
        judged = read_import(run.row, run.folder, run.plan)
        assert judged.state is RunState.INCOMPLETE
        assert not {HostOutcome.OK, HostOutcome.CHANGED} & {verdict.outcome for verdict in judged.verdicts.values()}


def test_an_ending_that_nobody_wrote_is_a_death(bench: Bench) -> None:
    run = Open(bench)
    run.folder.ended.write_text("{half")
    judged = read_import(run.row, run.folder, run.plan)
    assert (judged.state, judged.reason) == (RunState.INTERRUPTED, "died")


def test_run_numbers_have_no_gap_and_leases_exclude(bench: Bench) -> None:
    first = Open(bench)
    with pytest.raises(BusyError, match=f"{CLIENT}/1"):
        Open(bench, 2)
    with read(bench.ledger.engine) as connection:
        assert rows.next_number(connection, first.log.client_id or 0) == 2
    other = Open(bench, 3, hosts=("pc03",))
    assert other.row.fence > first.row.fence


def test_leases_end_unless_they_are_renewed(bench: Bench) -> None:
    run = Open(bench)
    late = CLOCK.now() + rows.LEASE + timedelta(seconds=1)
    with write(bench.ledger.engine) as connection:
        assert rows.leases_expired(connection, run.row.id, late)
        assert rows.renew_leases(connection, run.row.id, run.row.fence, late)
        assert not rows.leases_expired(connection, run.row.id, late)
        rows.take_over(connection, run.row.id, late)
        assert not rows.renew_leases(connection, run.row.id, run.row.fence, late)
