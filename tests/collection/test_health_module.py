"""Real runs of the module on this computer, as Ansible runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from itcare.core.clock import read_instant
from tests.support.health import COLLECTIONS, PACKAGE, REPOSITORY
from tests.support.oldest_python import find_oldest_python

SOURCES = [
    "filesystems", "smart", "units", "journal", "reboot", "libraries", "time", "uptime", "memory",
    "temperatures", "batteries", "administrators", "listeners", "firewall", "encryption",
]  # fmt: skip
ORDINARY_USER = "65534"
HERE = REPOSITORY / "inventories" / "demo" / "plain.yml"

RECORDER = """
import json
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "recorder"

    def _tell(self, outcome, result):
        row = {"task": result.task.get_name().split(" : ")[-1], "outcome": outcome, "result": result.result}
        print(json.dumps(row, default=str))

    def v2_runner_on_ok(self, result):
        self._tell("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._tell("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._tell("unreachable", result)
"""


def play(folder: Path, playbook: Path, inventory: Path = HERE, **variables: object) -> list[dict]:
    """Results in order, as told by a callback of our own: task, outcome, result.

    Nothing of the caller's environment or settings takes part.
    """
    plugins = folder / "callbacks"
    plugins.mkdir(exist_ok=True)
    (plugins / "recorder.py").write_text(RECORDER)
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_STDOUT_CALLBACK": "recorder",
        "ANSIBLE_CALLBACK_PLUGINS": str(plugins),
    }
    run = subprocess.run(
        ["ansible-playbook", "-i", inventory, "-e", json.dumps(variables), playbook],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=240,
        check=False,
    )
    rows = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert rows, run.stdout + run.stderr
    return rows


def call_module(folder: Path, *calls: dict, **variables: object) -> list[dict]:
    """The rows of a play with one task per call; keys that are no parameters of the module are keywords."""
    names = ("services", "since", "sources", "source_timeout")
    tasks = []
    for call in calls:
        parameters = {name: call[name] for name in names if name in call}
        keywords = {name: value for name, value in call.items() if name not in names}
        tasks.append({"itcare.maintenance.health_info": parameters, "ignore_errors": True, **keywords})
    playbook = folder / "play.yml"
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    return play(folder, playbook, **variables)


def assert_well_formed(health: dict, names: list[str]) -> None:
    assert health["schema"] == "itcare/health/v1"
    assert read_instant(health["observed_at"])
    assert set(health["system"]) == {
        *("family", "distribution", "version", "pretty_name", "kernel", "virtualization", "effective_user", "uid"),
    }
    assert sorted(health["sources"]) == sorted(names)
    for name, source in health["sources"].items():
        assert set(source) == {"state", "reason", "detail", "seconds", "data"}, name
        assert source["state"] in {"ok", "absent", "unavailable"}, name
        assert (source["data"] is not None) == (source["state"] == "ok"), name
        assert (source["reason"] is None) == (source["state"] == "ok"), name
        assert source["detail"] is None or source["detail"].isprintable(), name


@pytest.mark.component("python3.9")
def test_it_runs_on_the_oldest_python_with_every_source(tmp_path):
    python = find_oldest_python()
    assert python is not None, "no Python 3.9; .ci/python39.sh fetches one"
    call = {"services": ["ssh"], "since": "2026-11-01T00:00:00Z"}
    (row,) = call_module(tmp_path, call, ansible_python_interpreter=str(python))
    assert row["outcome"] == "ok", row["result"]
    assert_well_formed(row["result"]["health"], SOURCES)
    assert row["result"]["changed"] is False
    for name in ("filesystems", "time", "uptime", "memory"):
        assert row["result"]["health"]["sources"][name]["state"] == "ok", name


def test_it_says_the_same_in_check_mode_and_asks_only_the_named_sources(tmp_path):
    rows = call_module(tmp_path, {}, {"check_mode": True}, {"sources": ["memory", "uptime"]})
    real, checked, few = (row["result"] for row in rows)
    assert_well_formed(real["health"], SOURCES)
    assert_well_formed(few["health"], ["memory", "uptime"])
    states = [{name: one["state"] for name, one in run["health"]["sources"].items()} for run in (real, checked)]
    assert states[0] == states[1]
    assert "ansible_facts" not in real


def test_a_wrong_parameter_is_refused_with_its_name(tmp_path):
    cases = [
        ({"since": "yesterday"}, "since is not an ISO 8601 instant"),
        ({"since": "2026-11-01T00:00:00"}, "offset"),
        ({"source_timeout": 0}, "source_timeout"),
        ({"sources": ["weather"]}, "weather"),
    ]
    rows = call_module(tmp_path, *(call for call, _word in cases))
    assert [row["outcome"] for row in rows] == ["failed"] * len(cases)
    assert not [word for (_call, word), row in zip(cases, rows, strict=True) if word not in row["result"]["msg"]]


def readable_python() -> str:
    """The system's Python: an ordinary user cannot enter a home directory to use another one."""
    return shutil.which("python3", path="/usr/bin:/bin") or sys.executable


def test_an_ordinary_user_gets_reasons_in_place_of_what_is_closed(tmp_path):
    start = (
        f"import json; from {PACKAGE}.observation import SOURCES, observe;"
        "print(json.dumps(observe(list(SOURCES), services=[], since=None, source_timeout=20)))"
    )
    package = Path(shutil.copytree(COLLECTIONS, tmp_path / "collections"))
    import ansible

    shutil.copytree(Path(ansible.__file__).parent / "module_utils", tmp_path / "library/ansible/module_utils")
    (tmp_path / "library/ansible/__init__.py").write_text("")
    open_to_others(tmp_path)
    drop = ["setpriv", f"--reuid={ORDINARY_USER}", f"--regid={ORDINARY_USER}", "--clear-groups"]
    run = subprocess.run(
        [*(drop if os.geteuid() == 0 else []), readable_python(), "-c", start],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{package}{os.pathsep}{tmp_path / 'library'}"},
        cwd="/",
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    health = json.loads(run.stdout)
    assert_well_formed(health, SOURCES)
    assert health["system"]["uid"] != 0
    sources = health["sources"]
    assert (sources["libraries"]["state"], sources["libraries"]["reason"]) == ("unavailable", "no_permission")
    assert sources["journal"]["reason"] in {"no_permission", "no_journal"}
    assert sources["firewall"]["reason"] == "no_permission"
    if os.path.exists("/etc/sudoers"):
        assert sources["administrators"]["reason"] == "no_permission"
    assert sources["listeners"]["state"] == "ok"
    assert sources["filesystems"]["state"] == sources["memory"]["state"] == sources["time"]["state"] == "ok"


def open_to_others(folder: Path) -> None:
    """Let every user read below `folder` and pass through the private directories that pytest keeps it in."""
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(parent.stat().st_mode | 0o011)


def visit(folder: Path, inventory: Path = HERE, **variables: object) -> list[dict]:
    """The rows of the shipped playbook."""
    return play(folder, REPOSITORY / "playbooks" / "visit.yml", inventory, **variables)


def test_a_visit_probes_first_and_leaves_the_observation_in_the_second_result(tmp_path):
    rows = visit(tmp_path, visit_services=["no-such-service"], visit_since="2026-11-20T00:00:00Z")
    assert [(row["task"], row["outcome"]) for row in rows] == [
        ("Probe the computer", "ok"),
        ("Look at the health of the computer", "ok"),
        ("List the installed software", "ok"),
        ("Clean up temporary files, or only plan to", "ok"),
    ]
    assert_well_formed(rows[1]["result"]["health"], SOURCES)
    assert "ansible_facts" not in rows[1]["result"]


def test_a_computer_that_is_unreachable_is_so_at_the_probe_before_anything_else(tmp_path):
    inventory = tmp_path / "hosts.yml"
    dead = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    inventory.write_text(json.dumps({"all": {"hosts": {"dead": dead}}}))
    rows = visit(tmp_path, inventory)
    assert [(row["task"], row["outcome"]) for row in rows] == [("Probe the computer", "unreachable")]


@pytest.mark.parametrize(
    ("variables", "word"), [({"visit_services": {"no": "list"}}, "services"), ({"visit_since": "yesterday"}, "since")]
)
def test_role_options_reach_the_module_which_checks_them(tmp_path, variables, word):
    rows = visit(tmp_path, **variables)
    assert [row["outcome"] for row in rows] == ["ok", "failed"]
    assert word in rows[1]["result"]["msg"]
