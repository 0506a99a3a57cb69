"""Publishing while the disk or the process fails at a system call: the client sees the old or the new, whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from itcare.access import find_scope, list_scopes
from itcare.publish.reader import Snapshot
from tests.support.snapshots import make_rows, plan_client, with_meta, write_client

ROOT = Path(__file__).parents[2]
OLD, NEW = 7, 8
HOSTS = {OLD: 5, NEW: 12}
SCRIPT = """
import sys
from pathlib import Path
from itcare.core.errors import UnsafeError
from tests.support.snapshots import make_rows, plan_client, with_meta, write_client
try:
    write_client(Path(sys.argv[1]), 1, with_meta(make_rows(plan_client(1, hosts=12)), tree_size=8))
except UnsafeError as error:
    sys.exit(f"refused: {error.why}")
print("published")
"""

# Calls that touch the client's files, and the error that each is also struck with: for the month, the
# present and the sidecar the first of its kind, one in the middle, the last.
CALLS = [
    ("openat", 1, "EIO"), ("fchmod", 1, "EIO"), ("pwrite64", 1, "ENOSPC"), ("pwrite64", 30, "ENOSPC"),
    ("fsync", 1, "EIO"), ("rename", 1, "ENOSPC"), ("fsync", 2, "EIO"), ("fchmod", 2, "EIO"),
    ("pwrite64", 100, "ENOSPC"), ("fsync", 3, "EIO"), ("rename", 2, "ENOSPC"), ("fsync", 4, "EIO"),
    ("write", 1, "ENOSPC"), ("fsync", 5, "ENOSPC"), ("rename", 3, "EIO"), ("fsync", 6, "EIO"),
]  # fmt: skip
IDS = [f"{call}-{number}" for call, number, _ in CALLS]
PUBLISHED = IDS.index("rename-2") + 1  # before it no reader learns of the new month
MONTHS = {OLD: "2026-03.7.sqlite", NEW: "2026-03.8.sqlite"}


@pytest.fixture
def published(tmp_path):
    write_client(tmp_path / "published", 1, with_meta(make_rows(plan_client(1)), tree_size=OLD))
    return tmp_path / "published"


def publish_under(published, *options):
    """Publish the new rows in another process under strace with these faults on the client's files."""
    folder = published / "1"
    files = [
        folder,
        *(
            folder / f"{prefix}{name}"
            for prefix in ("", ".part-")
            for name in ("current.sqlite", "client.json", *MONTHS.values())
        ),
    ]
    paths = [argument for path in files for argument in ("-P", str(path))]
    command = ["strace", "-f", "-qq", "-o", "/dev/null", *paths, *options, sys.executable, "-c", SCRIPT, str(published)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def shown_size(published):
    """What the reader sees, read to its last row; the number of hosts must belong to the same snapshot."""
    with Snapshot.open(find_scope(list_scopes(published), "ACME")) as snapshot:
        size = snapshot.meta().tree_size
        assert len(snapshot.hosts()) == HOSTS[size]
        assert all(snapshot.tasks(run.number) for run in snapshot.runs())
        assert len(snapshot.host_results(1)) == HOSTS[size], "the months are those of the same publication"
        assert snapshot._connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return size


def settles(published):
    """Whether the next publication is whole, and the one after it has cleared away what the fault left."""
    for _ in range(2):
        write_client(published, 1, with_meta(make_rows(plan_client(1, hosts=12)), tree_size=NEW))
        assert shown_size(published) == NEW
    return {path.name for path in (published / "1").iterdir()} == {"current.sqlite", "client.json", MONTHS[NEW]}


@pytest.mark.component("strace")
@pytest.mark.parametrize("place", range(len(CALLS)), ids=IDS)
def test_a_kill_at_any_step_leaves_a_whole_snapshot(published, place):
    call, number, _ = CALLS[place]
    run = publish_under(published, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    assert run.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), run.stderr
    # The kill strikes a call that is already under way, so at the rename either may be there.
    either = {OLD, NEW} if IDS[place] == "rename-2" else {NEW if place >= PUBLISHED else OLD}
    assert shown_size(published) in either
    assert settles(published)


@pytest.mark.component("strace")
@pytest.mark.parametrize("place", range(len(CALLS)), ids=IDS)
def test_an_error_at_any_step_is_told_and_leaves_a_whole_snapshot(published, place):
    call, number, error = CALLS[place]
    run = publish_under(published, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}")
    assert run.returncode == 1, (run.stdout, run.stderr)
    assert "refused" in run.stderr and "Traceback" not in run.stderr
    assert shown_size(published) == (NEW if place >= PUBLISHED else OLD)
    assert not list((published / "1").glob(".part-*"))
    assert settles(published)


@pytest.mark.component("strace")
def test_without_a_fault_the_same_command_publishes(published):
    run = publish_under(published, "-e", "trace=none")
    assert (run.returncode, run.stdout) == (0, "published\n"), run.stderr
    assert settles(published)
