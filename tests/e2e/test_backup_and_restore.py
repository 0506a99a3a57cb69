"""Through the command line: a state is lost and comes back, and an old backup never passes for a new one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.old_state import CODE, copy_old_state


def checkpoints(place: Installation) -> Path:
    """Folder of the client's kept checkpoints; the client has a copy of each."""
    (found,) = [path.parent for path in place.home.glob("checkpoints/*/*") if path.name == "000000000014.txt"]
    return found


def hand_out(place: Installation, name: str) -> Path:
    """The newest checkpoint of the client's log, as it lies with the client."""
    newest = max(checkpoints(place).iterdir())
    return Path(shutil.copy(newest, place.folder / name))


def put_key_back(place: Installation, key: bytes) -> None:
    (place.home / "keys" / "signing.key").write_bytes(key)
    (place.home / "keys" / "signing.key").chmod(0o600)


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    """Fourteen entries of the client's log."""
    made = copy_old_state(tmp_path)
    made.run("upgrade")
    return made


def test_a_lost_state_comes_back_whole_and_goes_on(place: Installation) -> None:
    held = hand_out(place, "held.txt")
    key = (place.home / "keys" / "signing.key").read_bytes()
    place.run("backup", "--out", str(place.folder / "backup"))
    runs, findings = place.json("runs"), place.json("findings")
    shutil.rmtree(place.home)
    assert "itcare init" in place.run("verify", accept=(6,)).stderr

    told = place.run("restore", str(place.folder / "backup"), "--into", str(place.home), "--against", str(held))
    assert f"{CODE}: 14 entries" in told.stdout
    assert "every log in it verifies" in told.stdout
    assert "14 entries, every one signed" in place.run("verify", CODE, "--against", str(held)).stdout
    assert place.json("runs") == runs
    assert place.json("findings") == findings
    put_key_back(place, key)
    place.run("publish", CODE)
    assert "15 entries, every one signed" in place.run("verify", CODE, "--against", str(held)).stdout


def lose_the_newest(place: Installation) -> tuple[Path, bytes]:
    """Two entries come after the backup, the client is given the checkpoint, then the state is gone."""
    key = (place.home / "keys" / "signing.key").read_bytes()
    place.run("backup", "--out", str(place.folder / "backup"))
    for _ in range(2):
        place.run("publish", CODE)
    newer = hand_out(place, "newer.txt")
    shutil.rmtree(place.home)
    return newer, key


def restore_the_old_one(place: Installation, key: bytes) -> None:
    place.run("restore", str(place.folder / "backup"), "--into", str(place.home))
    put_key_back(place, key)


def test_an_old_backup_goes_on_only_through_an_epoch_that_everybody_sees(place: Installation) -> None:
    newer, key = lose_the_newest(place)
    against = ["--against", str(newer)]
    refused = place.run("restore", str(place.folder / "backup"), "--into", str(place.home), *against, accept=(1,))
    assert "a rollback: the backup has 14 entries, a checkpoint kept outside signed 16" in refused.stderr
    assert "itcare ledger new-epoch" in refused.stderr
    assert not place.home.exists()

    restore_the_old_one(place, key)
    assert "the tail is lost" in place.run("verify", CODE, *against, accept=(1,)).stdout
    recovery = ["--recovery-key", str(place.folder / "recovery.key")]
    told = place.run("ledger", "new-epoch", CODE, "--lost", str(newer), *recovery, "--reason", "the disk died").stdout
    assert "entries 14 to 15" in told
    for _ in range(3):
        place.run("publish", CODE)

    shown = place.run("verify", CODE, *against).stdout
    assert "17 entries, every one signed" in shown
    assert "EPOCH: entries 14 to 15, once signed, were declared lost" in shown
    assert "EPOCH" in place.run("verify").stdout  # also for those who hold nothing

    place.run("export-proof", CODE, "--out", str(place.folder / "proof"))
    told = verify_alone(place, "--held", str(newer), "--recovery-key", recovery_key(place))
    assert told.returncode == 0
    assert "EPOCH: entries 14 to 15, once signed, were declared lost" in told.stdout


def test_without_an_epoch_whoever_held_a_checkpoint_sees_a_fork(place: Installation) -> None:
    newer, key = lose_the_newest(place)
    restore_the_old_one(place, key)
    for _ in range(3):
        place.run("publish", CODE)
    assert "17 entries" in place.run("verify", CODE).stdout  # nothing inside can tell
    told = place.run("verify", CODE, "--against", str(newer), accept=(1,)).stdout
    assert "held elsewhere" in told
    place.run("export-proof", CODE, "--out", str(place.folder / "proof"))
    assert verify_alone(place, "--held", str(newer)).returncode == 1
    recovery = ["--recovery-key", str(place.folder / "recovery.key")]
    late = place.run(
        "ledger", "new-epoch", CODE, "--lost", str(newer), *recovery, "--reason", "too late", accept=(1, 2)
    )
    assert late.stderr  # and it is too late to declare them lost


def recovery_key(place: Installation) -> str:
    return (place.home / "keys" / "recovery.pub").read_text().strip()


def verify_alone(place: Installation, *options: str) -> "subprocess.CompletedProcess[str]":
    """What the client runs: the verifier of the bundle, in a Python that has nothing of ours."""
    bundle = place.folder / "proof"
    key = (bundle / "verifier-key.txt").read_text().strip()
    command = [sys.executable, "-I", str(bundle / "verify.py"), str(bundle), "--key", key, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    sys.stdout.write(
        f"$ python verify.py proof --key … {' '.join(options[:1])} …\n{done.stdout}{done.stderr}[{done.returncode}]\n"
    )
    return done
