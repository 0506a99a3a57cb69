"""Which real components of the system tests may use, and whether they are here.

`python -m tests.support.components missing-packages` prints the Debian packages to install,
`... prepare` fetches what is no ordinary package (the oldest Python of a target).
"""

import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"


@cache
def allowed_skips() -> dict[str, dict[str, Any]]:
    """Component name -> what it needs, its packages, the condition that a skip names."""
    return tomllib.loads((ROOT / "tests" / "allowed_skips.toml").read_text(encoding="utf-8"))


def _find_python39() -> bool:
    from tests.support.oldest_python import find_oldest_python

    return find_oldest_python() is not None


def _find_netns() -> bool:
    if os.geteuid() != 0 or not Path("/usr/sbin/ip").exists():
        return False
    name = f"itcare-probe-{os.getpid()}"
    made = subprocess.run(["/usr/sbin/ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode == 0:
        subprocess.run(["/usr/sbin/ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


_FINDERS = {
    "python39": _find_python39,
    "root": lambda: os.geteuid() == 0,
    "netns": _find_netns,
    "samples": SAMPLES.is_dir,
}


@cache
def is_present(name: str) -> bool:
    """Whether the component is here. KeyError for a name that tests/allowed_skips.toml does not list."""
    entry = allowed_skips()[name]
    if not all(os.access(path, os.X_OK) for path in entry.get("needs", [])):
        return False
    return _FINDERS[entry["finder"]]() if "finder" in entry else True


def can_be_installed(name: str) -> bool:
    """Whether CI brings the component itself, so that its absence there is a failure."""
    return bool(allowed_skips()[name].get("installed", True))


def missing_packages() -> list[str]:
    """Debian packages of the components that are not here."""
    wanted: dict[str, None] = {}
    for entry in allowed_skips().values():
        if not all(os.access(path, os.X_OK) for path in entry.get("needs", [])):
            wanted.update(dict.fromkeys(entry.get("packages", [])))
    return list(wanted)


def prepare() -> None:
    """Fetch the oldest Python of a target where none is installed (Debian, root)."""
    if not _find_python39() and os.geteuid() == 0 and Path("/usr/bin/apt-get").exists():
        subprocess.run(["bash", str(ROOT / ".ci" / "python39.sh"), str(ROOT / ".boot" / "python39")], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["missing-packages"]:
            sys.stdout.write(" ".join(missing_packages()))
        case ["prepare"]:
            prepare()
        case _:
            sys.exit("usage: python -m tests.support.components missing-packages|prepare")
