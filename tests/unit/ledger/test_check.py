"""Full verification: what it says about damage other than a changed leaf (those: tests/security)."""

from contextlib import suppress
from pathlib import Path

import pytest

from itcare.core.errors import UnsafeError
from itcare.ledger.checkpoint import make_checkpoint
from itcare.ledger.log import Ledger
from itcare.ledger.merkle import hash_leaf
from itcare.ledger.note import VERIFIER_KEY, Signer, load_signer
from tests.support.ledgers import attacker, check, fill, fit_head, open_ledger, sample_ledger


def checkpoints_of(ledger: Ledger, log) -> Path:
    return ledger.settings.home / "checkpoints" / str(log.id)


def test_a_sound_log_tells_size_and_root(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    found = check(ledger.settings, log)
    assert (found.sound, found.size, found.entry, found.between, found.problems) == (True, 12, None, None, ())
    assert found.root == ledger.latest_checkpoint(log).root
    assert found.message == "12 entries, every one signed"


def test_entries_not_yet_signed_are_told_and_are_not_wrong(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        batch.add({"type": "a.b"})
    found = check(ledger.settings, log)
    assert (found.sound, found.message) == (True, "13 entries, the last 1 not signed")


def test_a_changed_body_is_named_with_its_entry(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    digests = {entry.event.get("who"): entry.index for entry in reversed(list(ledger.entries(log)))}
    digest = next(d for d in digests if d)
    with attacker(ledger.settings.database) as connection:
        connection.execute(
            "UPDATE body SET zstd = CAST(substr(zstd, 1, length(zstd) - 1) || x'00' AS BLOB) WHERE digest = ?",
            (digest,),
        )
    found = check(ledger.settings, log)
    assert (found.sound, found.entry) == (False, digests[digest])
    assert str(digest) in found.message
    assert "changed" in found.message


def test_a_missing_body_is_unsound_unless_the_firms_log_names_its_erasure(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    entry = next(entry for entry in ledger.entries(log) if entry.event.get("who"))
    digest = entry.event["who"]
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM body WHERE digest = ?", (digest,))
    assert ledger.body(log, str(digest)) is None
    found = check(ledger.settings, log)
    assert (found.sound, found.entry) == (False, entry.index)
    assert "no erasure" in found.message

    firm = ledger.firm_log()
    for claim in ({"client": "NORD", "digest": digest}, {"client": "ACME", "digest": "0" * 64}):
        with ledger.append(firm) as batch:
            batch.add({"type": "body.erased", **claim})
        ledger.sign(firm)
        assert not check(ledger.settings, log).sound
    with ledger.append(firm) as batch:
        batch.add({"type": "body.erased", "client": "ACME", "digest": digest})
    ledger.sign(firm)
    assert check(ledger.settings, log).sound

    with attacker(ledger.settings.database) as connection:  # an unsound firm's log proves no erasure
        connection.execute(
            "UPDATE leaf SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log_id = ? AND idx = 0", (firm.id,)
        )
    assert not check(ledger.settings, log).sound


@pytest.mark.parametrize(
    "change", ["size = size + 1", "frontier = zeroblob(64)", "root = zeroblob(32)", "size = 0, frontier = x''"]
)
def test_a_head_that_does_not_fit_is_found(tmp_path: Path, change: str) -> None:
    ledger, log = sample_ledger(tmp_path)
    with attacker(ledger.settings.database) as connection:
        connection.execute(f"UPDATE log SET {change} WHERE id = ?", (log.id,))  # noqa: S608 - the four texts above
    found = check(ledger.settings, log)
    assert not found.sound
    assert "stored head" in found.message


def test_a_forged_checkpoint_file_is_found(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    path = checkpoints_of(ledger, log) / f"{8:012d}.txt"
    path.write_text(make_checkpoint(Signer.generate(), log.origin, 8, b"\0" * 32).text)
    found = check(ledger.settings, log)
    assert not found.sound
    assert "checkpoint of 8 entries does not verify" in found.message


def test_a_checkpoint_of_another_tree_signed_with_the_real_key_is_found(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    forged = make_checkpoint(load_signer(ledger.settings.keys), log.origin, 8, b"\0" * 32)
    (checkpoints_of(ledger, log) / f"{8:012d}.txt").write_text(forged.text)
    assert check(ledger.settings, log).between == (4, 8)


def test_lost_checkpoint_files_are_found(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    (checkpoints_of(ledger, log) / f"{12:012d}.txt").unlink()
    found = check(ledger.settings, log)
    assert not found.sound
    assert "lost" in found.message


def cut(ledger: Ledger, log, left: int, *, files: bool) -> None:
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx >= ?", (log.id, left))
        fit_head(connection, log.id)
        connection.execute("UPDATE log SET signed_size = size WHERE id = ?", (log.id,))
    if files:
        for path in checkpoints_of(ledger, log).iterdir():
            if int(path.stem) > left:
                path.unlink()


def test_a_cut_tail_is_caught_by_the_kept_checkpoint(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    cut(ledger, log, 8, files=False)
    found = check(ledger.settings, log)
    assert (found.sound, found.entry) == (False, 8)
    assert "tail is lost" in found.message


def test_a_tail_cut_with_its_checkpoints_is_caught_only_by_one_held_elsewhere(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    held = ledger.latest_checkpoint(log).text
    cut(ledger, log, 8, files=True)
    assert check(ledger.settings, log).sound  # nothing here can tell
    found = check(ledger.settings, log, against=held)
    assert (found.sound, found.entry) == (False, 8)


def test_a_tail_cut_and_grown_anew_with_the_real_key_is_caught_by_one_held_elsewhere(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    held = ledger.latest_checkpoint(log).text
    cut(ledger, log, 8, files=True)
    grown = open_ledger(ledger.settings)
    fill(grown, log, 6)
    assert check(ledger.settings, log).sound
    found = check(ledger.settings, log, against=held)
    assert (found.sound, found.between) == (False, (8, 12))
    assert "held elsewhere" in found.message


def test_an_older_checkpoint_held_elsewhere_fits_a_grown_log(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    held = ledger.latest_checkpoint(log).text
    fill(ledger, log, 3)
    assert check(ledger.settings, log, against=held).sound


@pytest.mark.parametrize("held", ["", "nonsense", "\ud800", "a\n1\nb\n\n\u2014 a AAAAAAAA\n"])
def test_a_checkpoint_that_is_none_of_this_log_is_never_green(tmp_path: Path, held: str) -> None:
    ledger, log = sample_ledger(tmp_path)
    found = check(ledger.settings, log, against=held)
    assert not found.sound
    assert "not one of this log" in found.message


def test_another_clients_checkpoint_is_never_green(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    other = ledger.client_log("NORD", "Nord")
    assert not check(ledger.settings, log, against=ledger.latest_checkpoint(other).text).sound


def test_a_log_signed_anew_with_another_key_is_caught_by_a_checkpoint_held_elsewhere(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    held = ledger.latest_checkpoint(log).text
    resign(ledger, log, Signer.generate())
    assert check(ledger.settings, log).sound
    assert not check(ledger.settings, log, against=held).sound


def resign(ledger: Ledger, log, signer: Signer) -> None:
    """What an attacker with the whole disk, but not the key, can do: a new key for everything."""
    kept = ledger.checkpoints(log)
    (ledger.settings.keys / VERIFIER_KEY).write_text(str(signer.verifier_key(log.origin)))
    for checkpoint in kept:
        again = make_checkpoint(signer, log.origin, checkpoint.size, bytes.fromhex(checkpoint.root))
        (checkpoints_of(ledger, log) / f"{checkpoint.size:012d}.txt").write_text(again.text)


def test_a_leaf_of_another_format_is_named(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    for forged in (b"", b"itcare/leaf/v2\n" + b"\0" * 40, b"itcare/leaf/v1\n" + b"\0" * 16 + b"[]"):
        with attacker(ledger.settings.database) as connection:
            row = (forged, hash_leaf(forged), log.id)
            connection.execute("UPDATE leaf SET bytes = ?, hash = ? WHERE log_id = ? AND idx = 6", row)
        assert check(ledger.settings, log).entry == 6


def test_a_log_shifted_by_a_deletion_is_told_shortly(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    fill(ledger, log, 400)
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx = 20", (log.id,))
    found = check(ledger.settings, log)
    assert found.entry == 20
    assert len(found.problems) < 250


def test_without_the_public_key_nothing_is_called_sound(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    (ledger.settings.keys / VERIFIER_KEY).unlink()
    with pytest.raises(UnsafeError, match="verifier key"):
        check(ledger.settings, log)


def test_a_database_cut_to_half_is_told_in_words(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    fill(ledger, log, 200)
    ledger.engine.dispose()
    database = ledger.settings.database
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    with suppress(UnsafeError):  # either answer is right: refused, or read and found unsound
        assert not check(ledger.settings, log).sound
