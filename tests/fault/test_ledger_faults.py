"""Writers at once, and writes that fail: nothing acknowledged is lost, nothing unrecorded is acknowledged."""

import multiprocessing
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from itcare.core.errors import UnsafeError
from itcare.ledger import checkpoint
from tests.support.ledgers import append_many, check, open_ledger, sample_ledger


def test_writers_in_several_processes_keep_one_order_without_gaps(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(str(ledger.settings.home), f"w{n}", 15)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    events = [entry.event for entry in ledger.entries(log, 12)]
    assert [event["entry"] for event in events] == list(range(12, 12 + 45))
    for name in ("w0", "w1", "w2"):
        assert [event["number"] for event in events if event["writer"] == name] == list(range(15))
    found = check(ledger.settings, log)
    assert (found.sound, found.message) == (True, "57 entries, every one signed")


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A real write error: the system refuses to let any file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_after_a_failed_write_nothing_is_appended_until_it_is_opened_anew(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with files_no_larger_than(100_000), pytest.raises(UnsafeError, match="not recorded"), ledger.append(log) as batch:
        for _ in range(3_000):
            batch.add({"type": "a.b", "text": "x" * 200})
    with pytest.raises(UnsafeError, match="an earlier write failed"), ledger.append(log):
        pytest.fail("the block must not run")
    with pytest.raises(UnsafeError, match="an earlier write failed"):
        ledger.sign(log)
    found = check(ledger.settings, log)
    assert (found.sound, found.size) == (True, 12)
    anew = open_ledger(ledger.settings)
    with anew.append(log) as batch:
        assert batch.add({"type": "a.b"}) == 12
    assert anew.sign(log).size == 13


def test_a_failed_fsync_of_a_checkpoint_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        batch.add({"type": "a.b"})

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(checkpoint, "write_durably", fail)
    with pytest.raises(UnsafeError, match="Input/output error"):
        ledger.sign(log)
    monkeypatch.undo()
    with pytest.raises(UnsafeError, match="an earlier write failed"):
        ledger.sign(log)
    assert check(ledger.settings, log).message == "13 entries, the last 1 not signed"
    assert open_ledger(ledger.settings).sign(log).size == 13
