"""Run a real ansible-playbook with our callback, in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / "collections"
PLUGINS = ROOT / "tests" / "support" / "ansible"
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@dataclass(frozen=True)
class PlaybookRun:
    """What one ansible-playbook did. `spool` may not exist."""

    rc: int
    output: str
    folder: Path
    spool: Path

    def events(self) -> list[dict[str, object]]:
        """The lines of the spool, read without any of our code."""
        return [json.loads(line) for line in self.spool.read_text().splitlines()]


def write_settings(folder: Path, changes: Mapping[str, str], collections: Path = COLLECTIONS) -> Path:
    """An ansible.cfg as the repository ships it, with `changes` to its section [defaults]."""
    settings = {
        "inject_facts_as_vars": "False",
        "callbacks_enabled": "itcare.maintenance.spool",
        "collections_path": str(collections),
        "library": str(PLUGINS / "library"),
        "connection_plugins": str(PLUGINS / "connection"),
        "callback_plugins": str(PLUGINS / "callback"),
        "nocows": "True",
        "pipelining": "True",
        **changes,
    }
    lines = ["[defaults]", *(f"{key} = {value}" for key, value in settings.items())]
    path = folder / "ansible.cfg"
    path.write_text(
        "\n".join([*lines, "[inventory]", "unparsed_is_failed = True", "host_pattern_mismatch = error", ""])
    )
    return path


def write_inventory(folder: Path, hosts: Sequence[str] | Mapping[str, Mapping[str, object]]) -> Path:
    """A YAML inventory of local hosts; its values are trusted templates, unlike those of our plugin."""
    variables: Mapping[str, Mapping[str, object]] = hosts if isinstance(hosts, Mapping) else {h: {} for h in hosts}
    path = folder / "hosts.yml"
    content = {"all": {"hosts": {name: {**LOCAL, **extra} for name, extra in variables.items()}}}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def scrubbed_environment(folder: Path, extra: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """An environment with nothing of the developer's; an `extra` of None takes a variable away."""
    environment: dict[str, str | None] = {
        "PATH": f"{ANSIBLE_PLAYBOOK.parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",  # a run under a limit or fault must not leave half a .pyc behind
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ITCARE_SPOOL": str(folder / "spool.jsonl"),
        **(extra or {}),
    }
    return {key: value for key, value in environment.items() if value is not None}


def run_playbook(
    folder: Path,
    play: str | Sequence[Mapping[str, object]],
    hosts: Sequence[str] | Mapping[str, Mapping[str, object]] = ("pc01",),
    env: Mapping[str, str | None] | None = None,
    *,
    options: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    collections: Path = COLLECTIONS,
    inventory: Path | None = None,
    prefix: Sequence[str] = (),
    preexec: Callable[[], None] | None = None,
    timeout: float = 180,
) -> PlaybookRun:
    """Run one playbook and wait for it.

    `play`: text, or the tasks of one play without facts on all hosts. `hosts`: names, or names
    with variables. `env` and `settings`: changes to the environment and to ansible.cfg.
    `prefix`: a command in front, such as strace.
    """
    text = play if isinstance(play, str) else one_play(play)
    (folder / "play.yml").write_text(text)
    write_settings(folder, settings or {}, collections)
    source = inventory or write_inventory(folder, hosts)
    environment = scrubbed_environment(folder, env)
    finished = subprocess.run(
        [*prefix, str(ANSIBLE_PLAYBOOK), "-i", str(source), *options, "play.yml"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        preexec_fn=preexec,
        check=False,
    )
    spool = Path(environment.get("ITCARE_SPOOL", os.devnull))
    return PlaybookRun(finished.returncode, finished.stdout.decode("utf-8", "replace"), folder, spool)


def one_play(tasks: Sequence[Mapping[str, object]], **keywords: object) -> str:
    """The YAML text of one play of these tasks on all hosts, without facts."""
    play = {"name": "test", "hosts": "all", "gather_facts": False, **keywords, "tasks": [dict(task) for task in tasks]}
    return yaml.safe_dump([play], sort_keys=False)


def touch(name: str) -> dict[str, object]:
    """A task that leaves a file behind, so that a test can see whether it ran."""
    return {"name": f"touch {name}", "ansible.builtin.raw": f"touch {name}"}
