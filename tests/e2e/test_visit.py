"""A newcomer's first day: one visit of the own computer, one computer that is switched off."""

import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from itcare.store.packing import pack, unpack, unpack_leaf
from tests.support.components import ROOT
from tests.support.installation import Installation
from tests.support.portal_client import ask

HOME_CLIENT, AWAY_CLIENT = "DOMOWA", "NORDWIND"


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Both demo clients visited and published once. Tests that change it work on a copy."""
    place = Installation(tmp_path_factory.mktemp("visit"), ROOT / "inventories" / "demo").initialise()
    place.run("run", HOME_CLIENT, "visit.daily", "--reason", "first day", "--operator", "Ada Example")
    place.run("run", AWAY_CLIENT, "visit.daily", accept=(3,))
    place.run("publish")
    return place


@pytest.fixture
def copied(visited: Installation, tmp_path: Path) -> Installation:
    shutil.copytree(visited.folder, tmp_path / "copy", symlinks=True)
    return Installation(tmp_path / "copy", visited.contracts)


@pytest.mark.component("sshd")
class TestTheVisit:
    def test_the_own_computer_is_looked_at_by_at_least_seven_rules(self, visited: Installation) -> None:
        findings = visited.json("findings", HOME_CLIENT)
        known = {finding["rule"] for finding in findings if finding["status"] != "unknown"}
        assert len({finding["rule"] for finding in findings}) >= 7
        assert len(known) >= 4
        assert all(finding["reason"] for finding in findings)
        assert {finding["run"] for finding in findings} == {1}
        assert all({"client", "host", "rule", "status", "reason", "run"} <= set(finding) for finding in findings)

    def test_a_computer_that_is_off_reads_not_reached(self, visited: Installation) -> None:
        run = visited.json("show", f"{AWAY_CLIENT}/1")
        assert run["state"] == "partial"
        assert [(host["outcome"], host["reason"]) for host in run["hosts"]] == [("not_reached", "refused")]

    def test_the_run_tells_who_when_and_which_tasks(self, visited: Installation) -> None:
        run = visited.json("show", f"{HOME_CLIENT}/1")
        assert (run["client"], run["number"], run["state"]) == (HOME_CLIENT, 1, "complete")
        assert run["stated_operator"] == "Ada Example"
        assert run["operator"]
        assert run["reason"] == "first day"
        assert run["contract_number"]
        modules = [task["module"] for task in run["hosts"][0]["tasks"]]
        assert modules == [
            "ansible.builtin.ping",
            "itcare.maintenance.health_info",
            "itcare.maintenance.software_info",
            "itcare.maintenance.temp_cleanup",
        ]
        assert all(task["file"] and task["line"] for task in run["hosts"][0]["tasks"])
        assert {file["kind"] for file in run["files"]} >= {"module", "playbook"}
        assert run["hosts"][0]["opened_at"] < run["hosts"][0]["closed_at"]

    def test_clients_and_runs_are_lists_and_nothing_else(self, visited: Installation) -> None:
        assert {row["code"] for row in visited.json("clients")} == {HOME_CLIENT, AWAY_CLIENT}
        assert {(row["client"], row["number"]) for row in visited.json("runs")} == {(HOME_CLIENT, 1), (AWAY_CLIENT, 1)}
        assert visited.json("runs", HOME_CLIENT, "--needs-verify") == []

    def test_a_second_visit_on_the_same_day_adds_a_run_and_no_obligation(self, copied: Installation) -> None:
        copied.run("run", HOME_CLIENT, "visit.daily")
        copied.run("publish", HOME_CLIENT)
        assert [run["number"] for run in copied.json("runs", HOME_CLIENT)] == [2, 1]
        snapshot = next(p for p in (copied.home / "published").glob("*/current.sqlite") if _client_of(p) == HOME_CLIENT)
        with sqlite3.connect(snapshot) as database:
            owed = database.execute(
                "SELECT nominal_date, count(*) FROM obligation WHERE state != 'planned' GROUP BY 1"
            ).fetchall()
        assert len(owed) == 1
        assert owed[0][1] == 1

    def test_a_look_only_satisfies_nothing(self, tmp_path: Path) -> None:
        place = Installation(tmp_path / "look", ROOT / "inventories" / "demo").initialise()
        place.run("run", HOME_CLIENT, "visit.daily", "--check")
        place.run("publish", HOME_CLIENT)
        snapshot = next((place.home / "published").glob("*/current.sqlite"))
        with sqlite3.connect(snapshot) as database:
            states = {row[0] for row in database.execute("SELECT DISTINCT state FROM obligation")}
        assert "done" not in states

    def test_strangers_and_missing_ones_are_told_the_same(self, visited: Installation) -> None:
        foreign = visited.run("show", f"{AWAY_CLIENT}/7", accept=(2,)).stderr
        missing = visited.run("show", "NOSUCH/7", accept=(2,)).stderr
        assert foreign.replace(AWAY_CLIENT, "NOSUCH") == missing


def _client_of(snapshot: Path) -> str:
    with sqlite3.connect(snapshot) as database:
        return str(database.execute("SELECT value FROM meta WHERE key = 'client'").fetchone()[0]).strip('"')


def _edit(home: Path, statements: Callable[[sqlite3.Connection], None]) -> None:
    """Change the database as root with an editor would: guards off, then on again."""
    with sqlite3.connect(home / "itcare.sqlite") as database:
        guards = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            database.execute(f"DROP TRIGGER {name}")
        statements(database)
        for _, sql in guards:
            database.execute(sql)
    database.close()


def _change_leaf(database: sqlite3.Connection) -> None:
    stored = database.execute("SELECT bytes FROM leaf WHERE log_id = 2 AND idx = 2").fetchone()[0]
    data = bytearray(unpack_leaf(stored))
    data[-10] ^= 1
    database.execute("UPDATE leaf SET bytes = ? WHERE log_id = 2 AND idx = 2", (bytes(data),))


def _change_leaf_and_hashes(database: sqlite3.Connection) -> None:
    from itcare.ledger.merkle import Frontier, hash_leaf

    _change_leaf(database)
    edge = Frontier()
    for index, data in database.execute("SELECT idx, bytes FROM leaf WHERE log_id = 2 ORDER BY idx").fetchall():
        leaf_hash = hash_leaf(unpack_leaf(data))
        edge.append(leaf_hash)
        database.execute("UPDATE leaf SET hash = ? WHERE log_id = 2 AND idx = ?", (leaf_hash, index))
    database.execute("UPDATE log SET frontier = ?, root = ? WHERE id = 2", (edge.to_bytes(), edge.root()))


def _delete_last(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM leaf WHERE log_id = 2 AND idx = (SELECT max(idx) FROM leaf WHERE log_id = 2)")


def _swap(database: sqlite3.Connection) -> None:
    rows = database.execute(
        "SELECT idx, bytes, hash FROM leaf WHERE log_id = 2 AND idx IN (1, 2) ORDER BY idx"
    ).fetchall()
    for (index, _, _), (_, data, leaf_hash) in zip(rows, reversed(rows), strict=True):
        database.execute("UPDATE leaf SET bytes = ?, hash = ? WHERE log_id = 2 AND idx = ?", (data, leaf_hash, index))


def _change_body(database: sqlite3.Connection) -> None:
    digest, stored, size = database.execute("SELECT digest, zstd, size FROM body WHERE log_id = 2 LIMIT 1").fetchone()
    text = bytearray(unpack(stored, size) or b"")
    text[len(text) // 2] ^= 1
    database.execute("UPDATE body SET zstd = ? WHERE log_id = 2 AND digest = ?", (pack(bytes(text)), digest))


def _delete_body(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM body WHERE rowid = (SELECT min(rowid) FROM body WHERE log_id = 2)")


@pytest.mark.component("sshd")
class TestTheLedger:
    def test_it_is_sound_after_the_first_day(self, visited: Installation) -> None:
        rows = visited.json("verify")
        assert {row["log"] for row in rows} == {"firm", HOME_CLIENT, AWAY_CLIENT}
        assert all(row["sound"] for row in rows)

    @pytest.mark.parametrize(
        ("edit", "named"),
        [
            (_change_leaf, "entry 2"),
            (_change_leaf_and_hashes, "between"),
            (_delete_last, "entr"),
            (_swap, "entry 1"),
            (_change_body, "body"),
            (_delete_body, "body"),
        ],
        ids=lambda value: value.__name__.strip("_") if callable(value) else None,
    )
    def test_an_edit_is_named(
        self, copied: Installation, edit: Callable[[sqlite3.Connection], None], named: str
    ) -> None:
        _edit(copied.home, edit)
        done = copied.run("verify", HOME_CLIENT, accept=(1,))
        assert "NOT SOUND" in done.stdout
        rows = copied.json("verify", HOME_CLIENT, accept=(1,))
        assert rows[0]["entry"] is not None or rows[0]["between"] or named in rows[0]["message"]
        if named == "between":
            assert rows[0]["between"] is not None
        assert copied.run("verify", AWAY_CLIENT).returncode == 0

    def test_an_old_checkpoint_kept_outside_still_fits(self, copied: Installation) -> None:
        kept = sorted((copied.home / "checkpoints" / "2").glob("*.txt"))[0]
        outside = copied.folder / "kept.txt"
        shutil.copy(kept, outside)
        copied.run("run", HOME_CLIENT, "visit.daily")
        copied.run("verify", HOME_CLIENT, "--against", str(outside))

    def test_the_bundle_verifies_alone_and_names_a_changed_byte(self, copied: Installation, tmp_path: Path) -> None:
        bundle = tmp_path / "proof"
        told = copied.run("export-proof", HOME_CLIENT, "--out", str(bundle)).stdout
        key = told.strip().splitlines()[-1].rsplit(" ", 1)[1]
        alone = tmp_path / "alone"
        alone.mkdir()
        shutil.copy(ROOT / "src" / "itcare" / "ledger" / "verify.py", alone)
        assert _verify(alone, bundle, "--key", key)[0] == 0
        status, text = _verify(alone, bundle)
        assert status == 0
        assert "not pinned" in text.lower() or "was not" in text.lower()
        target = next(path for path in sorted(bundle.rglob("*")) if path.name.startswith("entries"))
        data = bytearray(target.read_bytes())
        data[len(data) // 2] ^= 1
        target.write_bytes(bytes(data))
        status, text = _verify(alone, bundle, "--key", key)
        assert status == 1
        assert "entr" in text


def _verify(alone: Path, bundle: Path, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "verify.py", str(bundle), *options],
        cwd=alone, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.component("sshd")
class TestThePages:
    def test_they_are_served_on_loopback_to_whoever_has_the_token(self, visited: Installation) -> None:
        server = subprocess.Popen(
            visited.command("dashboard"), env=visited.environ, cwd=visited.folder, stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            base, _, token = server.stdout.readline().strip().partition("/?token=")
            family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
            listening = [
                connection.laddr
                for process in family
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
            ]
            assert [(place.ip, place.port) for place in listening] == [("127.0.0.1", int(base.rpartition(":")[2]))]
            page = ask(base, {"token": token, "client": HOME_CLIENT, "lang": "en"})
            assert "Pracownia Domowa" in page.text
            assert set(page.pages) > {"computers"}
            for query in ({}, {"token": token[:-1]}):
                closed = ask(base, {**query, "client": HOME_CLIENT, "lang": "en"})
                assert "Pracownia" not in closed.text
                assert not closed.pages
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(30) == 0
