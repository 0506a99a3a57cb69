"""What is owed: every local day once, from midnight to midnight by the client's clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from itcare.contract.models import Contract
from itcare.contract.plan import plan, start_of_day
from tests.support.contracts import ACME, contract_of, spoil

DAY = timedelta(days=1)
LONG_AGO = date(2000, 1, 1)
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)


def contract_in(zone: str, **days: date) -> Contract:
    """A contract with one host; `days`: host_first, host_last, first, last."""
    return Contract.model_validate(
        {
            "schema": "itcare/contract/v1",
            "contract": {
                "number": "A/1",
                "version": 1,
                "signed_on": LONG_AGO,
                "first_day": days.get("first", LONG_AGO),
                "last_day": days.get("last"),
            },
            "client": {
                "code": "ACME", "legal_name": "Acme", "nip": "0000000000", "locale": "pl", "tz": zone, "dpa": "D/1",
            },
            "team": {"technician": "T"},
            "sites": {"hq": {"reach": "onsite"}},
            "hosts": {
                "pc01": {
                    "site": "hq",
                    "role": "server",
                    "first_day": days.get("host_first", LONG_AGO),
                    "last_day": days.get("host_last"),
                    "address": "192.0.2.1",
                },
            },
            "duties": {"visit.daily": {"per": ("host",), "select": "all", "cadence": {"daily": "all"}}},
        }
    )  # fmt: skip


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# zone, local day, when it begins and ends in UTC, its length in hours
DAYS = [
    ("Europe/Warsaw", "2026-01-01", "2025-12-31T23:00", "2026-01-01T23:00", 24),
    ("Europe/Warsaw", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00", 23),
    ("Europe/Warsaw", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00", 25),
    ("Europe/Warsaw", "2027-03-28", "2027-03-27T23:00", "2027-03-28T22:00", 23),
    ("Europe/Warsaw", "2027-10-31", "2027-10-30T22:00", "2027-10-31T23:00", 25),
    ("UTC", "2026-03-29", "2026-03-29T00:00", "2026-03-30T00:00", 24),
    # midnight does not exist: the clock jumps from 24:00 to 01:00
    ("America/Santiago", "2025-09-07", "2025-09-07T04:00", "2025-09-08T03:00", 23),
    ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", "2026-04-24T21:00", 23),
    ("America/Havana", "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00", 23),
    # midnight comes twice: the day begins with the first
    ("America/Havana", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", 25),
    # the hour before midnight comes twice: the day before is the long one
    ("America/Santiago", "2026-04-04", "2026-04-04T03:00", "2026-04-05T04:00", 25),
    # a jump of half an hour across midnight (Toronto 1919) and of half an hour at night (Lord Howe)
    ("America/Toronto", "1919-03-31", "1919-03-31T04:30", "1919-04-01T04:00", 23.5),
    ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", "2026-10-04T13:00", 23.5),
    # Samoa skipped 30 December 2011
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", "2011-12-30T10:00", 24),
    ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00", 0),
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", "2011-12-31T10:00", 24),
]


@pytest.mark.parametrize(("zone", "day", "begins", "ends", "hours"), DAYS)
def test_a_local_day_begins_and_ends_when_the_local_date_does(zone, day, begins, ends, hours):
    day = date.fromisoformat(day)
    begin, end = start_of_day(day, ZoneInfo(zone)), start_of_day(day + DAY, ZoneInfo(zone))
    assert (begin, end) == (instant(begins), instant(ends))
    assert end - begin == timedelta(hours=hours)


@pytest.mark.parametrize(("zone", "day", "begins", "ends", "hours"), [row for row in DAYS if row[1] > "2000"])
def test_the_obligation_of_a_day_is_due_from_its_beginning_to_its_end(zone, day, begins, ends, hours):
    day = date.fromisoformat(day)
    planned = plan(contract_in(zone), day, day, LONG_AGO)
    assert [(o.nominal_date, o.due_from, o.due_to) for o in planned] == (
        [(day, instant(begins), instant(ends))] if hours else []
    )


@given(st.sampled_from(ZONES), st.dates(date(2000, 1, 2), date(2037, 12, 1)), st.integers(0, 40))
@settings(max_examples=200, deadline=None)
@example("America/St_Johns", date(2006, 10, 27), 4)
@example("Pacific/Apia", date(2011, 12, 25), 10)
@example("America/Scoresbysund", date(2024, 3, 29), 4)
def test_every_local_day_is_owed_exactly_once_without_gap_or_overlap(zone, first, length):
    last = first + length * DAY
    planned = plan(contract_in(zone), first, last, LONG_AGO)
    days = [o.nominal_date for o in planned]
    assert len(set(days)) == len(days)
    skipped = {first + n * DAY for n in range(length + 1)} - set(days)
    assert all(start_of_day(day, ZoneInfo(zone)) == start_of_day(day + DAY, ZoneInfo(zone)) for day in skipped)
    for obligation in planned:
        assert obligation.due_from < obligation.due_to <= obligation.catch_up_to
        assert obligation.due_from.astimezone(ZoneInfo(zone)).date() == obligation.nominal_date
    for earlier, later in zip(planned, planned[1:], strict=False):
        assert earlier.due_to == later.due_from
        assert earlier.catch_up_to == later.due_from
    if planned:
        whole = planned[-1].due_to - planned[0].due_from
        assert whole == start_of_day(last + DAY, ZoneInfo(zone)) - start_of_day(first, ZoneInfo(zone))


@given(st.sampled_from(ZONES), st.datetimes(datetime(1950, 1, 1), datetime(2037, 12, 1)))  # noqa: DTZ001 - made UTC below
@settings(deadline=None)
def test_the_first_instant_of_a_day_is_really_its_first(zone, moment):
    zone = ZoneInfo(zone)
    day = moment.replace(tzinfo=UTC).astimezone(zone).date()
    begin = start_of_day(day, zone)
    assert begin.astimezone(zone).date() >= day
    assert (begin - timedelta(seconds=1)).astimezone(zone).date() < day


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_day_is_planned_alike_whatever_else_is_asked_for(data):
    days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
    contract = contract_in("Europe/Warsaw", first=date(2025, 6, 1), last=date(2027, 6, 30))
    first, middle, last = sorted(data.draw(st.tuples(days, days, days)))
    whole = plan(contract, first, last, LONG_AGO)
    parts = plan(contract, first, middle, LONG_AGO) + plan(contract, middle + DAY, last, LONG_AGO)
    assert whole == parts


@pytest.mark.parametrize(
    ("limits", "since", "expected"),
    [
        ({}, LONG_AGO, (1, 31)),
        ({"first": date(2026, 1, 10)}, LONG_AGO, (10, 31)),
        ({"last": date(2026, 1, 20)}, LONG_AGO, (1, 20)),
        ({"host_first": date(2026, 1, 5), "host_last": date(2026, 1, 7)}, LONG_AGO, (5, 7)),
        ({"host_first": date(2026, 1, 5), "first": date(2026, 1, 6), "last": date(2026, 1, 8)}, LONG_AGO, (6, 8)),
        ({}, date(2026, 1, 15), (15, 31)),
        ({}, date(2026, 2, 1), None),
        ({"first": date(2026, 2, 1)}, LONG_AGO, None),
    ],
)
def test_nothing_is_owed_outside_contract_scope_and_ledger(limits, since, expected):
    planned = plan(contract_in("Europe/Warsaw", **limits), date(2026, 1, 1), date(2026, 1, 31), since)
    days = [o.nominal_date.day for o in planned]
    assert days == (list(range(expected[0], expected[1] + 1)) if expected else [])


def test_catch_up_ends_with_the_hosts_last_day():
    contract = contract_in("Europe/Warsaw", host_last=date(2026, 1, 7))
    last = plan(contract, date(2026, 1, 1), date(2026, 1, 31), LONG_AGO)[-1]
    assert last.nominal_date == date(2026, 1, 7)
    assert last.catch_up_to == start_of_day(date(2026, 1, 8), ZoneInfo("Europe/Warsaw"))


def test_each_host_in_scope_is_owed_its_own_obligation(tmp_path):
    contract = contract_of(tmp_path)
    planned = plan(contract, date(2026, 11, 20), date(2026, 11, 21), LONG_AGO)
    assert [o.key for o in planned] == [
        ("visit.daily", host, day)
        for day, hosts in (
            (date(2026, 11, 20), ["here", "nb01", "pc01", "pc02", "srv01"]),
            (date(2026, 11, 21), ["here", "nb01", "pc01", "srv01"]),
        )
        for host in hosts
    ]


def test_each_duty_is_owed_for_its_own_hosts(tmp_path):
    second = ACME + "  check.servers:\n    per: [host]\n    select: {role: [server]}\n    cadence: {daily: all}\n"
    planned = plan(contract_of(tmp_path, second), date(2026, 1, 1), date(2026, 1, 1), LONG_AGO)
    assert [(o.duty, o.subject) for o in planned] == [
        ("check.servers", "srv01"), ("visit.daily", "here"), ("visit.daily", "pc01"), ("visit.daily", "pc02"),
        ("visit.daily", "srv01"),
    ]  # fmt: skip


def test_an_empty_range_owes_nothing():
    assert plan(contract_in("UTC"), date(2026, 1, 2), date(2026, 1, 1), LONG_AGO) == []


def test_a_zone_change_in_the_contract_moves_the_day(tmp_path):
    contract = contract_of(tmp_path, spoil("Europe/Warsaw", "America/New_York"))
    assert plan(contract, date(2026, 7, 1), date(2026, 7, 1), LONG_AGO)[0].due_from == instant("2026-07-01T04:00")
