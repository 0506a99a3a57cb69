"""`itcare init`: what it makes, what it refuses, what a crash leaves."""

from pathlib import Path

import pytest

from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, BusyError, NotFoundError, UnsafeError
from itcare.ledger import setup
from itcare.ledger.log import Ledger
from itcare.ledger.verify import VerifierKey
from itcare.store.engine import open_engine
from tests.support.ledgers import START, check, new_ledger, open_ledger, settings_in


def initialise(folder: Path, recovery: Path) -> VerifierKey:
    return Ledger.initialise(settings_in(folder), recovery, FixedClock(START))


def test_it_makes_a_private_installation_with_a_signed_first_entry(tmp_path: Path) -> None:
    key = initialise(tmp_path, tmp_path / "recovery.key")
    settings = settings_in(tmp_path)
    ledger = open_ledger(settings)
    firm = ledger.firm_log()
    (first,) = ledger.entries(firm)
    assert first.event["type"] == "firm.initialised"
    assert first.event["recovery_key"] == (settings.keys / "recovery.pub").read_text().strip()
    assert str(key) == str(ledger.verifier_key(firm))
    assert check(settings, firm).sound
    modes = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes["home"] == modes["home/keys"] == modes["home/checkpoints"] == 0o700
    assert modes["home/itcare.sqlite"] == modes["home/keys/signing.key"] == modes["recovery.key"] == 0o600
    assert not (settings.home / setup.STAGING).exists()


def test_the_private_half_of_the_recovery_key_is_nowhere_else(tmp_path: Path) -> None:
    initialise(tmp_path, tmp_path / "recovery.key")
    secret = (tmp_path / "recovery.key").read_bytes().splitlines()[1]
    others = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert others
    assert not any(secret in path.read_bytes() for path in others)


def test_a_recovery_key_inside_the_state_directory_is_refused_by_whatever_way(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (tmp_path / "link").symlink_to(home)
    (tmp_path / "other").mkdir()
    (tmp_path / "dangling").symlink_to(home / "recovery.key")
    ways = [
        home / "recovery.key",
        home / "sub" / "recovery.key",
        tmp_path / "other" / ".." / "home" / "recovery.key",
        tmp_path / "link" / "recovery.key",
        tmp_path / "link" / "sub" / "recovery.key",
        tmp_path / "dangling",
    ]
    for way in ways:
        with pytest.raises(BadInputError, match="inside the state directory"):
            initialise(tmp_path, way)
    assert sorted(path.name for path in home.iterdir()) == ["sub"]


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link", "no folder"])
def test_a_recovery_path_that_is_taken_or_impossible_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "recovery.key"
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path = tmp_path / "missing" / "recovery.key"
    with pytest.raises(BadInputError, match="recovery key"):
        initialise(tmp_path, path)
    assert not settings_in(tmp_path).database.exists()
    assert kind != "file" or path.read_text() == "precious"


def test_an_existing_ledger_is_never_touched(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    before = ledger.latest_checkpoint(ledger.firm_log())
    with pytest.raises(UnsafeError, match="a ledger is here already"):
        initialise(tmp_path, tmp_path / "second.key")
    assert not (tmp_path / "second.key").exists()
    assert ledger.latest_checkpoint(ledger.firm_log()) == before


@pytest.mark.parametrize("left", ["keys", "checkpoints"])
def test_a_lost_database_is_not_replaced_by_a_new_one(tmp_path: Path, left: str) -> None:
    new_ledger(tmp_path).engine.dispose()
    settings = settings_in(tmp_path)
    settings.database.unlink()
    (settings.home / ("checkpoints" if left == "keys" else "keys")).rename(tmp_path / "away")
    with pytest.raises(UnsafeError, match="Restore the database"):
        initialise(tmp_path, tmp_path / "second.key")
    assert (settings.home / left).exists()


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_state_directory_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(mode)
    with pytest.raises(UnsafeError, match="other users"):
        initialise(tmp_path, tmp_path / "recovery.key")


def test_an_unusable_name_of_the_firm_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    object.__setattr__(settings, "origin", "two words")
    with pytest.raises(BadInputError, match="origin"):
        Ledger.initialise(settings, tmp_path / "recovery.key")
    assert list(tmp_path.iterdir()) == []


class Crash(BaseException):
    """The process dies here; nothing may catch it."""


@pytest.mark.parametrize("step", range(9))
def test_a_second_call_finishes_what_a_crash_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    reached = 0

    def crash_at(step_number: int, function):
        def wrapped(*arguments):
            nonlocal reached
            if reached == step_number:
                raise Crash
            reached += 1
            return function(*arguments)

        return wrapped

    with monkeypatch.context() as patch:
        for owner, name in (
            (setup, "write_durably"),
            (setup, "migrate"),
            (setup, "_write_private"),
            (setup, "sync_folder"),
        ):
            patch.setattr(owner, name, crash_at(step, getattr(owner, name)))
        with pytest.raises(Crash):
            initialise(tmp_path, tmp_path / "first.key")
    settings = settings_in(tmp_path)
    if settings.database.exists():
        with pytest.raises(UnsafeError, match="already"):
            initialise(tmp_path, tmp_path / "second.key")
    else:
        with pytest.raises(NotFoundError, match="itcare init"):
            open_engine(settings.database)
        if (tmp_path / "first.key").exists():
            with pytest.raises(BadInputError, match="no ledger uses it"):
                initialise(tmp_path, tmp_path / "first.key")
        initialise(tmp_path, tmp_path / "second.key")
        assert not (settings.home / setup.STAGING).exists()
    ledger = open_ledger(settings)
    ledger.client_log("ACME", "Acme")
    assert check(settings, ledger.firm_log()).sound


def test_two_calls_at_once_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    with setup._alone(tmp_path / "home"), pytest.raises(BusyError):
        initialise(tmp_path, tmp_path / "recovery.key")
    assert not (tmp_path / "recovery.key").exists()


def test_a_file_of_settings_made_before_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "itcare.toml").write_text('origin = "firm.example"\n')
    initialise(tmp_path, tmp_path / "recovery.key")
    assert (tmp_path / "home" / "itcare.toml").read_text() == 'origin = "firm.example"\n'
