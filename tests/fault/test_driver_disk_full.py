"""A disk that fills up during a run: it stops in time, nothing is green, and the operator is told."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.core.errors import UnsafeError
from itcare.core.words import HostOutcome, RunState
from itcare.drive import preflight
from tests.support.driving import LOCAL, Bench, make_bench, write_contract, write_playbook

pytestmark = pytest.mark.component("netns")  # root that may mount
CLIENT = "DOMEK"
CHATTER = {
    "name": "Talk", "ansible.builtin.command": "head -c 12000 /dev/zero", "loop": [1, 2], "timeout": 30,
    "changed_when": False,
}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = make_bench(tmp_path)
    bench.settings.runs.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k,mode=700", "tmpfs", bench.settings.runs], check=True)
    yield bench
    subprocess.run(["umount", "--lazy", bench.settings.runs], check=True)


def test_a_nearly_full_disk_refuses_the_run_before_it_starts(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    with pytest.raises(UnsafeError, match="bytes are free"):
        bench.perform(loaded)
    assert bench.run_row(CLIENT) is None


def test_a_disk_that_fills_up_ends_the_run_and_shows_nothing_green(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "MINIMUM_FREE_BYTES", 0)
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    playbook = write_playbook(tmp_path / "play", *[CHATTER] * 40)
    began = time.monotonic()

    report = bench.perform(loaded, playbook, job_timeout=30)

    assert time.monotonic() - began < 25
    assert (report.state, report.reason) == (RunState.INTERRUPTED, "disk_full")
    assert report.hosts[0].outcome not in (HostOutcome.OK, HostOutcome.CHANGED)
    assert bench.events(CLIENT, "run.closed")[0]["state"] == report.state
    # With space again the next run is an ordinary one.
    subprocess.run(["mount", "-o", "remount,size=64m", bench.settings.runs], check=True)
    assert bench.perform(loaded).state is RunState.COMPLETE
