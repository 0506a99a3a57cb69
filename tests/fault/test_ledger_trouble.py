"""A full disk, a disk that fails, a lock and a damaged file under the real ledger."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import func, select

import itcare
from itcare.core.errors import BusyError, UnsafeError, UnsoundError
from itcare.core.settings import Settings
from itcare.core.words import RunState
from itcare.drive import launch
from itcare.ledger.log import Ledger, LogRef
from itcare.store.engine import open_engine, read
from itcare.store.tables import lease
from tests.support import append_again
from tests.support.driving import LOCAL, Bench, make_bench, write_contract, write_playbook
from tests.support.ledgers import attacker, check, copy_home, fill, new_ledger, open_ledger, sample_ledger

CLIENT = "DOMEK"


@pytest.fixture
def tiny() -> Iterator[Path]:
    """A file system of 1 MB, of which the ledger will use up all."""
    with TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder], check=True)
        yield Path(folder)
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.component("netns")  # root that may mount
def test_a_full_disk_fails_the_append_as_a_whole_and_the_signed_log_stays_sound(tiny: Path) -> None:
    ledger = new_ledger(tiny)
    log = ledger.client_log("ACME", "Acme")
    fill(ledger, log, 3)
    signed = ledger.latest_checkpoint(log)
    with pytest.raises(UnsafeError, match="not recorded") as caught:
        for _ in range(200):
            with ledger.append(log) as batch:
                batch.add({"type": "a.b", "body": batch.body({"text": os.urandom(20_000).hex()})})
    assert "Free some space" in caught.value.remedy
    with pytest.raises(UnsafeError, match="an earlier write failed"), ledger.append(log):
        pytest.fail("the block must not run")

    found = check(ledger.settings, log, against=signed.text)
    assert found.sound, found.message
    subprocess.run(["mount", "-o", "remount,size=16m", tiny], check=True)
    anew = open_ledger(ledger.settings)
    assert [entry.index for entry in anew.entries(log)] == list(range(found.size))  # no half of an entry
    fill(anew, log, 2)
    assert check(ledger.settings, log, against=signed.text).message == f"{found.size + 2} entries, every one signed"


def append_twice(settings: Settings, folder: Path, *words: str) -> list[str]:
    """Two tries of one process whose first sync of the database fails; what each said."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(itcare.__file__).parents[1])}
    inject = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=1"]
    command = ["strace", "-f", "-qq", "-o", str(folder / "log"), *inject]
    command += [sys.executable, append_again.__file__, str(settings.home), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "(INJECTED)" in (folder / "log").read_text()
    return done.stdout.splitlines()


@pytest.mark.component("strace")
def test_a_failed_sync_is_never_followed_by_a_second_try_that_is_called_good(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    ledger.engine.dispose()
    first, second = append_twice(ledger.settings, tmp_path)
    assert first.startswith("REFUSED the write failed")
    assert second.startswith("REFUSED an earlier write failed")
    found = check(ledger.settings, log)
    assert found.sound, found.message
    fill(open_ledger(ledger.settings), log, 1)  # opened anew and verified, it goes on
    assert check(ledger.settings, log).message == f"{found.size + 1} entries, every one signed"


@pytest.mark.component("strace")
def test_the_database_alone_would_call_the_second_try_good(tmp_path: Path) -> None:
    ledger, _ = sample_ledger(tmp_path)
    ledger.engine.dispose()
    assert append_twice(ledger.settings, tmp_path, "trusting")[1].startswith("ACK")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An installation whose writers give up after 0.3 s."""
    made = make_bench(tmp_path)
    made.ledger.client_log(CLIENT, CLIENT)
    made.ledger.engine.dispose()
    made.ledger = Ledger(made.settings, open_engine(made.settings.database, busy_seconds=0.3))
    return made


def require_no_claim(bench: Bench) -> None:
    """Nothing of a run that could not be opened is left: row, lease, entry, folder."""
    assert bench.run_row(CLIENT) is None
    with read(bench.ledger.engine) as connection:
        assert connection.execute(select(func.count()).select_from(lease)).scalar() == 0
    assert [event["type"] for event in bench.events(CLIENT)] == ["client.enrolled"]
    assert list(bench.settings.runs.iterdir()) == []


def test_a_locked_database_refuses_a_run_in_bounded_time_and_claims_nothing(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    with closing(sqlite3.connect(bench.settings.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(BusyError, match="Wait for the other command"):
            bench.perform(loaded, write_playbook(tmp_path / "play"))
        assert time.monotonic() - began < 5
        other.rollback()
    require_no_claim(bench)
    assert bench.perform(loaded, write_playbook(tmp_path / "play")).state is RunState.COMPLETE


def test_a_failure_behind_the_claim_takes_the_claim_along(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("behind the leases, before the entry")

    monkeypatch.setattr(launch, "_opening", fail)
    with pytest.raises(RuntimeError, match="behind the leases"):
        bench.perform(write_contract(tmp_path, CLIENT, {"pc01": LOCAL}), write_playbook(tmp_path / "play"))
    require_no_claim(bench)


def flip_a_stored_hash(home: Path) -> None:
    with attacker(home / "itcare.sqlite") as connection:
        row = connection.execute("SELECT log_id, hash FROM leaf WHERE idx = 5").fetchone()
        changed = bytes([row[1][0] ^ 1]) + row[1][1:]
        connection.execute("UPDATE leaf SET hash = ? WHERE log_id = ? AND idx = 5", (changed, row[0]))


def cut_to_half(home: Path) -> None:
    database = home / "itcare.sqlite"
    os.truncate(database, database.stat().st_size // 2 // 4096 * 4096)


def lose_the_last_entries(home: Path) -> None:
    with attacker(home / "itcare.sqlite") as connection:
        connection.execute("DELETE FROM leaf WHERE idx > 9")


def overwrite_the_first_page(home: Path) -> None:
    with (home / "itcare.sqlite").open("r+b") as file:
        file.write(b"\xa5" * 100)


def swap_two_pages(home: Path) -> None:
    """The last page that holds leaves changes places with another one."""
    database = home / "itcare.sqlite"
    pages = [database.read_bytes()[start : start + 4096] for start in range(0, database.stat().st_size, 4096)]
    with sqlite3.connect(database) as connection:
        (last,) = connection.execute("SELECT hash FROM leaf ORDER BY log_id DESC, idx DESC LIMIT 1").fetchone()
    wanted = [number for number, page in enumerate(pages) if last in page]
    first, second = wanted[-1], 1 if wanted[-1] != 1 else 2
    pages[first], pages[second] = pages[second], pages[first]
    database.write_bytes(b"".join(pages))


DAMAGE: list[Callable[[Path], None]] = [
    flip_a_stored_hash, cut_to_half, lose_the_last_entries, overwrite_the_first_page, swap_two_pages,
]  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, LogRef]:
    ledger, log = sample_ledger(tmp_path_factory.mktemp("damage"))
    ledger.engine.dispose()
    return ledger.settings, log


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_nothing_is_written_to_a_damaged_ledger(
    sample: tuple[Settings, LogRef], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    copy = copy_home(sample[0], tmp_path)
    damage(copy.home)
    shutil.copy(copy.database, tmp_path / "evidence")
    with pytest.raises((UnsafeError, UnsoundError)) as caught, open_ledger(copy).append(sample[1]) as batch:
        batch.add({"type": "a.b"})
    assert caught.value.remedy
    assert (tmp_path / "evidence").read_bytes() == copy.database.read_bytes()
    try:
        found = check(copy, sample[1])
    except UnsafeError:
        return  # the file cannot even be opened, and says so
    assert not found.sound
    assert found.entry is not None or found.between is not None or "damaged" in found.message
