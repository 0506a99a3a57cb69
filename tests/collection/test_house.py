"""Rules of the house that every shipped playbook, role and plugin of the collection keeps."""

import ast
import configparser
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.health import COLLECTION, COLLECTIONS, REPOSITORY
from tests.support.oldest_python import find_oldest_python

# Each makes one host's result read as another's, or as fine.
FORBIDDEN = {"run_once", "serial", "ignore_unreachable", "any_errors_fatal", "max_fail_percentage"}
# These stand for tasks that are looked at themselves.
IMPORTS = {"import_role", "import_tasks", "include_tasks", "include_role", "import_playbook"}
BLOCKS = ("block", "rescue", "always")
PLAYBOOKS = sorted([*(REPOSITORY / "playbooks").glob("*.yml"), *(COLLECTION / "playbooks").glob("*.yml")])
TASK_FILES = sorted([*COLLECTION.glob("roles/*/tasks/*.yml"), *COLLECTION.glob("roles/*/handlers/*.yml")])
PLUGIN_TYPES = {"modules": "module", "callback": "callback", "inventory": "inventory", "lookup": "lookup"}
PLUGINS = sorted(
    (kind, file.stem)
    for folder, kind in PLUGIN_TYPES.items()
    for file in (COLLECTION / "plugins" / folder).glob("[a-z]*.py")
)


def plugin_files(folder: str) -> list[Path]:
    return sorted((COLLECTION / "plugins" / folder).rglob("*.py"))


def complaints_about_play(play: dict) -> Iterator[str]:
    """What a play of a shipped playbook does wrong."""
    if set(play) <= {"name", "ansible.builtin.import_playbook"}:
        return
    yield from _forbidden(play)
    expected = {"hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.host_pinned"}
    yield from (f"{key} is not {value}" for key, value in expected.items() if play.get(key) != value)
    if play.get("roles"):
        yield "roles: puts the check of role options before the probe; import the role without it"
    for part in ("pre_tasks", "tasks", "post_tasks", "handlers"):
        yield from complaints_about_tasks(play.get(part) or [])


def complaints_about_tasks(tasks: list[dict]) -> Iterator[str]:
    """What a list of tasks does wrong, blocks included."""
    for task in tasks:
        name = task.get("name", "a task without a name")
        yield from (f"{name}: {text}" for text in _complaints_about_task(task))
        for part in BLOCKS:
            yield from complaints_about_tasks(task.get(part) or [])


def _complaints_about_task(task: dict) -> Iterator[str]:
    yield from _forbidden(task)
    if "{{" in task.get("name", "{{"):
        yield "a template in place of a name, or no name"
    loops = any(key == "loop" or key.startswith("with_") for key in task)
    if loops and "delegate_to" in task:
        yield "delegate_to in a loop"
    actions = {key.rpartition(".")[2]: value for key, value in task.items()}
    role = actions.get("import_role") or actions.get("include_role")
    if role is not None and role.get("rolespec_validate") is not False:
        yield "the role's options are checked in a task before its first one"
    if not task.keys() & set(BLOCKS) and not actions.keys() & IMPORTS and "timeout" not in task:
        yield "no timeout"


def _forbidden(mapping: dict) -> Iterator[str]:
    yield from (f"{keyword} is not allowed" for keyword in sorted(FORBIDDEN & mapping.keys()))


def load(file: Path) -> list[dict]:
    return yaml.safe_load(file.read_text()) or []


def test_there_is_something_to_look_at():
    assert {file.name for file in PLAYBOOKS} >= {"visit.yml"}
    assert COLLECTION / "roles/visit/tasks/main.yml" in TASK_FILES
    assert ("module", "health_info") in PLUGINS


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_a_shipped_playbook_keeps_the_rules(playbook):
    assert [text for play in load(playbook) for text in complaints_about_play(play)] == []


@pytest.mark.parametrize("file", TASK_FILES, ids=lambda file: str(file.relative_to(COLLECTION)))
def test_the_tasks_of_a_role_keep_the_rules(file):
    assert list(complaints_about_tasks(load(file))) == []


@pytest.mark.parametrize("role", sorted(COLLECTION.glob("roles/*")), ids=lambda folder: folder.name)
def test_the_first_task_of_a_role_touches_nothing(role):
    assert "ansible.builtin.ping" in load(role / "tasks" / "main.yml")[0]


GOOD_PLAY = {"hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.host_pinned"}
GOOD_TASK = {"name": "Do it", "ansible.builtin.ping": None, "timeout": 5}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"run_once": True}, "run_once"),
        ({"ignore_unreachable": True}, "ignore_unreachable"),
        ({"loop": [1], "delegate_to": "x"}, "delegate_to"),
        ({"with_items": [1], "delegate_to": "x"}, "delegate_to"),
        ({"name": "Do {{ it }}"}, "template"),
        ({"name": None}, "name"),
        ({"timeout": None}, "timeout"),
        ({"ansible.builtin.ping": None, "ansible.builtin.import_role": {"name": "x"}}, "options are checked"),
        ({"block": [{"name": "Inside", "ansible.builtin.ping": None}]}, "Inside: no timeout"),
    ],
)
def test_a_task_that_breaks_a_rule_is_found(change, word):
    changed = GOOD_TASK | change
    task = {key: value for key, value in changed.items() if value is not None or key.startswith("ansible")}
    assert [text for text in complaints_about_tasks([task]) if word in text]
    assert list(complaints_about_tasks([GOOD_TASK])) == []


@pytest.mark.parametrize(
    "change",
    [{"serial": 1}, {"hosts": "web"}, {"gather_facts": True}, {"strategy": "linear"}, {"roles": ["x"]}],
    ids=lambda change: next(iter(change)),
)
def test_a_play_that_breaks_a_rule_is_found(change):
    assert list(complaints_about_play(GOOD_PLAY | {"tasks": [GOOD_TASK]})) == []
    assert list(complaints_about_play(GOOD_PLAY | change)) != []


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_the_documentation_of_a_plugin_renders(kind, name, tmp_path):
    full_name = f"itcare.maintenance.{name}"
    run = subprocess.run(
        [Path(sys.executable).parent / "ansible-doc", "-t", kind, "-j", full_name],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        },
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    documentation = json.loads(run.stdout)[full_name]
    assert documentation["doc"]["short_description"]
    assert documentation["doc"]["version_added"]
    if kind == "module":
        assert documentation["examples"].strip()
        assert documentation["return"]
        assert documentation["doc"]["attributes"]["check_mode"]["support"] == "full"


@pytest.mark.component("python3.9")
def test_what_runs_on_computers_is_imported_by_the_oldest_python():
    python = find_oldest_python()
    assert python is not None, "no Python 3.9; .ci/python39.sh fetches one"
    import ansible

    files = plugin_files("modules") + plugin_files("module_utils")
    names = [".".join(file.relative_to(COLLECTIONS).with_suffix("").parts) for file in files]
    names = [name.removesuffix(".__init__") for name in names]
    assert len(names) > 10
    run = subprocess.run(
        [python, "-W", "error", "-c", f"import importlib\nfor name in {names!r}: importlib.import_module(name)"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{COLLECTIONS}{os.pathsep}{Path(ansible.__file__).parents[1]}"},
        cwd="/",
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_collection_imports_nothing_of_the_package_and_no_library():
    own = {"ansible", "ansible_collections", *sys.stdlib_module_names}
    files = plugin_files("modules") + plugin_files("module_utils")
    assert {name.partition(".")[0] for file in files for name in imports_of(file)} <= own
    everything = sorted((COLLECTION / "plugins").rglob("*.py"))
    assert "itcare" not in {name.partition(".")[0] for file in everything for name in imports_of(file)}


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def test_the_settings_of_the_repository_keep_facts_apart_and_an_empty_inventory_an_error():
    settings = configparser.ConfigParser()
    settings.read(REPOSITORY / "ansible.cfg")
    assert dict(settings["defaults"]) == {
        "inject_facts_as_vars": "False",
        "callbacks_enabled": "itcare.maintenance.spool",
        "collections_path": "collections",
    }
    # Which inventory plugins may be used is the driver's to say: a list here would break the inventories of others.
    assert dict(settings["inventory"]) == {"unparsed_is_failed": "True", "host_pattern_mismatch": "error"}
