"""Kill a publication, or fail one of its system calls, wherever it stands: readers see the old or the new, whole."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from itcare.access import find_scope, list_scopes
from itcare.publish.reader import Snapshot
from tests.support import publish_once
from tests.support.memory import folder_in_memory
from tests.support.snapshots import make_rows, plan_client, with_meta, write_client
from tests.support.stage import Stage
from tests.support.syscall_sweep import FAULTS, Injection, Tally, choose, find_calls, report, run_with

pytestmark = pytest.mark.component("strace")
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
SAMPLE = 12
OLD = 7
HOSTS = {OLD: 5, publish_once.SIZE: publish_once.HOSTS}


@dataclass(frozen=True)
class Base:
    """The program on its stage, and its calls from the first touch of the client's folder on."""

    stage: Stage
    folder: Path
    calls: list[tuple[str, int]]

    def copy(self) -> Path:
        """The publication as it was before, always at the same path."""
        shutil.rmtree(self.folder / "copy", ignore_errors=True)
        return Path(shutil.copytree(self.folder / "before", self.folder / "copy"))


@pytest.fixture(scope="module")
def base() -> Iterator[Base]:
    with folder_in_memory() as folder, Stage(publish_once.__file__, ENVIRONMENT, folder) as stage:
        write_client(folder / "before", 1, with_meta(make_rows(plan_client(1)), tree_size=OLD))
        published = str(Base(stage, folder, []).copy())
        yield Base(stage, folder, find_calls(stage, [published], "copy/1", folder / "trace"))


def shown_size(published: Path) -> int:
    """What a reader sees, read to its last row; the hosts must belong to the same snapshot."""
    scope = find_scope(list_scopes(published), "ACME")
    assert scope is not None
    with Snapshot.open(scope) as snapshot:
        size = snapshot.meta().tree_size
        assert len(snapshot.hosts()) == HOSTS[size]
        assert all(snapshot.tasks(run.number) for run in snapshot.runs())
        assert len(snapshot.host_results(1)) == HOSTS[size]
        return size


def torment(base: Base, injection: Injection, tally: Tally) -> int:
    """One injection and everything that must hold after it; returns what a reader sees then."""
    published = base.copy()
    done = run_with(base.stage, injection, [str(published)], base.folder / "log")
    assert done.hit or done.output == "PUBLISHED\n", (injection, done)
    size = shown_size(published)
    acknowledged = "PUBLISHED" in done.output
    tally.add(done, acknowledged=acknowledged, lost=acknowledged and size == OLD)
    assert acknowledged or done.code != 0, (injection, done)
    for _ in range(2):  # the first leaves the months to readers of what was there before
        write_client(published, 1, with_meta(make_rows(plan_client(1, hosts=12)), tree_size=publish_once.SIZE))
        assert shown_size(published) == publish_once.SIZE
    names = {path.name for path in (published / "1").iterdir()}
    assert names == {"current.sqlite", "client.json", f"2026-03.{publish_once.SIZE}.sqlite"}
    return size


def test_no_fault_in_a_sample_of_system_calls_harms_what_is_shown(base: Base, record_property) -> None:
    tally = Tally("publish, sample", len(base.calls))
    sample = [*choose(base.calls, SAMPLE), *choose(base.calls[-12:], 4)]  # the few calls behind the rename as well
    sizes = {torment(base, injection, tally) for injection in sample}
    report(tally, record_property)
    assert sizes == set(HOSTS)  # some faults came before the new one was there, some after


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_in_any_system_call_harms_what_is_shown(base: Base, fault: str, record_property) -> None:
    tally = Tally(f"publish, {fault}", len(base.calls))
    for call, number in base.calls:
        torment(base, Injection(call, number, fault), tally)
    report(tally, record_property)
