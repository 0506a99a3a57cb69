import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
observation = import_health("observation")
tool = import_health("tool")
worker = import_health("worker")


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def ask(function, limit: float = 5.0):
    return worker.ask_all({"one": function}, limit)["one"]


def raising(error: BaseException):
    def fail():
        raise error

    return fail


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def test_data_comes_back_as_it_is():
    data = {"text": "zażółć \ud800 \n", "numbers": [1, 2.5, None, True]}
    got = ask(lambda: data)
    assert (got.state, got.reason, got.data) == ("ok", None, data)
    assert 0 <= got.seconds < 5


def test_a_remark_comes_beside_complete_data():
    got = ask(lambda: answer.Told([1], "half\nof it"))
    assert (got.state, got.detail, got.data) == ("ok", "half of it", [1])


@pytest.mark.parametrize(
    ("error", "state", "reason", "detail"),
    [
        (answer.Absent("no_disk", "none here"), "absent", "no_disk", "none here"),
        (answer.Unavailable("timeout"), "unavailable", "timeout", None),
        (KeyError("x"), "unavailable", "failed", "KeyError: 'x'"),
        (RecursionError("too deep"), "unavailable", "failed", "RecursionError: too deep"),
        (OSError(5, "Input/output error"), "unavailable", "failed", "OSError: [Errno 5] Input/output error"),
        (SystemExit(0), "unavailable", "failed", "its process ended without an answer"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_way_to_fail_has_a_state_and_a_reason(error, state, reason, detail):
    got = ask(raising(error))
    assert (got.state, got.reason, got.detail, got.data) == (state, reason, detail, None)


def test_a_source_that_crashes_is_named_with_its_signal():
    got = ask(lambda: os.kill(os.getpid(), signal.SIGSEGV))
    assert (got.state, got.reason) == ("unavailable", "failed")
    assert "signal 11" in got.detail


def test_data_that_is_no_json_fails_alone():
    for data in (float("nan"), {1, 2}, b"bytes"):
        got = ask(lambda data=data: data)
        assert (got.state, got.reason) == ("unavailable", "failed")


def test_an_answer_without_end_is_refused():
    got = ask(lambda: "x" * (worker._LARGEST_ANSWER_BYTES + 10), limit=20)
    assert (got.state, got.reason, got.data) == ("unavailable", "failed", None)
    assert "larger" in got.detail


def test_sources_that_hang_cost_one_limit_together_and_the_others_complete():
    sources = {f"hang{number}": (lambda: time.sleep(60)) for number in range(4)}
    started = time.monotonic()
    answers = worker.ask_all({**sources, "good": lambda: 1}, 1.5)
    assert time.monotonic() - started < 12
    assert list(answers) == ["hang0", "hang1", "hang2", "hang3", "good"]
    assert answers["good"].data == 1
    assert {answers[name].reason for name in sources} == {"timeout"}


def test_a_source_that_ignores_every_signal_is_ended_all_the_same(tmp_path):
    def stubborn():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(60)

    assert ask(stubborn, limit=3).reason == "timeout"
    assert wait_for(lambda: not lives(int((tmp_path / "pid").read_text())))


def test_nothing_that_a_source_started_outlives_it(tmp_path):
    def leave_a_child():
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        (tmp_path / "pid").write_text(str(pid))
        return "done"

    assert ask(leave_a_child).data == "done"
    assert wait_for(lambda: not lives(int((tmp_path / "pid").read_text())))


def test_a_source_whose_module_was_killed_ends_by_itself(tmp_path):
    def linger():
        (tmp_path / "pid").write_text(str(os.getpid()))
        while True:
            time.sleep(60)

    module = os.fork()
    if module == 0:
        ask(linger, limit=1)
        os._exit(0)
    assert wait_for((tmp_path / "pid").exists)
    os.kill(module, signal.SIGKILL)
    os.waitpid(module, 0)
    assert wait_for(lambda: not lives(int((tmp_path / "pid").read_text() or 0)))


def test_a_computer_without_room_for_a_process_says_so(monkeypatch):
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fork", raising(OSError(11, "Resource temporarily unavailable")))
    got = ask(lambda: 1)
    assert (got.state, got.reason) == ("unavailable", "failed")
    assert "Resource temporarily unavailable" in got.detail
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_source_holds_neither_the_modules_output_nor_its_neighbours_pipes():
    def describe():
        names = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        return sorted({os.readlink(name) for name in names if os.path.lexists(name)})

    answers = worker.ask_all({"first": lambda: time.sleep(0.5), "second": describe}, 10)
    files = answers["second"].data
    assert len([name for name in files if name.startswith("pipe:")]) == 1
    assert "/dev/null" in files


def test_no_process_and_no_descriptor_is_left_behind():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        ask(lambda: 1)
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        while True:
            os.waitpid(-1, os.WNOHANG)


def test_a_tool_runs_in_the_c_locale_without_the_callers_environment(computer, monkeypatch):
    monkeypatch.setenv("SECRET", "canary")
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    computer.tool("asked", "env")
    lines = tool.run_tool(["asked"], time.monotonic() + 20).lines()
    assert "LC_ALL=C" in lines
    assert not [line for line in lines if "canary" in line]


def test_a_tool_that_is_missing_or_no_program_is_named(computer):
    with pytest.raises(answer.Unavailable) as caught:
        tool.run_tool(["no-such-tool"], time.monotonic() + 20)
    assert (caught.value.reason, caught.value.detail) == ("not_installed", "no-such-tool is not installed")
    (computer.tools / "broken").write_bytes(b"\0\0")
    (computer.tools / "broken").chmod(0o755)
    with pytest.raises(answer.Unavailable) as caught:
        tool.run_tool(["broken"], time.monotonic() + 20)
    assert caught.value.reason == "failed"


def test_a_tool_that_hangs_is_ended_in_time(computer):
    computer.tool("hangs", 'echo $$ >"$0.pid"; exec sleep 60')
    started = time.monotonic()
    with pytest.raises(answer.Unavailable) as caught:
        tool.run_tool(["hangs", "--now"], time.monotonic() + 2)
    assert time.monotonic() - started < 15
    assert (caught.value.reason, caught.value.detail) == ("timeout", "hangs --now did not answer in time")
    assert wait_for(lambda: not lives(int((computer.tools / "hangs.pid").read_text())))


def test_a_tool_that_closes_its_output_and_goes_on_is_ended_in_time(computer):
    computer.tool("lingers", "exec sleep 60 >&- 2>&-")
    with pytest.raises(answer.Unavailable) as caught:
        tool.run_tool(["lingers"], time.monotonic() + 1)
    assert caught.value.reason == "timeout"


def test_output_without_end_is_cut_and_its_writer_ended(computer):
    computer.tool("floods", "exec yes")
    output = tool.run_tool(["floods"], time.monotonic() + 60, max_bytes=100_000)
    assert (output.cut, len(output.out)) == (True, 100_000)


def test_an_observation_survives_the_loss_of_the_systems_own_facts(monkeypatch):
    monkeypatch.setattr(observation, "observe_system", raising(OSError(5, "Input/output error")))
    health = observation.observe(["uptime"], services=[], since=None, source_timeout=10)
    assert health["system"]["family"] == "linux"
    assert health["system"]["distribution"] is None
    assert health["sources"]["uptime"]["state"] == "ok"


def test_hanging_tools_cost_their_own_sources_only(computer):
    computer.disk("sda", device_model="EXAMPLE HDD")
    computer.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    computer.write("/var/log/journal/0123456789abcdef0123456789abcdef/system.journal")
    (computer.root / "run/systemd/system").mkdir(parents=True)
    computer.write("/proc/meminfo", Path("/proc/meminfo").read_bytes())
    computer.write("/proc/uptime", Path("/proc/uptime").read_bytes())
    computer.write("/proc/self/mountinfo", "27 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    for name in ("smartctl", "journalctl", "systemctl"):
        computer.tool(name, "sleep 60")
    started = time.monotonic()
    names = ["filesystems", "smart", "units", "journal", "memory", "uptime"]
    health = observation.observe(names, services=[], since=None, source_timeout=3, root=str(computer.root))
    assert time.monotonic() - started < 15
    states = {name: (source["state"], source["reason"]) for name, source in health["sources"].items()}
    assert states.pop("units") == ("unavailable", "timeout")
    assert states.pop("journal") == ("unavailable", "timeout")
    smart = states.pop("smart")
    assert smart == ("ok", None)
    assert [row["reason"] for row in health["sources"]["smart"]["data"]] == ["timeout"]
    assert set(states.values()) == {("ok", None)}


@pytest.mark.parametrize("since", [None, time.time() + 86400], ids=["missing", "tomorrow"])
def test_a_beginning_that_is_missing_or_yet_to_come_means_seven_days(computer, monkeypatch, since):
    monkeypatch.setattr(observation, "SOURCES", {"uptime": lambda request: request.now - request.since})
    health = observation.observe(["uptime"], services=[], since=since, source_timeout=10, root=str(computer.root))
    assert health["sources"]["uptime"]["data"] == 7 * 86400
