"""Kill the appending process, or fail one of its system calls, wherever it stands."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import itcare
from itcare.core.settings import Settings
from itcare.ledger.log import Ledger, LogRef
from tests.support import append_one, keep_bodies
from tests.support.ledgers import check, fill, open_ledger, sample_ledger
from tests.support.memory import folder_in_memory
from tests.support.stage import Stage
from tests.support.syscall_sweep import FAULTS, Injection, Outcome, Tally, choose, find_calls, report, run_with

pytestmark = pytest.mark.component("strace")
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(Path(itcare.__file__).parents[1]),
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
SAMPLE = 12


@dataclass(frozen=True)
class Base:
    """A program on its stage, a ledger of 12 entries to copy, and the program's calls on such a copy."""

    stage: Stage
    settings: Settings
    log: LogRef
    calls: list[tuple[str, int]]

    @property
    def folder(self) -> Path:
        return self.settings.home.parent

    def copy(self) -> Settings:
        """A fresh copy, always at the same path: the program must do the very same calls."""
        shutil.rmtree(self.folder / "copy", ignore_errors=True)
        shutil.copytree(self.settings.home, self.folder / "copy")
        return replace(self.settings, home=self.folder / "copy")


def set_the_stage(program: str, **more: str) -> Iterator[Base]:
    with folder_in_memory() as folder, Stage(program, {**ENVIRONMENT, **more}, folder) as stage:
        ledger, log = sample_ledger(folder)
        ledger.engine.dispose()
        untraced = Base(stage, ledger.settings, log, [])
        calls = find_calls(stage, [str(untraced.copy().home)], "itcare.sqlite", folder / "trace")
        yield replace(untraced, calls=calls)


@pytest.fixture(scope="module")
def base() -> Iterator[Base]:
    yield from set_the_stage(append_one.__file__)


@pytest.fixture(scope="module")
def checkpoints() -> Iterator[Base]:
    """The same, with the write-ahead log brought into the database after each commit."""
    yield from set_the_stage(append_one.__file__, CHECKPOINT_BYTES="1")


@pytest.fixture(scope="module")
def bodies() -> Iterator[Base]:
    yield from set_the_stage(keep_bodies.__file__)


def strike(base: Base, injection: Injection) -> tuple[Settings, Outcome, int | None]:
    """Run the program on a copy with the fault in place; the copy, how it ended, the entry it acknowledged."""
    settings = base.copy()
    done = run_with(base.stage, injection, [str(settings.home)], base.folder / "log")
    acknowledged = re.search(r"ACK (\d+)", done.output)
    return settings, done, int(acknowledged[1]) if acknowledged else None


def require_sound(base: Base, settings: Settings, done: Outcome) -> int:
    """It verifies, with the one entry more or without it; returns its size."""
    found = check(settings, base.log)
    assert found.sound, (found, done)
    assert found.size in (12, 13), (found, done)
    return found.size


def require_it_goes_on(base: Base, settings: Settings, size: int) -> None:
    after = open_ledger(settings)
    fill(after, base.log, 1)
    assert check(settings, base.log).message == f"{size + 1} entries, every one signed"
    after.engine.dispose()


def torment(base: Base, injection: Injection, tally: Tally) -> str:
    """One injection and everything that must hold after it; returns what the program printed."""
    settings, done, acknowledged = strike(base, injection)
    assert done.hit, (injection, done)
    size = require_sound(base, settings, done)
    ledger = open_ledger(settings)
    signed = [checkpoint.size for checkpoint in ledger.checkpoints(base.log)]
    ledger.engine.dispose()
    assert signed[-1] == (13 if "SIGNED" in done.output else signed[-1])
    lost = acknowledged is not None and size <= acknowledged
    tally.add(done, acknowledged=acknowledged is not None, lost=lost)
    require_it_goes_on(base, settings, size)
    return done.output


def read_bodies(ledger: Ledger, log: LogRef, index: int) -> list[object]:
    """What the entry's four bodies hold; None for one that is not there."""
    entry = next(ledger.entries(log, index))
    return [ledger.body(log, digest) for digest in entry.event["kept"]]  # type: ignore[attr-defined]  # a list there


def torment_bodies(base: Base, injection: Injection, tally: Tally) -> None:
    """Bodies stand or fall with their entry: all of them are there and whole, or none."""
    settings, done, acknowledged = strike(base, injection)
    assert done.hit, (injection, done)
    size = require_sound(base, settings, done)
    ledger = open_ledger(settings)
    with ledger.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM body").scalar_one()
    assert kept == bodies_before(base) + (3 if size == 13 else 0), (injection, done)
    found = read_bodies(ledger, base.log, 12) if size == 13 else []
    ledger.engine.dispose()
    assert found in ([], list(keep_bodies.BODIES)), injection
    there = len(found) if acknowledged is not None else 0
    expected = len(keep_bodies.BODIES) if acknowledged is not None else 0
    tally.add(done, acknowledged=expected, lost=expected - there)
    require_it_goes_on(base, settings, size)


def bodies_before(base: Base) -> int:
    ledger = open_ledger(base.settings)
    with ledger.engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM body").scalar_one()
    ledger.engine.dispose()
    return int(count)


def test_no_fault_in_a_sample_of_system_calls_harms_the_ledger(base: Base, record_property) -> None:
    tally = Tally("ledger append, sample", len(base.calls))
    outputs = [torment(base, injection, tally) for injection in choose(base.calls, SAMPLE)]
    report(tally, record_property)
    assert len(outputs) == SAMPLE
    assert len(set(outputs)) > 1  # the faults really came in different places


def test_no_fault_in_a_sample_of_system_calls_harms_a_ledger_that_checkpoints(
    base: Base, checkpoints: Base, record_property
) -> None:
    tally = Tally("append and checkpoint, sample", len(checkpoints.calls))
    for injection in choose(checkpoints.calls, SAMPLE):
        torment(checkpoints, injection, tally)
    report(tally, record_property)
    assert tally.calls > len(base.calls) + 20  # it really did bring the log in


def test_no_fault_in_a_sample_of_system_calls_harms_a_body(bodies: Base, record_property) -> None:
    tally = Tally("body store, sample", len(bodies.calls))
    for injection in choose(bodies.calls, SAMPLE):
        torment_bodies(bodies, injection, tally)
    report(tally, record_property)


@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=KILL"])
def test_an_entry_is_acknowledged_only_after_its_sync(base: Base, fault: str) -> None:
    """The first sync after the database is opened is the commit's: when it fails there is no ACK."""
    number = next(number for call, number in base.calls if call == "fdatasync")
    output = torment(base, Injection("fdatasync", number, fault), Tally("one sync", 1))
    assert "ACK" not in output


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_in_any_system_call_harms_the_ledger(base: Base, fault: str, record_property) -> None:
    tally = Tally(f"ledger append, {fault}", len(base.calls))
    for call, number in base.calls:
        torment(base, Injection(call, number, fault), tally)
    report(tally, record_property)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_in_any_system_call_harms_a_ledger_that_checkpoints(
    checkpoints: Base, fault: str, record_property
) -> None:
    tally = Tally(f"append and checkpoint, {fault}", len(checkpoints.calls))
    for call, number in checkpoints.calls:
        torment(checkpoints, Injection(call, number, fault), tally)
    report(tally, record_property)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_in_any_system_call_harms_a_body(bodies: Base, fault: str, record_property) -> None:
    tally = Tally(f"body store, {fault}", len(bodies.calls))
    for call, number in bodies.calls:
        torment_bodies(bodies, Injection(call, number, fault), tally)
    report(tally, record_property)
