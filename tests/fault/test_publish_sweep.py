"""Kill a publication, or fail one of its system calls, wherever it stands: readers see the old or the new, whole."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.access import find_scope, list_scopes
from itcare.publish.reader import Snapshot
from tests.support import publish_once
from tests.support.snapshots import make_rows, plan_client, with_meta, write_client
from tests.support.syscall_sweep import FAULTS, Injection, Tally, choose, find_calls, report, run_with

pytestmark = pytest.mark.component("strace")
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
COMMAND = (sys.executable, publish_once.__file__)
SAMPLE = 12
OLD = 7
HOSTS = {OLD: 5, publish_once.SIZE: publish_once.HOSTS}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[tuple[str, int]]]]:
    folder = tmp_path_factory.mktemp("publish")
    write_client(folder / "published", 1, with_meta(make_rows(plan_client(1)), tree_size=OLD))
    traced = shutil.copytree(folder / "published", folder / "traced" / "published")
    calls = find_calls([*COMMAND, str(traced)], ENVIRONMENT, "published/1", folder / "trace")
    yield folder / "published", calls


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


def torment(base: tuple[Path, object], injection: Injection, folder: Path, tally: Tally) -> int:
    """One injection and everything that must hold after it; returns what a reader sees then."""
    published = shutil.copytree(base[0], folder / "copy" / "published")
    done = run_with(injection, [*COMMAND, str(published)], ENVIRONMENT, folder / "log")
    assert done.hit or done.output == "PUBLISHED\n", (injection, done)
    size = shown_size(published)
    tally.faults += done.hit
    tally.missed += not done.hit
    tally.acknowledged += "PUBLISHED" in done.output
    tally.lost += "PUBLISHED" in done.output and size == OLD
    assert "PUBLISHED" in done.output or done.code != 0, (injection, done)
    for _ in range(2):  # the first leaves the months to readers of what was there before
        write_client(published, 1, with_meta(make_rows(plan_client(1, hosts=12)), tree_size=publish_once.SIZE))
        assert shown_size(published) == publish_once.SIZE
    names = {path.name for path in (published / "1").iterdir()}
    assert names == {"current.sqlite", "client.json", f"2026-03.{publish_once.SIZE}.sqlite"}
    shutil.rmtree(folder / "copy")
    return size


def test_no_fault_in_a_sample_of_system_calls_harms_what_is_shown(base, tmp_path: Path, record_property) -> None:
    tally = Tally("publish, sample", len(base[1]))
    sample = [*choose(base[1], SAMPLE), *choose(base[1][-12:], 4)]  # the few calls behind the rename as well
    sizes = {torment(base, injection, tmp_path, tally) for injection in sample}
    report(tally, record_property)
    assert sizes == set(HOSTS)  # some faults came before the new one was there, some after


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_in_any_system_call_harms_what_is_shown(base, tmp_path: Path, fault: str, record_property) -> None:
    tally = Tally(f"publish, {fault}", len(base[1]))
    for call, number in base[1]:
        torment(base, Injection(call, number, fault), tmp_path, tally)
    report(tally, record_property)
