"""Somebody holds the signing key and tells two stories: whoever kept a checkpoint finds out."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from typer.testing import CliRunner

from itcare.cli.app import app
from itcare.core.errors import BadInputError, ItcareError, UnsoundError
from itcare.ledger.bundle import export_proof
from itcare.ledger.log import Ledger, LogRef
from itcare.ledger.note import Signer
from tests.support.ledgers import attacker, fill, fit_head, open_ledger, sample_ledger


def kept(ledger: Ledger, log: LogRef, size: int) -> Path:
    return ledger.settings.home / "checkpoints" / str(log.id) / f"{size:012d}.txt"


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Two ledgers of one name and one key: 12 entries in common, then another four in each; bundles of both."""
    folder = tmp_path_factory.mktemp("forks")
    honest, log = sample_ledger(folder)
    honest.engine.dispose()
    shutil.copytree(honest.settings.home, folder / "other")
    other = open_ledger(replace(honest.settings, home=folder / "other"))
    early = export_proof(honest, log, folder / "early")
    for ledger, person in ((honest, "shown"), (other, "hidden")):
        fill(ledger, log, 4, person=person)
    fill(other, log, 2)
    bundles = {"honest": export_proof(honest, log, folder / "a"), "other": export_proof(other, log, folder / "b")}
    return SimpleNamespace(folder=folder, honest=honest, other=other, log=log, early=early, bundles=bundles)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A computer without an installation: a client's."""
    monkeypatch.setenv("ITCARE_HOME", str(tmp_path / "none"))
    return tmp_path


def compare(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["ledger", "compare", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, (SystemExit, ItcareError)), result.exception
    return result


def key_of(ledger: Ledger, log: LogRef) -> str:
    return str(ledger.verifier_key(log))


def test_two_bundles_of_a_fork_name_the_first_entry_that_differs(forks: SimpleNamespace, elsewhere: Path) -> None:
    result = compare(
        forks.bundles["honest"], forks.bundles["other"], "--key", key_of(forks.honest, forks.log), "--json"
    )
    found = json.loads(result.stdout)
    assert (result.exit_code, found["consistent"], found["entry"], found["sizes"]) == (1, False, 12, [16, 18])
    assert "FORK" in found["message"]


def test_two_checkpoints_of_one_size_and_two_roots_are_a_fork(forks: SimpleNamespace, elsewhere: Path) -> None:
    one, two = kept(forks.honest, forks.log, 16), kept(forks.other, forks.log, 16)
    result = compare(one, two, "--key", key_of(forks.honest, forks.log))
    assert (result.exit_code, "two trees of 16 entries" in result.stdout) == (1, True)


def test_a_checkpoint_that_the_larger_bundle_does_not_begin_with_is_a_fork(
    forks: SimpleNamespace, elsewhere: Path
) -> None:
    pair = (kept(forks.honest, forks.log, 16), forks.bundles["other"])
    assert compare(*pair).exit_code == compare(*reversed(pair)).exit_code == 1


def test_an_older_view_of_one_history_is_consistent(forks: SimpleNamespace, elsewhere: Path) -> None:
    for older in (forks.early, kept(forks.honest, forks.log, 4), kept(forks.honest, forks.log, 16)):
        for bundle in forks.bundles.values():
            if older.name.endswith("16.txt") and bundle == forks.bundles["other"]:
                continue
            result = compare(older, bundle)
            assert (result.exit_code, "one history" in result.stdout) == (0, True)


def test_an_unpinned_key_is_told(forks: SimpleNamespace, elsewhere: Path) -> None:
    assert "not pinned" in compare(forks.early, forks.bundles["honest"]).stderr


def test_two_checkpoints_of_different_sizes_cannot_be_told_apart_without_entries(
    forks: SimpleNamespace, elsewhere: Path
) -> None:
    pair = (kept(forks.honest, forks.log, 16), kept(forks.other, forks.log, 18))
    result = compare(*pair, "--key", key_of(forks.honest, forks.log))
    assert isinstance(result.exception, BadInputError)
    assert "not at hand" in result.exception.why
    small_bundle = compare(forks.early, kept(forks.honest, forks.log, 16))
    assert isinstance(small_bundle.exception, BadInputError)


def test_the_installations_own_ledger_brings_the_entries(
    forks: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITCARE_HOME", str(forks.honest.settings.home))
    assert compare(kept(forks.honest, forks.log, 4), kept(forks.honest, forks.log, 16)).exit_code == 0
    monkeypatch.setenv("ITCARE_HOME", str(forks.other.settings.home))
    assert compare(kept(forks.honest, forks.log, 16), kept(forks.other, forks.log, 18)).exit_code == 1


def test_views_of_two_logs_are_not_compared(forks: SimpleNamespace, elsewhere: Path) -> None:
    firm = kept(forks.honest, forks.honest.firm_log(), 1)
    result = compare(firm, kept(forks.honest, forks.log, 4), "--key", key_of(forks.honest, forks.log))
    assert isinstance(result.exception, BadInputError)
    assert "two logs" in result.exception.why


@pytest.mark.parametrize("key", ["nonsense", "a+00000000+AAAA"])
def test_a_key_that_is_none_is_refused(forks: SimpleNamespace, elsewhere: Path, key: str) -> None:
    assert isinstance(compare(forks.early, forks.early, "--key", key).exception, BadInputError)


def test_another_key_proves_nothing_about_this_one(forks: SimpleNamespace, elsewhere: Path) -> None:
    stranger = str(Signer.generate().verifier_key(forks.log.origin))
    checkpoint = kept(forks.honest, forks.log, 4)
    assert isinstance(compare(checkpoint, checkpoint, "--key", stranger).exception, BadInputError)
    assert isinstance(compare(forks.early, forks.early, "--key", stranger).exception, UnsoundError)


def test_a_damaged_bundle_is_not_compared(forks: SimpleNamespace, elsewhere: Path) -> None:
    shutil.copytree(forks.early, elsewhere / "cut")
    lines = (elsewhere / "cut" / "entries.txt").read_bytes().splitlines(keepends=True)
    (elsewhere / "cut" / "entries.txt").write_bytes(b"".join(lines[:-1]))
    assert isinstance(compare(elsewhere / "cut", forks.bundles["honest"]).exception, UnsoundError)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"a\n1\nb\n\n"])
def test_what_is_no_checkpoint_is_refused(forks: SimpleNamespace, elsewhere: Path, content: bytes) -> None:
    (elsewhere / "x.txt").write_bytes(content)
    assert isinstance(compare(elsewhere / "x.txt", forks.early).exception, BadInputError)
    assert isinstance(compare(elsewhere / "missing.txt", forks.early).exception, BadInputError)


def write_anew(ledger: Ledger, log: LogRef) -> None:
    """Every entry of a log replaced and every checkpoint signed again, with the real key."""
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM leaf WHERE log_id = ?", (log.id,))
        fit_head(connection, log.id)
        connection.execute("UPDATE log SET signed_size = 0 WHERE id = ?", (log.id,))
    shutil.rmtree(ledger.settings.home / "checkpoints" / str(log.id))
    anew = open_ledger(ledger.settings)
    for count in (1, 7, 12):
        fill(anew, log, count)


def test_a_whole_ledger_written_anew_by_the_key_holder_is_caught_by_yesterdays_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the checkpoint that somebody kept outside it is sound: every signature is real."""
    ledger, log = sample_ledger(tmp_path)
    yesterday = tmp_path / "yesterday.txt"
    yesterday.write_text(ledger.latest_checkpoint(log).text)
    ledger.engine.dispose()
    write_anew(ledger, log)
    monkeypatch.setenv("ITCARE_HOME", str(ledger.settings.home))
    assert CliRunner().invoke(app, ["verify", "ACME"]).exit_code == 0
    caught = CliRunner().invoke(app, ["verify", "ACME", "--against", str(yesterday)])
    assert (caught.exit_code, "NOT SOUND" in caught.stdout) == (1, True)
    fork = compare(yesterday, kept(ledger, log, 20))
    assert (fork.exit_code, "FORK" in fork.stdout) == (1, True)
