"""Run the cleanup as a user without rights, with a Python and a copy of the code that this user can read."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import ansible

from tests.support.playbook import COLLECTIONS

USER = 12345
_CODE = """
import json, sys, time
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.cleanup import Order, clean_up
order = json.load(sys.stdin)
order["categories"] = tuple(order["categories"])
json.dump(clean_up(Order(now=time.time() + 8 * 86400, **order))[0], sys.stdout)
"""


def as_user(command: list[str], **changes: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as the user 12345, who has no other process."""
    switched = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command]
    return subprocess.run(switched, capture_output=True, text=True, cwd="/", timeout=120, **changes)


@cache
def find_readable_python() -> str:
    """A Python that the user may start: an interpreter below /root is none."""
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
        if Path(candidate).exists() and as_user([candidate, "-c", "import json"], check=False).returncode == 0:
            return candidate
    raise AssertionError("no Python that an ordinary user may start")


def clean_as_user(code: Path, root: Path, *, cleans: bool = True) -> dict[str, Any]:
    """The result of one run over `root`; `code`: a new folder, reached by everybody, for the copy of the collection."""
    if not code.exists():
        inside = code / "ansible_collections/itcare/maintenance/plugins/module_utils"
        shutil.copytree(COLLECTIONS / "ansible_collections/itcare/maintenance/plugins/module_utils", inside)
        shutil.copytree(Path(ansible.__file__).parent / "module_utils", code / "ansible/module_utils")
        (code / "ansible/__init__.py").touch()
        subprocess.run(["chmod", "-R", "a+rX", code], check=True)
    order = {"categories": ["system_temp", "user_cache"], "cleans": cleans, "root": str(root)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    finished = as_user(
        [find_readable_python(), "-c", _CODE], input=json.dumps(order), env=environment, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return dict(json.loads(finished.stdout))
