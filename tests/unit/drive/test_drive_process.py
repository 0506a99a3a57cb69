"""Every process of a run is found, however it hides, and no other process is touched."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.drive import process
from itcare.drive.isolation import choose_isolation, join_cgroup, remove_cgroup
from itcare.drive.process import MARK, RunProcesses, living, sweep

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run_id() -> str:
    return secrets.token_hex(16)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []
    yield children
    for child in children:
        child.kill()
        child.wait()


def start(words: list[str], mark: str | None = None, **options: object) -> subprocess.Popen[bytes]:
    environ = {"PATH": os.environ["PATH"], **({MARK: mark} if mark else {})}
    return subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload, no-any-return]  # options are passed on


def wait_for(run: RunProcesses, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(living(run)) != count:
        assert time.monotonic() < deadline, living(run)
        time.sleep(0.02)


def test_a_daemon_in_a_session_of_its_own_does_not_get_away(
    run_id: str, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(start(["sh", "-c", "setsid sh -c 'sleep 61 & sleep 62' & sleep 63"], mark=run_id))
    run = RunProcesses(run_id)
    wait_for(run, 5)
    swept = sweep(run)
    assert len(swept.killed) >= 5
    assert swept.survivors == ()
    assert living(run) == ()


def test_a_process_of_another_run_is_left_alone(run_id: str, started: list[subprocess.Popen[bytes]]) -> None:
    other = start(["sleep", "60"], mark=secrets.token_hex(16))
    longer = start(["sleep", "60"], mark=run_id + "0")
    started += [other, longer]
    assert sweep(RunProcesses(run_id)).killed == ()
    assert (other.poll(), longer.poll()) == (None, None)


def test_a_child_that_lost_the_mark_is_found_through_its_parent(
    run_id: str, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(start(["sh", "-c", f"env -u {MARK} sleep 60; true"], mark=run_id))
    run = RunProcesses(run_id)
    wait_for(run, 2)
    sweep(run)
    assert living(run) == ()
    assert started[0].wait(5) == -9


def test_a_shell_does_not_go_on_to_its_next_command_when_the_first_is_killed(
    run_id: str, started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """The supervisor spares itself and so has no single stroke for the whole cgroup."""
    supervisor = start(["sleep", "60"], mark=run_id)
    started.append(supervisor)
    run = RunProcesses(run_id)
    for number in range(10):
        started.append(start(["sh", "-c", f"sleep 60; touch {tmp_path / str(number)}"], mark=run_id))
    wait_for(run, 21)
    sweep(run, spare=frozenset({supervisor.pid}))
    assert supervisor.poll() is None
    assert [child.wait(5) for child in started[1:]] == [-9] * 10
    assert list(tmp_path.iterdir()) == []


def test_an_ssh_master_without_environment_is_found_by_its_socket(
    run_id: str, started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    shutil.copy("/usr/bin/tail", tmp_path / "ssh")
    sockets, neighbour = tmp_path / "sockets", tmp_path / "sockets2"
    for folder in (sockets, neighbour):
        folder.mkdir()
        (folder / "0").touch()
    master = start([str(tmp_path / "ssh"), "-f", str(sockets / "0")])
    foreign = start([str(tmp_path / "ssh"), "-f", str(neighbour / "0")])
    editor = start(["tail", "-f", str(sockets / "0")])
    started += [master, foreign, editor]
    run = RunProcesses(run_id, sockets)
    wait_for(run, 1)
    assert sweep(run).killed == (master.pid,)
    assert (foreign.poll(), editor.poll()) == (None, None)


def test_a_cgroup_holds_what_has_neither_mark_nor_parent(run_id: str, started: list[subprocess.Popen[bytes]]) -> None:
    isolation = choose_isolation(run_id)
    if isolation.cgroup is None:  # no version 2 hierarchy that may be written: then the run says "mark" or "scope"
        assert isolation.kind in ("mark", "scope")
        return
    code = (
        f"from itcare.drive.isolation import join_cgroup; from pathlib import Path; import os\n"
        f"join_cgroup(Path({str(isolation.cgroup)!r}))\n"
        "if os.fork() == 0:\n os.setsid()\n os.execvpe('sleep', ['sleep', '60'], {})\n"
    )
    starter = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    assert starter.returncode == 0
    assert living(RunProcesses(run_id)) == ()  # the other nets have a hole
    run = RunProcesses(run_id, cgroup=isolation.cgroup)
    assert len(living(run)) == 1
    assert len(sweep(run).killed) == 1
    assert not isolation.cgroup.exists()


def test_a_cgroup_that_is_not_the_run_s_own_is_never_emptied(
    run_id: str, started: list[subprocess.Popen[bytes]]
) -> None:
    other = choose_isolation(secrets.token_hex(16))
    if other.cgroup is None:
        assert other.kind in ("mark", "scope")
        return
    bystander = start(["sleep", "60"], preexec_fn=lambda: join_cgroup(other.cgroup))  # type: ignore[arg-type]  # checked above
    started.append(bystander)
    assert sweep(RunProcesses(run_id, cgroup=other.cgroup)).killed == ()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    remove_cgroup(other.cgroup)


def test_a_pid_that_was_given_to_another_process_is_not_killed(started: list[subprocess.Popen[bytes]]) -> None:
    heir = start(["sleep", "60"])
    started.append(heir)
    stat = process._stat(heir.pid)
    assert stat is not None
    assert not process._send(process._Member(heir.pid, stat.started - 1), signal.SIGKILL)
    assert heir.poll() is None
    assert process._send(process._Member(heir.pid, stat.started), signal.SIGKILL)
    assert heir.wait(5) == -9


def test_a_sweeper_never_kills_itself_or_those_above_it(run_id: str) -> None:
    code = f"from itcare.drive.process import *; print(sweep(RunProcesses({run_id!r})).killed)"
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -c {code!r}; echo still here"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), MARK: run_id},
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["()", "still here"]


def test_a_dead_child_that_nobody_buried_does_not_count_as_alive(
    run_id: str, started: list[subprocess.Popen[bytes]]
) -> None:
    child = start(["true"], mark=run_id)
    started.append(child)
    while (stat := process._stat(child.pid)) is not None and stat.state != "Z":
        time.sleep(0.01)
    assert living(RunProcesses(run_id)) == ()
