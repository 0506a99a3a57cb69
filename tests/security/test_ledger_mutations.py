"""Any single change of a log in the database is detected, and its place is named."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.core.errors import UnsafeError
from itcare.core.settings import Settings
from itcare.ledger.log import LogRef
from itcare.ledger.merkle import hash_leaf
from tests.support.ledgers import attacker, check, copy_home, fill, fit_head, open_ledger, sample_ledger

SIZE, CHECKPOINTS = 12, (0, 1, 4, 8, 12)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, LogRef]]:
    ledger, log = sample_ledger(tmp_path_factory.mktemp("base"))
    ledger.engine.dispose()
    yield ledger.settings, log


def between_of(index: int) -> tuple[int, int]:
    """The checkpoints around an entry."""
    return (
        max(size for size in CHECKPOINTS if size <= index),
        min(size for size in CHECKPOINTS if size > index),
    )


class Mutation:
    """One change of the leaf table; `name_place` is what verification must say about it."""

    def __init__(self, connection: sqlite3.Connection, log_id: int) -> None:
        self.connection = connection
        self.log_id = log_id
        rows = connection.execute("SELECT plain(bytes), hash FROM leaf WHERE log_id = ? ORDER BY idx", (log_id,))
        self.rows: list[tuple[bytes, bytes]] = rows.fetchall()

    def store(self, rows: list[tuple[bytes, bytes]]) -> None:
        self.connection.execute("DELETE FROM leaf WHERE log_id = ?", (self.log_id,))
        numbered = [(self.log_id, index, data, leaf_hash) for index, (data, leaf_hash) in enumerate(rows)]
        self.connection.executemany("INSERT INTO leaf (log_id, idx, bytes, hash) VALUES (?, ?, ?, ?)", numbered)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def verdict(base: tuple[Settings, LogRef], mutate) -> tuple[int | None, tuple[int, int] | None]:
    """Apply a mutation to a copy; require that it is found; return what was named."""
    with TemporaryDirectory() as folder:
        copy = copy_home(base[0], Path(folder))
        with attacker(copy.database) as connection:
            mutate(Mutation(connection, base[1].id))
        found = check(copy, base[1], integrity=False)
        assert not found.sound
        return found.entry, found.between


INDEX = st.integers(0, SIZE - 1)
FIT = st.booleans()  # whether the attacker also makes the stored head agree


@settings(max_examples=40, deadline=None)
@given(index=INDEX, bit=st.integers(0, 8 * 200))
def test_a_flipped_bit_of_an_entry_names_it(base, index: int, bit: int) -> None:
    def mutate(log: Mutation) -> None:
        data, leaf_hash = log.rows[index]
        log.store([*log.rows[:index], (flip(data, bit), leaf_hash), *log.rows[index + 1 :]])

    assert verdict(base, mutate) == (index, None)


@settings(max_examples=20, deadline=None)
@given(index=INDEX, bit=st.integers(0, 255))
def test_a_flipped_bit_of_a_stored_hash_names_its_entry(base, index: int, bit: int) -> None:
    def mutate(log: Mutation) -> None:
        data, leaf_hash = log.rows[index]
        log.store([*log.rows[:index], (data, flip(leaf_hash, bit)), *log.rows[index + 1 :]])

    assert verdict(base, mutate) == (index, None)


@settings(max_examples=30, deadline=None)
@given(index=INDEX, fit=FIT)
def test_an_edit_with_a_fitting_hash_is_bounded_by_the_checkpoints_around_it(base, index: int, fit: bool) -> None:
    def mutate(log: Mutation) -> None:
        data, _ = log.rows[index]
        event = json.loads(data[31:]) | {"forged": True}
        forged = data[:31] + json.dumps(event).encode()
        log.store([*log.rows[:index], (forged, hash_leaf(forged)), *log.rows[index + 1 :]])
        if fit:
            fit_head(log.connection, log.log_id)

    assert verdict(base, mutate) == (None, between_of(index))


@settings(max_examples=30, deadline=None)
@given(index=INDEX, fit=FIT)
def test_a_deleted_entry_is_named(base, index: int, fit: bool) -> None:
    def mutate(log: Mutation) -> None:
        log.store([*log.rows[:index], *log.rows[index + 1 :]])
        if fit:
            fit_head(log.connection, log.log_id)

    assert verdict(base, mutate) == (index, None)


@settings(max_examples=15, deadline=None)
@given(index=INDEX)
def test_an_entry_deleted_with_its_number_is_named(base, index: int) -> None:
    def mutate(log: Mutation) -> None:
        log.connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx = ?", (log.log_id, index))

    assert verdict(base, mutate) == (index, None)


@settings(max_examples=30, deadline=None)
@given(pair=st.lists(INDEX, min_size=2, max_size=2, unique=True), fit=FIT)
def test_two_entries_that_changed_places_name_the_first(base, pair: list[int], fit: bool) -> None:
    def mutate(log: Mutation) -> None:
        rows = list(log.rows)
        rows[pair[0]], rows[pair[1]] = rows[pair[1]], rows[pair[0]]
        log.store(rows)
        if fit:
            fit_head(log.connection, log.log_id)

    assert verdict(base, mutate) == (min(pair), None)


@settings(max_examples=30, deadline=None)
@given(source=INDEX, place=st.integers(0, SIZE), fit=FIT)
def test_a_duplicated_entry_names_the_first_that_is_not_in_its_place(base, source: int, place: int, fit: bool) -> None:
    def mutate(log: Mutation) -> None:
        log.store([*log.rows[:place], log.rows[source], *log.rows[place:]])
        if fit:
            fit_head(log.connection, log.log_id)

    wrong = place + 1 if source == place else place  # the copy is in the right place, the original is not
    assert verdict(base, mutate) == (wrong, None)


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, SIZE - 1), fit=FIT)
def test_an_inserted_forgery_of_the_right_number_names_the_entry_it_displaced(base, place: int, fit: bool) -> None:
    def mutate(log: Mutation) -> None:
        forged = b"itcare/leaf/v1\n" + bytes(16) + b'{"entry":%d,"type":"run.closed","v":1}' % place
        log.store([*log.rows[:place], (forged, hash_leaf(forged)), *log.rows[place:]])
        if fit:
            fit_head(log.connection, log.log_id)

    assert verdict(base, mutate) == (place + 1, None)


def test_a_forgery_behind_the_last_entry_does_not_fit_the_head(base) -> None:
    def mutate(log: Mutation) -> None:
        forged = b"itcare/leaf/v1\n" + bytes(16) + b'{"entry":12,"type":"run.closed","v":1}'
        log.store([*log.rows, (forged, hash_leaf(forged))])

    assert verdict(base, mutate) == (None, (12, 13))


def test_the_unchanged_log_is_sound(base, tmp_path: Path) -> None:
    assert check(copy_home(base[0], tmp_path), base[1]).sound


def test_no_flipped_bit_of_a_page_that_holds_leaves_passes(base, tmp_path: Path) -> None:
    """A sample of bits over the whole file: what still says "sound" must say the very same root."""
    copy = copy_home(base[0], tmp_path)
    original = copy.database.read_bytes()
    root = check(copy, base[1]).root
    sound = 0
    for bit in range(0, len(original) * 8, len(original) * 8 // 150 | 1):
        copy.database.write_bytes(flip(original, bit))
        try:
            found = check(copy, base[1])
        except UnsafeError:
            continue
        if found.sound:  # an unused byte, or another client's or the firm's rows
            sound += 1
            assert (found.root, found.size) == (root, SIZE)
    assert sound < 150
    copy.database.write_bytes(original)
    assert check(copy, base[1]).sound


def test_swapped_pages_are_never_sound_under_another_root(base, tmp_path: Path) -> None:
    copy = copy_home(base[0], tmp_path)
    original = copy.database.read_bytes()
    root = check(copy, base[1]).root
    pages = [original[start : start + 4096] for start in range(0, len(original), 4096)]
    found_wrong = 0
    for first in range(1, len(pages) - 1):
        swapped = list(pages)
        swapped[first], swapped[first + 1] = swapped[first + 1], swapped[first]
        copy.database.write_bytes(b"".join(swapped))
        try:
            found = check(copy, base[1])
        except UnsafeError:
            found_wrong += 1
            continue
        assert not found.sound or found.root == root
        found_wrong += not found.sound
    assert found_wrong > len(pages) // 2


def test_a_deleted_write_ahead_log_is_a_lost_tail(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    ledger.engine.dispose()
    fill(ledger, log, 3)  # these stay in the side file while the ledger is open
    (tmp_path / "copy").mkdir()
    copy = copy_home(ledger.settings, tmp_path / "copy")
    for name in ("itcare.sqlite-wal", "itcare.sqlite-shm"):
        (copy.home / name).unlink()
    found = check(copy, log)
    assert (found.sound, found.entry) == (False, 12)
    assert "tail is lost" in found.message
    with pytest.raises(UnsafeError, match="tail is lost"), open_ledger(copy).append(log):
        pytest.fail("the block must not run")
