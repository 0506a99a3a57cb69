"""The generated years are what an import of the same visits makes of them, and a ledger like any other."""

import re
import subprocess
import sys
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fleet import CLIENT, Computer, Draw, Kind, make_computers
from benchmarks.holes import Template, hole, json_number, json_plain
from benchmarks.programs import CYCLE_DAYS, Updates, count_programs, list_programs, write_programs
from benchmarks.years import add_visit, read_years
from itcare.access import list_scopes
from itcare.core.clock import FixedClock, SystemClock
from itcare.drive.attachments import detach
from itcare.ledger.check import check_log
from itcare.publish.reader import Snapshot
from itcare.store.bodies import canonical_bytes
from tests.support.components import ROOT
from tests.support.years import import_events, make_small_years, opened, read_events

LAST_DAY = SystemClock().now().date() - timedelta(days=1)
ALL_KINDS = {
    (1, LAST_DAY - timedelta(days=1)): Kind.FAILED, (2, LAST_DAY - timedelta(days=1)): Kind.SEEN,
    (1, LAST_DAY): Kind.NOT_REACHED, (2, LAST_DAY): Kind.LOST,
}  # fmt: skip


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two computers on two days: a visit of every kind."""
    home = tmp_path_factory.mktemp("generated") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Computer, "kind_on", lambda one, day, _draw: ALL_KINDS[one.number, day])
        make_small_years(home, 2, 2, LAST_DAY)
    return home


@pytest.fixture(scope="module")
def imported(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same visits, through spools."""
    home = tmp_path_factory.mktemp("imported") / "home"
    with opened(generated) as ledger:
        import_events(home, generated / "contracts" / f"{CLIENT.lower()}.yml", read_events(ledger))
    return home


def _without_the_spool(event: dict[str, Any]) -> dict[str, Any]:
    """The event without the size and the digest of its spool, which the generator only pretends to have."""
    if "spool" not in event:
        return event
    return {**event, "spool": {**event["spool"], "sha256": "", "lines": 0, "bytes": 0}}


def test_generated_entries_are_those_that_an_import_makes(generated: Path, imported: Path) -> None:
    with opened(generated) as one, opened(imported) as other:
        made, brought = read_events(one), read_events(other)
    assert [event["type"] for event in made] == [
        "client.enrolled",
        *["run.opened", *["run.host"] * 2, "run.closed"] * 2,
    ]
    assert {event["outcome"] for event in made if event["type"] == "run.host"} == {
        "changed", "failed", "not_reached", "unknown",
    }  # fmt: skip
    for mine, theirs in zip(made, brought, strict=True):
        assert _without_the_spool(mine) == _without_the_spool(theirs)


def _itcare(home: Path, *words: str) -> str:
    environment = {"ITCARE_HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "itcare", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _published_rows(home: Path) -> dict[str, Any]:
    """What the reader gives of the client, without hashes of leaves."""
    _itcare(home, "publish", CLIENT)
    with Snapshot.open(list_scopes(home / "published")[0]) as snapshot:
        hosts = [host.name for host in snapshot.hosts()]
        runs = [run.number for run in snapshot.runs()]
        rows = {
            "hosts": snapshot.hosts(), "runs": snapshot.runs(), "findings": snapshot.findings(limit=5000),
            "results": [snapshot.host_results(run) for run in runs], "tasks": [snapshot.tasks(run) for run in runs],
            "files": [snapshot.files(run) for run in runs], "facts": [snapshot.facts(host) for host in hosts],
            "owed": [snapshot.obligations(month) for month in snapshot.months()],
        }  # fmt: skip
    return {name: _plain(value) for name, value in rows.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    differing = ("leaf_opened", "leaf_closed", "leaf_sha256", "spool_sha256", "spool_lines")
    return {name: member for name, member in asdict(value).items() if name not in differing}


def test_generated_and_imported_visits_are_published_alike(generated: Path, imported: Path) -> None:
    one, other = _published_rows(generated), _published_rows(imported)
    assert all(one.values())
    assert one == other


def test_itcare_finds_the_generated_ledger_sound(tmp_path: Path) -> None:
    make_small_years(tmp_path / "home", 3, 40, LAST_DAY)
    told = _itcare(tmp_path / "home", "verify")
    assert f"{CLIENT}: sound. {1 + 40 * 5} entries, every one signed" in told


def test_a_body_that_was_changed_is_noticed(tmp_path: Path) -> None:
    """So `verify` did look at the generated bodies."""
    make_small_years(tmp_path / "home", 1, 2, LAST_DAY)
    with opened(tmp_path / "home") as ledger:
        log = ledger.find_log(CLIENT)
        assert check_log(ledger.settings, ledger.engine, log).sound
        with ledger.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE body SET zstd = (SELECT zstd FROM body WHERE log_id = 2 LIMIT 1)")
        assert not check_log(ledger.settings, ledger.engine, log).sound


def test_the_same_day_is_the_same_in_a_longer_history(tmp_path: Path) -> None:
    for name, days in (("short", 1), ("long", 3)):
        make_small_years(tmp_path / name, 2, days, LAST_DAY)
    last = []
    for name in ("short", "long"):
        with opened(tmp_path / name) as ledger:
            events = [event for event in read_events(ledger) if event["type"] == "run.host"][-2:]
        last.append([{k: v for k, v in event.items() if k not in ("run", "entry")} for event in events])
    assert last[0] == last[1]


def test_one_more_visit_of_one_computer_is_one_more_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_small_years(home, 3, 2, LAST_DAY)
    assert add_visit(home, [2]) == 3
    with opened(home, FixedClock(SystemClock().now())) as ledger:
        events = read_events(ledger)
        assert [event["type"] for event in events[-3:]] == ["run.opened", "run.host", "run.closed"]
        assert (events[-3]["run"], events[-3]["hosts"]) == (3, [make_computers(2)[1].name])
        assert check_log(ledger.settings, ledger.engine, ledger.find_log(CLIENT)).sound


def test_what_was_made_can_be_read_again_and_half_of_it_cannot(tmp_path: Path) -> None:
    make_small_years(tmp_path / "home", 1, 1, LAST_DAY)
    made = read_years(tmp_path / "home")
    assert made is not None and (made.computers, made.runs, made.last_day) == (1, 1, f"{LAST_DAY}")
    (tmp_path / "home" / "years.json").unlink()
    assert read_years(tmp_path / "home") is None


def test_a_year_of_500_computers_has_visits_of_every_kind() -> None:
    kinds = [
        one.kind_on(day, Draw("visit", one.number, day.toordinal()))
        for one in make_computers(500)
        for day in (date(2026, 1, 1) + timedelta(days=number) for number in range(0, 365, 10))
    ]
    shares = {kind: kinds.count(kind) / len(kinds) for kind in Kind}
    assert 0.99 > shares[Kind.SEEN] > 0.9
    assert 0.1 > shares[Kind.NOT_REACHED] > 0.01
    assert 0.01 > shares[Kind.FAILED] > shares[Kind.LOST] > 0


def test_disks_fill_and_are_tidied_up() -> None:
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(1096)]
    for one in make_computers(20):
        used = [one.used_bytes(day, Draw(day)) for day in days]
        growing = sum(after > before for before, after in zip(used, used[30:], strict=False))
        assert growing > len(days) / 2
        assert max(used) < one.disk_bytes
        assert any(after < before * 0.9 for before, after in zip(used, used[1:], strict=False))


@given(st.integers(0, 29), st.integers(0, 7199), st.dates(date(2021, 1, 1), date(2031, 12, 31)))
def test_a_list_of_programs_is_one_that_the_import_takes(offset: int, second: int, day: date) -> None:
    updates = Updates(offset, second)
    listed = list_programs(updates, day)
    assert write_programs(updates, day) == canonical_bytes(listed, "a list")
    assert len(listed) == count_programs(updates, day) in (150, 151)
    result = {"changed": False, "software": {"packages": listed}}
    detached = detach("itcare.maintenance.software_info", result)
    assert detached.problem is None
    assert list(detached.attachments["packages"]) == listed  # it was in the order that the import gives it


def test_a_list_of_programs_changes_once_a_cycle_and_little() -> None:
    updates, day = Updates(3, 40), date(2026, 3, 1)
    lists = [write_programs(updates, day + timedelta(days=number)) for number in range(CYCLE_DAYS * 2)]
    assert len(set(lists)) == 3
    versions = [
        {item["name"]: item["version"] for item in list_programs(updates, day + timedelta(days=number))}
        for number in (0, CYCLE_DAYS)
    ]
    changed = {name for name in versions[0] if versions[0][name] != versions[1].get(name)}
    assert 3 <= len(changed) <= 7


_TEXTS = st.text(st.characters(codec="utf-8"))
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXTS
_VALUES = st.recursive(
    _SCALARS | st.sampled_from(["a", "b"]).map(hole),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


def _filled(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(member, values) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, values) for member in value]
    found = re.fullmatch("\x02(\\w+)\x03", value) if isinstance(value, str) else None
    return values[found[1]] if found else value


@given(_VALUES, st.integers(-(2**53) + 1, 2**53 - 1), st.text("abcXYZ019 :./%-_"))
def test_a_filled_template_is_the_canonical_form_of_the_value(value: Any, number: int, text: str) -> None:
    filled = Template(value).fill({"a": json_number(number), "b": json_plain(text)})
    assert filled == canonical_bytes(_filled(value, {"a": number, "b": text}), "a value")


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 3)))
def test_numbers_are_written_as_the_ledger_writes_them(value: float) -> None:
    assert json_number(value) == canonical_bytes(value, "a number")


def test_a_number_that_needs_an_exponent_is_refused() -> None:
    with pytest.raises(ValueError, match="exponent"):
        json_number(1e-5)


def test_a_template_tells_which_hole_was_not_filled() -> None:
    with pytest.raises(KeyError, match="missing"):
        Template({"x": hole("missing")}).fill({})
