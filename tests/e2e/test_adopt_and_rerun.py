"""Through the command line: a plain run adopted, a run repeated in part, a notice, staff's overview."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from itcare.access import Principal, staff_scope
from itcare.publish.firm_reader import FirmOverview
from tests.support.driving import LOCAL, write_contract
from tests.support.installation import Installation
from tests.support.playbook import run_playbook

AWAY = {"connection": "ssh", "address": "127.0.0.1", "port": 1, "user": "nobody"}
LOOK = {"name": "Look", "itcare.maintenance.health_info": {"sources": ["filesystems"]}}


def install(folder: Path, hosts: dict[str, Any]) -> Installation:
    contracts = folder / "contracts"
    contracts.mkdir()
    write_contract(contracts, "ACME", hosts)
    return Installation(folder / "place", contracts).initialise()


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, Path]:
    """A run of plain ansible-playbook with our callback, adopted and published."""
    folder = tmp_path_factory.mktemp("adopt")
    place = install(folder, {"pc01": LOCAL, "pc02": LOCAL})
    run = run_playbook(folder, [LOOK], ["pc01", "pc02"])
    assert run.rc == 0, run.output
    place.run("adopt", str(run.spool), "--client", "ACME", "--reason", "the client called", "--operator", "Ada Example")
    place.run("publish", "ACME")
    return place, run.spool


def test_a_plain_run_is_adopted_with_its_grade_and_its_tasks(adopted: tuple[Installation, Path]) -> None:
    place, _ = adopted
    run = place.json("show", "ACME/1")
    assert (run["grade"], run["state"], run["duty"], run["reason"]) == (
        "unannounced", "complete", "adopted", "the client called"
    )  # fmt: skip
    assert run["stated_operator"] == "Ada Example"
    assert run["played_from"] < run["played_to"] < run["opened_at"]
    assert [task["module"] for task in run["hosts"][0]["tasks"]] == ["itcare.maintenance.health_info"]
    assert {file["kind"] for file in run["files"]} >= {"playbook", "module"}
    assert "UNANNOUNCED" in place.run("show", "ACME/1").stdout
    assert "complete, unannounced" in place.run("runs", "ACME").stdout
    place.run("verify")


def test_an_adopted_run_is_shown_and_nothing_is_done_by_it(adopted: tuple[Installation, Path]) -> None:
    place, _ = adopted
    assert {finding["rule"] for finding in place.json("findings", "ACME")} == {"observation"}
    with FirmOverview.open(staff_scope(place.home / "published", Principal("staff", is_staff=True))) as overview:
        (client,), (area,) = overview.clients(), overview.areas()
    assert (client.code, client.last_observed_at, client.findings_unknown) == ("ACME", None, 2)
    assert area.done + area.done_late + area.attempted == 0 and area.planned > 0


def test_the_same_spool_and_an_empty_reason_are_refused(adopted: tuple[Installation, Path]) -> None:
    place, spool = adopted
    again = place.run("adopt", str(spool), "--client", "ACME", "--reason", "twice", accept=(2,))
    assert "as run ACME/1" in again.stderr
    place.run("adopt", str(spool), "--client", "ACME", "--reason", " ", accept=(2,))
    assert [run["number"] for run in place.json("runs", "ACME")] == [1]
    assert "adopted" in place.run("rerun", "ACME/1", accept=(2,)).stderr


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A run in which one of two computers is off, and its repetition; every bad end is told."""
    folder = tmp_path_factory.mktemp("rerun")
    place = install(folder, {"pc01": LOCAL, "pc02": AWAY})
    code = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
    command = [sys.executable, "-c", code, str(folder / "notices")]
    with (place.home / "itcare.toml").open("a") as settings:
        settings.write(f"notify_command = {json.dumps(command)}\n")
    place.run("run", "ACME", "visit.daily", accept=(3,))
    place.run("rerun", "ACME/1", "--failed", "--reason", "it was off", accept=(3,))
    return place


def test_a_repetition_takes_only_the_hosts_that_did_not_end_well(repeated: Installation) -> None:
    run = repeated.json("show", "ACME/2")
    assert (run["reruns"], run["duty"], run["reason"], run["grade"]) == (1, "visit.daily", "it was off", "announced")
    assert [host["host"] for host in run["hosts"]] == ["pc02"]
    assert "repeats run ACME/1" in repeated.run("show", "ACME/2").stdout


def test_each_bad_end_was_told_with_its_hosts(repeated: Installation) -> None:
    notices = [json.loads(line) for line in (repeated.folder.parent / "notices").read_text().splitlines()]
    assert [(notice["run"], notice["state"]) for notice in notices] == [(1, "partial"), (2, "partial")]
    assert {host["host"]: host["outcome"] for host in notices[0]["hosts"]} == {"pc01": "ok", "pc02": "not_reached"}


def test_a_notice_that_fails_leaves_the_exit_code_and_is_told(repeated: Installation) -> None:
    path = repeated.home / "itcare.toml"
    before = path.read_text()
    path.write_text(before[: before.index("notify_command")] + 'notify_command = ["/no/such/program"]\n')
    try:
        done = repeated.run("rerun", "ACME/1", "--failed", accept=(3,))
    finally:
        path.write_text(before)
    assert "was not delivered" in done.stderr


def test_nothing_is_left_to_repeat_where_all_went_well(repeated: Installation) -> None:
    repeated.run("run", "ACME", "visit.daily", "--limit", "pc01")
    number = repeated.json("runs", "ACME")[0]["number"]
    assert "every host of it ended well" in repeated.run("rerun", f"ACME/{number}", "--failed", accept=(2,)).stderr
    assert "no such run" in repeated.run("rerun", "ACME/99", "--failed", accept=(2,)).stderr


def test_judging_again_tells_what_a_stricter_contract_changes(repeated: Installation) -> None:
    assert repeated.json("assess", "--again", "ACME") == []
    repeated.run("publish", "ACME")
    assert repeated.json("assess", "--again", "ACME") == []
    contract = repeated.contracts / "acme.yml"
    before = contract.read_text()
    contract.write_text(before + "thresholds:\n  disk.free: {warn_pct: 100, fail_pct: 100}\n")
    try:
        rows = repeated.json("assess", "--again", "ACME")
        shown = repeated.run("assess", "--again", "ACME").stdout
    finally:
        contract.write_text(before)
    assert {(row["host"], row["rule"], row["is"]) for row in rows} == {("pc01", "disk.free", "fail")}
    assert all(row["was"] != "fail" and row["run"] for row in rows)
    assert "judgements differ" in shown
    repeated.run("assess", accept=(2,))
    repeated.run("assess", "x.json", "--again", "ACME", accept=(2,))
