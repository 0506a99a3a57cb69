"""Computers that lie: what they return must not reach another host, the controller or our own words."""

import json
import os
from hashlib import sha256

import ansible_runner
import pytest

from itcare.core.words import TaskOutcome
from itcare.drive.spool import read_spool
from tests.support.playbook import one_play, run_playbook, scrubbed_environment, touch, write_inventory, write_settings

# by default ansible-core itself refuses half a surrogate pair; whoever turns that off is still safe
LENIENT = {"ANSIBLE_MODULE_STRICT_UTF8_RESPONSE": "False"}
HOSTS = ("pc01", "pc02", "pc03")


def hostile(kind, *, on="pc02", **arguments):
    """A task that lets one host answer with `kind` and the others with a ping."""
    return [
        {
            "name": kind,
            "hostile": {"kind": kind, **arguments},
            "when": f"inventory_hostname == '{on}'",
            "ignore_errors": True,
        },
        touch("{{ inventory_hostname }}"),
    ]


def outcomes(spool, host):
    return [str(task.outcome) for task in spool.tasks if task.host == host]


def run_with_runner(folder, tasks):
    """The same run below ansible-runner; returns the hosts of its events and our spool."""
    (folder / "project").mkdir()
    (folder / "project" / "play.yml").write_text(one_play(tasks))
    write_settings(folder, {})
    inventory = write_inventory(folder, HOSTS)
    environment = scrubbed_environment(folder)
    runner = ansible_runner.run(
        private_data_dir=str(folder), playbook="play.yml", inventory=str(inventory), envvars=environment, quiet=True,
        cancel_callback=lambda: False,
    )  # fmt: skip
    events = [event for event in runner.events if event["event"] == "runner_on_ok"]
    return {event["event_data"]["host"] for event in events}, read_spool(folder / "spool.jsonl")


def test_a_forged_event_deceives_the_stream_of_the_runner_but_not_the_spool(tmp_path):
    streamed, spool = run_with_runner(tmp_path, hostile("forged", text="victim-client-b"))

    assert "victim-client-b" in streamed, "the attack is not real any more; then this test proves nothing"
    assert {task.host for task in spool.tasks} == set(HOSTS)
    assert spool.complete
    assert all(outcomes(spool, host)[-1] == "changed" for host in HOSTS)


@pytest.mark.parametrize("kind", ["forged", "claims", "censored", "markers", "keys", "numbers", "nested", "text"])
def test_neighbours_keep_their_results_whatever_one_host_returns(tmp_path, kind):
    size = {"nested": 100_000, "keys": 5000}.get(kind, 0)
    run = run_playbook(tmp_path, hostile(kind, text="x", size=size), HOSTS)
    spool = read_spool(run.spool)

    assert spool.complete, run.output
    assert {task.host for task in spool.tasks} == set(HOSTS)
    for host in ("pc01", "pc03"):
        assert outcomes(spool, host) == ["skipped", "changed"]
    assert outcomes(spool, "pc02")[-1] == "changed"


def answer_of(run):
    return next(task for task in read_spool(run.spool).tasks if task.module == "hostile" or "hostile" in task.module)


def test_a_host_that_claims_a_timeout_only_makes_itself_unknown(tmp_path):
    run = run_playbook(tmp_path, hostile("claims", on="pc01"))
    assert answer_of(run).outcome is TaskOutcome.TIMED_OUT


def test_numbers_that_json_cannot_carry_are_cut_and_told(tmp_path):
    task = answer_of(run_playbook(tmp_path, hostile("numbers", on="pc01")))
    assert task.truncated
    assert {part["_cut"]["reason"] for part in task.result["msg"]} == {"number", "integer"}


@pytest.mark.parametrize(("depth", "reason"), [(100, "depth"), (300, "unreadable")])
def test_a_nested_answer_is_cut_and_told_and_stops_nobody(tmp_path, depth, reason):
    """From about 250 levels on ansible-core itself fails to copy the result for a callback."""
    run = run_playbook(tmp_path, hostile("nested", on="pc01", size=depth), HOSTS)
    task = answer_of(run)

    assert run.rc == 0, run.output
    assert task.truncated
    assert task.outcome is TaskOutcome.OK
    assert f'"reason":"{reason}"' in run.spool.read_text()
    assert read_spool(run.spool).complete


def test_a_text_that_no_database_takes_is_neutralised(tmp_path):
    task = answer_of(run_playbook(tmp_path, hostile("text", on="pc01"), env=LENIENT))

    assert task.result["msg"] == "a\ufffdb\ufffdc\ufffdd\u202e"
    json.dumps(task.result, ensure_ascii=False).encode()


@pytest.mark.parametrize("size", [700_001, 20_000_000, pytest.param(100_000_000, marks=pytest.mark.slow)])
def test_a_huge_output_is_stored_cut_with_its_size_and_digest(tmp_path, size):
    run = run_playbook(tmp_path, hostile("stdout", on="pc01", size=size))
    task = answer_of(run)

    assert task.truncated
    cut = task.result["stdout"]["_cut"]
    assert (cut["bytes"], cut["head"]) == (size, "x" * 4096)
    assert cut["sha256"] == sha256(b"x" * size).hexdigest()
    assert run.spool.stat().st_size < 30_000


def test_names_made_from_the_answer_of_a_host_end_nothing(tmp_path):
    """A script, a module or a task whose name is a template gets its name from whoever answers."""
    evil = {"path": "../" * 50 + "dev/zero", "huge": "x" * 100_000}
    tasks = [
        {"name": f"{kind} {name} {{{{ {name} }}}}", kind: f"{{{{ {name} }}}}", "ignore_errors": True}
        for kind in ("ansible.builtin.script", "action")
        for name in ("answer.msg", *evil)
    ]
    lie = {"name": "lie", "hostile": {"kind": "text"}, "register": "answer"}
    run = run_playbook(tmp_path, [lie, *tasks, touch("ran")], {"pc01": evil}, env=LENIENT)

    assert run.rc == 0, run.output
    assert (tmp_path / "ran").exists()
    spool = read_spool(run.spool)
    assert spool.complete
    assert [str(task.outcome) for task in spool.tasks] == ["ok"] + ["failed"] * 6 + ["changed"]
    assert run.spool.stat().st_size < 300_000


IDENTITY = [
    {"name": "lie", "hostile": {"kind": "facts", "text": "client-b"}, "when": "inventory_hostname == 'pc02'"},
    {"name": "say", "ansible.builtin.raw": "touch {{ client_id | default('none') }}-{{ inventory_hostname }}"},
]


@pytest.mark.parametrize("injected", ["False", "True"])
def test_facts_never_change_who_a_host_is(tmp_path, injected):
    run = run_playbook(tmp_path, IDENTITY, HOSTS, settings={"inject_facts_as_vars": injected})
    spool = read_spool(run.spool)

    assert {task.host for task in spool.tasks} == set(HOSTS)
    assert all(len(outcomes(spool, host)) == 2 for host in ("pc01", "pc03"))


def test_with_facts_kept_apart_later_tasks_see_no_forged_variable(tmp_path):
    run_playbook(tmp_path, IDENTITY, HOSTS)
    assert {path.name for path in tmp_path.glob("*-*")} == {f"none-{host}" for host in HOSTS}


def test_with_facts_injected_a_later_task_would_see_the_forged_variable(tmp_path):
    """The setting is needed: this is what happens without it."""
    run_playbook(tmp_path, IDENTITY, HOSTS, settings={"inject_facts_as_vars": "True"})
    assert any(path.name.startswith("client-b-") for path in tmp_path.glob("*-*"))


def test_templates_in_an_answer_are_never_evaluated(tmp_path):
    canary = tmp_path / "CANARY"
    tasks = [
        {"name": "lie", "hostile": {"kind": "template", "text": str(canary)}, "register": "answer"},
        {"name": "use", "ansible.builtin.debug": {"msg": "{{ answer.msg }} {{ answer }} {{ ansible_facts.evil }}"}},
        {"name": "loop", "ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": "{{ answer.stdout_lines }}"},
        touch("ran"),
    ]
    run = run_playbook(tmp_path, tasks)
    spool = read_spool(run.spool)

    assert (tmp_path / "ran").exists(), run.output
    assert not canary.exists()
    assert "{{ lookup(" in spool.tasks[1].result["msg"]


SECRET = "".join(("CANARY", os.urandom(6).hex()))

LEAKS = {
    "a task": {"ansible.builtin.command": f"echo {SECRET}"},
    "a failure": {"ansible.builtin.command": f"sh -c 'echo {SECRET} >&2; exit 3'", "ignore_errors": True},
    "a loop": {"ansible.builtin.command": "echo {{ item }}", "loop": [SECRET, f"{SECRET}2"]},
    "a loop that fails": {
        "ansible.builtin.command": "false {{ item }}", "loop": [SECRET], "ignore_errors": True,
    },
    "a diff": {"ansible.builtin.copy": {"content": SECRET, "dest": "{{ playbook_dir }}/secret"}, "diff": True},
    "warnings and an exception": {"hostile": {"kind": "warnings", "text": SECRET}},
    "an exception of the module": {"hostile": {"kind": "raise", "text": SECRET}, "ignore_errors": True},
    "a message of failure": {"hostile": {"kind": "fail", "text": SECRET}, "ignore_errors": True},
    "arguments on the allow-list": {
        "ansible.builtin.file": {"path": "{{ playbook_dir }}/" + SECRET, "state": "touch", "mode": "0600"},
    },
    "the name of a script": {"ansible.builtin.script": "{{ secret }}.sh", "ignore_errors": True},
    "an undefined variable": {"ansible.builtin.debug": {"msg": f"{{{{ {SECRET} }}}}"}, "ignore_errors": True},
    "a retry": {
        "ansible.builtin.command": f"sh -c 'echo {SECRET}; exit 1'", "retries": 1, "delay": 0, "ignore_errors": True,
    },
    "a timeout": {"ansible.builtin.raw": f"echo {SECRET}; sleep 3", "timeout": 1, "ignore_errors": True},
}  # fmt: skip


def leaking_play(no_log):
    tasks = [{"name": f"{name} {{{{ secret }}}}", **task, "no_log": no_log} for name, task in LEAKS.items()]
    return one_play(tasks, vars={"secret": SECRET})


def test_a_secret_of_a_no_log_task_is_nowhere_in_the_spool(tmp_path):
    run = run_playbook(tmp_path, leaking_play(no_log=True), options=["-vvv", "--diff"])
    spool = read_spool(run.spool)

    assert len(spool.tasks) == len(LEAKS), run.output
    assert spool.complete
    assert SECRET not in run.spool.read_text()
    assert str(spool.tasks[-1].outcome) == "timed_out"


def test_without_no_log_the_same_secret_would_be_found(tmp_path):
    """The search of the test above can fail: most of these ways do lead into a spool."""
    run = run_playbook(tmp_path, leaking_play(no_log=False), options=["-vvv", "--diff"])
    leaking = {t.name.split(SECRET)[0].strip() for t in read_spool(run.spool).tasks if SECRET in json.dumps(t.result)}
    assert {"a task", "a failure", "warnings and an exception", "a message of failure"} <= leaking


def test_a_value_given_to_a_no_log_parameter_is_not_recorded(tmp_path):
    task = {"name": "quiet", "hostile": {"kind": "stdout", "text": "fine", "secret": SECRET}}
    run = run_playbook(tmp_path, [task], options=["-vvv"])
    assert SECRET not in run.spool.read_text()


def test_diffs_and_arguments_of_open_tasks_are_not_recorded_either(tmp_path):
    tasks = [
        {"name": "diff", "hostile": {"kind": "diff", "text": SECRET}, "diff": True},
        {"name": "copy", "ansible.builtin.copy": {"content": SECRET, "dest": "{{ playbook_dir }}/x"}, "diff": True},
    ]
    run = run_playbook(tmp_path, tasks, options=["--diff", "-vvv"])
    assert SECRET in run.output
    assert SECRET not in run.spool.read_text()
