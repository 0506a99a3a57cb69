"""The home that the benchmarks of pages and publication share: made by `benchmarks.years`, once in a `make bench`.

A folder given by `--home` is the home itself. Otherwise ITCARE_BENCH_HOME names a folder that keeps one home for each
size, and without it a temporary folder is used and removed.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import CLIENT
from benchmarks.measure import Cost, measure
from benchmarks.years import ABOUT, Years, default_last_day, make_years, read_years

VARIABLE = "ITCARE_BENCH_HOME"
ROOT = Path(__file__).parents[1]
FULL_COMPUTERS, FULL_DAYS = 500, 1096
_KEPT = {"keys", "checkpoints", "contracts", ABOUT}


@dataclass(frozen=True)
class Home:
    """An installation with the years of one client."""

    folder: Path
    made: Years

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def is_whole(self) -> bool:
        """Whether it is of the size that the gates are meant for."""
        return (self.made.computers, self.made.runs) == (FULL_COMPUTERS, FULL_DAYS)

    @property
    def log(self) -> Path:
        """What the last command printed."""
        return self.folder / "bench.log"

    @property
    def size(self) -> str:
        return f"{self.made.computers} computers, {self.made.runs} daily runs up to {self.made.last_day}"

    def itcare(self, *words: str, accept: Sequence[int] = (0,)) -> Cost:
        """Run one command of itcare in a process of its own and return its cost; RuntimeError when it fails."""
        return self._run("itcare", words, accept)

    def _run(self, module: str, words: Sequence[str], accept: Sequence[int] = (0,)) -> Cost:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        environment = kept | {"ITCARE_HOME": str(self.folder), "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        command = [sys.executable, "-m", module, *words]
        return measure(command, self.folder, environment, self.log, accept)

    def publish(self, *options: str) -> Cost:
        """Publish the client."""
        return self.itcare("publish", CLIENT, *options)

    def publish_once(self, *options: str) -> tuple[Cost, Cost]:
        """Publish the client: the cost of the publication itself, and that of the whole process."""
        whole = self._run("benchmarks.publish_once", [CLIENT, *options])
        told = json.loads(self.log.read_text(encoding="utf-8").splitlines()[-1])
        return Cost(told["wall"], told["cpu"], whole.peak), whole

    def is_published(self) -> bool:
        return any(self.published.glob("*/current.sqlite"))

    def forget_publications(self) -> None:
        """Remove all but ledger, keys and contracts: what was published, and what publishing remembers."""
        for path in self.folder.iterdir():
            if path.name in _KEPT or path.name.startswith("itcare.sqlite"):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def measure_published(self) -> int:
        """Bytes of all published files."""
        return sum(path.stat().st_size for path in self.published.rglob("*") if path.is_file())


def add_size_options(parser: argparse.ArgumentParser) -> None:
    """`--home`, `--computers` and `--days`."""
    parser.add_argument("--home", type=Path, help=f"home of benchmarks.years; made there if it is none, see {VARIABLE}")
    parser.add_argument("--computers", type=int, default=FULL_COMPUTERS)
    parser.add_argument("--days", type=int, default=FULL_DAYS)


@contextmanager
def prepared_home(given: Path | None, computers: int, days: int) -> Iterator[Home]:
    """The home of that size, made when it is not there yet. One that was given is taken in whatever size it has.

    Raises ValueError for a folder that holds something else.
    """
    kept, temporary = os.environ.get(VARIABLE), None
    if given is None and kept is None:
        temporary = Path(tempfile.mkdtemp(prefix="itcare-years-"))
    folder = given.absolute() if given else Path(kept or temporary or "").absolute() / f"{computers}x{days}"
    try:
        made = read_years(folder)
        if made is None:
            if folder.exists() and any(folder.iterdir()):
                raise ValueError(f"{folder} holds something else, or a generation that was broken off; remove it")
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = make_years(folder, computers, days, last_day=default_last_day(), progress=_tell)
        yield Home(folder, made)
    finally:
        if temporary is not None:
            shutil.rmtree(temporary)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
