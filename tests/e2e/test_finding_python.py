"""A newcomer's computer has all kinds of things called python."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.components import ROOT

SCRIPT = ROOT / ".ci" / "python.sh"


def _executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _find(home: Path, *folders: Path) -> subprocess.CompletedProcess[str]:
    path = ":".join([*map(str, folders), "/usr/bin", "/bin"])
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": path, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def _real_python(path: Path) -> Path:
    return _executable(path, f'#!/bin/sh\nexec "{os.path.realpath(sys.executable)}" "$@"\n')


def test_it_passes_over_a_shim_that_answers_127(tmp_path: Path) -> None:
    _executable(tmp_path / "shims" / "python3.12", "#!/bin/sh\necho 'python3.12: command not found' >&2\nexit 127\n")
    real = _real_python(tmp_path / "bin" / "python3.12")
    found = _find(tmp_path, tmp_path / "shims", tmp_path / "bin")
    assert (found.returncode, found.stdout.strip()) == (0, str(real))


def test_it_looks_into_the_version_managers_folder(tmp_path: Path) -> None:
    _executable(tmp_path / "shims" / "python3.12", "#!/bin/sh\nexit 127\n")
    real = _real_python(tmp_path / "home" / ".pyenv" / "versions" / "3.12.9" / "bin" / "python3")
    found = _find(tmp_path / "home", tmp_path / "shims")
    if found.stdout.strip() != str(real):  # a newer system Python in /usr/bin is as good
        assert found.stdout.startswith(("/usr/bin/python3", "/bin/python3"))
    assert found.returncode == 0


def test_without_any_it_ends_soon_and_says_what_to_install(tmp_path: Path) -> None:
    for name in ("python3.12", "python3.13", "python3.14", "python3.15", "python3", "python"):
        _executable(tmp_path / "old" / name, "#!/bin/sh\nexit 1\n")
    for tool in ("timeout", "cat", "sh", "sleep"):
        (tmp_path / "old" / tool).symlink_to(f"/usr/bin/{tool}")
    begin = time.monotonic()
    found = subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(tmp_path / "old"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert found.returncode != 0
    assert "Python >= 3.12" in found.stderr
    assert "Install one" in found.stderr
    assert time.monotonic() - begin < 10


def test_a_candidate_that_hangs_does_not_hold_the_search_up(tmp_path: Path) -> None:
    _executable(tmp_path / "bad" / "python3.12", "#!/bin/sh\nsleep 60\n")
    real = _real_python(tmp_path / "good" / "python3.13")
    begin = time.monotonic()
    found = _find(tmp_path, tmp_path / "bad", tmp_path / "good")
    assert found.stdout.strip() == str(real)
    assert time.monotonic() - begin < 10
