"""After a rollback the recovery key may say what is lost, and exactly that is excused, to those who pinned it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from itcare.cli.app import app
from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, UnsoundError
from itcare.ledger import verify
from itcare.ledger.bundle import export_proof
from itcare.ledger.epoch import declare_epoch
from itcare.ledger.note import Signer, load_recovery_key, load_recovery_signer
from itcare.ledger.verify import Epoch, NoteError, read_epoch, verify_bundle, write_epoch
from itcare.upkeep.backup import make_backup
from itcare.upkeep.restore import restore_backup
from tests.support.ledgers import START, attacker, check, fill, open_ledger, sample_ledger

WHO = {"operator": {"user": "root"}, "reason": "the disk died"}


def roll_back(folder: Path) -> SimpleNamespace:
    """A log of 12 entries restored from its backup, after outsiders were given checkpoints of 15 and 18."""
    ledger, log = sample_ledger(folder)
    make_backup(ledger, folder / "backup", FixedClock(START))
    held = {}
    for size in (15, 18):
        fill(ledger, log, 3)
        held[size] = folder / f"held-{size}.txt"
        held[size].write_text(ledger.latest_checkpoint(log).text)
    ledger.engine.dispose()
    key, old = (ledger.settings.keys / "signing.key").read_bytes(), ledger.settings.home
    shutil.move(old, folder / "lost")
    restore_backup(ledger.settings, folder / "backup", old)
    (old / "keys" / "signing.key").write_bytes(key)
    (old / "keys" / "signing.key").chmod(0o600)
    again = open_ledger(ledger.settings)
    recovery = load_recovery_signer(folder / "recovery.key", load_recovery_key(again.settings.keys))
    return SimpleNamespace(ledger=again, log=log, held=held, recovery=recovery, folder=folder)


@pytest.fixture
def rolled(tmp_path: Path) -> Iterator[SimpleNamespace]:
    place = roll_back(tmp_path)
    yield place
    place.ledger.engine.dispose()


def text_of(place: SimpleNamespace, size: int) -> str:
    return str(place.held[size].read_text())


def go_on(place: SimpleNamespace, *lost: int) -> Epoch:
    """Declare those checkpoints lost and append what comes after, beyond the sizes of all."""
    epoch = declare_epoch(place.ledger, place.log, [place.held[size] for size in lost], place.recovery, WHO)
    fill(place.ledger, place.log, 9, person="later")
    return epoch


def test_without_an_epoch_going_on_is_a_fork(rolled: SimpleNamespace) -> None:
    fill(rolled.ledger, rolled.log, 9)
    assert not check(rolled.ledger.settings, rolled.log, against=text_of(rolled, 18)).sound


def test_an_epoch_explains_the_checkpoints_that_it_names(rolled: SimpleNamespace) -> None:
    go_on(rolled, 15, 18)
    for size in (15, 18):
        found = check(rolled.ledger.settings, rolled.log, against=text_of(rolled, size))
        assert found.sound
        assert "EPOCH: entries 12 to 17, once signed, were declared lost" in found.message
        assert "one of those declared lost" in found.message
    assert "EPOCH" in check(rolled.ledger.settings, rolled.log).message
    assert check(rolled.ledger.settings, rolled.ledger.firm_log()).sound


def test_an_epoch_explains_them_before_anything_was_appended(rolled: SimpleNamespace) -> None:
    declare_epoch(rolled.ledger, rolled.log, [rolled.held[18]], rolled.recovery, WHO)
    assert check(rolled.ledger.settings, rolled.log, against=text_of(rolled, 18)).sound


def test_a_checkpoint_that_the_epoch_does_not_name_stays_a_fork(rolled: SimpleNamespace) -> None:
    go_on(rolled, 18)
    assert not check(rolled.ledger.settings, rolled.log, against=text_of(rolled, 15)).sound
    key = str(rolled.ledger.verifier_key(rolled.log))
    recovery = str(load_recovery_key(rolled.ledger.settings.keys))
    bundle = export_proof(rolled.ledger, rolled.log, rolled.folder / "proof")
    assert verify_bundle(bundle, key, rolled.held[15].read_bytes(), recovery).problems


def test_a_bundle_shows_the_epoch_and_needs_the_pinned_recovery_key(rolled: SimpleNamespace) -> None:
    go_on(rolled, 18)
    settings = rolled.ledger.settings
    key, recovery = str(rolled.ledger.verifier_key(rolled.log)), str(load_recovery_key(settings.keys))
    bundle, held = export_proof(rolled.ledger, rolled.log, rolled.folder / "proof"), rolled.held[18].read_bytes()
    plain = verify_bundle(bundle, key)
    assert (plain.problems, plain.epochs) == ([], ["EPOCH: entries 12 to 17, once signed, were declared lost"])
    explained = verify_bundle(bundle, key, held, recovery)
    assert (explained.problems, len(explained.epochs)) == ([], 2)
    unpinned = verify_bundle(bundle, key, held)
    assert unpinned.problems
    assert "pass the recovery key" in unpinned.epochs[1]


def test_the_verifier_prints_the_epoch(rolled: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    go_on(rolled, 18)
    bundle = str(export_proof(rolled.ledger, rolled.log, rolled.folder / "proof"))
    recovery = str(load_recovery_key(rolled.ledger.settings.keys))
    assert verify.main([bundle, "--held", str(rolled.held[18]), "--recovery-key", recovery]) == 0
    assert "EPOCH: entries 12 to 17" in capsys.readouterr().out
    assert verify.main([bundle, "--held", str(rolled.held[18])]) == 1
    assert "The recovery key of the epoch was NOT PINNED" in capsys.readouterr().out
    assert verify.main([bundle, "--recovery-key", "nonsense"]) == 2


def forge(place: SimpleNamespace, declaration: str) -> None:
    """What the holder of the signing key alone can do: any entry in the firm's log."""
    firm = place.ledger.firm_log()
    with place.ledger.append(firm) as batch:
        batch.add({"type": "epoch.declared", "client": "ACME", "origin": place.log.origin, "declaration": declaration})
    place.ledger.sign(firm)


def declaration_of(place: SimpleNamespace, signer: Signer, **changes: object) -> str:
    found = check(place.ledger.settings, place.log)
    held = verify.open_checkpoint(place.held[18].read_bytes(), place.ledger.verifier_key(place.log))
    parts = {"origin": place.log.origin, "kept": (found.size, found.root), "lost": ((held.size, held.root),)}
    name = load_recovery_key(place.ledger.settings.keys).name
    return signer.sign(write_epoch(Epoch(**{**parts, **changes})), name).decode()  # type: ignore[arg-type]


def test_the_signing_key_alone_declares_nothing(rolled: SimpleNamespace) -> None:
    for declaration in ("", "nonsense", declaration_of(rolled, Signer.generate())):
        forge(rolled, declaration)
        found = check(rolled.ledger.settings, rolled.log, against=text_of(rolled, 18))
        assert not found.sound
        assert "does not hold" in found.problems[0].message
    with pytest.raises(UnsoundError, match="epochs/"):
        export_proof(rolled.ledger, rolled.log, rolled.folder / "proof")


def test_an_epoch_whose_kept_tree_the_log_does_not_begin_with_does_not_hold(rolled: SimpleNamespace) -> None:
    forge(rolled, declaration_of(rolled, rolled.recovery, kept=(12, "ab" * 32)))
    found = check(rolled.ledger.settings, rolled.log, against=text_of(rolled, 18))
    assert "does not go on from the tree that was kept" in found.problems[0].message
    with pytest.raises(UnsoundError, match="epoch kept"):
        export_proof(rolled.ledger, rolled.log, rolled.folder / "proof")


def test_a_declaration_for_another_log_explains_nothing_here(rolled: SimpleNamespace) -> None:
    forge(rolled, declaration_of(rolled, rolled.recovery, origin=rolled.ledger.firm_log().origin))
    assert not check(rolled.ledger.settings, rolled.log, against=text_of(rolled, 18)).sound


def test_a_bundle_with_a_recovery_key_of_its_own_is_told_from_the_pinned_one(rolled: SimpleNamespace) -> None:
    """The holder of the signing key exchanges the recovery key and declares what he likes."""
    real = str(load_recovery_key(rolled.ledger.settings.keys))
    name, mine = load_recovery_key(rolled.ledger.settings.keys).name, Signer.generate()
    (rolled.ledger.settings.keys / "recovery.pub").write_text(str(mine.verifier_key(name)))
    forge(rolled, declaration_of(rolled, mine))
    fill(rolled.ledger, rolled.log, 9)
    bundle = export_proof(rolled.ledger, rolled.log, rolled.folder / "proof")
    key, held = str(rolled.ledger.verifier_key(rolled.log)), rolled.held[18].read_bytes()
    assert verify_bundle(bundle, key).problems == []  # nobody asked about the past
    assert verify_bundle(bundle, key, held).problems
    against_real = verify_bundle(bundle, key, held, real)
    assert "not the recovery key you gave" in against_real.problems[0]
    assert against_real.epochs == []


def test_what_is_there_or_has_others_in_its_place_cannot_be_declared_lost(rolled: SimpleNamespace) -> None:
    fill(rolled.ledger, rolled.log, 9)
    with pytest.raises(BadInputError, match="fork"):
        declare_epoch(rolled.ledger, rolled.log, [rolled.held[18]], rolled.recovery, WHO)
    with pytest.raises(BadInputError):
        declare_epoch(rolled.ledger, rolled.log, [], rolled.recovery, WHO)
    with pytest.raises(BadInputError, match="another log|no known key"):
        declare_epoch(rolled.ledger, rolled.ledger.firm_log(), [rolled.held[18]], rolled.recovery, WHO)


def test_a_log_that_is_not_sound_gets_no_epoch(rolled: SimpleNamespace) -> None:
    with attacker(rolled.ledger.settings.database) as connection:
        connection.execute("UPDATE leaf SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log_id = 2 AND idx = 5")
    with pytest.raises(UnsoundError, match="entry 5"):
        declare_epoch(rolled.ledger, rolled.log, [rolled.held[18]], rolled.recovery, WHO)


def test_a_later_backup_restores_against_a_declared_loss(rolled: SimpleNamespace) -> None:
    declare_epoch(rolled.ledger, rolled.log, [rolled.held[18]], rolled.recovery, WHO)
    later = make_backup(rolled.ledger, rolled.folder / "later", FixedClock(START)).path
    restored = restore_backup(rolled.ledger.settings, later, rolled.folder / "again", against=[rolled.held[18]])
    assert restored.facts.logs[1].size == 12
    with pytest.raises(UnsoundError, match="rollback"):
        restore_backup(rolled.ledger.settings, later, rolled.folder / "third", against=[rolled.held[15]])


def test_the_firms_own_log_can_be_declared_too(tmp_path: Path) -> None:
    ledger, _ = sample_ledger(tmp_path)
    firm = ledger.firm_log()
    make_backup(ledger, tmp_path / "backup", FixedClock(START))
    fill(ledger, firm, 3)
    held = tmp_path / "firm.txt"
    held.write_text(ledger.latest_checkpoint(firm).text)
    ledger.engine.dispose()
    key = ledger.settings.keys / "signing.key"
    shutil.move(ledger.settings.home, tmp_path / "lost")
    restore_backup(ledger.settings, tmp_path / "backup", ledger.settings.home)
    shutil.copy2(tmp_path / "lost" / "keys" / "signing.key", key)
    again = open_ledger(ledger.settings)
    recovery = load_recovery_signer(tmp_path / "recovery.key", load_recovery_key(ledger.settings.keys))
    declare_epoch(again, firm, [held], recovery, WHO)
    fill(again, firm, 5)
    assert check(ledger.settings, firm, against=held.read_text()).sound
    bundle = export_proof(again, firm, tmp_path / "proof")
    report = verify_bundle(bundle, None, held.read_bytes(), str(load_recovery_key(ledger.settings.keys)))
    assert (report.problems, len(report.epochs)) == ([], 2)


def test_the_command_takes_only_the_right_recovery_key(
    rolled: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITCARE_HOME", str(rolled.ledger.settings.home))
    (rolled.folder / "other.key").write_bytes(Signer.generate().to_pem())
    command = ["ledger", "new-epoch", "ACME", "--lost", str(rolled.held[18]), "--reason", "disk", "--recovery-key"]
    for name in ("other.key", "missing.key", "held-15.txt"):
        result = CliRunner().invoke(app, [*command, str(rolled.folder / name)])
        assert isinstance(result.exception, BadInputError), name
    result = CliRunner().invoke(app, [*command, str(rolled.folder / "recovery.key")])
    assert (result.exit_code, "EPOCH: entries 12 to 17" in result.stdout) == (0, True)
    verified = CliRunner().invoke(app, ["verify", "ACME", "--against", str(rolled.held[18])])
    assert (verified.exit_code, "EPOCH" in verified.stdout) == (0, True)


@pytest.mark.parametrize(
    "text",
    [
        "itcare/epoch/v2\na/client/1/{id}\n3 {root}\n5 {root}\n",
        "itcare/epoch/v1\na/client/1/other\n3 {root}\n5 {root}\n",
        "itcare/epoch/v1\na/client/1/{id}\n3 {root}\n",
        "itcare/epoch/v1\na/client/1/{id}\n3 {root}\n3 {root}\n",
        "itcare/epoch/v1\na/client/1/{id}\n3 {root}\n7 {root}\n5 {root}\n",
        "itcare/epoch/v1\na/client/1/{id}\n3 {root}\n05 {root}\n",
        "itcare/epoch/v1\na/client/1/{id}\n3 {root}\n5 {root}\nmore\n",
    ],
)
def test_a_malformed_declaration_is_none(text: str) -> None:
    signer, name = Signer.generate(), "a/recovery/00ff"
    note = signer.sign(text.format(id="00ff", root="ab" * 32), name).decode()
    with pytest.raises(NoteError):
        read_epoch({"type": "epoch.declared", "declaration": note}, signer.verifier_key(name))
