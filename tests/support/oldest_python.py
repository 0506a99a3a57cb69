"""The oldest Python that the collection's modules run on (ansible-core 2.21 names 3.9 for the computers)."""

import os
import shutil
import subprocess
from pathlib import Path

OLDEST_VERSION = (3, 9)


def find_oldest_python() -> Path | None:
    """A Python of exactly that version which runs, None where there is none.

    `ITCARE_OLDEST_PYTHON` may name one, as `.ci/python39.sh` prints it. Each candidate is tried: a shim of a version
    manager is a file on PATH as well, and answers 127 when the version behind it is not chosen.
    """
    return next((path for path in _candidates() if _is_oldest(path)), None)


def _candidates() -> list[Path]:
    name = f"python{OLDEST_VERSION[0]}.{OLDEST_VERSION[1]}"
    named = os.environ.get("ITCARE_OLDEST_PYTHON")
    found = [shutil.which(name, path=folder) for folder in os.get_exec_path()]
    managed = sorted(Path.home().glob(f".pyenv/versions/{OLDEST_VERSION[0]}.{OLDEST_VERSION[1]}*/bin/{name}"))
    return [Path(path) for path in (named, *found) if path] + managed


def _is_oldest(path: Path) -> bool:
    question = f"import sys; sys.exit(sys.version_info[:2] != {OLDEST_VERSION!r})"
    try:
        answer = subprocess.run([path, "-c", question], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
