"""Vault files that lie open: Ansible takes them without a word, `itcare doctor` names them, no run is given one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from itcare.core.clock import FixedClock
from itcare.core.words import HostOutcome, RunState, Severity
from itcare.upkeep.diagnosis import Diagnosis
from itcare.upkeep.doctor import examine
from itcare.upkeep.vaults import find_vaults, judge_vaults
from tests.support.driving import LOCAL, make_bench, write_contract, write_playbook
from tests.support.ledgers import START, new_ledger

ANSIBLE_VAULT = Path(sys.executable).parent / "ansible-vault"
ENCRYPTED = "$ANSIBLE_VAULT;1.1;AES256\n6162\n"


def put(folder: Path, name: str, text: str, mode: int) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def look(folder: Path) -> Diagnosis:
    return judge_vaults((folder,), os.geteuid())


@pytest.mark.parametrize(
    ("name", "text", "mode", "problem"),
    [
        (".vault_pass", "secret\n", 0o644, "others may read"),
        (".vault_pass", "secret\n", 0o640, "others may read"),
        (".vault_pass", "secret\n", 0o700, "executable"),
        ("vault-keyring-client.py", "#!/bin/sh\n", 0o755, "executable"),
        ("group_vars/all/Vault.yml", "password: secret\n", 0o600, "not encrypted"),
        ("vault.json", "{}", 0o600, "not encrypted"),
        ("vault.yml", ENCRYPTED, 0o666, "others may write"),
    ],
)
def test_an_open_vault_file_is_named(tmp_path: Path, name: str, text: str, mode: int, problem: str) -> None:
    path = put(tmp_path, name, text, mode)
    found = look(tmp_path)
    assert (found.severity, str(path) in found.found, problem in found.found) == (Severity.ERROR, True, True)
    assert "0600" in found.remedy


@pytest.mark.parametrize(
    ("name", "text", "mode"),
    [
        (".vault_pass", "secret\n", 0o600),
        ("vault-password", "secret\n", 0o400),
        ("vault.yml", ENCRYPTED, 0o644),
        ("vault.yml", f"password: !vault |\n  {ENCRYPTED}", 0o644),
        ("vaults-of-our-clients.md", "# How we keep vaults\n", 0o644),
        ("acme.yml", "schema: itcare/contract/v1\n", 0o644),
        (".git/vault.yml", "x", 0o666),
    ],
)
def test_one_that_is_kept_well_is_not(tmp_path: Path, name: str, text: str, mode: int) -> None:
    put(tmp_path, name, text, mode)
    assert look(tmp_path).severity is Severity.OK


def test_a_password_that_others_may_replace_is_named(tmp_path: Path) -> None:
    put(tmp_path, "open/.vault_pass", "secret\n", 0o600)
    (tmp_path / "open").chmod(0o777)
    assert "others may replace" in look(tmp_path).found


def test_a_password_of_another_user_is_named(tmp_path: Path) -> None:
    put(tmp_path, ".vault_pass", "secret\n", 0o600)
    assert "others may read or own" in judge_vaults((tmp_path,), os.geteuid() + 1).found


def test_a_link_is_named_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    target = put(tmp_path, "elsewhere", "secret\n", 0o600)
    (tmp_path / "contracts" / "vault_pass").symlink_to(target)
    (tmp_path / "contracts" / "loop").symlink_to(tmp_path)
    assert "no plain file" in look(tmp_path / "contracts").found
    assert len(list(find_vaults(tmp_path / "contracts"))) == 1


def test_many_are_counted(tmp_path: Path) -> None:
    for number in range(8):
        put(tmp_path, f"vault{number}.yml", "open", 0o600)
    assert "(and 3 more)" in look(tmp_path).found


def test_the_doctor_looks_beside_the_contracts(tmp_path: Path) -> None:
    settings = new_ledger(tmp_path).settings
    put(settings.contracts, ".vault_pass", "secret\n", 0o666)
    found = {one.check: one for one in examine(settings, FixedClock(START), settings.home)}
    assert found["vaults"].severity is Severity.ERROR


def test_no_vault_password_of_the_operator_reaches_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executable one would be executed: shown first with ansible-vault itself, then not in a run."""
    canary = tmp_path / "executed"
    password = put(tmp_path, "vault_pass", f"#!/bin/sh\ntouch {canary}\necho secret\n", 0o755)
    hidden = put(tmp_path, "hidden.yml", "word: hidden\n", 0o600)
    command = [ANSIBLE_VAULT, "encrypt", "--vault-password-file", password, hidden]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert canary.exists()
    canary.unlink()

    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", f"main@{password}")
    bench = make_bench(tmp_path)
    loaded = write_contract(tmp_path, "DOMEK", {"pc01": LOCAL})
    playbook = write_playbook(tmp_path / "play", {"name": "Read", "ansible.builtin.include_vars": str(hidden)})
    report = bench.perform(loaded, playbook)
    assert not canary.exists()
    assert (report.state, report.hosts[0].outcome) == (RunState.COMPLETE, HostOutcome.FAILED)
