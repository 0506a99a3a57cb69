"""What a quick check vouches for, and what it leaves to the whole one."""

import pytest

from itcare.ledger.growth import check_growth
from tests.support.ledgers import attacker, check, fill, open_ledger, sample_ledger

KNOWN = 8
CHANGE = "UPDATE leaf SET bytes = CAST(plain(bytes) || x'20' AS BLOB) WHERE log_id = ? AND idx = ?"


def edge_of(ledger, log, size):
    from itcare.ledger.merkle import Frontier

    edge = Frontier()
    for entry in ledger.entries(log):
        if edge.size < size:
            edge.append(bytes.fromhex(entry.leaf_hash))
    return edge.to_bytes()


@pytest.fixture
def grown(tmp_path):
    """A log of 12 entries of which 8 were checked, and the right edge of those."""
    ledger, log = sample_ledger(tmp_path)
    return ledger, log, edge_of(ledger, log, KNOWN)


def quick(ledger, log, edge, size=KNOWN):
    return check_growth(ledger.settings, ledger.engine, log, size, edge)


def test_entries_that_came_since_are_hashed_again(grown):
    found = quick(*grown)
    assert (found.sound, found.size, found.message) == (True, 12, "12 entries, the last 4 checked now")
    assert found.root == grown[0].latest_checkpoint(grown[1]).root


def test_nothing_new_is_sound_as_well(grown):
    ledger, log, _ = grown
    assert quick(ledger, log, edge_of(ledger, log, 12), 12).sound


@pytest.mark.parametrize("entry", [8, 11])
def test_a_changed_entry_among_the_new_ones_is_noticed(grown, entry):
    ledger, log, edge = grown
    with attacker(ledger.settings.database) as connection:
        connection.execute(CHANGE, (log.id, entry))
        connection.commit()
    assert not quick(ledger, log, edge).sound


def test_a_lost_tail_is_noticed(grown):
    ledger, log, edge = grown
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx = 11", (log.id,))
        connection.commit()
    assert not quick(ledger, log, edge).sound


@pytest.mark.parametrize("edge", [b"", b"x" * 31, b"x" * 32])
def test_an_edge_that_is_not_of_that_tree_is_refused(grown, edge):
    ledger, log, _ = grown
    assert not quick(ledger, log, edge).sound


def test_a_tree_larger_than_what_was_signed_is_refused(grown):
    ledger, log, _ = grown
    assert not quick(ledger, log, edge_of(ledger, log, 12), 13).sound


def test_an_old_entry_that_was_changed_is_left_to_the_whole_check(grown):
    ledger, log, edge = grown
    with attacker(ledger.settings.database) as connection:
        connection.execute(CHANGE, (log.id, 2))
        connection.commit()
    assert quick(ledger, log, edge).sound
    assert not check(ledger.settings, log).sound


def test_an_append_after_reopening_needs_no_old_hash_but_no_other_tree_is_signed(grown):
    ledger, log, _ = grown
    again = open_ledger(ledger.settings)
    with attacker(ledger.settings.database) as connection:
        connection.execute("UPDATE log SET frontier = zeroblob(length(frontier)) WHERE id = ?", (log.id,))
        connection.commit()
    fill_fails = False
    try:
        fill(again, log, 1)
    except Exception as error:  # noqa: BLE001 -- whatever it says, nothing may be signed
        fill_fails = True
        assert "extend ledger" in str(error) or "does not fit" in str(error)
    assert fill_fails
    assert again.latest_checkpoint(log).size == 12
