"""Whole runs of ansible-playbook that remove the same old files, once with our module and once with a loop.

They clean /var/crash in a mount namespace of their own, in which /var is empty but for that folder, so that nothing
else of this computer can be reached. The times of a file's inode cannot be set, so Python's clock on the "computer" is
put ahead, for both alike.
"""

import os
import shlex
import sys
from pathlib import Path

from benchmarks.measure import Cost, measure
from tests.support.temp_trees import AGE_DAYS, DAY

ROOT = Path(__file__).resolve().parents[1]
STOPPED = 124  # timeout(1)
PLAYBOOKS = {
    "temp_cleanup": """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Clean
      itcare.maintenance.temp_cleanup:
        categories: [crash_reports]
""",
    "find and file": """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Find
      ansible.builtin.find:
        paths: /var/crash
        recurse: true
        file_type: file
        age: 7d
      register: found
    - name: Remove
      ansible.builtin.file:
        path: "{{ item.path }}"
        state: absent
      loop: "{{ found.files }}"
      loop_control:
        label: "{{ item.path }}"
""",
}
NAMESPACE = (
    'mount -t tmpfs tmpfs /var && mkdir /var/crash /var/tmp && mount --bind "$1" /var/crash && shift && exec "$@"'
)


def prepare(folder: Path) -> None:
    """Write the playbooks, and a Python whose clock is ahead."""
    for name, text in PLAYBOOKS.items():
        (folder / f"{name}.yml").write_text(text)
    clock = folder / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(
        f"import time\nreal = time.time\ntime.time = lambda: real() + {(AGE_DAYS + 1) * DAY}\n"
    )
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(clock))} exec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)


def run_playbook(folder: Path, name: str, tree: Path, most_seconds: float) -> Cost:
    """The cost of one run over the files of `tree`, which is stopped after a time; RuntimeError when it fails."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_CONFIG": str(folder / "none.cfg"),
        "ANSIBLE_HOME": str(folder / "ansible"),
    }
    playbook = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    playbook += ["-e", f"ansible_python_interpreter={folder / 'python'}", str(folder / f"{name}.yml")]
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    namespace = ["unshare", *user, "--mount", "sh", "-c", NAMESPACE, "sh", str(tree)]
    limit = ["timeout", "--kill-after=10", f"{most_seconds:.0f}"]
    return measure([*namespace, *limit, *playbook], ROOT, environment, folder / "log", accept=(0, STOPPED))
