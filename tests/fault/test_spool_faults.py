"""The spool while the disk, the process or a computer in the run misbehaves."""

import resource
import shutil
import signal
import time

import pytest

from itcare.core.words import TaskOutcome
from itcare.drive.spool import read_spool
from tests.support.playbook import COLLECTIONS, one_play, run_playbook, touch

TASKS = [touch(name) for name in ("one", "two", "three", "four")]


def made(folder):
    return [name for name in ("one", "two", "three", "four") if (folder / name).exists()]


def inject(folder, fault, line):
    """A strace in front of the run that does `fault` to the write of this line of the spool, the first being 1."""
    spool = str(folder / "spool.jsonl")
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-P", spool, "-e", "trace=write", "-e",
            f"inject=write:{fault}:when={line}"]  # fmt: skip


def line_of(folder, event, number=0):
    """Number of a line of a clean run, so that a fault can be aimed at it."""
    (folder / "clean").mkdir()
    run = run_playbook(folder / "clean", TASKS)
    return [i for i, line in enumerate(run.events(), 1) if line["event"] == event][number]


@pytest.mark.component("strace")
def test_a_kill_between_the_task_and_its_line_leaves_it_unfinished(tmp_path):
    line = line_of(tmp_path, "task_end", 1)
    run = run_playbook(tmp_path, TASKS, prefix=inject(tmp_path, "signal=KILL", line))
    spool = read_spool(run.spool)

    assert run.rc in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert (tmp_path / "two").exists()
    assert [task.outcome for task in spool.tasks] == [TaskOutcome.CHANGED, TaskOutcome.UNFINISHED]
    assert spool.problems == ("unfinished", "no_end")
    assert made(tmp_path) == ["one", "two"]


@pytest.mark.component("strace")
@pytest.mark.parametrize(
    ("event", "number", "error"),
    [
        ("header", 0, "ENOSPC"),
        ("task_start", 2, "EIO"),
        ("task_end", 1, "ENOSPC"),
        ("task_end", 1, "EDQUOT"),
        ("end", 0, "ENOSPC"),
    ],
)
def test_a_line_that_cannot_be_written_ends_the_run(tmp_path, event, number, error):
    line = line_of(tmp_path, event, number)
    run = run_playbook(tmp_path, TASKS, prefix=inject(tmp_path, f"error={error}", line))
    spool = read_spool(run.spool)

    assert run.rc == 74, run.output
    assert "cannot be recorded" in run.output
    assert not spool.complete
    assert spool.lines == line - 1
    expected = {"header": [], "task_start": ["one", "two"], "task_end": ["one", "two"]}
    assert made(tmp_path) == expected.get(event, ["one", "two", "three", "four"])


@pytest.mark.component("strace")
def test_a_disk_that_refuses_the_last_synchronisation_ends_the_run_in_failure(tmp_path):
    prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", str(tmp_path / "spool.jsonl"), "-e", "trace=fsync", "-e",
              "inject=fsync:error=EIO:when=1"]  # fmt: skip
    assert run_playbook(tmp_path, TASKS, prefix=prefix).rc == 74


@pytest.mark.component("strace")
def test_without_failing_closed_the_same_fault_would_pass(tmp_path):
    """The defence is needed: what ansible-core does by itself is to warn and to go on."""
    line = line_of(tmp_path, "task_start", 2)
    shutil.copytree(COLLECTIONS, tmp_path / "weak", ignore=shutil.ignore_patterns("__pycache__"))
    plugin = tmp_path / "weak/ansible_collections/itcare/maintenance/plugins/callback/spool.py"
    text = plugin.read_text()
    plugin.write_text(text.replace("raise SystemExit(EXIT_CODE) from error", "raise error"))
    assert plugin.read_text() != text
    prefix = inject(tmp_path, "error=ENOSPC", line)
    run = run_playbook(tmp_path, TASKS, prefix=prefix, collections=tmp_path / "weak")

    assert run.rc == 0
    assert made(tmp_path) == ["one", "two", "three", "four"]


@pytest.mark.parametrize("room", (200, 2500, 3100, 3700))
def test_half_a_line_stays_the_last_one(tmp_path, room):
    """A limit on the size of files makes a real short write, as a disk that fills up does."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    run = run_playbook(tmp_path, TASKS, preexec=limit)
    spool = read_spool(run.spool)
    content = run.spool.read_bytes()

    assert run.rc == 74, run.output
    assert len(content) == room
    assert spool.bytes == content.rfind(b"\n") + 1
    assert spool.problems[0] in ("half_line", "unfinished", "no_end")
    assert len(made(tmp_path)) <= len(spool.tasks)


def test_a_descriptor_that_was_closed_ends_the_run(tmp_path):
    settings = {"callbacks_enabled": "itcare.maintenance.spool, saboteur"}
    run = run_playbook(tmp_path, TASKS, settings=settings, env={"SABOTAGE_AT": "3"})

    assert run.rc == 74, run.output
    assert made(tmp_path) == ["one", "two"]
    assert not read_spool(run.spool).complete


def test_a_fault_on_one_host_stops_the_work_on_the_others_at_once(tmp_path):
    # ansible-core ends the worker of pc01 by SIGTERM, which now and then does not come to the command; here never.
    commands = {"pc01": "trap '' TERM; sleep 12; touch late", "pc02": "touch {{ step }}"}
    hosts = {name: {"command": command} for name, command in commands.items()}
    tasks = [
        {"name": f"step {n}", "ansible.builtin.raw": "{{ command }}", "vars": {"step": f"step{n}"}} for n in range(20)
    ]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    begun = time.monotonic()
    run = run_playbook(tmp_path, one_play(tasks, strategy="free"), hosts, preexec=limit)
    spool = read_spool(run.spool)

    assert run.rc == 74, run.output
    assert time.monotonic() - begun < 11
    assert 1 < len(list(tmp_path.glob("step*"))) < 20
    assert [task.outcome for task in spool.tasks if task.host == "pc01"] == [TaskOutcome.UNFINISHED]
    time.sleep(max(0.0, begun + 16 - time.monotonic()))
    assert not (tmp_path / "late").exists()
