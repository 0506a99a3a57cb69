"""What a ledger tells of runs and hosts, and that damage never makes it sound better."""

from copy import deepcopy
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itcare.core.errors import UnsoundError
from itcare.core.words import HostOutcome, RunState, TaskOutcome
from itcare.publish.history import read_history
from itcare.publish.records import Flaw, Observation
from tests.support.stories import DAY, Story, StoryEntry, observe, task

HEALTH = "itcare.maintenance.health_info"


def read(story, **options):
    return read_history(story.entries, story.body, **options)


def test_a_whole_visit_reads_back_with_its_observation():
    story = Story("ACME")
    story.visit({"pc01": observe(free_percent=7)})
    history = read(story)
    (run,) = history.runs
    assert (history.client, history.problems) == ("ACME", ())
    assert (run.state, run.hosts["pc01"].outcome) == (RunState.COMPLETE, HostOutcome.OK)
    look = history.last_look("pc01")
    assert isinstance(look, Observation)
    assert look.health["sources"]["filesystems"]["data"][0]["available_bytes"] == 35_000_000_000
    assert look.record.leaf == story.entries[2].leaf_hash


def test_bodies_are_fetched_only_when_they_are_asked_for():
    story = Story("ACME")
    for day in range(20):
        story.visit({"pc01": observe(), "pc02": observe()}, at=DAY - timedelta(days=20 - day))
    history = read(story)
    assert story.fetched == []
    history.last_look("pc01")
    history.last_look("pc01")
    assert len(story.fetched) == 1


def test_the_time_of_an_observation_is_the_controllers_not_the_hosts():
    story = Story("ACME")
    story.visit({"pc01": observe(at=DAY + timedelta(days=3650))})
    assert read(story).last_look("pc01").observed_at == DAY + timedelta(seconds=20)


def test_an_open_run_is_running_while_its_process_lives_and_interrupted_afterwards():
    story = Story("ACME")
    number = story.open_run(["pc01", "pc02"])
    story.tell_host(number, "pc01", health=observe())
    (alive,), (dead,) = read(story, live_runs={number}).runs, read(story).runs
    assert (alive.state, list(alive.hosts)) == (RunState.RUNNING, ["pc01"])
    assert (dead.state, dead.hosts["pc02"].outcome) == (RunState.INTERRUPTED, HostOutcome.INTERRUPTED)
    assert dead.hosts["pc02"].needs_verify


def test_a_host_that_no_leaf_tells_of_is_unknown_and_the_run_not_complete():
    story = Story("ACME")
    number = story.open_run(["pc01", "pc02"])
    story.tell_host(number, "pc01", health=observe())
    story.close_run(number, "complete")
    (run,) = read(story).runs
    assert run.state is RunState.INCOMPLETE
    lost = run.hosts["pc02"]
    assert (lost.outcome, lost.needs_verify, lost.entry) == (HostOutcome.UNKNOWN, True, None)


@pytest.mark.parametrize("outcome", ["not_reached", "unknown", "interrupted", "not_run"])
def test_a_run_that_left_a_host_open_is_never_called_complete(outcome):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    story.tell_host(number, "pc01", outcome)
    story.close_run(number, "complete")
    assert read(story).runs[0].state is RunState.PARTIAL


def test_a_host_not_reached_today_keeps_what_was_seen_yesterday():
    story = Story("ACME")
    story.visit({"pc01": observe()}, at=DAY - timedelta(days=1))
    number = story.open_run(["pc01"])
    story.tell_host(number, "pc01", "not_reached", tasks=[task(0, HEALTH, outcome="unreachable")])
    story.close_run(number, "partial")
    assert read(story).last_look("pc01").record.run == 1


FLAWS = [
    ("its task failed", {"outcome": "failed", "tasks": [task(0, HEALTH, outcome="failed")]}, "failed"),
    ("its task hung", {"outcome": "unknown", "tasks": [task(0, HEALTH, outcome="timed_out")]}, "timed_out"),
    ("its task has no end", {"outcome": "interrupted", "tasks": [task(0, HEALTH, outcome="unfinished")]}, "unfinished"),
    ("its result was cut", {"tasks": [task(0, HEALTH, truncated=True)]}, "truncated"),
    ("whether it was cut is not said", {"tasks": [task(0, HEALTH, truncated=None)]}, "truncated"),
    ("its result has no body", {"tasks": [task(0, HEALTH)]}, "unreadable"),
    ("its body was erased", {"tasks": [task(0, HEALTH, result="0" * 64)]}, "erased"),
    ("contact was lost before it", {"outcome": "unknown", "tasks": [task(0, "ansible.builtin.ping")]}, "unknown"),
    ("the outcome is no word", {"outcome": "splendid"}, "unreadable"),
    ("the tasks are no list", {"tasks": "none"}, "unreadable"),
    ("a task is no object", {"tasks": [task(0, HEALTH), 7]}, "unreadable"),
    ("two tasks have one position", {"tasks": [task(0, HEALTH), task(0, HEALTH)]}, "unreadable"),
    ("a task has no module", {"tasks": [task(0, None)]}, "unreadable"),
]


@pytest.mark.parametrize(("changes", "reason"), [row[1:] for row in FLAWS], ids=[row[0] for row in FLAWS])
def test_a_broken_look_takes_the_place_of_an_older_good_one(changes, reason):
    story = Story("ACME")
    story.visit({"pc01": observe()}, at=DAY - timedelta(days=1))
    number = story.open_run(["pc01"])
    story.tell_host(number, "pc01", **changes)
    story.close_run(number, "partial")
    look = read(story).last_look("pc01")
    assert isinstance(look, Flaw)
    assert (look.record.run, look.reason) == (2, reason)


def test_an_observation_of_an_unknown_schema_is_not_used():
    story = Story("ACME")
    story.visit({"pc01": observe() | {"schema": "itcare/health/v2"}})
    assert read(story).last_look("pc01").reason == "unreadable"


def test_a_damaged_body_store_makes_an_observation_unreadable_and_nothing_worse():
    def body(digest):
        raise UnsoundError("read body", digest, "its digest does not match", "Restore it.")

    story = Story("ACME")
    story.visit({"pc01": observe()})
    assert isinstance(read_history(story.entries, body).last_look("pc01"), Flaw)


STRANGE = [
    ("an unknown type", {"type": "run.praised"}),
    ("an unknown version", {"type": "run.host", "v": 2, "run": 1, "host": "pc01", "outcome": "failed"}),
    ("a host of no run", {"type": "run.host", "run": 99, "host": "pc01", "outcome": "failed", "tasks": []}),
    ("a run without number", {"type": "run.host", "run": True, "host": "pc01", "outcome": "failed", "tasks": []}),
    ("a run opened twice", {"type": "run.opened", "run": 1, "hosts": []}),
    ("a run that names a path as host", {"type": "run.opened", "run": 7, "hosts": ["../../x"]}),
    ("no object at all", ["run.host"]),
    ("nothing", None),
]


@pytest.mark.parametrize("event", [row[1] for row in STRANGE], ids=[row[0] for row in STRANGE])
def test_nothing_older_than_an_entry_that_cannot_be_read_is_believed(event):
    story = Story("ACME")
    story.visit({"pc01": observe()})
    story.add(event)
    history = read(story)
    assert len(history.problems) == 1
    assert history.last_look("pc01").reason == "unreadable"
    story.visit({"pc01": observe()}, at=DAY + timedelta(days=1))
    assert isinstance(read(story).last_look("pc01"), Observation), "a later visit settles it"


def test_a_problem_of_one_host_does_not_touch_another():
    story = Story("ACME")
    story.visit({"pc01": observe(), "pc02": observe()})
    story.add({"type": "run.host", "run": 99, "host": "pc01", "outcome": "ok", "tasks": []})
    history = read(story)
    assert isinstance(history.last_look("pc01"), Flaw)
    assert isinstance(history.last_look("pc02"), Observation)


@pytest.mark.parametrize(("first", "second"), [("failed", "ok"), ("unknown", "changed"), ("ok", "ok")])
def test_a_host_told_twice_is_unknown(first, second):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    story.tell_host(number, "pc01", first, health=observe())
    story.tell_host(number, "pc01", second, health=observe())
    story.close_run(number)
    (run,) = read(story).runs
    assert (run.hosts["pc01"].outcome, run.state) == (HostOutcome.UNKNOWN, RunState.INCOMPLETE)
    assert not run.hosts["pc01"].has_usable_observation


def test_a_run_that_does_not_say_it_acted_counts_as_a_look_only():
    story = Story("ACME")
    story.open_run([], check=False)
    story.open_run([], check=None)
    assert [run.is_check for run in read(story).runs] == [False, True]


OPENED, TOLD, CLOSED = 5, 6, 8  # entries of the second run: opened, what became of pc01, closed


def _story_of_trouble():
    """A story whose newest word on pc01 is bad in the ledger; pc02 is fine."""
    story = Story("ACME")
    story.visit({"pc01": observe(), "pc02": observe()}, at=DAY - timedelta(days=1))
    number = story.open_run(["pc01", "pc02"])
    story.tell_host(number, "pc01", "unknown", tasks=[task(0, HEALTH, outcome="timed_out")])
    story.tell_host(number, "pc02", health=observe())
    story.close_run(number, "partial")
    assert [entry.event["type"] for entry in story.entries[OPENED:]] == [
        "run.opened", "run.host", "run.host", "run.closed"
    ]  # fmt: skip
    return story


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["\ud800", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


def _put(value, path, junk):
    if not path:
        return junk
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    return value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), junk=_JUNK)
def test_junk_anywhere_in_the_bad_news_never_raises_and_never_makes_it_good(data, junk):
    story = _story_of_trouble()
    index = data.draw(st.sampled_from([OPENED, TOLD, CLOSED]), label="entry")
    entry = story.entries[index]
    event = deepcopy(entry.event)
    path = data.draw(st.sampled_from(list(_places(event))), label="path")
    story.entries[index] = StoryEntry(index, _put(event, path, junk), entry.leaf_hash)
    history = read(story)
    is_accounted_for = any(problem.entry == index for problem in history.problems) or len(history.runs) == 2
    assert is_accounted_for
    look = history.last_look("pc01")
    assert isinstance(look, Flaw) or _names_another_host(story.entries[TOLD].event), look
    for run in history.runs:
        record = run.hosts.get("pc01")
        if run.number == 2 and record and index != TOLD:
            assert record.outcome is HostOutcome.UNKNOWN


def _names_another_host(event):
    """Whether the junk happened to be a proper name or word: then the story is another, and a true one."""
    proper = isinstance(event, dict) and event.get("type") == "run.host" and event.get("host") != "pc01"
    return proper and isinstance(event.get("host"), str) and event["host"].isalnum()


@settings(max_examples=100, deadline=None)
@given(events=st.lists(_JUNK, max_size=6))
def test_any_list_of_junk_reads_as_a_history_of_problems(events):
    history = read_history([StoryEntry(n, event, "0" * 64) for n, event in enumerate(events)], lambda _: None)
    assert len(history.problems) == len(events)
    assert history.runs == ()


@settings(max_examples=100, deadline=None)
@given(junk=_JUNK)
def test_junk_in_place_of_a_body_is_never_an_observation(junk):
    story = Story("ACME")
    story.visit({"pc01": observe()})
    assert isinstance(read_history(story.entries, lambda _: junk).last_look("pc01"), Flaw)


def test_task_outcomes_and_truth_values_fall_to_the_careful_side():
    story = Story("ACME")
    number = story.open_run(["pc01"])
    strange = task(0, "x.y.z", outcome="great", ignored="yes", truncated="no", line=-3, start="yesterday")
    story.tell_host(number, "pc01", truncated=None, needs_verify=True, tasks=[strange])
    (run,) = read(story).runs
    (only,) = run.hosts["pc01"].tasks
    assert (only.outcome, only.ignored, only.truncated) == (TaskOutcome.UNFINISHED, False, True)
    assert (only.line, only.started_at) == (None, None)
    assert run.hosts["pc01"].truncated and run.hosts["pc01"].needs_verify
