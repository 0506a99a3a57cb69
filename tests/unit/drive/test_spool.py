import json
import os
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.core.words import TaskOutcome
from itcare.drive.spool import follow, read_spool
from tests.support.spools import BAD_LINES, RUN, SpoolText, sample_spool

SAMPLE = sample_spool().encoded()


def read_bytes(content: bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spool.jsonl"
        path.write_bytes(content)
        return read_spool(path)


def test_it_reads_a_complete_spool(tmp_path):
    spool = read_spool(sample_spool().write(tmp_path))

    assert spool.complete
    assert spool.problems == ()
    assert spool.header.run == RUN["id"]
    assert spool.header.fence == 7
    assert spool.plays[0].hosts == ("pc01", "pc02")
    assert spool.files[0].kind == "module"
    assert [(t.host, t.position, t.outcome) for t in spool.tasks] == [
        ("pc01", 0, TaskOutcome.OK),
        ("pc02", 0, TaskOutcome.OK),
        ("pc01", 1, TaskOutcome.CHANGED),
        ("pc02", 1, TaskOutcome.CHANGED),
    ]
    assert spool.tasks[0].seconds == 2.0
    assert spool.lines == 12
    assert spool.bytes == len(SAMPLE)
    assert spool.sha256 == sha256(SAMPLE).hexdigest()


def test_it_reads_a_run_that_no_driver_started():
    header = read_bytes(SpoolText().header(run=None).close().encoded()).header

    assert (header.run, header.nonce, header.fence) == (None, None, None)


def test_a_file_cut_at_any_byte_counts_up_to_its_last_whole_line():
    whole = read_bytes(SAMPLE)
    for offset in range(len(SAMPLE)):
        spool = read_bytes(SAMPLE[:offset])
        prefix = SAMPLE[: SAMPLE.rfind(b"\n", 0, offset) + 1]
        assert not spool.complete
        assert spool.bytes == len(prefix)
        assert spool.lines == prefix.count(b"\n")
        assert spool.sha256 == sha256(prefix).hexdigest()
        assert ("half_line" in spool.problems) == (offset > len(prefix))
        assert [t.host for t in spool.tasks] == [t.host for t in whole.tasks][: len(spool.tasks)]
        assert all(
            t.outcome in (w.outcome, TaskOutcome.UNFINISHED) for t, w in zip(spool.tasks, whole.tasks, strict=False)
        )


def test_a_task_without_an_end_is_unfinished_and_never_ok():
    spool = read_bytes(SpoolText().header().start("pc01", "t1").encoded())

    task = spool.tasks[0]
    assert (task.outcome, task.ended_at, task.result) == (TaskOutcome.UNFINISHED, None, None)
    assert spool.problems == ("unfinished", "no_end")


def test_a_closing_line_does_not_make_an_unfinished_task_complete():
    spool = read_bytes(SpoolText().header().start("pc01", "t1").close().encoded())

    assert not spool.complete
    assert spool.problems == ("unfinished",)


def test_the_same_task_may_run_twice_on_a_host():
    text = SpoolText().header()
    for outcome in ("changed", "failed"):
        text.start("pc01", "handler").end("pc01", "handler", outcome)

    assert [t.outcome for t in read_bytes(text.close().encoded()).tasks] == [TaskOutcome.CHANGED, TaskOutcome.FAILED]


def _second_line(replacement: bytes) -> bytes:
    header = SpoolText().header().encoded()
    return header + replacement + b"\n"


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_stops_the_reading_and_is_named(name):
    line, problem = BAD_LINES[name]
    spool = read_bytes(_second_line(line) + b'{"n":2,"event":"end"}\n')

    assert spool.problems[0] == problem
    assert spool.lines == 1
    assert spool.header is not None
    assert not spool.complete


BAD_SPOOLS = {
    "an end without a start": (
        SpoolText(counts={"pc01": {"started": 0, "ended": 0}}).header().end("pc01", "t1"),
        "end_without_start",
    ),
    "a task that ends twice": (
        SpoolText().header().start("pc01", "t1").end("pc01", "t1").end("pc01", "t1"),
        "end_without_start",
    ),
    "a task that starts twice": (SpoolText().header().start("pc01", "t1").start("pc01", "t1"), "malformed"),
    "a position left out": (SpoolText().header().start("pc01", "t1", position=1), "malformed"),
    "an outcome of no task": (SpoolText().header().start("pc01", "t1").end("pc01", "t1", "fine"), "malformed"),
    "an outcome only a reader gives": (
        SpoolText().header().start("pc01", "t1").end("pc01", "t1", "unfinished"),
        "malformed",
    ),
    "an instant without a zone": (SpoolText().header(at="2026-08-03T10:00:00"), "malformed"),
    "an instant before year 1": (SpoolText().header(at="0001-01-01T00:00:00+23:00"), "malformed"),
    "counts of a host that did nothing": (
        SpoolText().header().add("end", lines=2, hosts={"pc01": {"started": 0, "ended": 0}}),
        "counts_disagree",
    ),
    "a wrong number of lines": (SpoolText().header().add("end", lines=3, hosts={}), "counts_disagree"),
    "a line after the end": (SpoolText().header().close().play("pc01"), "after_end"),
    "no header": (SpoolText().play("pc01"), "no_header"),
}


@pytest.mark.parametrize("name", BAD_SPOOLS)
def test_lines_that_contradict_each_other_are_not_believed(name):
    text, problem = BAD_SPOOLS[name]
    spool = read_bytes(text.encoded())

    assert spool.problems[0] == problem
    assert not spool.complete


@pytest.mark.parametrize("version", [0, 2, "1", True, None, [1]])
def test_another_version_of_the_format_is_not_guessed_at(version):
    spool = read_bytes(SpoolText().header(spool=version).play("pc01").close().encoded())

    assert spool.header is None
    assert spool.problems == ("unsupported_version",)
    assert (spool.tasks, spool.lines) == ((), 0)


def test_the_members_of_a_line_that_a_later_writer_adds_do_no_harm():
    spool = read_bytes(SpoolText().header(extra={"a": [1]}).close().encoded())

    assert spool.complete


def test_what_is_no_regular_file_is_told_and_not_raised(tmp_path):
    real = sample_spool().write(tmp_path)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(real)
    os.mkfifo(pipe)

    assert read_spool(tmp_path / "nothing").problems == ("missing",)
    assert read_spool(link).problems == ("unreadable",)
    assert read_spool(pipe).problems == ("unreadable",)
    assert read_spool(tmp_path).problems == ("unreadable",)
    (tmp_path / "empty").touch()
    assert read_spool(tmp_path / "empty").problems == ("empty",)


@given(st.binary(max_size=400))
def test_no_bytes_at_all_raise(content):
    spool = read_bytes(content)
    assert not spool.complete
    assert spool.sha256 == sha256(content[: spool.bytes]).hexdigest()


@given(
    start=st.integers(0, len(SAMPLE)),
    removed=st.integers(0, 300),
    inserted=st.one_of(st.binary(max_size=40), st.sampled_from([b"\n", b'"', b"}\n{", b"\\ud800", b"\x00", b"1e999"])),
)
@settings(max_examples=300)
def test_a_damaged_spool_is_complete_only_if_it_says_the_same(start, removed, inserted):
    content = SAMPLE[:start] + inserted + SAMPLE[start + removed :]
    spool = read_bytes(content)

    assert spool.sha256 == sha256(content[: spool.bytes]).hexdigest()
    if spool.complete:  # white space, or a change inside a text
        assert spool.bytes == len(content)
        assert len(spool.tasks) == 4


@given(order=st.permutations(range(12)))
@settings(max_examples=60)
def test_lines_in_another_order_count_only_as_far_as_the_order_is_right(order):
    lines = SAMPLE.splitlines(keepends=True)
    spool = read_bytes(b"".join(lines[i] for i in order))
    agreeing = next((i for i, number in enumerate(order) if number != i), 12)
    assert spool.lines == agreeing


@given(cuts=st.lists(st.integers(0, len(SAMPLE)), max_size=6))
@settings(max_examples=60)
def test_following_a_growing_file_gives_each_event_once(cuts):
    with tempfile.TemporaryDirectory() as folder:
        path, offset, seen = Path(folder) / "spool.jsonl", 0, []
        assert follow(path, 0) == ((), 0)
        for end in [*sorted(cuts), len(SAMPLE)]:
            path.write_bytes(SAMPLE[:end])
            events, offset = follow(path, offset)
            seen += events
    assert seen == [json.loads(line) for line in SAMPLE.splitlines()]
    assert offset == len(SAMPLE)


def test_following_passes_over_what_is_no_line_of_a_spool(tmp_path):
    path = tmp_path / "spool.jsonl"
    path.write_bytes(SAMPLE + b"rubbish\n" + b'{"n":99,"event":"play"}\n' + b'{"half')

    events, offset = follow(path, len(SAMPLE))

    assert [event["n"] for event in events] == [99]
    assert path.read_bytes()[offset:] == b'{"half'


def test_following_is_not_held_up_by_a_line_without_an_end(tmp_path):
    path = tmp_path / "spool.jsonl"
    path.write_bytes(b"x" * 5_000_000)

    events, offset = follow(path, 0)

    assert events == ()
    assert offset > 4_000_000
