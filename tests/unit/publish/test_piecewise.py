"""However a ledger grew and was published meanwhile, what lies there is what reading everything at once gives."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.access import find_scope, list_scopes
from itcare.publish.reader import Snapshot
from tests.support.firms import HOSTS, Firm, pass_days
from tests.support.published import read_published
from tests.support.publishing import SMALL_JUDGE, Checked


@pytest.fixture
def firm(tmp_path):
    return Firm(tmp_path)


def files_of(firm):
    return {path.name: path.stat().st_ino for path in (firm.folder / "published" / "1").iterdir()}


def test_after_one_more_visit_nothing_else_is_written(firm):
    for _ in range(50):
        firm.visit()
        pass_days(firm, 1)
    firm.publish(rebuild=True)
    before = files_of(firm)
    firm.visit(["pc02"], free=5, software=1)
    publication = firm.publish()
    after = files_of(firm)
    assert {name for name in after if before.get(name) != after[name]} == {file.name for file in publication.files}
    assert sorted(file.name for file in publication.files) == ["2026-03.254.sqlite", "client.json", "current.sqlite"]
    assert {row["host"] for row in publication.judgements} == {"pc02"}
    firm.check()


def test_what_publishing_fetches_does_not_grow_with_the_past(firm):
    for _ in range(40):
        firm.visit()
        pass_days(firm, 1)
    firm.publish(rebuild=True)
    firm.visit(["pc01"])
    firm.story.fetched.clear()
    firm.publish()
    assert len(firm.story.fetched) < 20


def test_a_run_that_was_at_work_when_published_is_shown_whole_when_it_ends(firm):
    firm.visit()
    run = firm.begin()
    firm.publish()
    firm.check()
    pass_days(firm, 0.01)
    firm.end(run, HOSTS, free=4)
    firm.publish()
    firm.check()


def test_a_run_whose_process_was_lost_is_taken_back_when_it_is_recovered(firm):
    firm.visit()
    firm.publish()
    run = firm.begin(live=False)
    firm.publish()
    firm.check()
    pass_days(firm, 0.2)
    firm.visit(["srv01"])
    firm.publish()
    firm.check()
    firm.end(run, HOSTS, free=4)
    firm.publish()
    firm.check()


def test_a_run_that_is_recovered_months_later_is_believed_in_its_own_month(firm):
    run = firm.begin(live=False)
    for _ in range(5):
        pass_days(firm, 20)
        firm.visit()
        firm.publish()
    firm.end(run, HOSTS, free=4)
    firm.publish()
    firm.check()


def test_an_entry_that_nobody_can_read_takes_the_ground_from_all_before_it(firm):
    firm.visit(free=50)
    firm.publish()
    pass_days(firm, 1)
    firm.stray()
    firm.publish()
    firm.check()
    pass_days(firm, 1)
    firm.visit(free=4)
    firm.publish()
    firm.check()


def test_a_look_grows_too_old_while_nothing_happens(firm):
    firm.visit()
    pass_days(firm, 9)
    firm.visit(["pc01"])
    firm.publish()
    pass_days(firm, 6)
    firm.visit(["srv01"])
    firm.publish()
    firm.check()


def test_a_bookmark_that_is_damaged_is_begun_anew(firm):
    firm.visit()
    firm.publish()
    (firm.folder / "mark.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 9000)
    firm.visit(["pc01"])
    firm.publish()
    firm.check()


def test_a_published_file_that_was_changed_is_not_built_upon(firm):
    firm.visit()
    firm.publish()
    current = firm.folder / "published" / "1" / "current.sqlite"
    current.write_bytes(current.read_bytes()[:-4096])
    firm.visit(["pc01"])
    firm.publish()
    firm.check()


def test_a_month_that_was_changed_is_not_built_upon(firm):
    firm.visit()
    firm.publish()
    (month,) = (firm.folder / "published" / "1").glob("2026-01.*.sqlite")
    content = bytearray(month.read_bytes())
    content[-10] ^= 1
    month.write_bytes(content)
    firm.visit(["pc01"])
    firm.publish()
    firm.check()


def test_a_ledger_that_is_another_one_is_read_from_its_beginning(firm):
    firm.visit()
    firm.publish()
    other = Firm(firm.folder)
    other.story.entries[0] = replace(other.story.entries[0], leaf_hash="ab" * 32)
    other.visit(["pc01"], free=4)
    other.visit(["pc02"], free=4)
    other.publish()
    other.check()


def test_what_cannot_be_confirmed_brings_no_rows_and_takes_none(firm):
    firm.visit()
    firm.publish()
    shown = read_published(firm.folder / "published" / "1")
    pass_days(firm, 1)
    firm.visit(["pc01"], free=4)
    firm.publish(soundness=Checked(sound=False, message="entry 2 was changed"))
    assert read_published(firm.folder / "published" / "1") == shown
    scope = find_scope(list_scopes(firm.folder / "published"), "ACME")
    with Snapshot.open(scope) as snapshot:
        assert not snapshot.meta().ledger_is_sound
        assert snapshot.meta().ledger_message == "entry 2 was changed"
    firm.publish()
    firm.check()


def test_an_unsound_ledger_that_was_never_published_is_shown_as_unsound(firm):
    firm.visit()
    firm.publish(soundness=Checked(sound=False, message="entry 2 was changed"))
    assert not (firm.folder / "mark.sqlite").exists()
    firm.publish()
    firm.check()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("visit"), st.sets(st.sampled_from(HOSTS), min_size=1), st.sampled_from([4, 30, 50]),
                  st.integers(0, 2),
                  st.sampled_from(["ok", "ok", "ok", "changed", "failed", "not_reached", "unknown"])),
        st.tuples(st.just("days"), st.sampled_from([0.1, 1, 1, 3, 15, 32])),
        st.tuples(st.just("publish"), st.booleans()),
        st.tuples(st.just("begin"), st.sets(st.sampled_from(HOSTS), min_size=1), st.booleans()),
        st.tuples(st.just("end"), st.integers(0, 3)),
        st.tuples(st.just("adopt"), st.sets(st.sampled_from((*HOSTS, "old01")), min_size=1)),
        st.tuples(st.just("hosts"), st.sampled_from([HOSTS, HOSTS[:2], (*HOSTS, "new01")])),
        st.tuples(st.just("policy"), st.sampled_from(["2026.1", "2026.2"])),
        st.tuples(st.just("stray"),),
    ),
    min_size=3, max_size=25,
)  # fmt: skip


def act(firm, step):
    match step:
        case ("visit", hosts, free, software, outcome):
            firm.visit(sorted(hosts), free=free, software=software, outcome=outcome)
        case ("days", days):
            pass_days(firm, days)
        case ("publish", rebuild):
            firm.publish(rebuild=rebuild)
        case ("begin", hosts, live):
            firm.begin(sorted(hosts), live=live)
        case ("end", place) if firm.open:
            firm.end(*firm.open[place % len(firm.open)])
        case ("adopt", hosts):
            firm.visit(sorted(hosts), grade="unannounced")
        case ("hosts", hosts):
            firm.hosts = hosts
        case ("policy", version):
            firm.judge = replace(SMALL_JUDGE, policy_version=version)
        case ("stray",):
            firm.stray()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_however_it_grew_the_files_hold_what_the_whole_ledger_gives(steps):
    folder = Path(tempfile.mkdtemp())
    try:
        firm = Firm(folder)
        for step in steps:
            act(firm, step)
        firm.publish()
        firm.check()
    finally:
        shutil.rmtree(folder)
