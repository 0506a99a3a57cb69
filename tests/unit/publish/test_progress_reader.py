"""Runs in progress as pages read them: capped, and never stumbling over a file."""

import json
import os

import pytest

from itcare.access import Principal, staff_scope
from itcare.core.words import TaskOutcome
from itcare.drive.progress import Progress, ProgressFile
from itcare.publish import progress
from itcare.publish.progress import read_progress
from tests.support.snapshots import HOSTILE_TEXTS

RUN = "0123456789abcdef0123456789abcdef"
AT = "2026-03-18T07:00:00.000000Z"


@pytest.fixture
def scope(tmp_path):
    (tmp_path / "published").mkdir()
    (tmp_path / "progress").mkdir()
    return staff_scope(tmp_path / "published", Principal("staff", is_staff=True))


def put(scope, content, name=RUN):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (scope.progress / f"{name}.json").write_bytes(data)


def test_what_the_driver_writes_is_read(scope, tmp_path):
    page = ProgressFile(tmp_path, RUN, "ACME/12", "visit.daily")
    page.write({"pc01": Progress("pc01", "Probe", 0, TaskOutcome.OK, AT), "pc02": None})
    (run,) = read_progress(scope)
    assert (str(run.run), run.duty, run.begun, len(run.hosts)) == ("ACME/12", "visit.daily", 1, 2)
    assert (run.hosts[0].task, run.hosts[0].outcome, run.hosts[1].task) == ("Probe", TaskOutcome.OK, None)
    assert run.last_at == run.hosts[0].at
    page.remove()
    assert read_progress(scope) == ()


BAD = [b"", b"{", b"[]", b"null", b"\xff\xff", b"[" * 10**5, {"run": "x"}, {"run": "ACME/1", "duty": "d", "hosts": []},
       {"run": "ACME/1", "duty": 7, "hosts": {"pc01": None}}, {"run": "../1", "duty": "d", "hosts": {"pc01": None}},
       b" " * (progress.MAXIMUM_BYTES + 1)]  # fmt: skip


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_a_file_that_is_not_as_it_should_be_is_left_out(scope, content):
    put(scope, content)
    put(scope, {"run": "ACME/2", "duty": "visit.daily", "hosts": {"pc01": None}}, "f" * 32)
    assert [str(run.run) for run in read_progress(scope)] == ["ACME/2"]


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_hostile_text_is_capped_and_cannot_break_a_page(scope, hostile):
    step = {"task": hostile, "position": -1, "outcome": hostile, "at": hostile}
    put(scope, {"run": "ACME/1", "duty": hostile, "hosts": {"pc01": step, hostile[:60]: step, "pc02": 7}})
    (run,) = read_progress(scope)
    assert [host.host for host in run.hosts] == ["pc01", "pc02"]
    assert len(run.hosts[0].task) <= progress.MAXIMUM_TEXT and "\x00" not in run.hosts[0].task
    assert run.hosts[0].outcome is run.hosts[0].at is run.hosts[0].position is None


def test_links_fifos_and_other_names_are_not_followed(scope, tmp_path):
    (tmp_path / "secret").write_text(json.dumps({"run": "ACME/1", "duty": "d", "hosts": {"pc01": None}}))
    (scope.progress / f"{RUN}.json").symlink_to(tmp_path / "secret")
    os.mkfifo(scope.progress / f"{'a' * 32}.json")
    put(scope, {"run": "ACME/1", "duty": "d", "hosts": {"pc01": None}}, ".part")
    assert read_progress(scope) == ()


def test_a_missing_folder_has_no_runs(tmp_path):
    assert read_progress(staff_scope(tmp_path / "published", Principal("staff", is_staff=True))) == ()
