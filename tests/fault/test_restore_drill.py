"""The drill: a backup that was damaged, exchanged or grown old is never put back in silence."""

import json
import resource
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, ItcareError, UnsafeError, UnsoundError
from itcare.ledger.note import Signer, load_signer
from itcare.upkeep.backup import make_backup
from itcare.upkeep.manifest import MANIFEST, write_manifest
from itcare.upkeep.restore import restore_backup
from tests.support.ledgers import START, attacker, fill, fit_head, open_ledger, sample_ledger


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make_drill(tmp_path_factory.mktemp("drill"))


def make_drill(folder: Path) -> SimpleNamespace:
    """A backup of 12 entries, and the checkpoint of the 15 that there are by now."""
    ledger, log = sample_ledger(folder)
    (ledger.settings.home / "known_hosts").mkdir()
    (ledger.settings.home / "known_hosts" / "1").write_text("[192.0.2.1]:22 ssh-ed25519 AAAA\n")
    backup = make_backup(ledger, folder / "backup", FixedClock(START)).path
    held = ledger.latest_checkpoint(log).text
    fill(ledger, log, 3)
    (folder / "newer.txt").write_text(ledger.latest_checkpoint(log).text)
    (folder / "held.txt").write_text(held)
    key = str(ledger.verifier_key(ledger.firm_log()))
    return SimpleNamespace(folder=folder, ledger=ledger, log=log, backup=backup, key=key)


def append_to(name: str, data: bytes) -> Callable[[Path], None]:
    def mutilate(backup: Path) -> None:
        (backup / name).parent.mkdir(exist_ok=True)
        with (backup / name).open("ab") as file:
            file.write(data)

    return mutilate


def flip_a_bit_of_the_database(backup: Path) -> None:
    data = bytearray((backup / "itcare.sqlite").read_bytes())
    data[len(data) // 2] ^= 1
    (backup / "itcare.sqlite").write_bytes(data)


def cut_the_database_in_half(backup: Path) -> None:
    data = (backup / "itcare.sqlite").read_bytes()
    (backup / "itcare.sqlite").write_bytes(data[: len(data) // 2])


def link_a_file_elsewhere(backup: Path) -> None:
    (backup / "known_hosts" / "1").rename(backup.parent / "1")
    (backup / "known_hosts" / "1").symlink_to(backup.parent / "1")


def lead_a_path_outside(backup: Path) -> None:
    manifest = (backup / MANIFEST).read_text()
    (backup / MANIFEST).write_text(manifest.replace("known_hosts/1", "../known_host/1"))


MUTILATIONS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a flipped bit in the database": (flip_a_bit_of_the_database, "itcare.sqlite was changed"),
    "half of the database": (cut_the_database_in_half, "itcare.sqlite was changed"),
    "no database": (lambda backup: (backup / "itcare.sqlite").unlink(), "itcare.sqlite is missing"),
    "another host key": (append_to("known_hosts/1", b"evil\n"), "known_hosts/1 was changed"),
    "another client's host keys": (append_to("known_hosts/7", b"evil\n"), "known_hosts/7 is not in its list"),
    "a changed checkpoint": (append_to("checkpoints/2/000000000004.txt", b"\n"), "000000000004.txt was changed"),
    "a lost checkpoint": (
        lambda backup: (backup / "checkpoints/2/000000000012.txt").unlink(), "000000000012.txt is missing",
    ),
    "no list of files": (lambda backup: (backup / MANIFEST).unlink(), "MANIFEST"),
    "a changed list of files": (lead_a_path_outside, "MANIFEST"),
    "a link": (link_a_file_elsewhere, "does not belong into a backup"),
    "a private key": (append_to("keys/signing.key", b"key"), "does not belong into a backup"),
}  # fmt: skip


def copy_of(drill: SimpleNamespace, folder: Path) -> Path:
    return Path(shutil.copytree(drill.backup, folder / "copy"))


def refuse(drill: SimpleNamespace, backup: Path, into: Path, kind: type[ItcareError], **options: object) -> str:
    """Restoring has to fail with an error of that kind and leave nothing; returns why."""
    before = set(into.parent.iterdir())
    with pytest.raises(kind) as caught:
        restore_backup(drill.ledger.settings, backup, into, **options)  # type: ignore[arg-type]
    assert set(into.parent.iterdir()) == before
    assert caught.value.remedy
    return caught.value.why


@pytest.mark.parametrize("name", MUTILATIONS)
def test_a_mutilated_backup_is_refused_by_name(drill: SimpleNamespace, tmp_path: Path, name: str) -> None:
    mutilate, expected = MUTILATIONS[name]
    copy = copy_of(drill, tmp_path)
    mutilate(copy)
    assert expected in refuse(drill, copy, tmp_path / "again", UnsoundError)


def test_an_untouched_copy_is_put_back(drill: SimpleNamespace, tmp_path: Path) -> None:
    copy = copy_of(drill, tmp_path)
    restored = restore_backup(
        drill.ledger.settings, copy, tmp_path / "again", against=[drill.folder / "held.txt"], key=drill.key
    )
    assert {log.log: log.size for log in restored.facts.logs} == {"firm": 2, "ACME": 12}
    assert restored.facts.rows == json.loads((copy / "about.json").read_text())["rows"]
    assert not (tmp_path / "again" / "about.json").exists()


def test_a_backup_older_than_a_checkpoint_kept_outside_is_a_rollback(drill: SimpleNamespace, tmp_path: Path) -> None:
    why = refuse(drill, drill.backup, tmp_path / "again", UnsoundError, against=[drill.folder / "newer.txt"])
    assert "rollback" in why and "12 entries" in why and "15" in why


def sign_anew(backup: Path, signer: Signer, origin: str) -> None:
    (backup / MANIFEST).unlink()
    write_manifest(backup, signer, origin)


def test_an_entry_changed_by_the_key_holder_is_found_by_the_tree(drill: SimpleNamespace, tmp_path: Path) -> None:
    """The list of files fits, since it was signed again; the ledger does not."""
    copy = copy_of(drill, tmp_path)
    with attacker(copy / "itcare.sqlite") as connection:
        connection.execute("UPDATE leaf SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log_id = 2 AND idx = 5")
    sign_anew(copy, load_signer(drill.ledger.settings.keys), drill.ledger.firm_log().origin)
    assert "entry 5" in refuse(drill, copy, tmp_path / "again", UnsoundError)


def test_rows_that_were_removed_beside_the_ledger_are_found(drill: SimpleNamespace, tmp_path: Path) -> None:
    copy = copy_of(drill, tmp_path)
    with closing(sqlite3.connect(copy / "itcare.sqlite")) as connection:
        connection.execute("DELETE FROM body WHERE log_id = 1")
        connection.execute("INSERT INTO body (log_id, digest, size, zstd) VALUES (2, 'x', 1, x'00')")
        connection.commit()
    sign_anew(copy, load_signer(drill.ledger.settings.keys), drill.ledger.firm_log().origin)
    refuse(drill, copy, tmp_path / "again", UnsoundError)


def test_a_history_written_anew_is_a_fork(drill: SimpleNamespace, tmp_path: Path) -> None:
    """Made by the key holder out of a real older state: sound by itself, caught by a checkpoint kept outside."""
    shutil.copytree(drill.ledger.settings.home, tmp_path / "home")
    settings = replace(drill.ledger.settings, home=tmp_path / "home")
    log = drill.log
    with attacker(settings.database) as connection:
        connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx >= 8", (log.id,))
        fit_head(connection, log.id)
        connection.execute("UPDATE log SET signed_size = 8 WHERE id = ?", (log.id,))
    for size in (12, 15):
        (settings.home / "checkpoints" / str(log.id) / f"{size:012d}.txt").unlink()
    other = open_ledger(settings)
    fill(other, log, 9, person="invented")
    copy = make_backup(other, tmp_path / "copy", FixedClock(START)).path
    assert "fork" in refuse(drill, copy, tmp_path / "again", UnsoundError, against=[drill.folder / "newer.txt"])
    restore_backup(drill.ledger.settings, copy, tmp_path / "unwarned")  # nothing inside it tells


def test_a_backup_signed_by_a_stranger_is_refused_by_the_kept_key(drill: SimpleNamespace, tmp_path: Path) -> None:
    copy = copy_of(drill, tmp_path)
    stranger, origin = Signer.generate(), drill.ledger.firm_log().origin
    (copy / "keys" / "signing.pub").write_text(str(stranger.verifier_key(origin)))
    sign_anew(copy, stranger, origin)
    assert MANIFEST in refuse(drill, copy, tmp_path / "again", UnsoundError, key=drill.key)


def test_another_version_of_the_format_names_the_way_on(drill: SimpleNamespace, tmp_path: Path) -> None:
    copy, origin = copy_of(drill, tmp_path), drill.ledger.firm_log().origin
    text = (copy / MANIFEST).read_text().rpartition("\n\n")[0].replace("backup/v1", "backup/v9") + "\n"
    (copy / MANIFEST).write_bytes(load_signer(drill.ledger.settings.keys).sign(text, origin))
    assert "itcare/backup/v9" in refuse(drill, copy, tmp_path / "again", UnsafeError)


def test_a_full_disk_leaves_no_half_backup(drill: SimpleNamespace, tmp_path: Path) -> None:
    """A real write error, in the database and in what follows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (20_000, 1_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            with pytest.raises(UnsafeError, match="free space"):
                make_backup(drill.ledger, tmp_path / "backup", FixedClock(START))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(tmp_path.iterdir()) == []
    assert open_ledger(drill.ledger.settings).latest_checkpoint(drill.log).size == 15


def test_a_full_disk_leaves_no_half_state(drill: SimpleNamespace, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        refuse(drill, drill.backup, tmp_path / "again", UnsafeError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_stranger_cannot_pass_a_checkpoint_either(drill: SimpleNamespace, tmp_path: Path) -> None:
    text = (drill.folder / "newer.txt").read_text()
    (tmp_path / "other-log.txt").write_text(text.replace("/client/", "/clients/"))
    (tmp_path / "unsigned.txt").write_text(text[:-8] + "AAAAAA=\n")
    for name in ("other-log.txt", "unsigned.txt", "missing.txt"):
        refuse(drill, drill.backup, tmp_path / "again", BadInputError, against=[tmp_path / name])


def test_a_state_that_is_there_is_never_overwritten(drill: SimpleNamespace, tmp_path: Path) -> None:
    refuse(drill, drill.backup, drill.ledger.settings.home, BadInputError)
    (tmp_path / "empty").mkdir()
    assert restore_backup(drill.ledger.settings, drill.backup, tmp_path / "empty").home == tmp_path / "empty"
    refuse(drill, drill.backup, tmp_path / "empty", BadInputError)
    with pytest.raises(BadInputError):
        restore_backup(drill.ledger.settings, drill.backup, tmp_path / "none" / "deeper")


def test_what_is_no_backup_is_refused(drill: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "no").mkdir()
    refuse(drill, tmp_path / "no", tmp_path / "again", BadInputError)
    refuse(drill, tmp_path / "no", tmp_path / "again", BadInputError, key="nonsense")
    refuse(drill, tmp_path / "no", tmp_path / "again", UnsoundError, key=drill.key)
