"""The notice about a run that did not end well: words and names only, in limited time, and without consequence."""

import json
import sys
import time

import pytest

from itcare.core.errors import BadInputError, ExitCode
from itcare.core.names import RunName
from itcare.core.settings import load_settings
from itcare.core.words import HostOutcome, RunState
from itcare.drive.notice import notify
from itcare.drive.report import Alarm, HostReport, RunReport

SECRET = "hunter2-in-the-message"


def report(state=RunState.PARTIAL, outcome=HostOutcome.NOT_REACHED):
    host = HostReport("pc01", outcome, "timeout", f"ssh said {SECRET}")
    return RunReport(RunName("ACME", 7), state, (host,), (Alarm("foreign_spool", SECRET),), 1.0, console=SECRET)


def python(code):
    return [sys.executable, "-c", code]


def test_the_command_gets_the_run_as_json_and_nothing_that_a_host_said(tmp_path):
    target = tmp_path / "notice"
    code = f"import sys; open({str(target)!r}, 'w').write(sys.stdin.read())"
    assert notify(python(code), report()) is None
    text = target.read_text()
    notice = json.loads(text)
    assert (notice["schema"], notice["client"], notice["run"], notice["state"]) == (
        "itcare/notice/v1", "ACME", 7, "partial"
    )  # fmt: skip
    assert notice["hosts"] == [
        {"host": "pc01", "outcome": "not_reached", "reason": "timeout", "needs_verify": False}
    ]  # fmt: skip
    assert notice["alarms"] == ["foreign_spool"]
    assert SECRET not in text


def test_a_run_that_ended_well_is_not_told(tmp_path):
    good = RunReport(RunName("ACME", 7), RunState.COMPLETE, (HostReport("pc01", HostOutcome.OK, None, None),), (), 1.0)
    assert notify(python(f"open({str(tmp_path / 'x')!r}, 'w')"), good) is None
    assert not (tmp_path / "x").exists()


def test_the_callers_variables_do_not_reach_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("ITCARE_TOKEN", SECRET)
    target = tmp_path / "environ"
    assert notify(python(f"import os; open({str(target)!r}, 'w').write(repr(dict(os.environ)))"), report()) is None
    assert SECRET not in target.read_text()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (python("import sys; sys.exit('no route')"), "code 1"),
        (python("import os; os.kill(os.getpid(), 9)"), "code -9"),
        (["/no/such/program"], "No such file"), (["/"], "Permission denied"),
    ],
)  # fmt: skip
def test_a_failing_command_is_told_and_changes_nothing(command, told):
    bad = report()
    line = notify(command, bad)
    assert told in line and "ACME/7" in line and "\n" not in line
    assert bad.exit_code is ExitCode.BAD_NEWS


def test_a_command_that_does_not_read_its_input_is_no_failure():
    assert notify(python("pass"), report()) is None


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path):
    alive = tmp_path / "alive"
    child = f"import time; time.sleep(3); open({str(alive)!r}, 'w')"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    before = time.monotonic()
    assert "longer than 1 seconds" in notify(python(code), report(), limit=1)
    assert time.monotonic() - before < 10
    time.sleep(3)
    assert not alive.exists()


@pytest.mark.parametrize("value", ['"one string"', "[1]", '["", "x"]', '["a\\u0000b"]', "true"])
def test_a_command_that_is_no_list_of_words_is_refused(tmp_path, value):
    (tmp_path / "itcare.toml").write_text(f"notify_command = {value}\n")
    with pytest.raises(BadInputError, match="notify_command"):
        load_settings({"ITCARE_HOME": str(tmp_path)}, tmp_path)


def test_the_command_is_read_from_the_settings(tmp_path):
    (tmp_path / "itcare.toml").write_text('notify_command = ["notify-firm", "--quiet"]\n')
    assert load_settings({"ITCARE_HOME": str(tmp_path)}, tmp_path).notify_command == ("notify-firm", "--quiet")
