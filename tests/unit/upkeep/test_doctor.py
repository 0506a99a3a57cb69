"""What `itcare doctor` finds on a controller, and the remedy it names."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from itcare.cli.app import app
from itcare.core.clock import FixedClock
from itcare.core.settings import Settings
from itcare.core.words import RunState, Severity
from itcare.drive.adopt import identify_spool
from itcare.drive.controller import ClockState
from itcare.drive.rows import RunRow, insert_run
from itcare.drive.spool import read_spool_header
from itcare.store.engine import write
from itcare.upkeep import programs, state
from itcare.upkeep.diagnosis import Diagnosis
from itcare.upkeep.doctor import SPOOLS, examine
from tests.support.components import ROOT
from tests.support.contracts import write as write_contract
from tests.support.ledgers import START, new_ledger, open_ledger
from tests.support.snapshots import make_snapshot, month_files
from tests.support.spools import SpoolText


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    """A fresh installation with one contract."""
    settings = new_ledger(tmp_path).settings
    settings.contracts.mkdir()
    write_contract(settings.contracts)
    return settings


def look(settings: Settings, folder: Path | None = None) -> dict[str, Diagnosis]:
    found = examine(settings, FixedClock(START), folder or settings.home)
    assert all((d.remedy == "") == (d.severity is Severity.OK) for d in found), "each finding has a remedy"
    return {diagnosis.check: diagnosis for diagnosis in found}


def test_a_fresh_installation_has_no_error(place: Settings) -> None:
    found = look(place)
    assert [d for d in found.values() if d.severity is Severity.ERROR and d.check != "ssh"] == []
    assert {d.check for d in found.values()} >= {
        "python", "ansible-core", "ansible-runner", "ansible-playbook", "sqlite", "ssh", "clock", "time-zones", "home",
        "disk", "signing-key", "credentials", "contracts", "vaults", "database", "runs", "spools",
        "snapshots",
    }  # fmt: skip


def test_a_computer_without_an_installation_is_told_to_make_one(tmp_path: Path) -> None:
    found = look(Settings(home=tmp_path / "none", contracts=tmp_path / "none" / "contracts"))
    for check in ("home", "database"):
        assert (found[check].severity, "itcare init" in found[check].remedy) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("path", "mode", "check", "severity"),
    [
        ("keys/signing.key", 0o640, "signing-key", Severity.ERROR),
        ("keys", 0o755, "signing-key", Severity.ERROR),
        (".", 0o777, "home", Severity.ERROR),
        (".", 0o755, "home", Severity.WARNING),
        (".", 0o711, "home", Severity.OK),
        ("itcare.sqlite", 0o644, "database", Severity.ERROR),
        ("credentials/ACME/branch", 0o644, "credentials", Severity.ERROR),
        ("credentials/ACME/branch", 0o600, "credentials", Severity.OK),
    ],
)
def test_what_others_may_read_or_write_is_named(
    place: Settings, path: str, mode: int, check: str, severity: Severity
) -> None:
    (place.home / "credentials" / "ACME").mkdir(parents=True)
    (place.home / "credentials" / "ACME" / "branch").touch(0o600)
    (place.home / path).chmod(mode)
    assert look(place)[check].severity is severity


def test_a_key_that_does_not_fit_the_one_of_the_clients_is_named(place: Settings, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = new_ledger(tmp_path / "other").settings
    (place.keys / "signing.key").write_bytes((other.keys / "signing.key").read_bytes())
    assert "does not belong" in look(place)["signing-key"].found


def test_a_link_in_the_place_of_a_credential_is_named(place: Settings) -> None:
    (place.home / "credentials" / "ACME").mkdir(parents=True)
    (place.home / "credentials" / "ACME" / "branch").symlink_to(place.keys / "signing.key")
    assert look(place)["credentials"].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("release", "severity"),
    [((3, 40, 1), Severity.WARNING), ((3, 51, 2), Severity.WARNING), ((3, 51, 3), Severity.OK), ((3, 52), Severity.OK)],
)
def test_an_sqlite_with_the_reset_bug_is_a_warning(release: tuple[int, ...], severity: Severity) -> None:
    assert programs.judge_sqlite(release).severity is severity


@pytest.mark.parametrize("version", [None, "2.20.9", "2.22.0", "nonsense"])
def test_another_ansible_core_is_an_error(version: str | None) -> None:
    assert programs.judge_package("ansible-core", version).severity is Severity.ERROR
    assert programs.judge_package("ansible-core", "2.21.0rc1").severity is Severity.OK


def test_the_releases_are_those_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, programs.PYTHON))
    for name, (oldest, too_new) in programs.PACKAGES.items():
        assert f"{name}>={'.'.join(map(str, oldest))},<{'.'.join(map(str, too_new))}" in project["dependencies"]


def test_an_old_python_is_an_error() -> None:
    assert programs.judge_python((3, 11, 9)).severity is Severity.ERROR


def test_no_ssh_is_an_error_only_where_a_contract_needs_it() -> None:
    assert programs.judge_programs({}, needed=True).severity is Severity.ERROR
    assert programs.judge_programs({"ssh": True}, needed=False).severity is Severity.WARNING


@pytest.mark.parametrize("synchronised", [False, None])
def test_a_clock_that_is_wrong_or_cannot_be_asked_is_not_called_right(synchronised: bool | None) -> None:
    assert programs.judge_clock(ClockState(synchronised, None)).severity is Severity.WARNING


def test_a_time_zone_without_data_is_an_error() -> None:
    assert "Europe/Warsaw" in programs.judge_time_zones(["Europe/Warsaw"]).found


def test_little_space_is_a_warning_and_none_an_error(tmp_path: Path) -> None:
    assert state.judge_space(tmp_path, 50 * 1024**2).severity is Severity.ERROR
    assert state.judge_space(tmp_path, 500 * 1024**2).severity is Severity.WARNING


def test_a_broken_contract_is_named_with_its_place(place: Settings) -> None:
    write_contract(place.contracts, "schema: itcare/contract/v1\nclient: 7\n", "broken.yml")
    found = look(place)["contracts"]
    assert found.severity is Severity.ERROR
    assert "broken.yml:" in found.found


def test_a_spool_that_nobody_adopted_is_named(place: Settings, tmp_path: Path) -> None:
    (tmp_path / SPOOLS).mkdir()
    (tmp_path / SPOOLS / "a.jsonl").write_bytes(SpoolText().header(run=None).play("pc01").encoded())
    (tmp_path / SPOOLS / "announced.jsonl").write_bytes(SpoolText().header().play("pc01").encoded())
    (tmp_path / SPOOLS / "nonsense.jsonl").write_bytes(b"\xff\n")
    found = look(place, tmp_path)["spools"]
    assert (found.severity, "a.jsonl" in found.found, "announced" in found.found) == (Severity.WARNING, True, False)
    assert "itcare adopt" in found.remedy


def test_a_spool_that_the_ledger_has_is_not_named(place: Settings, tmp_path: Path) -> None:
    (tmp_path / SPOOLS).mkdir()
    path = tmp_path / SPOOLS / "a.jsonl"
    path.write_bytes(SpoolText().header(run=None).play("pc01").encoded())
    header = read_spool_header(path)
    assert header is not None
    ledger = open_ledger(place)
    log = ledger.client_log("ACME", "Acme")
    with ledger.append(log) as batch:
        batch.add({"type": "run.opened", "run": 1, "spool": {"header_sha256": identify_spool(header)}})
    assert look(place, tmp_path)["spools"].severity is Severity.OK


def test_a_run_whose_driver_died_is_named(place: Settings) -> None:
    ledger = open_ledger(place)
    log = ledger.client_log("ACME", "Acme")
    row = RunRow(
        id="ab" * 16, client_id=log.client_id or 0, client="ACME", client_name="Acme", number=1, duty="visit.daily",
        state=RunState.RUNNING, check=False, nonce="00", fence=1, folder=place.runs / ("ab" * 16), sockets=None,
        opened_at=START, closed_at=None, cancel_by=None,
    )  # fmt: skip
    with write(ledger.engine) as connection:
        insert_run(connection, row)
    found = look(place)["runs"]
    assert (found.severity, "ACME/1" in found.found, found.remedy) == (Severity.WARNING, True, "Run `itcare recover`.")


def test_a_published_file_of_another_version_is_to_be_published_again(place: Settings) -> None:
    folder = place.published / "1"
    folder.mkdir(parents=True)
    (folder / "client.json").write_text('{"code": "ACME", "legal_name": "Acme"}')
    (folder / "current.sqlite").write_bytes(b"SQLite format 3\0 and nothing more")
    found = look(place)["snapshots"]
    assert (found.severity, "ublish" in found.remedy) == (Severity.WARNING, True)


def test_a_published_month_that_is_missing_is_named(place: Settings) -> None:
    make_snapshot(place.home, clients=1)
    assert look(place)["snapshots"].severity is Severity.OK
    (month,) = month_files(place.published)
    month.unlink()
    found = look(place)["snapshots"]
    assert (found.severity, "ublish" in found.remedy) == (Severity.WARNING, True)


def test_the_command_ends_by_what_it_found(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.home / "itcare.toml").write_text(f'contracts = "{place.contracts}"\n')
    monkeypatch.setenv("ITCARE_HOME", str(place.home))
    monkeypatch.chdir(place.home)
    place.home.chmod(0o755)  # a warning
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
    assert CliRunner().invoke(app, ["doctor", "--strict"]).exit_code == 1
    (place.keys / "signing.key").unlink()
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1


def test_json_is_one_document(place: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setenv("ITCARE_HOME", str(place.home))
    with pytest.raises(SystemExit):
        app(["doctor", "--json"])
    assert {"check", "severity", "found", "remedy"} == set(json.loads(capsys.readouterr().out)[0])
