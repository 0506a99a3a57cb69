"""Somebody who knows nothing but ansible-playbook uses the collection as it lies in the repository."""

import shutil
import stat
import subprocess
from pathlib import Path

from itcare.core.words import TaskOutcome
from itcare.drive.spool import read_spool
from tests.support.components import ROOT
from tests.support.playbook import ANSIBLE_PLAYBOOK

_USED = ("ansible.cfg", "collections", "inventories", "playbooks")
_WORDS = ("-i", "inventories/demo/plain.yml", "playbooks/visit.yml")


def copy_root(folder: Path) -> Path:
    """The parts of the repository that a plain run may use, and nothing else of it."""
    root = folder / "root"
    root.mkdir()
    for name in _USED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    return root


def test_a_plain_run_of_a_copy_leaves_one_complete_spool(tmp_path: Path) -> None:
    root = copy_root(tmp_path)
    done = subprocess.run(
        [ANSIBLE_PLAYBOOK, *_WORDS], cwd=root, capture_output=True, text=True, timeout=240, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    (path,) = (root / "itcare-spool").iterdir()
    spool = read_spool(path)
    assert (spool.complete, spool.problems) == (True, ())
    assert spool.header is not None and spool.header.run is None  # no driver: adopted, it stays unannounced
    assert {task.host for task in spool.tasks} == {"localhost"}
    assert [task.module for task in spool.tasks][:2] == ["ansible.builtin.ping", "itcare.maintenance.health_info"]
    assert {task.outcome for task in spool.tasks} <= {TaskOutcome.OK, TaskOutcome.SKIPPED}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name in done.stdout + done.stderr  # the reader is told where it lies
