"""The callback in real runs of ansible-playbook."""

import os
from hashlib import sha256

import pytest

from itcare.drive.spool import read_spool
from tests.support.collection import import_plugin_util
from tests.support.playbook import LOCAL, one_play, run_playbook, touch

RUN = {"ITCARE_RUN": "ab" * 16, "ITCARE_NONCE": "cd" * 16, "ITCARE_FENCE": "12"}

MANY_OUTCOMES = """
- name: outcomes
  hosts: all
  gather_facts: false
  vars: {limit: 1, word: templated}
  tasks:
    - {name: "ok {{ word }}", ansible.builtin.ping: }
    - {name: changed, ansible.builtin.command: "true"}
    - {name: failed, ansible.builtin.command: "false", ignore_errors: true}
    - {name: skipped, ansible.builtin.ping: , when: false}
    - {name: timed out, ansible.builtin.raw: sleep 5, timeout: 1, ignore_errors: true}
    - {name: timed out hidden, ansible.builtin.raw: sleep 5, timeout: 1, ignore_errors: true, no_log: true}
    - name: timed out in a loop that ansible calls ok
      ansible.builtin.raw: "sleep {{ item }}"
      loop: [0, 5]
      timeout: 1
      failed_when: false
    - name: timed out hidden in a loop
      ansible.builtin.raw: "sleep {{ item }}"
      loop: [0, 5]
      timeout: 1
      no_log: true
      ignore_errors: true
    - {name: retried, ansible.builtin.command: "false", retries: 1, delay: 0, until: false, ignore_errors: true}
    - {name: skipped loop, ansible.builtin.ping: , loop: []}
    - name: notify
      ansible.builtin.command: "true"
      notify: handler
    - {ansible.builtin.meta: flush_handlers}
    - name: notify again
      ansible.builtin.command: "true"
      notify: handler
    - {name: templated action, action: "{{ 'ansible.builtin.ping' }}"}
    - name: dry
      ansible.builtin.ping:
      check_mode: true
    - name: file
      ansible.builtin.file: {path: "{{ playbook_dir }}/made", state: touch, mode: "0600", owner: "{{ omit }}"}
    - name: script
      ansible.builtin.script: script.sh argument
    - name: script with a templated name
      ansible.builtin.script: "{{ 'other' }}.sh"
    - {name: missing, ansible.builtin.include_tasks: missing.yml}
  handlers:
    - {name: handler, ansible.builtin.command: "true"}
"""

EXPECTED = [
    ("ok templated", "ok"),
    ("changed", "changed"),
    ("failed", "failed"),
    ("skipped", "skipped"),
    ("timed out", "timed_out"),
    ("timed out hidden", "timed_out"),
    ("timed out in a loop that ansible calls ok", "timed_out"),
    ("timed out hidden in a loop", "timed_out"),
    ("retried", "failed"),
    ("skipped loop", "skipped"),
    ("notify", "changed"),
    ("handler", "changed"),
    ("notify again", "changed"),
    ("templated action", "ok"),
    ("dry", "ok"),
    ("file", "changed"),
    ("script", "changed"),
    ("script with a templated name", "changed"),
    ("missing", "ok"),
    ("missing", "failed"),
]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """One run with every outcome, and its spool."""
    folder = tmp_path_factory.mktemp("many")
    for name in ("script.sh", "other.sh"):
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
    run = run_playbook(folder, MANY_OUTCOMES, env=RUN)
    return run, read_spool(run.spool)


def test_every_outcome_is_recorded_in_order(many):
    run, spool = many
    assert [(task.name, str(task.outcome)) for task in spool.tasks] == EXPECTED, run.output
    assert [task.position for task in spool.tasks] == list(range(len(EXPECTED)))
    assert spool.complete
    assert spool.problems == ()


def test_the_header_names_run_playbook_and_versions(many):
    run, spool = many
    header = spool.header
    assert (header.run, header.nonce, header.fence) == ("ab" * 16, "cd" * 16, 12)
    assert header.ansible_core == "2.21.5"
    assert header.playbook == "play.yml"
    assert header.playbook_sha256 == sha256((run.folder / "play.yml").read_bytes()).hexdigest()
    assert not header.check


def test_the_spool_is_private_ascii_and_says_who_ran_it(many):
    run, spool = many
    assert run.spool.stat().st_mode & 0o777 == 0o600
    assert run.spool.read_bytes().isascii()
    assert spool.header.user


def test_each_file_is_recorded_once_with_its_digest(many):
    run, spool = many
    files = {(file.kind, file.path): file for file in spool.files}
    assert len(files) == len(spool.files)
    for kind, path in (("playbook", "play.yml"), ("script", "script.sh"), ("script", "other.sh")):
        content = (run.folder / path).read_bytes()
        assert files[kind, path].sha256 == sha256(content).hexdigest()
        assert files[kind, path].bytes == len(content)
    assert files["module", "ansible/modules/ping.py"].name == "ansible.builtin.ping"
    assert files["plugin", "plugins/callback/spool.py"].name == "itcare.maintenance.spool"
    assert ("plugin", "ansible/plugins/action/script.py") in files
    assert ("module", "ansible/modules/raw.py") in files


def test_a_task_tells_where_it_stands_and_what_was_asked(many):
    _run, spool = many
    task = next(task for task in spool.tasks if task.name == "file")
    assert (task.file, task.module) == ("play.yml", "ansible.builtin.file")
    assert MANY_OUTCOMES.splitlines()[task.line - 1].strip() == "- name: file"
    assert task.args == {"path": "{{ playbook_dir }}/made", "state": "touch", "mode": "0600"}


def test_check_mode_of_a_single_task_is_told(many):
    _run, spool = many
    assert [task.name for task in spool.tasks if task.check] == ["dry"]


def test_a_failure_that_was_ignored_says_so(many):
    _run, spool = many
    ignored = {task.name for task in spool.tasks if task.ignored}
    assert {"failed", "timed out", "timed out hidden"} <= ignored
    assert "changed" not in ignored


def test_a_hidden_task_has_an_outcome_and_nothing_else(many):
    _run, spool = many
    for task in spool.tasks:
        if "hidden" in task.name:
            assert set(task.result) <= {"censored", "changed"}
            assert task.args == {}


def test_roles_imports_and_several_hosts_are_told_apart(tmp_path):
    role = tmp_path / "roles" / "care" / "tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text("- name: look\n  ansible.builtin.ping:\n")
    (tmp_path / "inner.yml").write_text(one_play([touch("x")], roles=["care"]))
    run = run_playbook(tmp_path, "- ansible.builtin.import_playbook: inner.yml\n", ("pc01", "pc02", "pc03"))
    spool = read_spool(run.spool)

    assert run.rc == 0, run.output
    assert spool.complete
    assert spool.plays[0].hosts == ("pc01", "pc02", "pc03")
    assert {(file.kind, file.name, file.path) for file in spool.files} >= {
        ("playbook", None, "play.yml"),
        ("playbook", None, "inner.yml"),
        ("role", "care", "roles/care/tasks/main.yml"),
    }
    for host in spool.plays[0].hosts:
        tasks = [task for task in spool.tasks if task.host == host]
        assert [(task.name, task.position) for task in tasks] == [("care : look", 0), ("touch x", 1)]


def test_a_link_that_drops_is_unreachable_even_when_the_command_was_carried_out(tmp_path):
    flaky = {"ansible_connection": "flaky", "flaky_counter": str(tmp_path / "count"), "flaky_fail_from": 2}
    hosts = {"pc01": {**flaky, "flaky_drops": "after"}, "pc02": {}}
    tasks = [
        touch("{{ inventory_hostname }}-1"),
        touch("{{ inventory_hostname }}-2"),
        touch("{{ inventory_hostname }}-3"),
    ]
    run = run_playbook(tmp_path, tasks, hosts)
    spool = read_spool(run.spool)
    outcomes = {h: [str(t.outcome) for t in spool.tasks if t.host == h] for h in hosts}

    assert (tmp_path / "pc01-2").exists()
    assert outcomes == {"pc01": ["changed", "unreachable"], "pc02": ["changed"] * 3}
    assert spool.complete


def test_an_unreachable_item_is_not_lost_behind_a_failed_one(tmp_path):
    flaky = {"ansible_connection": "flaky", "flaky_counter": str(tmp_path / "count"), "flaky_fail_from": 2}
    task = {"name": "loop", "ansible.builtin.raw": "exit 1", "loop": [1, 2]}
    run = run_playbook(tmp_path, [task], {"pc01": flaky})

    assert [str(task.outcome) for task in read_spool(run.spool).tasks] == ["unreachable"]


def test_a_run_that_nobody_gave_an_identity_has_none(tmp_path):
    run = run_playbook(tmp_path, [touch("x")], options=["--check"])
    spool = read_spool(run.spool)

    assert spool.header.run is None
    assert spool.header.check
    assert all(task.check for task in spool.tasks)


@pytest.mark.parametrize(
    "env",
    [
        {"ITCARE_RUN": "ab" * 16},
        {"ITCARE_NONCE": "cd" * 16, "ITCARE_FENCE": "12"},
        {**RUN, "ITCARE_RUN": "../../etc"},
        {**RUN, "ITCARE_FENCE": "-1"},
        {**RUN, "ITCARE_NONCE": "short"},
    ],
)
def test_half_an_identity_ends_the_run_before_it_starts(tmp_path, env):
    run = run_playbook(tmp_path, [touch("x")], env=env)

    assert run.rc == 74
    assert not run.spool.exists()
    assert not (tmp_path / "x").exists()


def test_without_a_path_it_writes_into_its_own_private_folder_and_says_where(tmp_path):
    for _ in range(2):
        run = run_playbook(tmp_path, [touch("x")], env={"ITCARE_SPOOL": None})
    spools = list((tmp_path / "itcare-spool").iterdir())

    assert len(spools) == 2
    assert (tmp_path / "itcare-spool").stat().st_mode & 0o777 == 0o700
    assert any(str(path) in run.output.replace("\n", "") for path in spools)
    assert all(read_spool(path).complete for path in spools)


def test_with_the_folder_of_a_runner_job_it_writes_there(tmp_path):
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    run_playbook(tmp_path, [touch("x")], env={"ITCARE_SPOOL": None, "AWX_ISOLATED_DATA_DIR": str(artifacts)})

    assert read_spool(artifacts / "spool.jsonl").complete


def _occupy(path, how):
    if how == "file":
        path.write_text("old")
    elif how == "link":
        path.symlink_to(path.with_name("elsewhere"))
    elif how == "folder":
        path.mkdir()
    elif how == "no parent":
        path.parent.rmdir()
    elif how == "full disk":
        path.symlink_to("/dev/full")


@pytest.mark.parametrize("how", ["file", "link", "folder", "no parent", "full disk"])
def test_a_spool_that_cannot_be_created_ends_the_run_before_it_starts(tmp_path, how):
    (tmp_path / "place").mkdir()
    path = tmp_path / "place" / "spool.jsonl"
    _occupy(path, how)
    run = run_playbook(tmp_path, [touch("x")], env={"ITCARE_SPOOL": str(path)})

    assert run.rc == 74, run.output
    assert "cannot be recorded" in run.output
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "place" / "elsewhere").exists()
    if how == "file":
        assert path.read_text() == "old"


@pytest.mark.parametrize("how", ["link", "open to others"])
def test_a_folder_of_somebody_else_is_not_used(tmp_path, how):
    folder = tmp_path / "itcare-spool"
    if how == "link":
        (tmp_path / "other").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "other")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    run = run_playbook(tmp_path, [touch("x")], env={"ITCARE_SPOOL": None})

    assert run.rc == 74
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "x").exists()


def test_several_playbooks_in_one_call_are_refused(tmp_path):
    run = run_playbook(tmp_path, [touch("x")], options=["play.yml"])

    assert run.rc == 74
    assert "one playbook" in run.output
    assert not (tmp_path / "x").exists()


def test_a_file_that_is_no_regular_one_is_not_read(tmp_path):
    digest_file = import_plugin_util("_spool.files").digest_file
    os.mkfifo(tmp_path / "pipe.yml")

    assert digest_file(str(tmp_path / "pipe.yml")) == (None, None)
    assert digest_file("/dev/zero") == (None, None)
    assert digest_file(str(tmp_path)) == (None, None)
    assert digest_file(str(tmp_path / "nothing")) == (None, None)


def test_host_names_come_from_the_inventory_however_odd(tmp_path):
    names = ["../../../../evil", "a b;rm", "pc\u202e01", "x" * 300]
    run = run_playbook(tmp_path, [{"name": "look", "ansible.builtin.ping": None}], dict.fromkeys(names, LOCAL))
    spool = read_spool(run.spool)

    assert spool.complete, run.output
    assert {task.host for task in spool.tasks} == set(names)
