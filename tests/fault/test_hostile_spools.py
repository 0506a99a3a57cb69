"""A hostile or broken line in a spool is brought in as what it is: the run is incomplete, the ledger sound."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.core.words import HostOutcome, RunState
from itcare.drive.importing import bring, read_import
from itcare.drive.orders import Ended, Ending
from itcare.drive.report import RunReport
from itcare.ledger.check import check_log
from tests.support.driving import Bench, make_bench
from tests.support.open_runs import CLIENT, CLOCK, OpenRun
from tests.support.spools import BAD_LINES

NUMBERS = itertools.count(1)
GOOD = (HostOutcome.OK, HostOutcome.CHANGED)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield make_bench(tmp_path_factory.mktemp("hostile"))


def bring_bytes(run: OpenRun, content: bytes) -> RunReport:
    run.folder.spool.write_bytes(content)
    Ended(Ending.FINISHED, 0).write(run.folder)
    return bring(run.bench.ledger, run.log, read_import(run.row, run.folder, run.plan), run.row.fence, CLOCK)


def require_sound(bench: Bench) -> None:
    found = check_log(bench.settings, bench.ledger.engine, bench.ledger.find_log(CLIENT), integrity=False)
    assert found.sound, found.message


@pytest.mark.parametrize("name", BAD_LINES)
def test_each_known_bad_line_makes_an_incomplete_run_and_keeps_its_neighbours(bench: Bench, name: str) -> None:
    line, problem = BAD_LINES[name]
    run = OpenRun(bench, next(NUMBERS))
    before = run.text().start("pc01", "t1").end("pc01", "t1").encoded()
    bad = line.replace(b'"n":1', b'"n":5').replace(b'"n":2', b'"n":7')

    report = bring_bytes(run, before + bad + b"\n")

    assert report.state is RunState.INCOMPLETE
    closed = bench.events(CLIENT, "run.closed")[-1]
    assert closed["spool"]["problems"][0] == problem
    assert (closed["spool"]["bytes"], closed["spool"]["lines"]) == (len(before), 5)
    assert [task["outcome"] for task in bench.host_event(CLIENT, run.row.number, "pc01")["tasks"]] == ["ok"]
    assert not {host.outcome for host in report.hosts} & set(GOOD)  # without the closing line nothing is done
    require_sound(bench)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.fixed_dictionaries(
    {
        "n": st.just(5) | JSON,
        "event": st.sampled_from(["play", "file", "task_start", "task_end", "end", "header"]) | JSON,
        "at": st.just("2026-08-03T10:00:05.000000Z") | JSON,
        "mono": st.just(105.0) | JSON,
    },
    optional={
        "host": st.sampled_from(["pc01", "pc02", "../../x"]) | JSON, "task": st.sampled_from(["t1", "t2"]) | JSON,
        "position": st.integers(0, 2) | JSON, "name": JSON, "module": JSON, "file": JSON, "line": JSON, "args": JSON,
        "check": JSON, "outcome": st.sampled_from(["ok", "changed", "unfinished"]) | JSON, "ignored": JSON,
        "truncated": JSON, "result": JSON, "hosts": JSON, "lines": st.just(6) | JSON, "play": JSON, "path": JSON,
    },
)  # fmt: skip


@settings(max_examples=40)
@given(members=MEMBERS, raw=st.binary(max_size=40))
def test_no_line_at_all_breaks_the_import_or_makes_the_other_computer_good(
    bench: Bench, members: dict[str, object], raw: bytes
) -> None:
    run = OpenRun(bench, next(NUMBERS))
    text = run.text().start("pc01", "t1").end("pc01", "t1").encoded()
    report = bring_bytes(run, text + json.dumps(members).encode() + b"\n" + raw)
    assert next(host for host in report.hosts if host.name == "pc02").outcome not in GOOD
    require_sound(bench)


def test_without_the_fault_the_same_run_is_complete(bench: Bench) -> None:
    run = OpenRun(bench, next(NUMBERS))
    report = bring_bytes(run, run.whole().encoded())
    assert (report.state, {host.outcome for host in report.hosts}) == (RunState.COMPLETE, {HostOutcome.OK})


def test_the_folder_of_a_run_stays_for_the_driver_to_remove(bench: Bench, tmp_path: Path) -> None:
    """The import reads and never writes there: the spool stays as it was until the ledger has it."""
    run = OpenRun(bench, next(NUMBERS))
    content = run.whole().encoded() + b"{broken\n"
    bring_bytes(run, content)
    assert run.folder.spool.read_bytes() == content
