"""A secret of a task that hides it is in nothing that a whole run leaves behind."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.cli.publishing import publish_log
from itcare.ledger.bundle import export_proof
from itcare.store.bodies import open_body
from itcare.store.packing import unpack_leaf
from tests.support.driving import LOCAL, make_bench, write_contract, write_playbook

CLIENT = "DOMEK"
SECRET = f"CANARY{os.urandom(6).hex()}"


def left_behind(folder: Path, database: Path) -> Iterator[bytes]:
    """Every file below a folder, and every leaf and body of the ledger unpacked."""
    yield from (path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with sqlite3.connect(database) as connection:
        yield from (unpack_leaf(stored) for (stored,) in connection.execute("SELECT bytes FROM leaf"))
        for stored, size in connection.execute("SELECT zstd, size FROM body"):
            content = open_body(stored, size)
            assert content is not None
            yield content


@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "open: the search would find it"])
def test_a_secret_of_a_hidden_task_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: bool) -> None:
    """In run folder, database, checkpoints, snapshot, proof or what the driver shows of the playbook's output."""
    monkeypatch.setattr("itcare.drive.run.remove_run_files", lambda *_: None)  # what lies there during a run counts too
    outside, home = tmp_path / "outside", tmp_path / "place"
    outside.mkdir()
    home.mkdir()
    bench = make_bench(home)
    bench.settings.contracts.mkdir()
    loaded = write_contract(bench.settings.contracts, CLIENT, {"pc01": LOCAL})
    (outside / "secret").write_text(SECRET)
    show = f"cat {outside / 'secret'}"
    common = {"no_log": hidden, "ignore_errors": True, "timeout": 30}
    playbook = write_playbook(
        outside / "play",
        {"name": "Show", "ansible.builtin.command": show, **common},
        {"name": "Fail", "ansible.builtin.shell": f"{show} >&2; exit 3", **common},
        {"name": "Repeat", "ansible.builtin.shell": f"{show}; echo {{{{ item }}}}", "loop": ["a", "b"], **common},
        {"name": "Copy", "ansible.builtin.copy": {"src": f"{outside / 'secret'}", "dest": f"{outside / 'copy'}"},
         "diff": True, **common},
    )  # fmt: skip
    report = bench.perform(loaded, playbook)
    log = bench.ledger.find_log(CLIENT)
    publish_log(bench.session, log)
    export_proof(bench.ledger, log, home / "proof")

    (event,) = bench.events(CLIENT, "run.host")
    assert [task["outcome"] for task in event["tasks"]] == ["ok", "changed", "failed", "changed", "changed"]
    assert any(bench.settings.runs.rglob("spool.jsonl"))
    found = any(SECRET.encode() in content for content in left_behind(home, bench.settings.database))
    assert (found or SECRET in report.console) is not hidden
