"""A task that forgot its no_log prints a secret that is known: it is recorded nowhere."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from itcare.core.clock import SystemClock
from itcare.core.errors import UnsafeError
from itcare.core.words import RunState
from itcare.drive import launch, trust
from itcare.drive.controller import identify_operator
from itcare.drive.secrets import key_lines
from itcare.drive.spool import read_spool
from itcare.store.bodies import open_body
from itcare.store.engine import read
from itcare.store.packing import unpack_leaf
from tests.support.driving import Bench, make_bench, write_contract, write_playbook
from tests.support.playbook import one_play, run_playbook, touch
from tests.support.sshd import Sshd, make_key

CLIENT = "DOMEK"
SECRET = f"canary-{os.urandom(8).hex()}"
TASKS = [
    {"name": f"say {SECRET}", "ansible.builtin.command": f"echo {SECRET}"},
    {"name": "fail", "ansible.builtin.command": f"sh -c 'echo {SECRET} >&2; exit 3'", "ignore_errors": True},
    {"name": "loop", "ansible.builtin.command": "echo {{ item }}", "loop": [SECRET, f"x{SECRET}x"]},
    {"name": "warn", "hostile": {"kind": "warnings", "text": SECRET}},
    {"name": "long", "ansible.builtin.command": f"sh -c 'printf %04090d 0; echo {SECRET}; head -c 20000 /dev/zero'"},
    {"name": "file", "ansible.builtin.stat": {"path": f"/nowhere/{SECRET}"}},
]
PLAY = one_play(TASKS)


def known(folder: Path, mode: int = 0o600) -> dict[str, str]:
    path = folder / "secrets"
    path.write_text(f"{SECRET}\n")
    path.chmod(mode)
    return {"ITCARE_SECRETS": str(path)}


def test_no_way_of_an_open_task_leads_a_known_value_into_the_spool(tmp_path: Path) -> None:
    run = run_playbook(tmp_path, PLAY, env=known(tmp_path), options=["-vvv", "--diff"])
    spool = read_spool(run.spool)
    assert spool.complete, run.output
    assert len(spool.tasks) == len(TASKS)
    assert SECRET in run.output
    content = run.spool.read_text()
    assert "canary" not in content and SECRET[6:] not in content  # nor a part of it
    assert spool.tasks[0].result["stdout"] == "<redacted>"
    assert spool.tasks[0].name == "say <redacted>"


def test_without_the_redaction_it_would_be_there(tmp_path: Path) -> None:
    spool = read_spool(run_playbook(tmp_path, PLAY).spool)
    leaking = [task.name.split()[0] for task in spool.tasks if "canary" in f"{task.name}{task.args}{task.result}"]
    assert leaking == ["say", "fail", "warn", "long", "file"]  # a loop's items are not recorded


@pytest.mark.parametrize("mode", [0o644, None], ids=["open to others", "missing"])
def test_a_list_of_secrets_that_cannot_be_read_safely_starts_no_task(tmp_path: Path, mode: int | None) -> None:
    environment = known(tmp_path, mode or 0o600)
    if mode is None:
        (tmp_path / "secrets").unlink()
    run = run_playbook(tmp_path, [touch("one")], env=environment)
    assert run.rc == 74, run.output
    assert not (tmp_path / "one").exists()
    assert SECRET not in run.output


def test_only_key_material_of_a_private_key_counts_as_secret(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    lines = key_lines([key])
    assert set(lines) < set(key.read_text().splitlines())
    assert not any("PRIVATE KEY" in line for line in lines)
    old = tmp_path / "old"
    old.write_text("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIabc+/89==\nQ==\n-----END\n")
    assert key_lines([old, old]) == ("MIIabc+/89==",)
    with pytest.raises(UnsafeError, match="No such file"):
        key_lines([tmp_path / "missing"])
    old.write_bytes(b"x" * 70_000)
    with pytest.raises(UnsafeError, match="more than"):
        key_lines([old])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[Bench, Sshd, Path]]:
    """A computer behind ssh and an installation that holds the key to it."""
    bench = make_bench(tmp_path)
    credentials = bench.settings.home / "credentials" / CLIENT
    credentials.mkdir(parents=True, mode=0o700)
    key = make_key(credentials / "office")
    public = Path(f"{key}.pub").rename(tmp_path / "authorized")
    sshd = Sshd(tmp_path / "sshd", "127.0.0.41", public)
    sshd.start()
    yield bench, sshd, key
    sshd.kill()


def everything_recorded(bench: Bench) -> str:
    """Every entry and every body of the whole ledger as text."""
    with read(bench.ledger.engine) as connection:
        leaves = [unpack_leaf(stored) for stored in connection.execute(text("SELECT bytes FROM leaf")).scalars()]
        bodies = [open_body(row.zstd, row.size) for row in connection.execute(text("SELECT size, zstd FROM body"))]
    return b"\n".join([*leaves, *(body or b"" for body in bodies)]).decode(errors="replace")


@pytest.mark.component("sshd")
@pytest.mark.parametrize("is_on", [True, False], ids=["redacted", "without it"])
def test_the_key_that_opened_the_computer_does_not_come_back_in_its_output(
    host: tuple[Bench, Sshd, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    bench, sshd, key = host
    if not is_on:
        monkeypatch.setattr(launch, "key_lines", lambda files: ())
    told = {
        "connection": "ssh", "address": sshd.address, "port": sshd.port, "user": sshd.user, "credential": "key:office",
        "python": "/usr/bin/python3",
    }  # fmt: skip
    loaded = write_contract(tmp_path, CLIENT, {"pc01": told})
    found = trust.scan_host_key(sshd.address, sshd.port)
    trust.trust_host(
        bench.ledger, loaded, trust.find_ssh_host(loaded, "pc01", SystemClock()), found, operator=identify_operator()
    )
    show = {"name": "Show the key", "ansible.builtin.command": f"cat {key}", "changed_when": False, "timeout": 30}

    report = bench.perform(loaded, write_playbook(tmp_path / "play", show))

    assert report.state is RunState.COMPLETE
    stdout = bench.task_result(CLIENT, 1, "pc01", 1)["stdout"]
    assert "BEGIN OPENSSH PRIVATE KEY" in stdout
    lines = key_lines([key])
    recorded = everything_recorded(bench)
    assert [line in recorded for line in lines] == [not is_on] * len(lines)
    assert list(bench.settings.runs.iterdir()) == []  # nor does the list of secrets stay behind


@pytest.mark.component("sshd")
def test_the_tool_that_makes_the_key_writes_the_form_we_read(tmp_path: Path) -> None:
    key = tmp_path / "rsa"
    words = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-C", "", "-f", str(key)]
    subprocess.run(words, check=True)
    body = [line for line in key.read_text().splitlines() if "-----" not in line]
    assert list(key_lines([key])) == [line for line in body if len(line) >= 8]
    assert len(body) > 20
