"""Adoption of plain ansible-playbook runs: once, whole or incomplete, graded, and never for a foreign host."""

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, ItcareError
from itcare.core.words import HostOutcome, ObligationState, RunGrade, RunState
from itcare.drive.adopt import adopt
from itcare.drive.controller import Operator
from itcare.drive.rerun import plan_rerun
from itcare.publish.history import read_history
from itcare.publish.obligation_rows import cover_contract
from itcare.publish.run_rows import make_run_rows
from tests.support.ledgers import check, new_ledger
from tests.support.observations import observation
from tests.support.publishing import write_contract
from tests.support.spools import RUN, SpoolText

AFTER = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
OPERATOR = Operator("kwojcik", "kwojcik", None, "Katarzyna Wójcik")
HEALTH = {"changed": False, "health": observation()}


def plain_spool(*hosts, run=None, second=0, **header):
    """A whole spool of a run that nobody announced; `second` sets the start of everything."""
    text = SpoolText().header(run, **header).play(*(hosts or ("pc01", "pc02")))
    for host in hosts or ("pc01", "pc02"):
        text.start(host, "t1").end(host, "t1", result=HEALTH)
    text.close()
    for line in text.lines:
        line["at"] = line["at"].replace("10:", f"{10 + second}:", 1)
    return text


@pytest.fixture
def place(tmp_path):
    ledger = new_ledger(tmp_path)
    ledger._clock = FixedClock(AFTER)
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01", "pc02", "pc03"])
    yield Place(tmp_path, ledger, loaded)
    ledger.engine.dispose()


class Place:
    def __init__(self, folder, ledger, loaded):
        self.folder, self.ledger, self.loaded = folder, ledger, loaded

    def adopt(self, spool, **options):
        path = spool if hasattr(spool, "parent") else spool.write(self.folder)
        options = {"reason": "urgent repair", "operator": OPERATOR, "clock": FixedClock(AFTER)} | options
        return adopt(self.ledger, self.loaded, path, **options)

    @property
    def log(self):
        return self.ledger.find_log("ACME")

    def entries(self):
        return list(self.ledger.entries(self.log))

    def history(self):
        return read_history(self.entries(), lambda digest: self.ledger.body(self.log, digest))


def test_a_plain_run_enters_the_ledger_as_an_unannounced_one(place):
    report = place.adopt(plain_spool(user="root"))
    assert (report.state, report.name.number, report.exit_code) == (RunState.COMPLETE, 1, 0)
    _, opened, *_, closed = place.entries()
    assert (opened.event["grade"], opened.event["run"], opened.event["duty"]) == ("unannounced", 1, "adopted")
    assert opened.event["hosts"] == ["pc01", "pc02"]
    assert opened.event["at"].startswith("2026-08-03T12:00")
    assert opened.event["played"]["from"] == "2026-08-03T10:00:00.000000Z"
    asked = place.ledger.body(place.log, opened.event["asked"])
    assert (asked["operator"]["stated"], asked["reason"]) == ("Katarzyna Wójcik", "urgent repair")
    assert asked["adopted"]["spool_user"] == "root"
    assert closed.event["spool"]["complete"] is True
    assert check(place.ledger.settings, place.log).sound


def test_no_name_of_a_person_or_folder_is_in_a_leaf(place):
    spool = plain_spool(user="jnowak", playbook={"path": "/home/jnowak/repair.yml", "sha256": "a" * 64})
    for line in spool.lines:
        if line["event"] == "task_start":
            line["file"] = "/home/jnowak/tasks.yml"
    place.adopt(spool)
    leaves = json.dumps([entry.event for entry in place.entries()])
    assert "jnowak" not in leaves and "urgent" not in leaves and "Wójcik" not in leaves
    assert "repair.yml" in leaves and "tasks.yml" in leaves


def test_numbers_go_on_without_a_gap_and_other_runs_stay_announced(place):
    place.adopt(plain_spool())
    with pytest.raises(BadInputError):
        place.adopt(plain_spool("pc09", second=1))
    place.adopt(plain_spool("pc03", second=2))
    history = place.history()
    assert [run.number for run in history.runs] == [1, 2]
    rows = make_run_rows(history)
    assert {row.grade for row in rows} == {RunGrade.UNANNOUNCED}
    assert rows[0].played_from < rows[0].opened_at


def test_a_foreign_host_refuses_the_whole_spool_and_is_named(place):
    with pytest.raises(BadInputError, match="does not name 'nord-server', 'pc09'"):
        place.adopt(plain_spool("pc01", "pc09", "nord-server"))
    with pytest.raises(ItcareError):
        place.ledger.find_log("ACME")  # not even enrolled


def test_a_host_that_only_a_play_names_is_foreign_as_well(place):
    text = plain_spool("pc01")
    text.lines[1]["hosts"] = ["pc01", "pc77"]
    with pytest.raises(BadInputError, match="pc77"):
        place.adopt(text)


def test_the_spool_of_an_announced_run_is_refused_with_the_way_on(place):
    with pytest.raises(BadInputError) as caught:
        place.adopt(plain_spool(run=RUN))
    assert RUN["id"] in caught.value.why and "itcare recover" in caught.value.remedy


def copies(spool, folder):
    """The same spool in other clothes."""
    data = spool.encoded()
    lines = data.splitlines(keepends=True)
    reworded = json.dumps(dict(reversed(list(json.loads(lines[0]).items())))).encode() + b"\n"
    later = {**spool.lines[0], "at": "2026-08-03T09:59:59.000000Z"}
    return {
        "again": data,
        "its first half": b"".join(lines[: len(lines) // 2]),
        "with more lines after it": data + b'{"n": 99}\n',
        "with a first line written otherwise": reworded + b"".join(lines[1:]),
        "with another start in its first line": json.dumps(later).encode() + b"\n" + b"".join(lines[1:]),
        "with another user in its first line": data.replace(b'"user":"itcare"', b'"user":"other"', 1),
    }


@pytest.mark.parametrize("name", list(copies(plain_spool(), None)))
def test_the_same_spool_is_refused_in_every_form(place, name):
    place.adopt(plain_spool())
    size = len(place.entries())
    renamed = place.folder / "renamed.jsonl"
    renamed.write_bytes(copies(plain_spool(), place.folder)[name])
    with pytest.raises(BadInputError, match="run ACME/1"):
        place.adopt(renamed)
    assert len(place.entries()) == size


def test_a_part_that_was_completed_later_is_the_same_spool(place):
    whole = plain_spool()
    part = place.folder / "part.jsonl"
    part.write_bytes(b"".join(whole.encoded().splitlines(keepends=True)[:4]))
    assert place.adopt(part).state is RunState.INCOMPLETE
    with pytest.raises(BadInputError, match="ACME/1"):
        place.adopt(whole)


def test_an_announced_runs_spool_without_its_number_is_known_by_its_tasks(place):
    """Its host leaf has the first task's start, whatever the header says."""
    spool = plain_spool("pc01")
    log = place.ledger.client_log("ACME", "Acme")
    start = next(line for line in spool.lines if line["event"] == "task_start")["at"]
    with place.ledger.append(log) as batch:
        batch.add({"type": "run.opened", "run": 1, "hosts": ["pc01"]})
        batch.add({"type": "run.host", "run": 1, "host": "pc01", "tasks": [{"start": start}]})
    with pytest.raises(BadInputError, match="ACME/1"):
        place.adopt(spool)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.999])
def test_a_spool_cut_anywhere_is_refused_or_incomplete_never_better(place, share):
    data = plain_spool().encoded()
    path = place.folder / "cut.jsonl"
    path.write_bytes(data[: int(len(data) * share)])
    try:
        report = place.adopt(path)
    except BadInputError:
        assert share < 0.4  # not even a host
        return
    assert (report.state, report.reason) == (RunState.INCOMPLETE, "spool")
    assert not {host.outcome for host in report.hosts} & {HostOutcome.OK, HostOutcome.CHANGED}


def test_a_spool_from_the_future_is_refused(place):
    with pytest.raises(BadInputError, match="yet to come"):
        place.adopt(plain_spool(), clock=FixedClock(AFTER - timedelta(days=1)))


def test_a_link_a_missing_file_and_a_folder_are_refused(place):
    spool = plain_spool().write(place.folder)
    link = place.folder / "link.jsonl"
    link.symlink_to(spool)
    for path in (link, place.folder / "none.jsonl", place.folder):
        with pytest.raises(BadInputError):
            place.adopt(path)


HOSTILE = [
    b"", b"\x00" * 100, b"{}\n", b"[]\n", b'{"n":0,"event":"header","spool":2,"at":"x","mono":1}\n', b"\xff\xfe\n",
    b'{"n":0,"event":"header","spool":true}\n', b"[" * 10**5 + b"\n", b'{"n":0,"n":0}\n', b"x" * (3 * 2**20),
    b'{"n":0,"event":"header","spool":1,"run":{},"at":"2026-08-03T10:00:00Z","mono":1}\n',
]  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_spool_is_refused_with_a_sentence(place, content):
    path = place.folder / "hostile.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="no spool of version 1"):
        place.adopt(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 2000), byte=st.integers(0, 255))
def test_a_changed_byte_never_breaks_the_ledger(place, position, byte):
    data = bytearray(plain_spool().encoded())
    data[position % len(data)] = byte
    path = place.folder / "changed.jsonl"
    path.write_bytes(bytes(data))
    with suppress(ItcareError):
        place.adopt(path)
    if place.ledger.logs()[1:]:
        assert check(place.ledger.settings, place.log).sound


def test_an_adopted_run_keeps_no_promise_and_is_no_look(place):
    place.ledger.client_log("ACME", "Acme")
    now = AFTER + timedelta(hours=1)
    before = states(place, now)
    assert set(before) == {ObligationState.PLANNED} or ObligationState.DONE not in before
    place.adopt(plain_spool("pc01", "pc02", "pc03"))
    assert states(place, now) == before
    history = place.history()
    assert history.attempts("pc01") == () and history.last_look("pc01") is None


def test_the_same_run_announced_would_have_kept_the_promise(place):
    """The test above can fail: without its grade the adopted run is good evidence."""
    place.adopt(plain_spool("pc01", "pc02", "pc03"))
    history = place.history()
    (run,) = history.runs
    opened = {key: value for key, value in run.opened.items() if key != "grade"} | {"duty": "visit.daily"}
    announced = replace(history, runs=(replace(run, opened=opened),))
    now = AFTER + timedelta(hours=1)
    done = [c.state for c in cover_contract(place.loaded.contract, announced, now)]
    assert done.count(ObligationState.DONE) == 3


@pytest.mark.parametrize("grade", ["unannounced", "Announced", "", None, 1, ["announced"]])
def test_a_grade_that_is_not_the_known_word_is_not_the_better_one(place, grade):
    place.adopt(plain_spool())
    (run,) = place.history().runs
    assert replace(run, opened={**run.opened, "grade": grade}).grade is RunGrade.UNANNOUNCED


def states(place, now):
    return [coverage.state for coverage in cover_contract(place.loaded.contract, place.history(), now)]


def test_an_adopted_run_cannot_be_run_again(place):
    report = place.adopt(plain_spool())
    events = [entry.event for entry in place.ledger.entries(place.ledger.find_log(report.name.client))]
    with pytest.raises(BadInputError, match="adopted"):
        plan_rerun(place.ledger, report.name, lambda: events, failed_only=False)


def test_two_clients_may_not_share_a_spool_by_accident(place):
    other = write_contract(place.folder / "contracts", "NORD", ["nord-pc"])
    spool = plain_spool().write(place.folder)
    shutil.copy(spool, place.folder / "copy.jsonl")
    with pytest.raises(BadInputError, match="contract of NORD does not name"):
        adopt(place.ledger, other, spool, reason="x", operator=OPERATOR, clock=FixedClock(AFTER))
