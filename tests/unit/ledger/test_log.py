"""Appending, signing and reading, with a real database file."""

import json
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from itcare.core.errors import BadInputError, NotFoundError, UnsafeError, UnsoundError
from itcare.ledger import consistency
from itcare.ledger.merkle import hash_leaf
from itcare.ledger.note import SIGNING_KEY, Signer
from itcare.store.packing import unpack_leaf
from itcare.store.tables import run
from tests.support.ledgers import attacker, check, fill, fit_head, new_ledger, open_ledger, sample_ledger


def leaf_bytes(ledger, log) -> list[bytes]:
    with ledger.engine.connect() as connection:
        rows = connection.execute(text("SELECT bytes FROM leaf WHERE log_id = :log ORDER BY idx"), {"log": log.id})
        return [unpack_leaf(row.bytes) for row in rows]


def test_a_client_is_enrolled_on_first_use_in_both_logs(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    log = ledger.client_log("ACME", "Acme sp. z o.o.")
    (first,) = ledger.entries(log)
    assert (first.event["type"], first.event["client"], first.event["entry"]) == ("client.enrolled", "ACME", 0)
    firm = [entry.event["type"] for entry in ledger.entries(ledger.firm_log())]
    assert firm == ["firm.initialised", "client.added"]
    assert ledger.latest_checkpoint(log).size == 1
    assert ledger.latest_checkpoint(ledger.firm_log()).size == 2
    assert ledger.client_log("ACME", "Acme sp. z o.o.") == log == ledger.find_log("ACME")


def test_the_name_of_a_log_holds_a_random_ledger_id(tmp_path: Path) -> None:
    origins = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        origins.append(new_ledger(tmp_path / name).client_log("ACME", "Acme").origin)
    assert origins[0] != origins[1]
    assert all(origin.startswith("firm.example/client/1/") for origin in origins)


def test_an_unknown_client_is_not_enrolled_by_looking(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    with pytest.raises(NotFoundError):
        ledger.find_log("ACME")
    with pytest.raises(BadInputError):
        ledger.client_log("../x", "X")
    assert [log.client for log in ledger.logs()] == [None]


def test_an_entry_says_its_number_time_and_bodies(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        who = batch.body({"user": "jan"})
        assert batch.body(None) is None
        index = batch.add({"type": "run.opened", "asked": {"deep": [who]}, "playbook": "ab" * 32})
    (entry,) = ledger.entries(log, index)
    assert entry.event == {
        "type": "run.opened", "asked": {"deep": [who]}, "playbook": "ab" * 32, "v": 1, "entry": 12,
        "at": "2026-11-02T08:30:00.000000Z", "bodies": [who],
    }  # fmt: skip
    assert ledger.body(log, who) == {"user": "jan"}
    assert entry.leaf_hash == hash_leaf(leaf_bytes(ledger, log)[12]).hex()


def test_a_body_stored_earlier_is_named_again(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        digest = batch.body(["list", "of", "software"])
        batch.add({"type": "a.b", "files": digest})
    with ledger.append(log) as batch:
        index = batch.add({"type": "a.b", "files": digest})
    (entry,) = ledger.entries(log, index)
    assert entry.event["bodies"] == [digest]


def test_the_same_body_twice_is_stored_once(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        assert batch.body({"a": 1, "b": 2}) == batch.body({"b": 2, "a": 1})
    with ledger.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM body")).scalar() == 3 + 1 - 1  # two of the sample, one new


def test_the_same_body_has_another_digest_for_another_client(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    digests = []
    for code in ("ACME", "NORD"):
        with ledger.append(ledger.client_log(code, code)) as batch:
            digests.append(batch.body("the same"))
            batch.add({"type": "a.b", "who": digests[-1]})
    assert digests[0] != digests[1]
    assert ledger.body(ledger.find_log("NORD"), digests[0]) is None


def test_equal_events_give_different_leaves(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        for _ in range(50):
            batch.add({"type": "a.b"})
    leaves = leaf_bytes(ledger, log)[12:]
    salts = {leaf[15:31] for leaf in leaves}
    assert len(salts) == 50
    assert len({leaf[:15] for leaf in leaves}) == 1


@pytest.mark.parametrize("event", [{"type": "a.b", "entry": 3}, {"type": "a.b", "v": 2}, {"x": 1}, {"type": 7}])
def test_a_reserved_key_or_missing_type_is_refused(tmp_path: Path, event: dict[str, object]) -> None:
    ledger, log = sample_ledger(tmp_path)
    with pytest.raises(ValueError, match="an event has"), ledger.append(log) as batch:
        batch.add(event)
    assert sum(1 for _ in ledger.entries(log)) == 12


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [2**53 + 1, float("nan"), float("inf"), "\ud800", b"x", {1: 2}, deep(100_000)])
def test_what_json_cannot_carry_is_refused_whole(tmp_path: Path, value: object) -> None:
    ledger, log = sample_ledger(tmp_path)
    for attempt in ("body", "add"):
        with pytest.raises(BadInputError, match="canonical"), ledger.append(log) as batch:
            batch.add({"type": "a.b"})
            batch.body(value) if attempt == "body" else batch.add({"type": "a.b", "value": value})
    assert sum(1 for _ in ledger.entries(log)) == 12


def test_the_callers_rows_stand_or_fall_with_the_entries(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    row = {"id": "ab", "client_id": log.client_id, "number": 1, "duty": "visit", "state": "running", "check": 0,
           "nonce": "n", "fence": 1, "opened_at": "2026-11-02T08:30:00.000000Z"}  # fmt: skip
    with ledger.append(log) as batch:
        batch.connection.execute(run.insert().values(row))
        batch.add({"type": "run.opened", "run": 1})
    with pytest.raises(IntegrityError), ledger.append(log) as batch:
        batch.add({"type": "run.opened", "run": 1})
        batch.connection.execute(run.insert().values(row | {"id": "cd"}))
    assert sum(1 for _ in ledger.entries(log)) == 13
    with ledger.append(log) as batch:  # a refused row of the caller's does not spoil the ledger
        assert batch.add({"type": "a.b"}) == 13


def test_an_error_in_the_block_records_nothing(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with pytest.raises(FileNotFoundError), ledger.append(log) as batch:
        batch.add({"type": "a.b"})
        (tmp_path / "missing").read_text()
    assert check(ledger.settings, log).size == 12
    fill(ledger, log, 1)


def test_signing_again_without_entries_gives_the_kept_checkpoint(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    kept = ledger.latest_checkpoint(log)
    assert ledger.sign(log) == kept
    assert [checkpoint.size for checkpoint in ledger.checkpoints(log)] == [1, 4, 8, 12]


def test_each_checkpoint_is_a_private_file(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    folder = ledger.settings.home / "checkpoints" / str(log.id)
    assert sorted(path.name for path in folder.iterdir()) == [f"{size:012d}.txt" for size in (1, 4, 8, 12)]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def rewrite_history(ledger, log) -> None:
    """Change a signed entry, add another, and make everything stored fit."""
    with attacker(ledger.settings.database) as connection:
        (data,) = connection.execute("SELECT plain(bytes) FROM leaf WHERE log_id = ? AND idx = 5", (log.id,)).fetchone()
        forged = data.replace(b'"run":1', b'"run":7')
        assert forged != data
        update = "UPDATE leaf SET bytes = ?, hash = ? WHERE log_id = ? AND idx = 5"
        connection.execute(update, (forged, hash_leaf(forged), log.id))
        extra = data.replace(b'"entry":5', b'"entry":12')
        connection.execute(
            "INSERT INTO leaf (log_id, idx, bytes, hash) VALUES (?, 12, ?, ?)", (log.id, extra, hash_leaf(extra))
        )
        fit_head(connection, log.id)


def test_a_rewritten_history_is_not_signed(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    rewrite_history(ledger, log)
    with pytest.raises(UnsoundError, match="before 12"):
        open_ledger(ledger.settings).sign(log)
    assert ledger.latest_checkpoint(log).size == 12


def test_nothing_but_the_consistency_check_keeps_it_from_being_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, log = sample_ledger(tmp_path)
    rewrite_history(ledger, log)
    monkeypatch.setattr(consistency, "require_extension", lambda *_: None)
    assert open_ledger(ledger.settings).sign(log).size == 13  # the harm the check prevents
    found = check(ledger.settings, log)
    assert (found.sound, found.between) == (False, (4, 8))


def test_nothing_is_appended_to_a_rewritten_history(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    rewrite_history(ledger, log)
    with pytest.raises(UnsoundError), open_ledger(ledger.settings).append(log) as batch:
        batch.add({"type": "a.b"})


def test_a_tampered_right_edge_is_not_signed(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with attacker(ledger.settings.database) as connection:
        connection.execute("UPDATE log SET frontier = zeroblob(64) WHERE id = ?", (log.id,))
    with ledger.append(log) as batch:  # opened before, so it meets the wrong edge unawares
        batch.add({"type": "a.b"})
    with pytest.raises(UnsoundError, match="stored head"):
        ledger.sign(log)


def test_an_entry_changed_before_it_was_signed_is_not_signed(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        batch.add({"type": "a.b"})
    with attacker(ledger.settings.database) as connection:
        changed = (
            "UPDATE leaf SET bytes = CAST(replace(plain(bytes), 'a.b', 'a.c') AS BLOB) WHERE log_id = ? AND idx = 12"
        )
        connection.execute(changed, (log.id,))
    with pytest.raises(UnsoundError, match="entry 12 was changed"):
        ledger.sign(log)


def cut_tail(ledger, log, left: int) -> None:
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx >= ?", (log.id, left))
        connection.execute("UPDATE log SET signed_size = 0 WHERE id = ?", (log.id,))
        fit_head(connection, log.id)


def test_a_lost_tail_stops_every_write_and_names_the_remedy(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    cut_tail(ledger, log, 9)
    opened = open_ledger(ledger.settings)
    with pytest.raises(UnsafeError, match="9 entries are there, 12 were signed.*epoch"), opened.append(log):
        pytest.fail("the block must not run")
    with pytest.raises(UnsafeError, match="tail is lost"):
        opened.sign(log)
    assert [entry.index for entry in opened.entries(log)] == list(range(9))


def test_lost_checkpoint_files_stop_every_write(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    (ledger.settings.home / "checkpoints" / str(log.id) / f"{12:012d}.txt").unlink()
    with pytest.raises(UnsafeError, match="Put the files back"), ledger.append(log):
        pytest.fail("the block must not run")


def test_rows_beyond_the_checkpoint_are_fine(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        batch.add({"type": "a.b"})
    opened = open_ledger(ledger.settings)
    with opened.append(log) as batch:
        assert batch.add({"type": "a.b"}) == 13
    assert opened.sign(log).size == 14


def test_another_signing_key_than_the_published_one_is_refused(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    (ledger.settings.keys / SIGNING_KEY).write_bytes(Signer.generate().to_pem())
    with pytest.raises(UnsafeError, match="does not belong"):
        ledger.sign(log)


def test_a_changed_body_is_never_handed_out(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        first, second = batch.body({"n": 1}), batch.body({"n": 2})
    with attacker(ledger.settings.database) as connection:
        connection.execute("UPDATE body SET zstd = (SELECT zstd FROM body WHERE digest = ?)", (second,))
    with pytest.raises(UnsoundError, match="changed"):
        ledger.body(log, first)


def test_a_changed_entry_is_told_in_words_when_read(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with attacker(ledger.settings.database) as connection:
        connection.execute("UPDATE leaf SET bytes = x'00' WHERE log_id = ? AND idx = 3", (log.id,))
    with pytest.raises(UnsoundError, match="3 of firm"):
        list(ledger.entries(log))


def test_five_thousand_small_entries_take_less_than_a_second_of_processor(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    started = time.process_time()
    with ledger.append(log) as batch:
        for number in range(5_000):
            batch.add({"type": "run.host", "number": number})
    assert time.process_time() - started < 1.0
    assert ledger.sign(log).size == 5_012


def test_people_are_in_bodies_and_leaves_hold_only_digests(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    assert not any(b"operator-" in data for data in leaf_bytes(ledger, log))
    events = [json.loads(data[31:]) for data in leaf_bytes(ledger, log)]
    assert ledger.body(log, events[2]["who"]) == {"user": "operator-1"}


def test_the_database_and_its_side_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger, _ = sample_ledger(tmp_path)
        files = [path for path in ledger.settings.home.iterdir() if path.name.startswith("itcare.sqlite")]
        assert len(files) == 3
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    finally:
        os.umask(before)
