"""The module and the role as ansible-playbook runs them, and the module on real folders of a closed-off computer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.oldest_python import find_oldest_python
from tests.support.playbook import COLLECTIONS, run_playbook
from tests.support.temp_trees import make_tree

# A mount namespace with an empty /tmp and /var/tmp of its own, and a clock eight days ahead. What the module needs is
# imported before, as the code itself may be below /tmp.
ON_REAL_FOLDERS = """
import ctypes, json, os, subprocess, sys, time
from ansible.module_utils import basic
from ansible_collections.itcare.maintenance.plugins.modules import temp_cleanup
import _strptime, ansible.module_utils._internal._json._profiles._module_legacy_m2c
import ansible.module_utils._internal._json._profiles._module_legacy_c2m
os.chdir("/")
os.unshare(os.CLONE_NEWNS)
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
for folder in ("/tmp", "/var/tmp"):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
for path in ("/tmp/old", "/tmp/other", "/var/tmp/old"):
    open(path, "w").write("0123456789")
now = time.time()
temp_cleanup.read_clock = lambda: now + 8 * 86400
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[1])}).encode()
basic._ANSIBLE_PROFILE = "legacy"
try:
    temp_cleanup.main()
finally:
    left = sorted(folder + "/" + name for folder in ("/tmp", "/var/tmp") for name in os.listdir(folder))
    print(json.dumps(left), file=sys.stderr)
"""


def run_on_real_folders(arguments: dict[str, Any], folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The module's answer and what is left."""
    import ansible

    search = f"{COLLECTIONS}:{Path(ansible.__file__).parents[1]}"
    finished = subprocess.run(
        [sys.executable, "-c", ON_REAL_FOLDERS, json.dumps(arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": search},
        check=False,
    )
    assert finished.stdout, finished.stderr
    return json.loads(finished.stdout), json.loads(finished.stderr.splitlines()[-1])


@pytest.mark.component("root")
class TestTheModuleOnRealFolders:
    def test_it_cleans_and_says_changed(self, tmp_path: Path) -> None:
        answer, left = run_on_real_folders({"categories": ["system_temp"]}, tmp_path)
        assert answer["changed"] is True
        assert answer["temp"]["mode"] == "clean"
        assert answer["temp"]["total"]["deleted_files"] == 3
        assert left == []

    def test_check_mode_is_a_plan(self, tmp_path: Path) -> None:
        arguments = {"categories": ["system_temp"], "_ansible_check_mode": True}
        answer, left = run_on_real_folders(arguments, tmp_path)
        assert answer["changed"] is False
        assert answer["temp"]["mode"] == "plan"
        assert answer["temp"]["total"] == {
            "planned_files": 3,
            "planned_bytes": 30,
            "deleted_files": 0,
            "deleted_bytes": 0,
        }
        assert left == ["/tmp/old", "/tmp/other", "/var/tmp/old"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"min_age_days": 0}, "min_age_days must be 1 or more"),
            ({"ceiling_files": -1}, "ceiling_files must be 0 or more"),
            ({"categories": ["journal"]}, "needs journal_keep_days"),
            ({"categories": ["prefetch"]}, "value of categories must be one or more of"),
        ],
    )
    def test_what_makes_no_sense_is_refused_and_nothing_deleted(
        self, tmp_path: Path, arguments: dict[str, Any], message: str
    ) -> None:
        answer, left = run_on_real_folders(arguments, tmp_path)
        assert answer["failed"] is True
        assert message in answer["msg"]
        assert len(left) == 3


def visit(folder: Path, *options: str, **variables: Any) -> list[dict[str, Any]]:
    """The ended tasks of one visit of this computer. Nothing is looked at but crash reports, and none is deleted."""
    role = {"name": "itcare.maintenance.visit", "rolespec_validate": False}
    choice = {"visit_temp_categories": ["crash_reports"], "visit_temp_exclude": ["*"], **variables}
    run = run_playbook(
        folder, [{"name": "visit", "ansible.builtin.import_role": role, "vars": choice}], options=options
    )
    assert run.rc == 0, run.output
    events: list[dict[str, Any]] = run.events()
    started = {event["task"]: event for event in events if event["event"] == "task_start"}
    return [{**started[event["task"]], **event} for event in events if event["event"] == "task_end"]


class TestTheRole:
    def test_a_visit_plans_and_deletes_nothing_unless_told_to(self, tmp_path: Path) -> None:
        last = visit(tmp_path)[-1]
        assert last["module"] == "itcare.maintenance.temp_cleanup"
        assert last["outcome"] == "ok"
        assert last["result"]["temp"]["mode"] == "plan"
        assert last["args"]["exclude"] == "{{ visit_temp_exclude }}"
        assert set(last["args"]) >= {"categories", "min_age_days", "ceiling_bytes", "journal_keep_days"}

    @pytest.mark.parametrize(("options", "mode"), [((), "clean"), (("--check",), "plan")])
    def test_it_cleans_when_told_to_but_never_in_check_mode(
        self, tmp_path: Path, options: tuple[str, ...], mode: str
    ) -> None:
        last = visit(tmp_path, *options, visit_temp_clean=True)[-1]
        assert last["result"]["temp"]["mode"] == mode

    def test_without_categories_the_task_is_skipped(self, tmp_path: Path) -> None:
        assert visit(tmp_path, visit_temp_categories=[])[-1]["outcome"] == "skipped"


@pytest.mark.component("python3.9")
def test_the_oldest_python_cleans_the_same(tmp_path: Path) -> None:
    import ansible

    tree = make_tree(tmp_path / "root")
    for number in range(300):
        tree.file(f"tmp/d/{number}")
    digest = tree.plan(now=2e9)["categories"]["system_temp"]["digest"]
    code = (
        "import json, sys; from ansible_collections.itcare.maintenance.plugins.module_utils._temp.cleanup import *; "
        "print(json.dumps(clean_up(Order(categories=('system_temp', 'user_cache', 'package_cache', 'journal'), "
        "cleans=True, now=2e9, journal_keep_days=30, root=sys.argv[1]))[0]))"
    )
    search = f"{COLLECTIONS}:{Path(ansible.__file__).parents[1]}"
    finished = subprocess.run(
        [str(find_oldest_python()), "-c", code, str(tree.root)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": search},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert result["categories"]["system_temp"]["digest"] == digest
    assert result["total"]["deleted_files"] == 300
    assert result["differences"] == []
