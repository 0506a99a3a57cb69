"""Real runs of the module on this computer, as Ansible runs it."""

import base64
import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.oldest_python import find_oldest_python
from tests.support.playbook import run_playbook
from tests.support.software import MODULE, SOURCES, assert_well_formed, write_fake_dpkg

TASK = {"name": "list", MODULE: {}}


def results(folder: Path, *tasks: dict, **options: object) -> list[dict]:
    """What the spool has of the tasks of a real run."""
    run = run_playbook(folder, tasks, **options)
    ends = [event for event in run.events() if event["event"] == "task_end"]
    assert len(ends) == len(tasks), run.output
    assert not [end for end in ends if end["truncated"]]
    return ends


def unfold(software: dict) -> dict:
    """The result with a plain list, whether it came packed or not."""
    if software["packages"] is not None:
        return software
    packed = software.pop("packed")
    return {**software, "packages": json.loads(gzip.decompress(base64.b64decode(packed["data"])))}


@pytest.mark.component("python3.9")
def test_the_software_of_this_computer_is_listed_by_the_oldest_python(tmp_path):
    hosts = {"pc01": {"ansible_python_interpreter": str(find_oldest_python())}}
    (end,) = results(tmp_path, TASK, hosts=hosts)
    assert (end["outcome"], end["result"]["changed"]) == ("ok", False)
    software = unfold(end["result"]["software"])
    assert_well_formed(software, SOURCES)
    status = ["dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package} ${Version}\n"]
    said = subprocess.run(status, capture_output=True, text=True, check=True).stdout.splitlines()
    installed = sorted(line.split()[1:] for line in said if line.startswith("ii"))
    listed = sorted([row["name"], row["version"]] for row in software["packages"] if row["source"] == "dpkg")
    assert listed == installed
    assert sum(row["installed_at"] is None for row in software["packages"] if row["source"] == "dpkg") == 0


def test_it_says_the_same_in_check_mode_and_asks_only_the_named_sources(tmp_path):
    few = {"name": "few", MODULE: {"sources": ["apk", "dpkg"], "source_timeout": 20}}
    real, checked, some = results(tmp_path, TASK, {**TASK, "check_mode": True}, few)
    lists = [unfold(end["result"]["software"])["packages"] for end in (real, checked)]
    assert lists[0] == lists[1]
    assert_well_formed(unfold(some["result"]["software"]), ["dpkg", "apk"])


def test_wrong_parameters_are_refused_with_their_names(tmp_path):
    ends = results(
        tmp_path,
        {"name": "sources", MODULE: {"sources": ["weather"]}, "ignore_errors": True},
        {"name": "timeout", MODULE: {"source_timeout": 0}, "ignore_errors": True},
    )
    assert [end["outcome"] for end in ends] == ["failed", "failed"]
    assert "weather" in ends[0]["result"]["msg"]
    assert "source_timeout" in ends[1]["result"]["msg"]


def test_an_empty_path_fails_nothing_and_hides_no_database(tmp_path):
    (end,) = results(tmp_path, {**TASK, "environment": {"PATH": ""}})
    software = end["result"]["software"]
    assert_well_formed(software, SOURCES)
    found = Path("/var/lib/dpkg/status").exists()
    sources = {name: (one["state"], one["reason"]) for name, one in software["sources"].items()}
    assert sources["dpkg"] == (("unavailable" if found else "absent"), "not_installed")
    assert {sources[name][0] for name in ("apk", "snap", "flatpak")} == {"absent"}


def test_twenty_thousand_packages_come_through_a_real_run_in_one_piece(tmp_path):
    folder = write_fake_dpkg(tmp_path / "fake", 20_000)
    path = f"{folder}:/usr/bin:/bin"
    first, second = results(tmp_path, *[{**TASK, "environment": {"PATH": path}}] * 2)
    packed = [end["result"]["software"]["packed"] for end in (first, second)]
    assert packed[0] == packed[1]
    software = unfold(first["result"]["software"])
    assert_well_formed(software, SOURCES)
    assert software["sources"]["dpkg"]["count"] == 20_000


@pytest.mark.component("root")
def test_an_ordinary_user_lists_what_is_open_and_says_what_was_not_asked(tmp_path):
    spool, hosts = (
        tmp_path / "spool.jsonl",
        {"pc01": {"ansible_python_interpreter": shutil.which("python3", path="/usr/bin")}},
    )
    become = {
        "become": True,
        "become_method": "ansible.builtin.su",
        "become_user": "nobody",
        "become_flags": "-s /bin/sh",
    }
    shared = {"ansible_remote_tmp": "/var/tmp", "ansible_pipelining": "true"}
    (end,) = results(tmp_path, {**TASK, **become}, hosts={"pc01": {**hosts["pc01"], **shared}})
    assert spool.exists()
    assert end["outcome"] == "ok", end
    sources = unfold(end["result"]["software"])["sources"]
    assert sources["dpkg"]["state"] == "ok"
    assert sources["pip_user"]["state"] == "ok"
    assert [(gap["scope"], gap["reason"]) for gap in sources["pip_user"]["unasked"]] == [("user:*", "no_permission")]
    assert "user:*" in sources["npm_global"]["detail"]


@pytest.mark.parametrize("wanted", [True, False, "no"])
def test_the_role_lists_software_unless_told_not_to(tmp_path, wanted):
    role = [
        {
            "name": "visit",
            "ansible.builtin.import_role": {"name": "itcare.maintenance.visit", "rolespec_validate": False},
        }
    ]
    run = run_playbook(tmp_path, role, options=["-e", json.dumps({"visit_software": wanted})])
    starts = {event["task"]: event for event in run.events() if event["event"] == "task_start"}
    outcomes = {starts[e["task"]]["module"]: e["outcome"] for e in run.events() if e["event"] == "task_end"}
    assert outcomes.pop(MODULE) == ("ok" if wanted is True else "skipped"), run.output
    others = ("ansible.builtin.ping", "itcare.maintenance.health_info", "itcare.maintenance.temp_cleanup")
    assert outcomes == dict.fromkeys(others, "ok")
    assert os.path.getsize(run.spool) < 1_000_000
