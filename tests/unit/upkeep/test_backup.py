"""`itcare backup`: what is in it, what never is, and that it is made of one moment."""

import json
import multiprocessing
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from itcare.cli.app import app
from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, BusyError, UnsafeError, UnsoundError
from itcare.ledger.log import Ledger
from itcare.upkeep import backup
from itcare.upkeep.backup import make_backup
from itcare.upkeep.restore import restore_backup
from tests.support.ledgers import START, append_many, attacker, check, fill, new_ledger, open_ledger, sample_ledger

CLOCK = FixedClock(START)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A client's log of 12 entries beside everything else that lies in a state directory."""
    ledger, _ = sample_ledger(tmp_path)
    home = ledger.settings.home
    for name, text in {
        "itcare.toml": f'contracts = "{tmp_path}/contracts"\n',
        "known_hosts/1": "[192.0.2.1]:22 ssh-ed25519 AAAA\n",
        "known_hosts/.1.lock": "",
        "credentials/ACME/branch": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "published/1/current.sqlite": "made again by publish",
        "runs/abc/spool.jsonl": "{}",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return ledger


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def test_a_backup_holds_the_state_and_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    made = make_backup(ledger, tmp_path / "backup", CLOCK)
    log = ledger.find_log("ACME")
    assert names(made.path) == {
        "MANIFEST", "about.json", "itcare.sqlite", "itcare.toml", "keys/signing.pub", "keys/recovery.pub",
        "known_hosts/1", "checkpoints/1/000000000001.txt", "checkpoints/1/000000000002.txt",
        *(f"checkpoints/{log.id}/{size:012d}.txt" for size in (1, 4, 8, 12)),
    }  # fmt: skip
    assert (dict(made.logs), made.open_runs) == ({"firm": 2, "ACME": 12}, 0)


def test_no_private_key_is_in_a_backup(ledger: Ledger, tmp_path: Path) -> None:
    made = make_backup(ledger, tmp_path / "backup", CLOCK)
    secret = (ledger.settings.keys / "signing.key").read_bytes().splitlines()[1]
    for name in names(made.path):
        content = (made.path / name).read_bytes()
        assert b"PRIVATE KEY" not in content and secret not in content, name


def test_a_backup_is_for_its_owner_only(ledger: Ledger, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = make_backup(ledger, tmp_path / "backup", CLOCK)
    finally:
        os.umask(before)
    for path in (made.path, *made.path.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_was_deleted_does_not_come_along(ledger: Ledger, tmp_path: Path) -> None:
    with attacker(ledger.settings.database) as connection:
        connection.execute("PRAGMA secure_delete = OFF")  # some distributions build SQLite with it on
        connection.execute("CREATE TABLE scrap (text TEXT)")
        connection.execute("INSERT INTO scrap VALUES (?)", ("Zofia Example 600 000 000 " * 400,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("DROP TABLE scrap")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"Zofia Example" in ledger.settings.database.read_bytes()
    made = make_backup(ledger, tmp_path / "backup", CLOCK)
    assert b"Zofia Example" not in (made.path / "itcare.sqlite").read_bytes()


def test_a_folder_that_is_there_is_not_touched(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    for out in (tmp_path / "backup", tmp_path / "none" / "backup"):
        with pytest.raises(BadInputError):
            make_backup(ledger, out, CLOCK)
    assert names(tmp_path / "backup") == set()


def test_a_ledger_that_does_not_verify_is_not_backed_up(ledger: Ledger, tmp_path: Path) -> None:
    with attacker(ledger.settings.database) as connection:
        connection.execute("UPDATE leaf SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log_id = 2 AND idx = 5")
    with pytest.raises(UnsoundError, match="entry 5"):
        make_backup(ledger, tmp_path / "backup", CLOCK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "recovery.key"]


def test_without_the_signing_key_there_is_no_backup(ledger: Ledger, tmp_path: Path) -> None:
    (ledger.settings.keys / "signing.key").chmod(0o644)
    with pytest.raises(UnsafeError, match="others may read"):
        make_backup(ledger, tmp_path / "backup", CLOCK)


def test_a_link_in_the_state_is_not_followed(ledger: Ledger, tmp_path: Path) -> None:
    (ledger.settings.home / "known_hosts" / "2").symlink_to(ledger.settings.keys / "signing.key")
    assert "known_hosts/2" not in names(make_backup(ledger, tmp_path / "backup", CLOCK).path)


def test_nobody_signs_between_the_copy_of_the_database_and_that_of_the_checkpoints(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_files = backup._copy_files
    refused = []

    def intrude(home: Path, work: Path) -> None:
        try:
            fill(open_ledger(ledger.settings, busy_seconds=0.1), ledger.find_log("ACME"), 1)
        except BusyError as error:
            refused.append(error)
        copy_files(home, work)

    monkeypatch.setattr(backup, "_copy_files", intrude)
    make_backup(ledger, tmp_path / "backup", CLOCK)
    assert len(refused) == 1


def test_backups_made_while_others_write_verify_and_restore(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=append_many, args=(str(ledger.settings.home), "w", 25))
    writer.start()
    made = [make_backup(ledger, tmp_path / f"backup{number}", CLOCK) for number in range(3)]
    writer.join(120)
    assert writer.exitcode == 0
    made.append(make_backup(ledger, tmp_path / "last", CLOCK))
    assert dict(made[-1].logs)["ACME"] == 37
    for number, one in enumerate(made):
        restored = restore_backup(ledger.settings, one.path, tmp_path / f"restored{number}")
        assert {entry.log: entry.size for entry in restored.facts.logs} == dict(one.logs)


def test_the_commands_take_a_state_there_and_back(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITCARE_HOME", str(ledger.settings.home))
    held = ledger.settings.home / "checkpoints" / "2" / "000000000012.txt"
    arguments = ["restore", str(tmp_path / "b"), "--into", str(tmp_path / "again"), "--against", str(held)]
    assert CliRunner().invoke(app, ["backup", "--out", str(tmp_path / "b")]).exit_code == 0
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "ACME: 12 entries" in result.stdout) == (0, True)
    assert "not pinned" in result.stderr
    assert not (tmp_path / "again" / "keys" / "signing.key").exists()
    monkeypatch.setenv("ITCARE_HOME", str(tmp_path / "again"))
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0


def test_a_restored_ledger_goes_on_once_the_key_is_back(ledger: Ledger, tmp_path: Path) -> None:
    made = make_backup(ledger, tmp_path / "backup", CLOCK)
    home = restore_backup(ledger.settings, made.path, tmp_path / "again").home
    settings = type(ledger.settings)(home, ledger.settings.contracts, ledger.settings.origin)
    again = open_ledger(settings)
    log = again.find_log("ACME")
    with pytest.raises(UnsafeError):
        again.sign(log)
    (home / "keys" / "signing.key").write_bytes((ledger.settings.keys / "signing.key").read_bytes())
    (home / "keys" / "signing.key").chmod(0o600)
    with again.append(log) as batch:
        batch.add({"type": "a.b"})
    assert again.sign(log).size == 13
    assert check(settings, log, against=ledger.latest_checkpoint(log).text).sound
    with closing(sqlite3.connect(settings.database)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("DELETE FROM leaf")  # the guards came along


def test_the_description_tells_what_is_in_it(ledger: Ledger, tmp_path: Path) -> None:
    made = make_backup(ledger, tmp_path / "backup", CLOCK)
    about = json.loads((made.path / "about.json").read_text())
    assert (about["schema"], about["made_at"]) == ("itcare/backup/v1", "2026-11-02T07:30:00.000000Z")
    assert (about["rows"]["leaf"], [log["log"] for log in about["logs"]]) == (14, ["firm", "ACME"])


def test_an_empty_installation_can_be_backed_up(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    assert dict(make_backup(ledger, tmp_path / "backup", CLOCK).logs) == {"firm": 1}
