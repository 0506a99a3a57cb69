"""The whole way with the real parts: ledger, contract, judgement, snapshot, and the entry about it."""

from datetime import timedelta
from hashlib import sha256

import pytest

from itcare.access import find_scope, list_scopes
from itcare.assess import POLICY_VERSION
from itcare.core.errors import BadInputError
from itcare.core.words import FindingStatus, ObligationState
from itcare.ledger.log import Ledger, LogRef
from itcare.publish.judge import judge_for
from itcare.publish.publication import publish_client
from itcare.publish.reader import Snapshot
from itcare.publish.source import read_source
from tests.support.ledgers import START, attacker, check, new_ledger, open_ledger
from tests.support.observations import file_system, observation, ok
from tests.support.publishing import write_contract
from tests.support.stories import Story

GB = 10**9
VISIT = START + timedelta(hours=2)
NOON = START + timedelta(hours=4)
NEARLY_FULL = observation(filesystems=ok([file_system("/", 500 * GB, 20 * GB)]))


def record(ledger: Ledger, log: LogRef, health):
    """Write a visit of pc01 into a real log, as the driver does."""
    story = Story("ACME")
    run = story.open_run(["pc01"], at=VISIT)
    story.tell_host(run, "pc01", health=health)
    story.close_run(run)
    reserved = {"v", "entry", "at"}
    with ledger.append(log) as batch:
        digests = {digest: batch.body(value) for digest, value in story.bodies.items()}
        for entry in story.entries[1:]:
            event = {key: value for key, value in entry.event.items() if key not in reserved}
            batch.add(_renamed(event, digests))
    return ledger.sign(log)


def _renamed(value, digests):
    """The event with the story's digests replaced by the ledger's."""
    if isinstance(value, dict):
        return {key: _renamed(item, digests) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, digests) for item in value]
    return digests.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def ledger(tmp_path):
    opened = new_ledger(tmp_path)
    yield opened
    opened.engine.dispose()


def publish(ledger, log, loaded, **options):
    soundness = check(ledger.settings, log)
    source = read_source(ledger, log, loaded, soundness, checked_at=NOON, code_version="0.1.0", **options)
    publication = publish_client(ledger.settings.published, source, judge_for(loaded.contract), NOON)
    return publication, Snapshot.open(find_scope(list_scopes(ledger.settings.published), "ACME"))


def test_a_visit_recorded_in_the_ledger_is_shown_with_its_leaf_and_checkpoint(ledger, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    log = ledger.client_log("ACME", "Acme Sp. z o.o.")
    checkpoint = record(ledger, log, NEARLY_FULL)
    publication, snapshot = publish(ledger, log, loaded)
    with snapshot:
        meta = snapshot.meta()
        assert (meta.checkpoint, meta.tree_root, meta.tree_size) == (checkpoint.text, checkpoint.root, 4)
        assert (meta.ledger_state, meta.problems, meta.policy_version) == ("sound", 0, POLICY_VERSION)
        (bad,) = snapshot.findings(FindingStatus.FAIL)
        assert (bad.rule, bad.subject, bad.run) == ("disk.free", "/", 1)
        result = snapshot.host_results(1)[0]
        leaves = {entry.index: entry.leaf_hash for entry in ledger.entries(log)}
        assert (result.leaf_sha256, bad.entry) == (leaves[result.entry], result.entry)
        assert (result.address, result.remote_user) == ("192.0.2.7", "itcare")
        assert snapshot.obligation_counts("2026-11")[ObligationState.DONE] == 1
        assert snapshot.obligation_counts("2026-10") == dict.fromkeys(ObligationState, 0)
    with ledger.append(log) as batch:
        batch.add(publication.to_event())
    assert ledger.sign(log).size == 5
    assert check(ledger.settings, log).sound


def test_what_was_shown_can_be_proven_from_the_ledger(ledger, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    log = ledger.client_log("ACME", "Acme Sp. z o.o.")
    publication, snapshot = publish(ledger, log, loaded)
    snapshot.close()
    with ledger.append(log) as batch:
        batch.add(publication.to_event())
    *_, entry = ledger.entries(log)
    named = {file["name"]: file["sha256"] for file in entry.event["files"]}
    folder = ledger.settings.published / str(log.client_id)
    assert named == {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_entries_that_are_not_signed_yet_are_not_published(ledger, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    log = ledger.client_log("ACME", "Acme Sp. z o.o.")
    record(ledger, log, NEARLY_FULL)
    with ledger.append(log) as batch:
        batch.add({"type": "run.opened", "run": 2, "hosts": ["pc01"], "duty": "visit.daily", "check": False})
    _, snapshot = publish(ledger, log, loaded)
    with snapshot:
        assert (snapshot.run_count(), snapshot.meta().tree_size) == (1, 4)


def test_a_leaf_changed_in_the_database_is_shown_as_an_unsound_ledger(ledger, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    log = ledger.client_log("ACME", "Acme Sp. z o.o.")
    record(ledger, log, NEARLY_FULL)
    ledger.engine.dispose()
    with attacker(ledger.settings.database) as connection:
        changed = connection.execute(
            "UPDATE leaf SET bytes = CAST(replace(plain(bytes), '\"outcome\":\"ok\"', '\"outcome\":\"xx\"') AS BLOB)"
            " WHERE idx = 2 AND log_id = ?", (log.id,)
        )  # fmt: skip
        assert changed.rowcount == 1
        connection.commit()
    again = open_ledger(ledger.settings)
    _, snapshot = publish(again, log, loaded)
    again.engine.dispose()
    with snapshot:
        meta = snapshot.meta()
        assert not meta.ledger_is_sound
        assert "2" in meta.ledger_message
        assert snapshot.findings()[0].rule == "observation"
        assert snapshot.obligation_counts("2026-11")[ObligationState.DONE] == 0


def test_a_leaf_that_is_no_json_any_more_dooms_what_came_before_it(ledger, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    log = ledger.client_log("ACME", "Acme Sp. z o.o.")
    record(ledger, log, observation())
    ledger.engine.dispose()
    with attacker(ledger.settings.database) as connection:
        connection.execute("UPDATE leaf SET bytes = x'00' WHERE idx = 3 AND log_id = ?", (log.id,))
        connection.commit()
    again = open_ledger(ledger.settings)
    _, snapshot = publish(again, log, loaded)
    again.engine.dispose()
    with snapshot:
        assert (snapshot.meta().ledger_is_sound, snapshot.meta().problems) == (False, 1)
        assert snapshot.finding_counts()[FindingStatus.OK] == 0


def test_the_firms_own_log_has_no_client_to_show_it_to(ledger, tmp_path):
    loaded = write_contract(tmp_path / "contracts", "ACME", ["pc01"])
    log = ledger.firm_log()
    with pytest.raises(BadInputError, match="the firm's own log"):
        read_source(ledger, log, loaded, check(ledger.settings, log), checked_at=NOON, code_version="0.1.0")
