"""Kill the appending process, or fail one of its system calls, wherever it stands."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import itcare
from itcare.core.settings import Settings
from itcare.ledger.log import LogRef
from tests.support import append_one
from tests.support.ledgers import check, fill, open_ledger, sample_ledger
from tests.support.syscall_sweep import FAULTS, Injection, Tally, choose, find_calls, report, run_with

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(Path(itcare.__file__).parents[1]),
    "PYTHONDONTWRITEBYTECODE": "1",
}
COMMAND = (sys.executable, append_one.__file__)
SAMPLE = 12


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, LogRef, list[tuple[str, int]]]]:
    folder = tmp_path_factory.mktemp("sweep")
    ledger, log = sample_ledger(folder)
    ledger.engine.dispose()
    traced = copy_of(ledger.settings, folder / "traced")
    calls = find_calls([*COMMAND, str(traced.home)], ENVIRONMENT, "itcare.sqlite", folder / "trace")
    yield ledger.settings, log, calls


def copy_of(settings: Settings, folder: Path) -> Settings:
    """A copy whose path is always as long: the traced program must do the very same calls."""
    shutil.copytree(settings.home, folder / "home")
    return replace(settings, home=folder / "home")


def torment(
    base: tuple[Settings, LogRef, object], injection: Injection, tmp_path: Path, tally: Tally | None = None
) -> str:
    """One injection and everything that must hold after it; returns what the program printed."""
    settings = copy_of(base[0], tmp_path / "copy")
    done = run_with(injection, [*COMMAND, str(settings.home)], ENVIRONMENT, tmp_path / "log")
    assert done.hit, (injection, done)
    log = base[1]
    found = check(settings, log)
    assert found.sound, (injection, found, done)
    acknowledged = re.search(r"ACK (\d+)", done.output)
    if tally is not None:
        tally.faults += 1
        tally.acknowledged += acknowledged is not None
        tally.lost += acknowledged is not None and found.size <= int(acknowledged[1])
    if acknowledged:
        assert found.size == int(acknowledged[1]) + 1, (injection, found, done)
    signed = [checkpoint.size for checkpoint in open_ledger(settings).checkpoints(log)]
    assert signed[-1] == (13 if "SIGNED" in done.output else signed[-1])
    after = open_ledger(settings)
    fill(after, log, 1)
    assert check(settings, log).message == f"{found.size + 1} entries, every one signed"
    after.engine.dispose()
    shutil.rmtree(tmp_path / "copy")
    return done.output


@pytest.mark.component("strace")
def test_no_fault_in_a_sample_of_system_calls_harms_the_ledger(base, tmp_path: Path, record_property) -> None:
    tally = Tally("ledger append, sample", len(base[2]))
    outputs = [torment(base, injection, tmp_path, tally) for injection in choose(base[2], SAMPLE)]
    report(tally, record_property)
    assert len(outputs) == SAMPLE
    assert len(set(outputs)) > 1  # the faults really came in different places


@pytest.mark.component("strace")
@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=KILL"])
def test_an_entry_is_acknowledged_only_after_its_sync(base, tmp_path: Path, fault: str) -> None:
    """The first sync after the database is opened is the commit's: when it fails there is no ACK."""
    number = next(number for call, number in base[2] if call == "fdatasync")
    output = torment(base, Injection("fdatasync", number, fault), tmp_path)
    assert "ACK" not in output


@pytest.mark.slow
@pytest.mark.component("strace")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_in_any_system_call_harms_the_ledger(base, tmp_path: Path, fault: str, record_property) -> None:
    tally = Tally(f"ledger append, {fault}", len(base[2]))
    for call, number in base[2]:
        torment(base, Injection(call, number, fault), tmp_path, tally)
    report(tally, record_property)
