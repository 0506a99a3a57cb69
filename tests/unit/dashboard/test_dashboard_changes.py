"""What changed between two visits, added up from the changes from look to look."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from itcare.core.words import SoftwareChange
from itcare.publish.rows import SoftwareChangeRow
from tests.support import dashboard  # noqa: F401 - puts the dashboard's modules on the path

import changes  # isort: skip

START = datetime(2026, 3, 1, tzinfo=UTC)
LATER = START + timedelta(days=100)
INSTALLED, REMOVED, UPDATED = SoftwareChange.INSTALLED, SoftwareChange.REMOVED, SoftwareChange.UPDATED


def _row(look: int, kind: SoftwareChange, old: str | None, new: str | None, name: str = "openssl") -> SoftwareChangeRow:
    at = START + timedelta(days=look)
    return SoftwareChangeRow("pc01", at, look, look + 1, kind, name, "machine", "dpkg", "amd64", old, new)


def _net(*rows: SoftwareChangeRow) -> list[tuple[SoftwareChange, str | None, str | None]]:
    return [(c.kind, c.old_version, c.new_version) for c in changes.between(rows, START, LATER)]


def test_two_updates_are_one() -> None:
    assert _net(_row(1, UPDATED, "1", "2"), _row(5, UPDATED, "2", "3")) == [(UPDATED, "1", "3")]


def test_an_update_that_was_taken_back_leaves_nothing() -> None:
    assert _net(_row(1, UPDATED, "1", "2"), _row(2, UPDATED, "2", "1")) == []


def test_what_came_and_went_leaves_nothing() -> None:
    assert _net(_row(1, INSTALLED, None, "1"), _row(2, REMOVED, "1", None)) == []


def test_what_went_and_came_back_newer_is_an_update() -> None:
    assert _net(_row(1, REMOVED, "1", None), _row(2, INSTALLED, None, "2")) == [(UPDATED, "1", "2")]


def test_installed_and_then_updated_is_installed() -> None:
    assert _net(_row(1, INSTALLED, None, "1"), _row(2, UPDATED, "1", "2")) == [(INSTALLED, None, "2")]


def test_the_first_visit_is_left_out_and_the_last_is_in() -> None:
    rows = [_row(1, UPDATED, "1", "2"), _row(2, UPDATED, "2", "3"), _row(3, UPDATED, "3", "4")]
    (change,) = changes.between(rows, rows[0].at, rows[1].at)
    assert (change.old_version, change.new_version, change.run) == ("2", "3", rows[1].run)


def test_the_same_name_elsewhere_is_another_package() -> None:
    rows = [_row(1, REMOVED, "1", None), _row(1, INSTALLED, None, "2", name="openssh")]
    assert [change.name for change in changes.between(rows, START, LATER)] == ["openssh", "openssl"]


def test_visits_are_told_once_and_newest_first() -> None:
    known = {2: START, 5: START + timedelta(days=3), 3: START + timedelta(days=1), 4: START + timedelta(days=1)}
    assert [look.run for look in changes.looks(known)] == [5, 4, 3, 2]


_Sets = st.lists(st.frozensets(st.sampled_from("123456"), max_size=4), min_size=2, max_size=6)


@given(_Sets)
def test_the_sum_of_changes_leads_from_the_first_list_to_the_last(versions: list[frozenset[str]]) -> None:
    """Whatever the looks found, the net change applied to the first list gives the last one."""
    rows = []
    for look, (before, after) in enumerate(zip(versions, versions[1:], strict=False), start=1):
        gone, come = sorted(before - after), sorted(after - before)
        if len(before) == len(after) == len(gone) == 1:
            rows.append(_row(look, UPDATED, gone[0], come[0]))
        else:
            rows += [_row(look, REMOVED, version, None) for version in gone]
            rows += [_row(look, INSTALLED, None, version) for version in come]
    found = Counter(versions[0])
    for change in changes.between(rows, START, LATER):
        assert change.old_version != change.new_version
        found.subtract([change.old_version] if change.old_version else [])
        found.update([change.new_version] if change.new_version else [])
    assert +found == Counter(versions[-1])
    assert min(found.values(), default=0) >= 0
