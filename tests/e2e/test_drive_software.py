"""The list of software on its way from the computer into the ledger and into the client's proof."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from itcare.core.words import RunState
from itcare.ledger import verify
from itcare.ledger.bundle import export_proof
from itcare.ledger.check import check_log
from itcare.store.packing import pack, unpack
from tests.support.driving import LOCAL, Bench, make_bench, write_contract, write_playbook
from tests.support.software import KEYS, MODULE, write_fake_dpkg

CLIENT = "DOMEK"
PACKAGES = 20_000


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def list_software(**keywords: Any) -> dict[str, Any]:
    return {"name": "List the installed software", MODULE: {"sources": ["dpkg"]}, "timeout": 120, **keywords}


def software_task(bench: Bench, run: int) -> dict[str, Any]:
    (task,) = [task for task in bench.host_event(CLIENT, run, "pc01")["tasks"] if task["module"] == MODULE]
    return dict(task)


def test_an_unchanged_list_of_twenty_thousand_costs_one_body_and_a_new_package_another(
    bench: Bench, tmp_path: Path
) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    fake = write_fake_dpkg(tmp_path / "fake", PACKAGES)
    task = list_software(environment={"PATH": f"{fake}:/usr/bin:/bin"})
    playbook = write_playbook(tmp_path / "play", task)
    assert bench.perform(loaded, playbook).state is RunState.COMPLETE
    assert bench.perform(loaded, playbook).state is RunState.COMPLETE
    with (fake / "list").open("a") as file:
        file.write("installed\tzz-new\t1.0\tall\tSomebody <s@example.org>\n")
    bench.perform(loaded, playbook)

    first, second, third = (software_task(bench, run) for run in (1, 2, 3))
    assert not any(task["truncated"] or "problem" in task for task in (first, second, third))
    assert first["attachments"] == second["attachments"]
    assert first["attachments"] != third["attachments"]
    log = bench.ledger.find_log(CLIENT)
    event = bench.host_event(CLIENT, 1, "pc01")
    assert first["attachments"]["packages"] in event["bodies"]
    packages: Any = bench.ledger.body(log, first["attachments"]["packages"])
    assert len(packages) == PACKAGES
    assert all(set(package) == KEYS for package in packages)
    kept = bench.task_result(CLIENT, 3, "pc01", 1)
    assert kept["software"]["packages"] == {"attached": True, "count": PACKAGES + 1}
    assert "packed" not in kept["software"]
    with sqlite3.connect(bench.settings.database) as database:
        large = database.execute("SELECT count(*) FROM body WHERE size > 1000000").fetchone()[0]
    assert large == 2

    assert check_log(bench.settings, bench.ledger.engine, log).sound
    bundle = export_proof(bench.ledger, log, tmp_path / "proof")
    digest = first["attachments"]["packages"]
    content = bundle / "bodies" / f"{digest}.json"
    assert json.loads(content.read_bytes()) == packages
    content.write_bytes(content.read_bytes() + b" ")
    assert any(digest in problem for problem in verify.verify_bundle(bundle).problems)
    _change_body(bench.settings.database, digest)
    assert not check_log(bench.settings, bench.ledger.engine, log).sound


def _change_body(database: Path, digest: str) -> None:
    """As root with an editor would."""
    with sqlite3.connect(database) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        stored, size = connection.execute("SELECT zstd, size FROM body WHERE digest = ?", (digest,)).fetchone()
        text = bytearray(unpack(stored, size) or b"")
        text[text.index(b"1.")] ^= 1
        connection.execute("UPDATE body SET zstd = ? WHERE digest = ?", (pack(bytes(text)), digest))


def test_a_small_list_is_attached_as_well(bench: Bench, tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, CLIENT, {"pc01": LOCAL})
    fake = write_fake_dpkg(tmp_path / "fake", 3)
    playbook = write_playbook(tmp_path / "play", list_software(environment={"PATH": f"{fake}:/usr/bin:/bin"}))
    bench.perform(loaded, playbook)
    packages: Any = bench.ledger.body(bench.ledger.find_log(CLIENT), software_task(bench, 1)["attachments"]["packages"])
    assert [package["source"] for package in packages] == ["dpkg"] * 3


HOSTILE = {
    "a digest of something else": ({"sha256": "0" * 64}, "digest_differs"),
    "no gzip": ({"data": "AAAA"}, "not_gzip"),
    "more than passes": ({"data": "A" * 700_000}, "cut"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_computer_that_sends_a_damaged_list_spoils_its_own_task_and_no_run(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    change, problem = HOSTILE[name]
    packed = {
        "encoding": "gzip+base64",
        "bytes": 2,
        "sha256": "1" * 64,
        "data": "H4sIAAAAAAAC/4uOBQApu0wNAgAAAA==",
        **change,
    }
    answer = {"changed": False, "ping": "pong", "software": {"count": 9, "packages": None, "packed": packed}}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    # What a computer runs as its Python is the computer's to choose.
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\nexec cat {tmp_path / 'answer.json'}\n")
    python.chmod(0o755)
    hosts = {"pc01": {**LOCAL, "python": str(python)}, "pc02": LOCAL}
    report = bench.perform(write_contract(tmp_path, CLIENT, hosts), write_playbook(tmp_path / "play", list_software()))
    assert report.state is RunState.COMPLETE
    spoilt = software_task(bench, 1)
    assert (spoilt["truncated"], spoilt["problem"]) == (True, problem)
    assert "attachments" not in spoilt
    assert bench.host_event(CLIENT, 1, "pc01")["truncated"] is True
    whole = bench.host_event(CLIENT, 1, "pc02")
    assert whole["truncated"] is False
    kept: Any = bench.ledger.body(bench.ledger.find_log(CLIENT), spoilt["result"])
    assert kept["software"]["packages"] is None
    assert "_cut" in kept["software"]["packed"]["data"]
